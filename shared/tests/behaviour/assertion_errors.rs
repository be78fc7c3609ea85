//! Every way in which an assertion is refused, each reached by a case of its own.

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{
    Algorithm as _, AlgorithmSignature as _,
    alg::{Hs256, Hs256Key},
};
use postern::assertion::{AssertionError, MAX_ASSERTION_BYTES, VerifiedAssertion};
use serde_json::{Value, json};

use crate::{
    assertion::{secret, verifier},
    support::{NOW, at},
};

const TARGET: &str = "/companies/1111/orders?page=2";

/// An assertion put together by hand and signed with the right key: only what a test alters is wrong.
struct Forgery {
    header: Value,
    claims: Value,
}

impl Forgery {
    fn new() -> Self {
        Self {
            header: json!({"alg": "HS256", "typ": "postern-assertion+jwt", "kid": "k1"}),
            claims: json!({
                "iss": "edge", "aud": "orders", "sub": "u", "sub_iss": "users", "company": "1111",
                "roles": ["Manager"], "scope": "a b", "route": "r", "policy": "p", "htm": "GET", "target": TARGET,
                "iat": NOW, "exp": NOW + 60, "jti": "AAAA",
            }),
        }
    }

    fn header(mut self, name: &str, value: Value) -> Self {
        self.header[name] = value;
        self
    }

    fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name);
        self
    }

    fn compact(&self) -> String {
        sign(&self.header.to_string(), &self.claims.to_string())
    }
}

fn sign(header: &str, claims: &str) -> String {
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = Hs256.sign(&Hs256Key::new([1; 32]), message.as_bytes());
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes()))
}

fn verify(compact: &str) -> Result<VerifiedAssertion, AssertionError> {
    verifier("orders", &[secret("k1", 1)]).verify(compact, "GET", TARGET, at(0))
}

#[track_caller]
fn refused(compact: &str, error: AssertionError) {
    assert_eq!(verify(compact).err(), Some(error), "{compact}");
}

#[test]
fn the_assertion_that_the_cases_alter_holds() {
    assert_eq!(verify(&Forgery::new().compact()).unwrap().subject(), Some("u"));
}

#[test]
fn one_made_for_another_origin_is_refused() {
    for aud in ["vouchers", "ORDERS", "orders ", ""] {
        refused(&Forgery::new().claim("aud", json!(aud)).compact(), AssertionError::AudienceMismatch);
    }
    // One audience, never several.
    refused(&Forgery::new().claim("aud", json!(["orders"])).compact(), AssertionError::ClaimsMalformed);
}

#[test]
fn one_made_for_another_method_is_refused() {
    for htm in ["POST", "HEAD", "get", ""] {
        refused(&Forgery::new().claim("htm", json!(htm)).compact(), AssertionError::MethodMismatch);
    }
}

#[test]
fn one_made_for_another_path_or_query_is_refused() {
    for target in [
        "/companies/2222/orders?page=2",
        "/companies/1111/orders",
        "/companies/1111/orders?",
        "/companies/1111/orders?page=3",
        "/companies/1111/orders?page=2&x=1",
        "/companies/1111/orders/?page=2",
        "/Companies/1111/orders?page=2",
        "/companies/%31111/orders?page=2",
        "",
    ] {
        refused(&Forgery::new().claim("target", json!(target)).compact(), AssertionError::TargetMismatch);
    }
}

#[test]
fn one_that_has_expired_is_refused_with_no_leeway() {
    for (iat, exp) in [(NOW - 60, NOW), (NOW - 120, NOW - 60), (0, 0), (0, NOW)] {
        let forgery = Forgery::new().claim("iat", json!(iat)).claim("exp", json!(exp));
        refused(&forgery.compact(), AssertionError::Expired);
    }
    let last_second = Forgery::new().claim("iat", json!(NOW - 59)).claim("exp", json!(NOW + 1));
    assert!(verify(&last_second.compact()).is_ok());
}

#[test]
fn one_from_the_future_or_that_lives_too_long_is_refused() {
    for (iat, exp) in [
        (NOW, NOW + 61),
        (NOW - 1, NOW + 60),
        (0, NOW + 1),
        (NOW + 6, NOW + 60),
        (NOW + 3_600, NOW + 3_660),
        (NOW, u64::MAX),
        (u64::MAX, u64::MAX),
        (0, u64::MAX),
    ] {
        let forgery = Forgery::new().claim("iat", json!(iat)).claim("exp", json!(exp));
        refused(&forgery.compact(), AssertionError::LifetimeExceeded);
    }
    // The edge's clock may run five seconds ahead.
    let ahead = Forgery::new().claim("iat", json!(NOW + 5)).claim("exp", json!(NOW + 65));
    assert!(verify(&ahead.compact()).is_ok());
}

#[test]
fn one_in_another_issuers_name_is_refused() {
    for iss in ["console", "EDGE", ""] {
        refused(&Forgery::new().claim("iss", json!(iss)).compact(), AssertionError::IssuerMismatch);
    }
}

#[test]
fn one_by_a_key_that_the_origin_does_not_have_is_refused() {
    for kid in ["k2", "K1", "", "../k1"] {
        refused(&Forgery::new().header("kid", json!(kid)).compact(), AssertionError::KeyUnknown);
    }
}

#[test]
fn one_whose_signature_does_not_hold_is_refused() {
    let good = Forgery::new().compact();
    let (message, _) = good.rsplit_once('.').unwrap();
    let by_another = Hs256.sign(&Hs256Key::new([2; 32]), message.as_bytes()).as_bytes().into_owned();
    for signature in [vec![0; 32], by_another, vec![0; 31], vec![0; 33], vec![0; 64], vec![]] {
        let forged = format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature));
        refused(&forged, AssertionError::SignatureInvalid);
    }
    let other = Forgery::new().claim("company", json!("2222")).compact();
    let (_, signature) = good.rsplit_once('.').unwrap();
    let (message, _) = other.rsplit_once('.').unwrap();
    refused(&format!("{message}.{signature}"), AssertionError::SignatureInvalid);
}

