//! The assertion between edge and origin: what it carries, who can make it, how its keys are rotated.

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{
    UnixTime,
    assertion::{
        ASSERTION_LIFETIME, Assertion, AssertionError, AssertionKeyError, AssertionKeys, AssertionVerifier, Capability,
    },
};
use serde_json::{Value, json};

use crate::support::{Call, Token, World, at};

/// A JWK set of one secret.
pub(crate) fn secret(key_id: &str, octet: u8) -> Value {
    json!({"kty": "oct", "kid": key_id, "alg": "HS256", "k": Base64UrlUnpadded::encode_string(&[octet; 32])})
}

pub(crate) fn keys(secrets: &[Value]) -> AssertionKeys {
    AssertionKeys::from_json(&json!({ "keys": secrets }).to_string()).unwrap()
}

/// The origin `audience`, which believes the edge by `secrets`.
pub(crate) fn verifier(audience: &str, secrets: &[Value]) -> AssertionVerifier {
    AssertionVerifier::from_json(audience, &json!({"issuers": {"edge": {"keys": secrets}}}).to_string()).unwrap()
}

#[test]
fn what_the_edge_decided_arrives_at_the_origin() {
    let mut world = World::example();
    let target = "/companies/1111/users/user-manager/orders?page=2";
    let permit = world.permit(&Call::get(target).bearer(Token::user("user-manager").compact()));
    let policy = world.authorizer.policy();
    let compact = permit.assertion(policy.edge(), at(0), [9; 16]).sign(&keys(&[secret("k1", 1)]));
    let origin = verifier(permit.origin().name(), &[secret("k1", 1)]);
    let verified = origin.verify(&compact, "GET", target, at(0)).unwrap();
    assert_eq!(verified.issuer(), "edge");
    assert_eq!((verified.subject(), verified.subject_issuer()), (Some("user-manager"), Some("users")));
    assert_eq!((verified.company(), verified.roles()), (Some("1111"), &["Manager".to_owned()][..]));
    assert_eq!(verified.scopes(), ["orders/list.orders", "orders/get.order", "orders/create.order"]);
    assert_eq!((verified.route(), verified.policy()), (Some("internal-orders-list"), Some(policy.version())));
    assert_eq!((verified.capability(), verified.id()), (None, Base64UrlUnpadded::encode_string(&[9; 16]).as_str()));
}

#[test]
fn on_a_public_route_it_names_nobody() {
    let permit = World::example().permit(&Call::get("/health"));
    let compact = permit.assertion("edge", at(0), [0; 16]).sign(&keys(&[secret("k1", 1)]));
    let verified = verifier("external-orders", &[secret("k1", 1)]).verify(&compact, "GET", "/health", at(0)).unwrap();
    assert_eq!((verified.subject(), verified.subject_issuer(), verified.company()), (None, None, None));
    assert_eq!((verified.roles(), verified.scopes()), (&[][..], &[][..]));
    assert_eq!(verified.route(), Some("health"));
}

#[test]
fn a_scope_with_a_space_is_not_handed_on_as_several() {
    let permit = World::example().permit(&Call::get("/health"));
    let mut assertion = permit.assertion("edge", at(0), [0; 16]);
    let origin = verifier("external-orders", &[secret("k1", 1)]);
    for (scopes, expected) in [
        (&["orders read", "orders/list.orders"][..], &["orders/list.orders"][..]),
        (&["orders read"], &[]),
        (&["a", "b"], &["a", "b"]),
    ] {
        assertion.scopes = scopes.iter().map(ToString::to_string).collect();
        let compact = assertion.sign(&keys(&[secret("k1", 1)]));
        assert_eq!(origin.verify(&compact, "GET", "/health", at(0)).unwrap().scopes(), expected, "{scopes:?}");
    }
}

#[test]
fn it_lives_for_a_minute_from_when_it_was_made() {
    assert_eq!(ASSERTION_LIFETIME.as_secs(), 60);
    let permit = World::example().permit(&Call::get("/health"));
    let compact = permit.assertion("edge", at(0), [0; 16]).sign(&keys(&[secret("k1", 1)]));
    let origin = verifier("external-orders", &[secret("k1", 1)]);
    for (seconds, expected) in [(0, None), (59, None), (60, Some(AssertionError::Expired))] {
        assert_eq!(origin.verify(&compact, "GET", "/health", at(seconds)).err(), expected, "{seconds}");
    }
}

