//! The claims on the wire, in both directions.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

/// The header of an assertion; nothing else may be in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireHeader {
    pub(super) alg: String,
    pub(super) typ: String,
    pub(super) kid: String,
}

/// The claims of an assertion; nothing else may be in it, so that an older origin refuses what it cannot honour.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireClaims {
    pub(super) iss: String,
    pub(super) aud: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<String>,
    /// Issuer section of the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sub_iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) company: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) route: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) capability: Option<String>,
    /// Header fields that go with the request: claims that the route hands on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) fields: BTreeMap<String, String>,
    /// SHA-256 of the body, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) content_sha256: Option<String>,
    /// Method, under RFC 9449's name.
    pub(super) htm: String,
    /// Canonical path and query.
    pub(super) target: String,
    /// Seconds since the epoch.
    pub(super) iat: u64,
    /// Seconds since the epoch.
    pub(super) exp: u64,
    pub(super) jti: String,
}
