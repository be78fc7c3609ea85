//! Making an assertion.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use super::{ASSERTION_LIFETIME, AssertionKeys, Capability, claims::Claims};
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
    /// `scope`: the token's scopes. One that has a space is left out.
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
        let claims = Claims {
            issuer: &self.issuer,
            audience: &self.audience,
            subject: self.subject.as_deref(),
            subject_issuer: self.subject_issuer.as_deref(),
            company: self.company.as_deref(),
            roles: &self.roles,
            scopes: &self.scopes,
            route: self.route.as_deref(),
            policy: self.policy.as_deref(),
            capability: self.capability,
            handed_on: &self.handed_on,
            content_sha256: self.content_sha256.as_ref(),
            method: &self.method,
            target: &self.target,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            id: &self.id,
        };
        claims.sign(keys)
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