#[test]
fn one_origins_key_mints_nothing_for_another() {
    let mut world = World::example();
    let call = Call::get("/companies/1111/users/user-manager/orders").bearer(Token::user("user-manager").compact());
    let mut assertion = world.permit(&call).assertion("edge", at(0), [0; 16]);
    let vouchers = verifier("vouchers", &[secret("k1", 2)]);
    // `internal-orders` holds secret 1 and makes an assertion for `vouchers`.
    assertion.audience = "vouchers".into();
    let forged = assertion.sign(&keys(&[secret("k1", 1)]));
    assert_eq!(vouchers.verify(&forged, "GET", &call.target, at(0)).unwrap_err(), AssertionError::SignatureInvalid);
    let forged = assertion.sign(&keys(&[secret("internal", 1)]));
    assert_eq!(vouchers.verify(&forged, "GET", &call.target, at(0)).unwrap_err(), AssertionError::KeyUnknown);
}

#[test]
fn while_keys_rotate_two_are_valid_and_the_first_signs() {
    let (old, new) = (secret("2026-01", 1), secret("2026-02", 2));
    let permit = World::example().permit(&Call::get("/health"));
    let assertion = permit.assertion("edge", at(0), [0; 16]);
    let signed_by = |secrets: &[Value]| assertion.sign(&keys(secrets));
    let accepted = |origin: &[Value], compact: &str| {
        verifier("external-orders", origin).verify(compact, "GET", "/health", at(0)).err()
    };
    let unknown = Some(AssertionError::KeyUnknown);
    for (edge, origin, expected) in [
        (vec![old.clone()], vec![old.clone()], None),
        // The origin learns the new key first, then the edge signs with it, then both forget the old one.
        (vec![old.clone()], vec![new.clone(), old.clone()], None),
        (vec![new.clone(), old.clone()], vec![new.clone(), old.clone()], None),
        (vec![new.clone(), old.clone()], vec![old.clone()], unknown),
        (vec![old.clone(), new.clone()], vec![old.clone()], None),
        (vec![new.clone()], vec![new.clone()], None),
        (vec![old.clone()], vec![new.clone()], unknown),
    ] {
        assert_eq!(accepted(&origin, &signed_by(&edge)), expected, "{edge:?} {origin:?}");
    }
}

#[test]
fn two_issuers_may_give_their_keys_one_name() {
    let json = json!({"issuers": {
        "edge": {"keys": [secret("k1", 1)]},
        "console": {"keys": [secret("k1", 2)]},
    }});
    let origin = AssertionVerifier::from_json("external-orders", &json.to_string()).unwrap();
    let permit = World::example().permit(&Call::get("/health"));
    let signed = |issuer: &str, octet| {
        let compact = permit.assertion(issuer, at(0), [0; 16]).sign(&keys(&[secret("k1", octet)]));
        origin.verify(&compact, "GET", "/health", at(0)).map(|verified| verified.issuer().to_owned())
    };
    assert_eq!(signed("edge", 1), Ok("edge".into()));
    assert_eq!(signed("console", 2), Ok("console".into()));
    // One issuer's key in the other's name.
    assert_eq!(signed("edge", 2), Err(AssertionError::IssuerMismatch));
    assert_eq!(signed("console", 1), Err(AssertionError::IssuerMismatch));
    assert_eq!(signed("edge", 3), Err(AssertionError::SignatureInvalid));
}

#[test]
fn a_capability_is_what_was_claimed_and_the_issuer_is_trusted_with() {
    let target = "/users/user-manager";
    let verify = |trusted: Value, claimed: Option<Capability>| {
        let json = json!({"issuers": {"edge": {"keys": [secret("k1", 1)], "capabilities": trusted}}}).to_string();
        let origin = AssertionVerifier::from_json("permissions", &json).unwrap();
        let mut assertion = Assertion::for_permissions(
            "edge",
            "permissions",
            "users",
            Capability::Read,
            ("GET", target),
            at(0),
            [0; 16],
        );
        assertion.capability = claimed;
        let verified = origin.verify(&assertion.sign(&keys(&[secret("k1", 1)])), "GET", target, at(0)).unwrap();
        assert_eq!((verified.subject(), verified.subject_issuer()), (None, Some("users")));
        verified.capability()
    };
    use Capability::{Read, Write};
    for (trusted, claimed, effective) in [
        (json!(["read"]), Some(Read), Some(Read)),
        (json!(["read"]), Some(Write), None),
        (json!(["write"]), Some(Read), None),
        (json!(["read", "write"]), Some(Write), Some(Write)),
        (json!([]), Some(Read), None),
        (json!(["read", "write"]), None, None),
    ] {
        assert_eq!(verify(trusted.clone(), claimed), effective, "{trusted} {claimed:?}");
    }
}

