//! The claims on the wire: borrowed where they are written, owned where they are read.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use base64::{Engine as _, display::Base64Display, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

use super::{AssertionKeys, Capability};
use crate::{digest::ContentDigest, time::UnixTime};

/// The header of an assertion; nothing else may be in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireHeader {
    pub(super) alg: String,
    pub(super) typ: String,
    pub(super) kid: String,
}

/// The claims of an assertion; nothing else may be in it, so that an older origin refuses what it cannot honour.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireClaims {
    pub(super) iss: String,
    pub(super) aud: String,
    #[serde(default)]
    pub(super) sub: Option<String>,
    /// Issuer section of the subject.
    #[serde(default)]
    pub(super) sub_iss: Option<String>,
    #[serde(default)]
    pub(super) company: Option<String>,
    #[serde(default)]
    pub(super) roles: Vec<String>,
    #[serde(default)]
    pub(super) scope: Option<String>,
    #[serde(default)]
    pub(super) route: Option<String>,
    #[serde(default)]
    pub(super) policy: Option<String>,
    #[serde(default)]
    pub(super) capability: Option<String>,
    /// Header fields that go with the request: claims that the route hands on.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, String>,
    /// SHA-256 of the body, base64url.
    #[serde(default)]
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

/// What an assertion says, each claim where it stands already. As [`WireClaims`] read them.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Claims<'a> {
    #[serde(rename = "iss")]
    pub(crate) issuer: &'a str,
    #[serde(rename = "aud")]
    pub(crate) audience: &'a str,
    #[serde(rename = "sub", skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a str>,
    #[serde(rename = "sub_iss", skip_serializing_if = "Option::is_none")]
    pub(crate) subject_issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) company: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) roles: &'a [String],
    #[serde(rename = "scope", skip_serializing_if = "<[String]>::is_empty", serialize_with = "spaced")]
    pub(crate) scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "named")]
    pub(crate) capability: Option<Capability>,
    #[serde(rename = "fields", skip_serializing_if = "<[(String, String)]>::is_empty", serialize_with = "members")]
    pub(crate) handed_on: &'a [(String, String)],
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "digest")]
    pub(crate) content_sha256: Option<&'a ContentDigest>,
    #[serde(rename = "htm")]
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    #[serde(rename = "iat", serialize_with = "seconds")]
    pub(crate) issued_at: UnixTime,
    #[serde(rename = "exp", serialize_with = "seconds")]
    pub(crate) expires_at: UnixTime,
    #[serde(rename = "jti", serialize_with = "identifier")]
    pub(crate) id: &'a [u8; 16],
}

impl Claims<'_> {
    /// The compact JWS, signed with the first of `keys`.
    pub(crate) fn sign(&self, keys: &AssertionKeys) -> String {
        let Some(key) = keys.signing_key() else {
            // A set without keys cannot be made; an empty credential is one that every origin refuses.
            return String::new();
        };
        // Strings, numbers and lists of strings always serialise; were it not so, the result would be refused.
        let json = serde_json::to_vec(self).unwrap_or_default();
        let mut compact = String::with_capacity(key.prefix().len().saturating_add(encoded_len(json.len())));
        compact.push_str(key.prefix());
        BASE64_URL_SAFE_NO_PAD.encode_string(&json, &mut compact);
        let signature = key.sign(compact.get(key.prefix().len()..).unwrap_or_default());
        compact.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut compact);
        compact
    }
}

/// Room for so many octets in base64, and a signature with its dot.
const fn encoded_len(octets: usize) -> usize {
    octets.div_ceil(3).saturating_mul(4).saturating_add(44)
}

fn spaced<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Spaced(names))
}

/// Names with spaces between (RFC 8693 §4.2). One that has a space itself, as an issuer's list of names may have, is left
/// out: the origin would read it as several, which nobody has granted.
struct Spaced<'a>(&'a [String]);

impl fmt::Display for Spaced<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().filter(|name| !name.contains(' ')).enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(name)?;
        }
        Ok(())
    }
}

fn named<S: Serializer>(capability: &Option<Capability>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(capability.map_or("", Capability::name))
}

fn members<S: Serializer>(fields: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(fields.len()))?;
    for (name, value) in fields {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

fn seconds<S: Serializer>(time: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_secs())
}

fn identifier<S: Serializer>(id: &&[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
    encoded(*id, serializer)
}

fn encoded<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Base64Display::new(octets, &BASE64_URL_SAFE_NO_PAD))
}

fn digest<S: Serializer>(digest: &Option<&ContentDigest>, serializer: S) -> Result<S::Ok, S::Error> {
    encoded(digest.map_or(&[][..], |digest| &digest[..]), serializer)
}
