//! Errors as `application/problem+json` (RFC 9457): a status, a public code and a sentence.
//!
//! The documents have the members of the core's own answers, and its codes where one fits; the sentences
//! are for the person who writes a client.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use postern::reason::PublicCode;
use serde_json::json;

/// Seconds after which to try again what cannot be answered now.
const RETRY_AFTER_SECONDS: u32 = 1;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with a public code and a sentence that says how to mend the request.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), headers: Vec::new() }
    }

    /// 400: the body or a header field is not what the service takes.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, PublicCode::InvalidRequest.as_str(), detail)
    }

    /// 403: the caller is known and may not do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, PublicCode::AccessDenied.as_str(), detail)
    }

    /// 404: nothing is here for this caller.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, PublicCode::NotFound.as_str(), "There is no such resource.")
    }

    /// 503 with `Retry-After`: the service cannot tell now.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, PublicCode::TemporarilyUnavailable.as_str(), detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS))
    }

    /// The same problem with one more header field.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status it is answered with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The public code, stable across versions.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The whole answer.
    #[must_use]
    pub fn into_response<B: From<String>>(self) -> Response<B> {
        // `about:blank` (RFC 9457 §4.2.1): the title is the status's own phrase, `code` tells more.
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = Response::new(B::from(body.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_status_in_the_head_and_in_the_body() {
        let response: Response<String> = Problem::unavailable("Try again.").into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        assert_eq!(body["status"], 503);
        assert_eq!(body["code"], "temporarily_unavailable");
        assert_eq!(body["title"], "Service Unavailable");
    }
}
