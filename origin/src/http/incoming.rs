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
/// Events in an HTTP API's older format are a REST API's, by which `$default` alone tells them apart: no REST API has such a
/// stage.
fn may_be_decoded(parts: &Parts) -> bool {
    match parts.extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            !context.domain_name.as_deref().is_some_and(|name| name.contains(".lambda-url."))
        }
        Some(RequestContext::ApiGatewayV1(context)) => context.stage.as_deref() == Some("$default"),
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

#[cfg(test)]
mod tests {
    use lambda_http::request::from_str;
    use serde_json::json;

    use super::*;

    /// An event in the format that HTTP APIs call 1.0 and REST APIs have.
    fn version_1(stage: &str, path: &str) -> Parts {
        let event = json!({
            "version": "1.0", "resource": "/{proxy+}", "path": path, "httpMethod": "GET",
            "headers": {"Host": "a.execute-api.eu-west-2.amazonaws.com"}, "multiValueHeaders": {},
            "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
            "stageVariables": null, "body": null, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "1", "resourceId": "r", "stage": stage, "requestId": "r", "resourcePath": "/{proxy+}",
                "httpMethod": "GET", "path": path, "apiId": "a", "protocol": "HTTP/1.1",
                "identity": {"sourceIp": "127.0.0.1"},
            },
        });
        from_str(&event.to_string()).expect("an event").into_parts().0
    }

    #[test]
    fn a_path_that_an_http_api_has_decoded_is_encoded_again_in_its_older_format_too() {
        for (stage, path, expected) in [
            ("$default", "/users/auth0|alice/orders", "/users/auth0%7Calice/orders"),
            ("$default", "/users/alice@example/orders", "/users/alice@example/orders"),
            // A REST API's is as it was sent; what no canonical path has is the core's to refuse.
            ("prod", "/users/auth0%7Calice/orders", "/users/auth0%7Calice/orders"),
            ("prod", "/users/auth0|alice/orders", "/users/auth0|alice/orders"),
        ] {
            assert_eq!(target(&version_1(stage, path), &BasePath::none()).as_deref(), Some(expected), "{stage}");
        }
    }
}
