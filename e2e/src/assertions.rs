//! Assertions as the edge makes them, and as somebody would who is not the edge. Keys come from the stack's description.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postern::{
    UnixTime,
    assertion::{ASSERTION_LIFETIME, Assertion, AssertionKeys, Capability},
};
use serde_json::Value;

use crate::{random, stack::Stack};

/// The issuer of the edge's assertions.
pub const EDGE: &str = "edge";
/// The issuer that may write permissions, and the name of its key.
pub const ADMIN: (&str, &str) = ("admin", "permissions-admin");

/// The time.
pub fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The key set of this name.
///
/// # Panics
/// When the description has none, or one that the core does not take.
#[track_caller]
pub fn keys(stack: &Stack, name: &str) -> AssertionKeys {
    keys_from(stack.keys.get(name).unwrap_or_else(|| panic!("the stack has no key `{name}`")))
}

/// A key set from JSON.
#[track_caller]
pub fn keys_from(set: &Value) -> AssertionKeys {
    AssertionKeys::from_json(&set.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

/// What the edge would say to `origin` for a permitted request of `user-manager` of company 1111.
pub fn as_edge(origin: &str, method: &str, target: &str) -> Assertion {
    let now = now();
    Assertion {
        issuer: EDGE.to_owned(),
        audience: origin.to_owned(),
        subject: Some("user-manager".to_owned()),
        subject_issuer: Some("users".to_owned()),
        company: Some("1111".to_owned()),
        roles: vec!["Manager".to_owned()],
        scopes: vec!["orders/list.orders".to_owned()],
        route: Some("internal-orders-list".to_owned()),
        policy: None,
        capability: None,
        handed_on: Vec::new(),
        content_sha256: None,
        method: method.to_owned(),
        target: target.to_owned(),
        issued_at: now,
        expires_at: now.saturating_add(ASSERTION_LIFETIME),
        id: random::id(),
    }
}

/// A credential for the permissions service.
pub fn for_permissions(issuer: &str, capability: Capability, method: &str, target: &str) -> Assertion {
    Assertion::for_permissions(issuer, "permissions", "users", capability, (method, target), now(), random::id())
}

/// The same assertion, made `age` ago.
pub fn aged(mut assertion: Assertion, age: Duration) -> Assertion {
    let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    let back = |time: UnixTime| UnixTime::from_millis(time.as_millis().saturating_sub(millis));
    assertion.issued_at = back(assertion.issued_at);
    assertion.expires_at = back(assertion.expires_at);
    assertion
}