#[test]
fn capabilities_that_are_left_out_are_none() {
    let assertion =
        Assertion::for_permissions("edge", "permissions", "users", Capability::Read, ("GET", "/x"), at(0), [0; 16]);
    let compact = assertion.sign(&keys(&[secret("k1", 1)]));
    let verified = verifier("permissions", &[secret("k1", 1)]).verify(&compact, "GET", "/x", at(0)).unwrap();
    assert_eq!(verified.capability(), None);
}

#[test]
fn key_sets_are_refused_with_their_rule_and_without_their_secret() {
    use AssertionKeyError::*;
    let long = "k".repeat(257);
    let with = |member: &str, value: Value| {
        let mut key = secret("k1", 1);
        key[member] = value;
        json!({ "keys": [key] }).to_string()
    };
    for (json, error) in [
        (String::new(), Malformed),
        ("[]".into(), Malformed),
        ("{}".into(), Malformed),
        (r#"{"keys":{}}"#.into(), Malformed),
        (r#"{"keys":[],"keys":[]}"#.into(), Malformed),
        (r#"{"keys":[]}"#.into(), Empty),
        (r#"{"keys":[7]}"#.into(), NotHmac),
        (with("kty", json!("RSA")), NotHmac),
        (with("alg", json!("HS512")), NotHmac),
        (with("alg", json!("none")), NotHmac),
        (with("kid", json!("")), KeyId),
        (with("kid", json!(7)), KeyId),
        (with("kid", json!(long)), KeyId),
        (json!({"keys": [secret("k1", 1), secret("k1", 2)]}).to_string(), KeyId),
        (with("k", json!(Base64UrlUnpadded::encode_string(&[1; 31]))), Secret),
        (with("k", json!("")), Secret),
        (with("k", json!("not base64url!")), Secret),
        (with("k", json!(format!("{}=", Base64UrlUnpadded::encode_string(&[1; 32])))), Secret),
        (with("k", json!(7)), Secret),
    ] {
        assert_eq!(AssertionKeys::from_json(&json).unwrap_err(), error, "{json}");
    }
    let without_alg = with("alg", json!("HS256")).replace(r#""alg":"HS256","#, "");
    assert!(AssertionKeys::from_json(&without_alg).is_ok());
}

#[test]
fn a_verifiers_configuration_is_refused_with_its_rule() {
    use AssertionKeyError::*;
    for (json, error) in [
        (json!([]), Malformed),
        (json!({}), Malformed),
        (json!({"issuers": []}), Malformed),
        (json!({"issuers": {}}), Empty),
        (json!({"issuers": {"edge": {}}}), Malformed),
        (json!({"issuers": {"edge": {"keys": []}}}), Empty),
        (json!({"issuers": {"edge": {"keys": [secret("k1", 1)], "capabilities": ["admin"]}}}), Capability),
        (json!({"issuers": {"edge": {"keys": [secret("k1", 1)], "capabilities": "read"}}}), Capability),
        (json!({"issuers": {"edge": {"keys": [secret("k1", 1)], "capabilities": [1]}}}), Capability),
    ] {
        assert_eq!(AssertionVerifier::from_json("o", &json.to_string()).unwrap_err(), error, "{json}");
    }
}

#[test]
fn secrets_that_serve_two_origins_are_found() {
    let one = keys(&[secret("a", 1), secret("b", 2)]);
    assert!(one.shares_secret_with(&keys(&[secret("other-name", 2)])));
    assert!(!one.shares_secret_with(&keys(&[secret("a", 3), secret("b", 4)])));
}

#[test]
fn time_at_its_ends_makes_no_assertion_that_lives_long() {
    let permit = World::example().permit(&Call::get("/health"));
    let origin = verifier("external-orders", &[secret("k1", 1)]);
    for made in [0, u64::MAX] {
        let compact = permit.assertion("edge", UnixTime::from_millis(made), [0; 16]).sign(&keys(&[secret("k1", 1)]));
        assert!(origin.verify(&compact, "GET", "/health", at(0)).is_err(), "{made}");
        let _ = origin.verify(&compact, "GET", "/health", UnixTime::from_millis(made));
    }
}
