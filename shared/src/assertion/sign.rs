//! Making an assertion.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};

use super::{
    ASSERTION_LIFETIME, AssertionKeys, Capability, TYPE,
    claims::{WireClaims, WireHeader},
};
use crate::{digest::ContentDigest, time::UnixTime};

/// What one assertion says. For a permitted request it comes from [`Permit::assertion`](crate::Permit::assertion).
#[derive(Clone)]
pub struct Assertion {
    /// `iss`: who makes it, as its verifier knows it.
    pub issuer: String,
    /// `aud`: the one origin it is for.
    pub audience: String,
    /// `sub`: the caller, if there is one.
    pub subject: Option<String>,
    /// `sub_iss`: the issuer section that the subject belongs to.
    pub subject_issuer: Option<String>,
    /// The company that the request is about.
    pub company: Option<String>,
    /// The caller's roles in that company.
    pub roles: Vec<String>,
    /// `scope`: the token's scopes.
    pub scopes: Vec<String>,
    /// The route that decided.
    pub route: Option<String>,
    /// The version of the policy that decided.
    pub policy: Option<String>,
    /// What the bearer may do at the permissions service.
    pub capability: Option<Capability>,
    /// `fields`: header fields that go with the request, by name, and their values.
    pub handed_on: Vec<(String, String)>,
    /// `content_sha256`: the digest of the request's body, where it is bound.
    pub content_sha256: Option<ContentDigest>,
    /// `htm`: the method of the request.
    pub method: String,
    /// The canonical path and query of the request.
    pub target: String,
    /// `iat`; only whole seconds go on the wire.
    pub issued_at: UnixTime,
    /// `exp`; only whole seconds go on the wire.
    pub expires_at: UnixTime,
    /// `jti`: 128 fresh random bits.
    pub id: [u8; 16],
}

impl Assertion {
    /// The credential for one request to the permissions service about a subject of `subject_issuer`.
    #[must_use]
    pub fn for_permissions(
        issuer: &str,
        audience: &str,
        subject_issuer: &str,
        capability: Capability,
        (method, target): (&str, &str),
        now: UnixTime,
        id: [u8; 16],
    ) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            subject: None,
            subject_issuer: Some(subject_issuer.to_owned()),
            company: None,
            roles: Vec::new(),
            scopes: Vec::new(),
            route: None,
            policy: None,
            capability: Some(capability),
            handed_on: Vec::new(),
            content_sha256: None,
            method: method.to_owned(),
            target: target.to_owned(),
            issued_at: now,
            expires_at: now.saturating_add(ASSERTION_LIFETIME),
            id,
        }
    }

    /// The assertion as a compact JWS, signed with the first of `keys`.
    #[must_use]
    pub fn sign(&self, keys: &AssertionKeys) -> String {
        let encode = Base64UrlUnpadded::encode_string;
        let Some(key) = keys.signing_key() else {
            // A set without keys cannot be made; an empty credential is one that every origin refuses.
            return String::new();
        };
        let header = WireHeader { alg: "HS256".to_owned(), typ: TYPE.to_owned(), kid: key.id().to_owned() };
        // Strings, numbers and lists of strings always serialise; were it not so, the result would be refused.
        let header = serde_json::to_vec(&header).unwrap_or_default();
        let claims = serde_json::to_vec(&self.wire()).unwrap_or_default();
        let mut compact = format!("{}.{}", encode(&header), encode(&claims));
        let signature = key.sign(compact.as_bytes());
        compact.push('.');
        compact.push_str(&encode(&signature));
        compact
    }

    fn wire(&self) -> WireClaims {
        let encode = Base64UrlUnpadded::encode_string;
        WireClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: self.subject.clone(),
            sub_iss: self.subject_issuer.clone(),
            company: self.company.clone(),
            roles: self.roles.clone(),
            scope: (!self.scopes.is_empty()).then(|| self.scopes.join(" ")),
            route: self.route.clone(),
            policy: self.policy.clone(),
            capability: self.capability.map(|capability| capability.name().to_owned()),
            fields: self.handed_on.iter().cloned().collect(),
            content_sha256: self.content_sha256.as_ref().map(|digest| encode(digest)),
            htm: self.method.clone(),
            target: self.target.clone(),
            iat: self.issued_at.as_secs(),
            exp: self.expires_at.as_secs(),
            jti: encode(&self.id),
        }
    }
}

/// Who called stays out of debug output: it ends in logs.
impl fmt::Debug for Assertion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Assertion")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
