//! What the tests of the services share: keys, assertions as an edge makes them, and requests.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::time::{SystemTime, UNIX_EPOCH};

use http::{Request, Response, request::Builder};
use lambda_http::Body;
use postern::{
    UnixTime,
    assertion::{ASSERTION_LIFETIME, Assertion, AssertionKeys, AssertionVerifier, Capability, HEADER},
};
use postern_origin::{assertion::AssertionLayer, http::Answer, http::Router};
use tower::{Layer, ServiceExt};

/// The key that the edge shares with one origin, as one JWK; another number, another key.
pub(crate) fn jwk(kid: &str, number: u8) -> String {
    // 43 base64url characters are 32 octets; the last stands for four bits and two that must be zero.
    let secret = format!("{number:04}{}", "A".repeat(39));
    format!(r#"{{"kty":"oct","kid":"{kid}","k":"{secret}"}}"#)
}

/// The edge's keys for the origin under test.
pub(crate) fn edge_keys() -> AssertionKeys {
    keys(&[jwk("edge-1", 1)])
}

pub(crate) fn keys(jwks: &[String]) -> AssertionKeys {
    AssertionKeys::from_json(&format!(r#"{{"keys":[{}]}}"#, jwks.join(","))).expect("keys")
}

/// What the origin believes: the edge, which may read, and an administrator, who may also write.
pub(crate) fn trusted_keys() -> String {
    format!(
        r#"{{"issuers":{{"edge":{{"keys":[{}],"capabilities":["read"]}},"admin":{{"keys":[{}],"capabilities":["read","write"]}}}}}}"#,
        jwk("edge-1", 1),
        jwk("admin-1", 2)
    )
}

pub(crate) fn layer(audience: &str) -> AssertionLayer {
    AssertionLayer::new(audience, AssertionVerifier::from_json(audience, &trusted_keys()).expect("verifier"))
}

pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    UnixTime::from_secs(since.as_secs())
}

/// An anonymous assertion of the edge's, good now.
pub(crate) fn assertion(audience: &str, method: &str, target: &str) -> Assertion {
    Assertion {
        issuer: "edge".to_owned(),
        audience: audience.to_owned(),
        subject: None,
        subject_issuer: None,
        company: None,
        roles: Vec::new(),
        scopes: Vec::new(),
        route: Some("test".to_owned()),
        policy: Some("test".to_owned()),
        capability: None,
        handed_on: Vec::new(),
        content_sha256: None,
        method: method.to_owned(),
        target: target.to_owned(),
        issued_at: now(),
        expires_at: now().saturating_add(ASSERTION_LIFETIME),
        id: [7; 16],
    }
}

/// The edge's assertion for a caller acting for a company.
pub(crate) fn assertion_of(audience: &str, method: &str, target: &str, subject: &str, company: &str) -> Assertion {
    Assertion {
        subject: Some(subject.to_owned()),
        subject_issuer: Some("users".to_owned()),
        company: Some(company.to_owned()),
        roles: vec!["Manager".to_owned()],
        ..assertion(audience, method, target)
    }
}

/// The credential of `issuer` for the permissions service, with the keys that `issuer` has.
pub(crate) fn credential(issuer: &str, section: &str, capability: Capability, method: &str, target: &str) -> String {
    let keys = match issuer {
        "admin" => keys(&[jwk("admin-1", 2)]),
        _ => edge_keys(),
    };
    Assertion::for_permissions(issuer, "permissions", section, capability, (method, target), now(), [9; 16]).sign(&keys)
}

pub(crate) fn request(method: &str, target: &str) -> Builder {
    Request::builder().method(method).uri(target)
}

/// A request with the assertion that the edge would make for it.
pub(crate) fn asserted(assertion: &Assertion, body: &str) -> Request<Body> {
    request(&assertion.method, &assertion.target)
        .header(HEADER, assertion.sign(&edge_keys()))
        .body(Body::from(body))
        .expect("request")
}

/// Sends a request through the layer to a service.
pub(crate) async fn send<S: Send + Sync + 'static>(router: Router<S>, request: Request<Body>) -> Answer {
    let audience = router.name();
    match layer(audience).layer(router).oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

pub(crate) fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

pub(crate) fn header<'a, B>(answer: &'a Response<B>, name: &str) -> Option<&'a str> {
    answer.headers().get(name).and_then(|value| value.to_str().ok())
}
