//! Access tokens: no input leads to a permit but by way of a signature that was answered to be valid.
//!
//! The payload is a compact JWS word for word, or three lines: a header and claims as JSON, and a signature, which are
//! encoded here, since chance seldom hits on base64url that decodes to JSON.

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{Authorizer, Decision, Reason, Request, UnixTime};
use serde_json::Value;

use crate::{
    Script,
    world::{self, NOW, Trail},
};

/// How far an input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Refused before a signature check.
    NoSignature,
    /// Refused, or left undecided, by the signature check.
    Signature,
    /// Refused by its claims or the route's rules.
    Rules,
    /// Refused, or left undecided, after its permissions were asked for.
    Permissions,
    /// Permitted.
    Permit,
}

/// The longest time after `exp` that any rule could forgive.
const MOST_LEEWAY: f64 = 300.0;

/// Decides a request that carries the input as its token.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let target = script.pick(&["/companies/c1/orders", "/companies/c1/users/u1/orders"]);
    let method = script.pick(&["GET", "HEAD"]);
    let Some(token) = compact(&mut script, payload) else { return Reached::NoSignature };
    let authorizer = world::authorizer();
    let credential = format!("Bearer {token}");
    let request = Request { method, target, headers: &[("authorization", &credential)] };
    let (decision, trail) = world::decide(&authorizer, &request, &mut script);
    if let Some(taken) = &trail.credential {
        assert_eq!(taken, &token, "another token is checked than was sent");
    }
    match decision {
        Decision::Permit(_) => {
            assert!(trail.believed && trail.signatures == 1, "permitted without a valid signature");
            assert_claims(&token);
            assert_remembered(&authorizer, request, &token, trail.verified_at);
            Reached::Permit
        }
        Decision::Deny(denial) => {
            let status = denial.answer().status;
            let may_not_tell = trail.in_the_dark || trail.stale;
            assert!(status != 503 || may_not_tell, "503, though all was told: {trail:?}");
            // A token that has ended meanwhile is refused whatever else is unknown.
            let told = status == 503 || denial.reason() == Reason::Expired;
            assert!(!trail.in_the_dark || told, "{status} in the dark: {trail:?}");
            reached(&trail)
        }
        Decision::Preflight(_) => unreachable!("neither method is that of a preflight"),
    }
}

fn compact(script: &mut Script<'_>, payload: &[u8]) -> Option<String> {
    let lengths = [None, Some(64), Some(256)];
    let length = script.pick(&lengths);
    let mut lines = payload.splitn(3, |byte| *byte == b'\n');
    match (lines.next(), lines.next(), lines.next()) {
        (Some(header), Some(claims), signature) => {
            let mut signature = signature.unwrap_or_default().to_vec();
            signature.resize(length.unwrap_or(signature.len()), 0);
            let parts = [header, claims, &signature].map(Base64UrlUnpadded::encode_string);
            Some(parts.join("."))
        }
        _ => std::str::from_utf8(payload).ok().map(str::to_owned),
    }
}

fn reached(trail: &Trail) -> Reached {
    match trail {
        Trail { signatures: 0, .. } => Reached::NoSignature,
        Trail { permissions: 1, .. } => Reached::Permissions,
        Trail { believed: true, .. } => Reached::Rules,
        _ => Reached::Signature,
    }
}

/// What a lenient reader makes of the claims agrees with what they were believed for.
fn assert_claims(token: &str) {
    let claims = token.split('.').nth(1).and_then(|part| Base64UrlUnpadded::decode_vec(part).ok());
    let claims: Value = serde_json::from_slice(&claims.expect("base64url")).expect("JSON");
    let expires = claims["exp"].as_f64().expect("`exp` is a number");
    assert!(expires + MOST_LEEWAY > NOW as f64, "permitted with `exp` {expires}");
    let issuers = ["https://partners.example", "https://users.example", "https://staff.example"];
    assert!(claims["iss"].as_str().is_some_and(|issuer| issuers.contains(&issuer)), "permitted for an unknown issuer");
}

/// The token is taken again without a second check, and no other token is taken for it.
fn assert_remembered(authorizer: &Authorizer, request: Request<'_>, token: &str, verified_at: UnixTime) {
    let (_, trail) = world::decide_at(verified_at, authorizer, &request);
    assert_eq!((trail.keys, trail.signatures), (0, 0), "a remembered token is checked again");
    let last = if token.ends_with('A') { "Q" } else { "A" };
    let credential = format!("Bearer {}{last}", &token[..token.len() - 1]);
    let headers = [("authorization", credential.as_str())];
    let (decision, trail) = world::decide_at(verified_at, authorizer, &Request { headers: &headers, ..request });
    let unchecked = trail.signatures == 0 && !matches!(decision, Decision::Deny(_));
    assert!(!unchecked, "another token was taken for a remembered one");
}
