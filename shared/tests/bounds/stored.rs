//! What comes from those whom the driver asks, and what an origin is sent: JWK sets, permissions records, assertions.

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{
    JwkSet, PermissionsRecord, Policy, UnixTime,
    assertion::{Assertion, AssertionKeys, AssertionVerifier, Capability, MAX_ASSERTION_BYTES},
    cache::{KeyAnswer, KeyCache, KeyFetch, KeyLookup, MAX_METADATA_BYTES},
    jwks::MAX_JWKS_BYTES,
    permissions::MAX_RECORD_BYTES,
    policy::Issuer,
};

use crate::{
    families::{self, fill},
    measure::{Bound, costs_the_same},
};

/// A set is read into values, as a token is, of which what the keys need is copied; and so is an issuer's metadata.
const JWKS: Bound = Bound { total: 70, peak: 70, allocations: 55, kept: 0, constant: 16 * 1024 };

/// A record is read into values, and these into a sorted list.
const RECORD: Bound = Bound { total: 70, peak: 70, allocations: 55, kept: 0, constant: 16 * 1024 };

/// Header and claims have a fixed form, into which they are read without values between; a list of one-letter roles is
/// the densest.
const ASSERTION: Bound = Bound { total: 30, peak: 22, allocations: 45, kept: 0, constant: 4 * 1024 };

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"}"#;
const SECRET: &str = r#"{"keys":[{"kty":"oct","kid":"one","k":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"}]}"#;

fn sizes(cap: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(64), |size| Some(size * 4)).take_while(move |size| *size < cap).chain([cap])
}

