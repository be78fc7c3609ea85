//! A request as the core looks at it, from what a platform delivered.
//!
//! The path is the event's, encoded again where an HTTP API has decoded it; a query that a platform gives in pieces is
//! written anew ([`query`]). Values that are no UTF-8 are read with replacement characters, as
//! no credential, company or digest has them.

use http::request::Parts;
use lambda_http::{RequestExt, request::RequestContext};
use postern::target::encode_path;

use super::query;
use crate::assertion::BasePath;

/// What is looked at of one request.
pub(crate) struct Incoming {
    method: String,
    target: String,
    fields: Vec<(String, String)>,
    request_id: Option<String>,
}

impl Incoming {
    /// The request that `parts` are of, `base_path` taken off. `None` when the path does not begin with it.
    pub(crate) fn of(parts: &Parts, base_path: &BasePath) -> Option<Self> {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Some(Self {
            method: parts.method.as_str().to_owned(),
            target: target(parts, base_path)?,
            fields: parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
            request_id: request_id(parts),
        })
    }

    /// The same, without any credential of its own.
    pub(crate) fn without_credential(mut self) -> Self {
        self.fields.retain(|(name, _)| name != "authorization");
        self
    }

    /// The header fields, borrowed for [`Incoming::as_core`].
    pub(crate) fn fields(&self) -> Vec<(&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// As the core takes it.
    pub(crate) fn as_core<'a>(&'a self, fields: &'a [(&'a str, &'a str)]) -> postern::Request<'a> {
        postern::Request { method: &self.method, target: &self.target, headers: fields }
    }

    /// The platform's name for it.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// The target that was asked for, as far as the platform lets one know; whether it is canonical is the core's to judge.
fn target(parts: &Parts, base_path: &BasePath) -> Option<String> {
    let path = match parts.raw_http_path() {
        "" => parts.uri.path(),
        raw => raw,
    };
    let path = base_path.strip(path)?;
    let path = if path.contains('%') || !may_be_decoded(parts) {
        without_query(path)
    } else {
        // What no canonical path decodes to stays as it is, and is refused.
        encode_path(path).unwrap_or_else(|_| without_query(path))
    };
    Some(match query::of(parts) {
        Some(query) => format!("{path}?{query}"),
        None => path,
    })
}

/// The path with nothing in it that could be taken for a query or a fragment: a platform hands those over apart, so that
/// they were decoded out of the path. No canonical path has these escapes, and the core refuses it.
pub(crate) fn without_query(path: &str) -> String {
    path.replace('?', "%3F").replace('#', "%23")
}

/// Whether the platform may have decoded the path: an HTTP API does, and a function URL, whose events are like its, does not.
fn may_be_decoded(parts: &Parts) -> bool {
    match parts.extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            !context.domain_name.as_deref().is_some_and(|name| name.contains(".lambda-url."))
        }
        _ => false,
    }
}

fn request_id(parts: &Parts) -> Option<String> {
    match parts.extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV1(context) => context.request_id.clone(),
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    }
}
