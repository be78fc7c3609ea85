//! What an edge writes down: one line of JSON per denial and per failure of something it depends on.
//!
//! Never a token, an assertion, a subject, a path (it may hold a subject) or a `kid` (foreign text). Permits
//! are not logged.

use serde_json::{Map, Value};

/// Longest request id that is written; Cloudflare's has 20 characters.
const MAX_REQUEST_ID: usize = 64;

/// A line about a request that was refused.
///
/// `reason` is the operator's, not the caller's; `request_id` the platform's, if it gives one.
#[must_use]
pub fn denial(reason: &str, status: u16, route: Option<&str>, request_id: Option<&str>) -> String {
    let mut line = begin("denied");
    line.insert("reason".into(), reason.into());
    line.insert("status".into(), status.into());
    if let Some(route) = route {
        line.insert("route".into(), route.into());
    }
    finish(line, request_id)
}

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
    if let Some(id) = request_id.filter(|id| is_request_id(id)) {
        line.insert("request".into(), id.into());
    }
    Value::Object(line).to_string()
}

/// Off Cloudflare's network a caller may set the field that the id comes from.
fn is_request_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_one_line_of_json() {
        let line = denial("role_missing", 403, Some("internal-order"), Some("8f0c-LHR"));
        assert_eq!(
            line,
            r#"{"event":"denied","reason":"role_missing","request":"8f0c-LHR","route":"internal-order","status":403}"#
        );
    }

    #[test]
    fn what_a_caller_made_up_is_no_request_id() {
        for id in ["", "a b", "a\nb", "\"", &"a".repeat(MAX_REQUEST_ID + 1)] {
            assert!(!denial("no_route", 404, None, Some(id)).contains("request"), "{id}");
        }
    }

    #[test]
    fn a_failure_says_what_whose_and_why() {
        let line = failure("keys_failed", "users", "the answer is 500", None);
        assert_eq!(line, r#"{"event":"keys_failed","name":"users","reason":"the answer is 500"}"#);
    }
}
