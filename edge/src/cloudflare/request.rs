//! The request as it came, as the text that `worker.mjs` hands over. The runtime's object stays the one that is forwarded.

use crate::{header, log, target, web};

/// Method, raw target and header fields of one request.
///
/// What a method or a URL with a line break would do, and no runtime lets pass: shorten the URL, to what is then decided on
/// and forwarded, and add fields, which a caller can send as well.
#[derive(Debug)]
pub(super) struct Incoming {
    /// The method, the URL, then a line for each field; the runtime has joined repeated fields with commas (Fetch §2.2.2).
    text: String,
    method_end: usize,
    url_end: usize,
}

impl Incoming {
    pub(super) fn new(text: String) -> Self {
        let method_end = text.find('\n').unwrap_or(text.len());
        let url = text.get(method_end..).and_then(|rest| rest.strip_prefix('\n')).unwrap_or_default();
        let url_end = text.len().saturating_sub(url.len()).saturating_add(url.find('\n').unwrap_or(url.len()));
        Self { text, method_end, url_end }
    }

    fn method(&self) -> &str {
        self.text.get(..self.method_end).unwrap_or_default()
    }

    fn url(&self) -> &str {
        self.text.get(self.method_end.saturating_add(1)..self.url_end).unwrap_or_default()
    }

    /// The fields, as they came.
    pub(super) fn fields_in_order(&self) -> impl Iterator<Item = (&str, &str)> {
        header::fields(self.text.get(self.url_end..).unwrap_or_default())
    }

    /// The value of a field whose name is in lower case, as the runtime writes names.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields_in_order().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The scheme that the runtime was reached by.
    pub(super) fn scheme(&self) -> &str {
        self.url().split_once("://").map_or("https", |(scheme, _)| scheme)
    }

    pub(super) fn is_head(&self) -> bool {
        self.method() == "HEAD"
    }
}

impl web::Incoming for Incoming {
    fn fields(&self) -> Vec<(&str, &str)> {
        self.fields_in_order().collect()
    }

    fn as_core<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> postern::Request<'a> {
        // A URL without a target cannot be; the empty one is refused as not canonical.
        postern::Request { method: self.method(), target: target::target_of(self.url()).unwrap_or_default(), headers }
    }

    /// Cloudflare's name for the request.
    fn id(&self) -> Option<&str> {
        log::request_id(self.field("cf-ray"))
    }
}