#[test]
fn no_bit_of_it_can_be_flipped() {
    let good = Forgery::new().compact();
    let origin = verifier("orders", &[secret("k1", 1)]);
    for at_octet in 0..good.len() {
        for bit in 0..8 {
            let mut octets = good.clone().into_bytes();
            octets[at_octet] ^= 1 << bit;
            let altered: String = octets.into_iter().map(char::from).collect();
            assert!(origin.verify(&altered, "GET", TARGET, at(0)).is_err(), "octet {at_octet}, bit {bit}");
        }
    }
}

#[test]
fn another_kind_of_jws_is_refused_though_the_key_signed_it() {
    for typ in ["JWT", "at+jwt", "", "POSTERN-ASSERTION+JWT", "application/postern-assertion+jwt"] {
        refused(&Forgery::new().header("typ", json!(typ)).compact(), AssertionError::Malformed);
    }
    for alg in ["none", "HS512", "hs256", "RS256", ""] {
        refused(&Forgery::new().header("alg", json!(alg)).compact(), AssertionError::Malformed);
    }
}

#[test]
fn a_header_with_anything_more_or_less_is_refused() {
    for (name, value) in
        [("crit", json!(["x"])), ("b64", json!(false)), ("jwk", json!({})), ("cty", json!("JWT")), ("x", json!(1))]
    {
        refused(&Forgery::new().header(name, value).compact(), AssertionError::Malformed);
    }
    let claims = Forgery::new().claims.to_string();
    for header in [
        "",
        "{}",
        "null",
        r#"{"alg":"HS256","typ":"postern-assertion+jwt"}"#,
        r#"{"alg":"HS256","kid":"k1"}"#,
        r#"{"typ":"postern-assertion+jwt","kid":"k1"}"#,
        r#"{"alg":"HS256","typ":"postern-assertion+jwt","kid":7}"#,
        r#"{"alg":"HS256","alg":"HS256","typ":"postern-assertion+jwt","kid":"k1"}"#,
        r#"{"alg":"HS256","typ":"postern-assertion+jwt","kid":"k1"} x"#,
    ] {
        refused(&sign(header, &claims), AssertionError::Malformed);
    }
}

#[test]
fn claims_with_anything_more_or_less_are_refused() {
    // An older origin refuses what it cannot honour.
    refused(&Forgery::new().claim("body", json!("sha-256=x")).compact(), AssertionError::ClaimsMalformed);
    for name in ["iss", "aud", "htm", "target", "iat", "exp", "jti"] {
        refused(&Forgery::new().without(name).compact(), AssertionError::ClaimsMalformed);
    }
    for name in ["sub", "sub_iss", "company", "roles", "scope", "route", "policy"] {
        assert!(verify(&Forgery::new().without(name).compact()).is_ok(), "{name}");
    }
    for (name, value) in [
        ("exp", json!((NOW + 60).to_string())),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("iat", json!(1.5)),
        ("iat", json!(null)),
        ("sub", json!(7)),
        ("company", json!(["1111"])),
        ("roles", json!("Manager")),
        ("roles", json!([1])),
        ("scope", json!(["a"])),
        ("capability", json!("admin")),
        ("capability", json!(["read"])),
        ("jti", json!(1)),
    ] {
        refused(&Forgery::new().claim(name, value).compact(), AssertionError::ClaimsMalformed);
    }
}

#[test]
fn a_claim_named_twice_is_refused() {
    let header = Forgery::new().header.to_string();
    let claims = Forgery::new().claims.to_string();
    for member in [r#""company":"2222""#, r#""aud":"orders""#, r#""exp":1"#, r#""\u0073ub":"v""#] {
        let twice = claims.replacen('{', &format!("{{{member},"), 1);
        refused(&sign(&header, &twice), AssertionError::ClaimsMalformed);
    }
}

#[test]
fn what_is_no_compact_jws_is_refused() {
    let good = Forgery::new().compact();
    let parts: Vec<&str> = good.split('.').collect();
    for text in [
        String::new(),
        ".".into(),
        "..".into(),
        "x".into(),
        parts[0].into(),
        format!("{}.{}", parts[0], parts[1]),
        format!(".{good}"),
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("Bearer {good}"),
        "a".repeat(MAX_ASSERTION_BYTES + 1),
        ".".repeat(MAX_ASSERTION_BYTES + 1),
    ] {
        refused(&text, AssertionError::Malformed);
    }
    let large = Forgery::new().claim("policy", json!("p".repeat(MAX_ASSERTION_BYTES))).compact();
    refused(&large, AssertionError::Malformed);
    for text in [format!("{good}."), format!("{good}.{}", parts[2]), format!("{}..{}", parts[0], parts[2])] {
        assert!(verify(&text).is_err(), "{text}");
    }
}

#[test]
fn every_error_has_a_code_and_a_sentence_of_its_own() {
    use AssertionError::*;
    let errors = [
        Malformed,
        KeyUnknown,
        SignatureInvalid,
        ClaimsMalformed,
        IssuerMismatch,
        AudienceMismatch,
        MethodMismatch,
        TargetMismatch,
        Expired,
        LifetimeExceeded,
    ];
    let codes: std::collections::BTreeSet<&str> = errors.iter().map(|error| error.code()).collect();
    let sentences: std::collections::BTreeSet<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!((codes.len(), sentences.len()), (errors.len(), errors.len()));
    assert!(codes.iter().all(|code| code.starts_with("assertion_")), "{codes:?}");
}
