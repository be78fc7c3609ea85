//! Generated responses ("Generate HTTP responses in request triggers", "Update HTTP responses in origin response
//! triggers").

use postern::{Answer, policy::cloudfront::is_disallowed};
use serde_json::{Map, Value, json};

use super::EventKind;

/// Largest response that a function may generate for a viewer's request, fields and body together ("Quotas on
/// Lambda@Edge": 40 KB, of which this is the smaller reading). It is held for every event, and by the whole text.
pub const MAX_ANSWER_OCTETS: usize = 40_000;

/// The answer as a generated response. An answer to HEAD has no body, whatever the answer holds.
///
/// Fields that a function must not add are left out. One that is too large goes without its body, and without its fields
/// if need be.
#[must_use]
pub fn answer(answer: &Answer, head: bool) -> String {
    text(answer, head, &Value::Object(Map::new()))
}

/// The same with fields that came and must stay.
pub(super) fn text(answer: &Answer, head: bool, kept: &Value) -> String {
    let fields = answer.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let body = if head { "" } else { &answer.body };
    let status = (answer.status, answer.reason_phrase());
    let whole = || generated(status, fields.clone(), body, kept);
    let without_body = || generated(status, fields.clone(), "", kept);
    let bare = || generated(status, [("cache-control", "no-store")].into_iter(), "", kept);
    Some(whole())
        .filter(|text| text.len() <= MAX_ANSWER_OCTETS)
        .or_else(|| Some(without_body()).filter(|text| text.len() <= MAX_ANSWER_OCTETS))
        .unwrap_or_else(bare)
}

fn generated<'a>(
    (status, phrase): (u16, &str),
    fields: impl Iterator<Item = (&'a str, &'a str)>,
    body: &str,
    kept: &Value,
) -> String {
    let mut headers = kept.as_object().cloned().unwrap_or_default();
    for (name, value) in fields.filter(|(name, _)| may_be_generated(name)) {
        headers.insert(name.to_ascii_lowercase(), json!([{"key": name, "value": value}]));
    }
    let mut response = Map::new();
    response.insert("status".to_owned(), status.to_string().into());
    response.insert("statusDescription".to_owned(), phrase.into());
    response.insert("headers".to_owned(), headers.into());
    if !body.is_empty() {
        response.insert("body".to_owned(), body.into());
        response.insert("bodyEncoding".to_owned(), "text".into());
    }
    Value::Object(response).to_string()
}

/// Whether a field may be in a generated response, whatever the event.
fn may_be_generated(name: &str) -> bool {
    let is_read_only = |kind: EventKind| kind.read_only().iter().any(|own| name.eq_ignore_ascii_case(own));
    !is_disallowed(name) && !EventKind::ALL.into_iter().any(is_read_only)
}
