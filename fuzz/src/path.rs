//! Request targets: what is taken is one text with one meaning, and nothing else is forwarded.

use postern::{
    Decision, Reason, Request,
    target::{CanonicalTarget, MAX_SEGMENTS, MAX_TARGET_BYTES, encode_path, encode_segment},
};

use crate::{Script, world};

/// How far an input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It is not canonical.
    Refused,
    /// It is canonical, and no route of the policy.
    Canonical,
    /// It is canonical with a query, and no route of the policy.
    WithQuery,
    /// A route of the policy has it.
    Route,
}

/// Reads the input as a request target, and as a path that a platform has decoded.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let Ok(raw) = std::str::from_utf8(payload) else { return Reached::Refused };
    assert_encoding(raw);
    let method = script.pick(&["GET", "POST", "OPTIONS", "HEAD", "get", ""]);
    let parsed = CanonicalTarget::parse(raw);
    let headers = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
    let headers = &headers[..usize::from(script.choose(3))];
    let (decision, _) = world::decide(&world::authorizer(), &Request { method, target: raw, headers }, &mut script);
    let Ok(target) = parsed else {
        // By a clock that cannot be right nothing is read, and nothing permitted.
        let refused = matches!(&decision, Decision::Deny(denial)
            if denial.answer().status == 400 || denial.reason() == Reason::Unconfigured);
        assert!(refused, "not canonical, yet {decision:?}");
        return Reached::Refused;
    };
    assert_one_meaning(raw, &target);
    match decision {
        Decision::Permit(permit) => {
            assert_eq!(target.path(), "/health", "permitted without a token: {}", permit.route());
            Reached::Route
        }
        Decision::Deny(denial) if denial.route().is_some() => Reached::Route,
        _ if target.query().is_some() => Reached::WithQuery,
        _ => Reached::Canonical,
    }
}

fn assert_one_meaning(raw: &str, target: &CanonicalTarget) {
    assert_eq!(target.as_str(), raw, "not the bytes that came");
    assert_eq!(CanonicalTarget::parse(target.as_str()).as_ref(), Ok(target));
    let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
    assert_eq!(format!("{}{query}", target.path()), raw);
    assert!(raw.len() <= MAX_TARGET_BYTES && target.segments().count() <= MAX_SEGMENTS, "past the caps");
    let written: String = target.segments().map(|segment| format!("/{}", encode_segment(segment))).collect();
    assert_eq!(written, target.path(), "the segments are written in another way");
    for segment in target.segments() {
        assert!(segment != "." && segment != "..", "a dot segment");
        let hides = |char: char| "/?#%;\\".contains(char) || char.is_control();
        assert!(!segment.contains(hides), "a segment hides what would divide a target");
    }
}

/// A decoded path has one canonical writing or none.
fn assert_encoding(decoded: &str) {
    if let Ok(path) = encode_path(decoded)
        && let Ok(target) = CanonicalTarget::parse(&path)
    {
        assert_eq!(
            format!("/{}", target.segments().collect::<Vec<_>>().join("/")),
            decoded,
            "it decodes to something else"
        );
    }
}
