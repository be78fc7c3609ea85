//! What an edge writes down beside its decisions, which have [their own form](postern::decision_log): one line of JSON
//! for each failure of something that it depends on.
//!
//! Never a token, an assertion, a subject, a path (it may hold a subject) or a `kid` (foreign text).

use serde_json::{Map, Value};

/// Longest request id that is written; Cloudflare's has 20 characters, CloudFront's 56.
const MAX_REQUEST_ID: usize = 64;

/// A line about something that the edge depends on: `what` failed, `whose` it is, and `why`.
#[must_use]
pub fn failure(what: &str, whose: &str, why: &str, request_id: Option<&str>) -> String {
    let mut line = begin(what);
    line.insert("name".into(), whose.into());
    line.insert("reason".into(), why.into());
    finish(line, request_id)
}

fn begin(event: &str) -> Map<String, Value> {
    Map::from_iter([("event".to_owned(), Value::from(event))])
}

fn finish(mut line: Map<String, Value>, request_id: Option<&str>) -> String {
    if let Some(id) = self::request_id(request_id) {
        line.insert("request".into(), id.into());
    }
    Value::Object(line).to_string()
}

/// The platform's name for a request, when it is one: off the platform's network a caller may set the field that it
/// comes from.
#[must_use]
pub fn request_id(id: Option<&str>) -> Option<&str> {
    let fits = |id: &&str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='));
    id.filter(|id| !id.is_empty() && id.len() <= MAX_REQUEST_ID).filter(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_made_up_is_no_request_id() {
        for id in ["8f0c-LHR", "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ=="] {
            assert_eq!(request_id(Some(id)), Some(id));
        }
        for id in ["", "a b", "a\nb", "\"", &"a".repeat(MAX_REQUEST_ID + 1)] {
            assert_eq!(request_id(Some(id)), None, "{id}");
            assert!(!failure("keys_failed", "users", "why", Some(id)).contains("request"), "{id}");
        }
    }

    #[test]
    fn a_failure_says_what_whose_and_why() {
        let line = failure("keys_failed", "users", "the answer is 500", None);
        assert_eq!(line, r#"{"event":"keys_failed","name":"users","reason":"the answer is 500"}"#);
    }
}
