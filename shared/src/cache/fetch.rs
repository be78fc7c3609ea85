//! How an issuer's keys are fetched: what to GET next, and what an answer is worth.
//!
//! Where the policy does not say where the keys are, the issuer's own metadata does (OpenID Connect Discovery 1.0
//! §4, RFC 8414 §3.3): its `issuer` must be the very `iss` that was asked about, or one issuer could hand out keys
//! for another, and its `jwks_uri` must be one that the policy itself might have named. A driver makes the requests,
//! within a time of its own, reads no more than [`KeyFetch::max_bytes`] and follows no redirect.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
};
use core::{fmt, time::Duration};

use super::{
    freshness::freshness,
    reach::{address_of, is_public_address, origin_of},
};
use crate::{
    json::{Json, Object},
    jwks::{JwkSet, JwksError, MAX_JWKS_BYTES},
    policy::{Issuer, JwksLocation},
    time::UnixTime,
};

/// Largest metadata document in octets; those of the known providers have under 8 KiB.
pub const MAX_METADATA_BYTES: usize = 64 * 1024;

/// A fetch under way: the request to make next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFetch {
    url: String,
    asked_at: UnixTime,
    step: Step,
    /// Its host is known from the issuer's metadata alone.
    is_foreign: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The issuer's metadata.
    Metadata,
    /// The JWK set; where discovery found its URL, and when that was.
    Keys { discovered_at: Option<UnixTime> },
}

/// An HTTP answer to [`KeyFetch::url`]. Field values as they came, joined by commas where a field stood twice.
#[derive(Clone, Copy, Debug)]
pub struct KeyAnswer<'a> {
    /// The status.
    pub status: u16,
    /// `Cache-Control`.
    pub cache_control: Option<&'a str>,
    /// `Age`, in seconds.
    pub age: Option<&'a str>,
    /// The body of a 200, decoded, whole.
    pub body: &'a [u8],
}

/// What comes after an answer.
#[derive(Clone, Debug)]
pub enum KeyStep {
    /// Another request.
    Next(KeyFetch),
    /// The keys, for [`KeyCache::store`](super::KeyCache::store).
    Fetched(FetchedKeys),
}

/// An issuer's keys as they have just been fetched.
#[derive(Clone, Debug)]
pub struct FetchedKeys {
    pub(super) keys: JwkSet,
    pub(super) jwks_url: String,
    pub(super) asked_at: UnixTime,
    pub(super) discovered_at: Option<UnixTime>,
    pub(super) max_age: Option<Duration>,
}

/// Why an answer brings no keys. Never quotes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFetchError {
    /// The status is not 200.
    Status(u16),
    /// The metadata is no JSON object with `issuer` and `jwks_uri`, or larger than [`MAX_METADATA_BYTES`].
    Metadata,
    /// The metadata is another issuer's.
    IssuerMismatch,
    /// `jwks_uri` is not a URL that a policy may name, or names an address that is not public.
    JwksUrl,
    /// The body is no JWK set.
    Jwks(JwksError),
}

impl KeyFetch {
    /// Begins at `issuer`'s JWK set, or at its metadata where only that says where the set is.
    pub(super) fn begin(issuer: &Issuer, discovered: Option<&(String, UnixTime)>, now: UnixTime) -> Self {
        let (url, step) = match (issuer.jwks(), discovered) {
            (JwksLocation::Url(url), _) => (url, Step::Keys { discovered_at: None }),
            (JwksLocation::Discovery(_), Some((url, at))) => (url, Step::Keys { discovered_at: Some(*at) }),
            (JwksLocation::Discovery(url), None) => (url, Step::Metadata),
        };
        let is_foreign = matches!(step, Step::Keys { discovered_at: Some(_) }) && issuer.is_foreign(url);
        Self { url: url.clone(), asked_at: now, step, is_foreign }
    }

