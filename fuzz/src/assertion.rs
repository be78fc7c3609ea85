//! Assertions: what was signed for a request is believed on that request, and nothing else ever is.
//!
//! The payload's lines are an assertion's fields; or, when it begins with `{`, a text of keys; or, with `ey`, an
//! assertion word for word, of which none can be right, as nobody knows the keys.

use std::collections::BTreeMap;

use postern::{
    UnixTime,
    assertion::{Assertion, AssertionKeys, AssertionVerifier, Capability, MAX_ASSERTION_BYTES},
};

use crate::Script;

/// How far an input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// A text that is no assertion, and was refused.
    Foreign,
    /// Keys that are none.
    NoKeys,
    /// Keys that sign what they verify.
    Keys,
    /// An assertion of ours that was refused for its time or its size.
    Refused,
    /// An assertion of ours that was believed, and in no altered form.
    Believed,
}

const AUDIENCE: &str = "orders";
const EDGE: &str = r#"{"keys":[{"kty":"oct","kid":"one","k":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"}]}"#;
const TRUST: &str = r#"{"issuers":{
    "edge":{"keys":[{"kty":"oct","kid":"one","k":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"}],"capabilities":["read"]},
    "other":{"keys":[{"kty":"oct","kid":"two","k":"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"}]}}}"#;
/// The same names, other secrets.
const STRANGER: &str = r#"{"issuers":{
    "edge":{"keys":[{"kty":"oct","kid":"one","k":"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"}],"capabilities":["read"]}}}"#;
const NOW: u64 = 1_800_000_000;

fn verifier(audience: &str, trust: &str) -> AssertionVerifier {
    AssertionVerifier::from_json(audience, trust).expect("the keys are keys")
}

/// Makes, alters and verifies the input's assertion.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let Ok(text) = std::str::from_utf8(payload) else { return Reached::Foreign };
    if text.starts_with('{') {
        return keys(text);
    }
    let now = UnixTime::from_secs(NOW);
    if text.starts_with("ey") {
        let outcome = verifier(AUDIENCE, TRUST).verify(text, "GET", "/", now);
        assert!(outcome.is_err(), "an assertion was forged");
        return Reached::Foreign;
    }
    own(&mut script, text)
}

fn keys(text: &str) -> Reached {
    // Whatever a verifier makes of it, it must not come to harm.
    let _ = AssertionVerifier::from_json(AUDIENCE, text);
    let Ok(keys) = AssertionKeys::from_json(text) else { return Reached::NoKeys };
    assert!(keys.shares_secret_with(&keys), "there is no secret in it");
    let now = UnixTime::from_secs(NOW);
    let assertion = Assertion::for_permissions("edge", AUDIENCE, "users", Capability::Read, ("GET", "/"), now, [7; 16]);
    let outcome = verifier(AUDIENCE, TRUST).verify(&assertion.sign(&keys), "GET", "/", now);
    let shared = AssertionKeys::from_json(EDGE).expect("keys").shares_secret_with(&keys);
    assert!(outcome.is_err() || shared, "signed by a stranger and believed");
    let trust = format!(r#"{{"issuers":{{"edge":{text}}}}}"#);
    if let Ok(verifier) = AssertionVerifier::from_json(AUDIENCE, &trust) {
        verifier.verify(&assertion.sign(&keys), "GET", "/", now).expect("keys verify what they sign");
    }
    Reached::Keys
}

fn own(script: &mut Script<'_>, text: &str) -> Reached {
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let list = |text: String| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let issued_at = script.pick(&[NOW, NOW - 59, NOW - 60, NOW + 5, NOW + 6, 0, u64::MAX]);
    let lifetime = script.pick(&[60, 1, 0, 61, u64::MAX]);
    let optional = |text: String| (!text.is_empty()).then_some(text);
    let assertion = Assertion {
        issuer: "edge".to_owned(),
        audience: AUDIENCE.to_owned(),
        method: line(),
        target: line(),
        subject: optional(line()),
        subject_issuer: optional(line()),
        company: optional(line()),
        roles: list(line()),
        scopes: list(line()),
        route: optional(line()),
        handed_on: list(line())
            .into_iter()
            .map(|word| (word.clone(), word))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect(),
        content_sha256: script.pick(&[None, Some([0; 32]), Some([0xFF; 32])]),
        policy: optional(line()),
        capability: script.pick(&[None, Some(Capability::Read), Some(Capability::Write)]),
        issued_at: UnixTime::from_secs(issued_at),
        expires_at: UnixTime::from_secs(issued_at.saturating_add(lifetime)),
        id: [script.choose(u8::MAX); 16],
    };
    let compact = assertion.sign(&AssertionKeys::from_json(EDGE).expect("keys"));
    let own = verifier(AUDIENCE, TRUST);
    let now = UnixTime::from_secs(NOW);
    let outcome = own.verify(&compact, &assertion.method, &assertion.target, now);
    // On the wire are whole seconds; the moment itself saturates where they end.
    let (from, until) = (assertion.issued_at.as_secs(), assertion.expires_at.as_secs());
    let in_time = from <= NOW + 5 && NOW < until && until - from <= 60;
    assert_eq!(outcome.is_ok(), in_time && compact.len() <= MAX_ASSERTION_BYTES, "{outcome:?}");
    let Ok(verified) = outcome else { return Reached::Refused };
    assert_eq!(verified.subject(), assertion.subject.as_deref());
    assert_eq!(verified.subject_issuer(), assertion.subject_issuer.as_deref());
    assert_eq!(verified.company(), assertion.company.as_deref());
    assert_eq!((verified.roles(), verified.scopes()), (&assertion.roles[..], &assertion.scopes[..]));
    assert_eq!((verified.route(), verified.policy()), (assertion.route.as_deref(), assertion.policy.as_deref()));
    // The edge's key can grant `read` alone, whatever is claimed.
    assert_eq!(verified.capability(), assertion.capability.filter(|claimed| *claimed == Capability::Read));
    assert_bound(&own, &assertion, &compact, script);
    Reached::Believed
}

fn assert_bound(own: &AssertionVerifier, assertion: &Assertion, compact: &str, script: &mut Script<'_>) {
    let now = UnixTime::from_secs(NOW);
    let Assertion { method, target, .. } = assertion;
    let refused = |verifier: &AssertionVerifier, compact: &str, method: &str, target: &str, now: UnixTime| {
        assert!(verifier.verify(compact, method, target, now).is_err(), "believed where it was not made for");
    };
    refused(own, compact, &format!("{method}x"), target, now);
    refused(own, compact, method, &format!("{target}x"), now);
    refused(own, compact, method, target, assertion.expires_at);
    refused(&verifier("vouchers", TRUST), compact, method, target, now);
    refused(&verifier(AUDIENCE, STRANGER), compact, method, target, now);
    let mut altered = compact.as_bytes().to_vec();
    let bit = script.number() % (altered.len() * 8);
    altered[bit / 8] ^= 1 << (bit % 8);
    if let Ok(altered) = std::str::from_utf8(&altered) {
        refused(own, altered, method, target, now);
    }
    let cut = script.number() % compact.len();
    refused(own, &compact[..cut], method, target, now);
}