#[test]
fn a_jwk_set_costs_no_more_than_a_multiple_of_its_length() {
    let holds = |what: &str, body: &str| JWKS.holds(what, body.len(), || drop(JwkSet::parse(body.as_bytes())));
    for size in sizes(MAX_JWKS_BYTES - 500) {
        for (name, object) in families::objects(r#""keys":[]"#) {
            holds(&format!("set, {name}"), &object(size));
        }
        for (name, object) in families::objects(r#""kty":"OKP","crv":"Ed25519""#) {
            holds(&format!("key, {name}"), &format!(r#"{{"keys":[{ED25519},{}]}}"#, object(size)));
        }
        for (name, unit) in
            [("many keys", ED25519), ("many bad keys", "{}"), ("many symmetric keys", r#"{"kty":"oct"}"#)]
        {
            let count = size / (unit.len() + 1);
            holds(name, &format!(r#"{{"keys":[{}{ED25519}]}}"#, format!("{unit},").repeat(count)));
        }
        for name in ["n", "e", "x", "kid", "x5c"] {
            let long = fill("A", size);
            holds("a key of one long member", &format!(r#"{{"keys":[{{"kty":"RSA","{name}":"{long}"}},{ED25519}]}}"#));
        }
    }
    JWKS.report("JWK sets");
}

#[test]
fn a_jwk_set_past_the_cap_is_not_looked_into() {
    for unit in [" ", "[", "{\"keys\":"] {
        let bodies = [1, 1_000, 10_000_000].map(|more| fill(unit, MAX_JWKS_BYTES + more + unit.len()));
        costs_the_same("a set past the cap", 0, bodies, |body| drop(JwkSet::parse(body.as_bytes())));
    }
}

#[test]
fn a_permissions_record_costs_no_more_than_a_multiple_of_its_length() {
    let holds =
        |what: &str, body: &str| RECORD.holds(what, body.len(), || drop(PermissionsRecord::parse(body.as_bytes())));
    for size in sizes(MAX_RECORD_BYTES - 500) {
        for (name, object) in families::objects(r#""id":"u","companies":[]"#) {
            holds(name, &object(size));
        }
        let listed: String = (0..size / 9).map(|index| format!("\"{index:06}\",")).collect();
        holds("many companies", &format!(r#"{{"id":"u","companies":[{listed}"0"],"role":"Manager"}}"#));
        let mapped: String = (0..size / 16).map(|index| format!("\"{index:06}\":[\"a\"],")).collect();
        holds("roles for many companies", &format!(r#"{{"id":"u","companies":{{{mapped}"0":[]}}}}"#));
        let roles = fill(r#""a","#, size);
        holds("many roles", &format!(r#"{{"id":"u","companies":{{"0":[{roles}"a"]}}}}"#));
    }
    RECORD.report("permissions records");
}

#[test]
fn a_permissions_record_past_the_cap_is_not_looked_into() {
    let bodies = [1, 1_000, 10_000_000].map(|more| fill(" ", MAX_RECORD_BYTES + more));
    costs_the_same("a record past the cap", 0, bodies, |body| drop(PermissionsRecord::parse(body.as_bytes())));
}

/// Whether `body`, as an issuer's metadata, says where its keys are.
fn metadata(fetch: &KeyFetch, issuer: &Issuer, body: &str) -> bool {
    let answer = KeyAnswer { status: 200, cache_control: None, age: None, body: body.as_bytes() };
    fetch.clone().answered(issuer, &answer).is_ok()
}

/// An issuer that is found by discovery, and the fetch that this begins with.
fn discovery() -> (Policy, KeyFetch) {
    let text = r#"{
        "issuer": {"i": {"url": "https://i.example", "algorithms": ["EdDSA"], "audience": ["a"],
            "token_use": "access", "permissions": "subject"}},
        "origin": {"o": {"url": "https://o.example", "key": "KEY"}},
        "route": [{"name": "r", "methods": ["GET"], "path": "/", "origin": "o", "issuer": "i"}]
    }"#;
    let policy = Policy::from_json(text).unwrap();
    let KeyLookup::Fetch(fetch) = KeyCache::new().look_up(&policy.issuers()[0], None, NOW) else {
        panic!("an empty cache needs no fetch");
    };
    (policy, fetch)
}

#[test]
fn metadata_costs_no_more_than_a_multiple_of_its_length() {
    let (policy, fetch) = discovery();
    let mut read = 0;
    for size in sizes(MAX_METADATA_BYTES - 500) {
        for (name, object) in families::objects(r#""issuer":"https://i.example","jwks_uri":"https://i.example/keys""#) {
            let body = object(size);
            JWKS.holds(name, body.len(), || read += u32::from(metadata(&fetch, &policy.issuers()[0], &body)));
        }
    }
    assert!(read >= 50, "only {read} documents were read to the end");
    JWKS.report("metadata");
    let bodies = [1, 1_000, 10_000_000].map(|more| format!(r#"{{"x":"{}"}}"#, fill("a", MAX_METADATA_BYTES + more)));
    costs_the_same("metadata past the cap", 256, bodies, |body| {
        metadata(&fetch, &policy.issuers()[0], body);
    });
}

fn verifier() -> AssertionVerifier {
    AssertionVerifier::from_json("orders", &format!(r#"{{"issuers":{{"edge":{SECRET}}}}}"#)).unwrap()
}

#[test]
fn an_assertion_costs_no_more_than_a_multiple_of_its_length() {
    let verifier = verifier();
    let mut believed = 0;
    let mut holds = |what: &str, compact: &str, target: &str| {
        ASSERTION.holds(what, compact.len(), || {
            believed += u32::from(verifier.verify(compact, "GET", target, NOW).is_ok());
        });
    };
    let most = MAX_ASSERTION_BYTES * 3 / 4 - 500;
    for size in sizes(most) {
        for (name, object) in families::objects(r#""alg":"HS256","typ":"postern-assertion+jwt","kid":"one""#) {
            let header = Base64UrlUnpadded::encode_string(object(size).as_bytes());
            holds(&format!("header, {name}"), &format!("{header}.AAAA.AAAA"), "/");
        }
        for unit in [".", "a.", "a"] {
            holds("no assertion", &fill(unit, size), "/");
        }
        let keys = AssertionKeys::from_json(SECRET).unwrap();
        let read = Capability::Read;
        let mut own = Assertion::for_permissions("edge", "orders", "users", read, ("GET", "/"), NOW, [7; 16]);
        own.roles = vec!["a".to_owned(); size / 4];
        holds("many roles", &own.sign(&keys), "/");
        own.roles = Vec::new();
        own.scopes = vec!["a".to_owned(); size / 2];
        holds("many scopes", &own.sign(&keys), "/");
        own.scopes = Vec::new();
        own.target = fill("/a", size);
        holds("a long target", &own.sign(&keys), &fill("/a", size));
    }
    assert!(believed >= 15, "only {believed} assertions were read to the end");
    ASSERTION.report("assertions");
}

#[test]
fn an_assertion_past_the_cap_is_not_looked_into() {
    let verifier = verifier();
    let texts = [1, 1_000, 10_000_000].map(|more| fill("eyJ.", MAX_ASSERTION_BYTES + more + 4));
    costs_the_same("an assertion past the cap", 0, texts, |text| drop(verifier.verify(text, "GET", "/", NOW)));
}
