//! The request as it came, read once out of the runtime's own object.
//!
//! The runtime's object stays the one that is forwarded; only text is taken from it, in as few crossings
//! between WebAssembly and JavaScript as the Fetch standard's interface allows.

use js_sys::Array;
use web_sys::Request;

use crate::{header, log, target, web};

/// Method, raw target and header fields of one request.
#[derive(Debug)]
pub(super) struct Incoming {
    method: String,
    url: String,
    /// One line a field; the runtime has joined repeated fields with commas (Fetch §2.2.2).
    fields: String,
}

impl Incoming {
    pub(super) fn read(request: &Request) -> Self {
        let fields = Array::from(&request.headers()).join("\n");
        Self { method: request.method(), url: request.url(), fields: fields.into() }
    }

    /// The value of a field whose name is in lower case, as the runtime writes names.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        header::fields(&self.fields).find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The scheme that the runtime was reached by.
    pub(super) fn scheme(&self) -> &str {
        self.url.split_once("://").map_or("https", |(scheme, _)| scheme)
    }

    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

impl web::Incoming for Incoming {
    fn fields(&self) -> Vec<(&str, &str)> {
        header::fields(&self.fields).collect()
    }

    fn as_core<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> postern::Request<'a> {
        // A URL without a target cannot be; the empty one is refused as not canonical.
        postern::Request { method: &self.method, target: target::target_of(&self.url).unwrap_or_default(), headers }
    }

    /// Cloudflare's name for the request.
    fn id(&self) -> Option<&str> {
        log::request_id(self.field("cf-ray"))
    }
}