    /// What to GET.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the driver may connect to public addresses only ([`is_public_address`]), whatever the host's name resolves to.
    ///
    /// So it is for a `jwks_uri` of the issuer's metadata, unless it has the origin of the issuer's own URL, or the policy is
    /// a development one. A policy that names the place (`jwks_url`) may name any.
    #[must_use]
    pub const fn wants_public_address(&self) -> bool {
        self.is_foreign
    }

    /// The `Accept` field to send.
    #[must_use]
    pub const fn accept(&self) -> &'static str {
        match self.step {
            Step::Metadata => "application/json",
            Step::Keys { .. } => "application/jwk-set+json, application/json",
        }
    }

    /// Most octets of body to read; an answer with more is no answer.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        match self.step {
            Step::Metadata => MAX_METADATA_BYTES,
            Step::Keys { .. } => MAX_JWKS_BYTES,
        }
    }

    /// Goes on with the answer.
    ///
    /// # Errors
    /// [`KeyFetchError`] when it brings nothing; the fetch has then failed.
    pub fn answered(self, issuer: &Issuer, answer: &KeyAnswer<'_>) -> Result<KeyStep, KeyFetchError> {
        if answer.status != 200 {
            return Err(KeyFetchError::Status(answer.status));
        }
        match self.step {
            Step::Metadata => {
                let url = jwks_uri(issuer, answer.body)?;
                let is_foreign = issuer.is_foreign(&url);
                if is_foreign && address_of(&url).is_some_and(|address| !is_public_address(address)) {
                    return Err(KeyFetchError::JwksUrl);
                }
                Ok(KeyStep::Next(Self {
                    url,
                    is_foreign,
                    step: Step::Keys { discovered_at: Some(self.asked_at) },
                    ..self
                }))
            }
            Step::Keys { discovered_at } => Ok(KeyStep::Fetched(FetchedKeys {
                keys: JwkSet::parse(answer.body).map_err(KeyFetchError::Jwks)?,
                jwks_url: self.url,
                asked_at: self.asked_at,
                discovered_at,
                max_age: freshness(answer.cache_control, answer.age),
            })),
        }
    }
}

impl Issuer {
    /// Whether nothing in the policy names the host of `url`.
    fn is_foreign(&self, url: &str) -> bool {
        !self.is_development() && origin_of(url) != origin_of(self.url())
    }
}

fn jwks_uri(issuer: &Issuer, body: &[u8]) -> Result<String, KeyFetchError> {
    if body.len() > MAX_METADATA_BYTES {
        return Err(KeyFetchError::Metadata);
    }
    let members = Object::parse(body).map_err(|_| KeyFetchError::Metadata)?;
    let text = |name: &str| members.get(name).and_then(Json::as_str).ok_or(KeyFetchError::Metadata);
    if text("issuer")? != issuer.url() {
        return Err(KeyFetchError::IssuerMismatch);
    }
    let url = text("jwks_uri")?;
    if issuer.allows_url(url) { Ok(url.to_owned()) } else { Err(KeyFetchError::JwksUrl) }
}

impl FetchedKeys {
    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// Where they were.
    #[must_use]
    pub fn jwks_url(&self) -> &str {
        &self.jwks_url
    }
}

impl KeyFetchError {
    /// The error's stable name, for logs and tools.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Metadata => "metadata",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::JwksUrl => "jwks_url",
            Self::Jwks(_) => "jwks",
        }
    }
}

impl fmt::Display for KeyFetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Status(status) => return write!(formatter, "the status is {status}"),
            Self::Metadata => "the metadata is no JSON object with `issuer` and `jwks_uri`",
            Self::IssuerMismatch => "the metadata is that of another issuer",
            Self::JwksUrl => "the metadata's `jwks_uri` is not a URL that may be asked",
            Self::Jwks(error) => return formatter.write_str(&error.to_string()),
        };
        formatter.write_str(text)
    }
}

impl core::error::Error for KeyFetchError {}
