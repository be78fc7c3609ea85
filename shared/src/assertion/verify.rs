//! Checking an assertion, at the origin it was made for.
//!
//! Nothing of it is believed before its signature holds, and nothing of it holds for any other method, path,
//! query, audience or minute. There is no clock and no memory here: `now` and the request come from the caller.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use base64::Engine as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    ASSERTION_LEEWAY, ASSERTION_LIFETIME, AssertionKeyError, AssertionKeys, Capability, MAX_ASSERTION_BYTES, TYPE,
    claims::{WireClaims, WireHeader},
};
use crate::{digest::ContentDigest, json, part, time::UnixTime};

/// What one origin believes: which issuers, by which keys.
#[derive(Clone, Debug)]
pub struct AssertionVerifier {
    audience: String,
    issuers: Vec<TrustedIssuer>,
}

#[derive(Clone, Debug)]
struct TrustedIssuer {
    name: String,
    keys: AssertionKeys,
    capabilities: Vec<Capability>,
}

/// An assertion that holds for the request it came with.
#[derive(Clone)]
pub struct VerifiedAssertion {
    claims: WireClaimsView,
}

#[derive(Clone)]
struct WireClaimsView {
    issuer: String,
    subject: Option<String>,
    subject_issuer: Option<String>,
    company: Option<String>,
    roles: Vec<String>,
    scopes: Vec<String>,
    route: Option<String>,
    policy: Option<String>,
    capability: Option<Capability>,
    handed_on: Vec<(String, String)>,
    content_sha256: Option<ContentDigest>,
    id: String,
}

/// Why an assertion is refused. The answer is 401 for every one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionError {
    /// Not a compact JWS of the right `typ` and algorithm, or larger than [`MAX_ASSERTION_BYTES`].
    Malformed,
    /// `kid` is none of this origin's keys.
    KeyUnknown,
    /// The signature does not hold.
    SignatureInvalid,
    /// The claims are not those of an assertion.
    ClaimsMalformed,
    /// `iss` is not the issuer whose key signed.
    IssuerMismatch,
    /// `aud` is another origin.
    AudienceMismatch,
    /// It was made for another method.
    MethodMismatch,
    /// It was made for another path or query.
    TargetMismatch,
    /// `exp` has come.
    Expired,
    /// `iat` lies ahead, or `exp` further from it than [`ASSERTION_LIFETIME`].
    LifetimeExceeded,
}

impl AssertionVerifier {
    /// A verifier for the origin `audience`, from
    /// `{"issuers": {"edge": {"keys": [<oct JWK>, …], "capabilities": ["read"]}}}`.
    ///
    /// `capabilities` is what an issuer's keys can grant at most, whatever an assertion claims; it may be left out.
    ///
    /// # Errors
    /// [`AssertionKeyError`] says which rule is broken, and nothing of the keys.
    pub fn from_json(audience: &str, json: &str) -> Result<Self, AssertionKeyError> {
        let members = json::object(json.as_bytes()).map_err(|_| AssertionKeyError::Malformed)?;
        let entries = members.get("issuers").and_then(Value::as_object).ok_or(AssertionKeyError::Malformed)?;
        let issuers = entries
            .iter()
            .map(|(name, entry)| {
                let keys = AssertionKeys::from_entries(entry.get("keys"))?;
                Ok(TrustedIssuer { name: name.clone(), keys, capabilities: capabilities(entry.get("capabilities"))? })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if issuers.is_empty() {
            return Err(AssertionKeyError::Empty);
        }
        Ok(Self { audience: audience.to_owned(), issuers })
    }

    /// Checks that `compact` was made for this origin and for this very request.
    ///
    /// `target` is the canonical path and query as this origin received them.
    ///
    /// # Errors
    /// [`AssertionError`] names the first rule that fails.
    pub fn verify(
        &self,
        compact: &str,
        method: &str,
        target: &str,
        now: UnixTime,
    ) -> Result<VerifiedAssertion, AssertionError> {
        self.verify_where(compact, method, |bound| bound == target, now)
    }

    /// The same for an origin that does not receive targets as they were sent: `is_received` says whether the request
    /// that it did receive can only be one for this target. It is asked once the signature holds.
    ///
    /// # Errors
    /// [`AssertionError`] names the first rule that fails.
    pub fn verify_where(
        &self,
        compact: &str,
        method: &str,
        is_received: impl FnOnce(&str) -> bool,
        now: UnixTime,
    ) -> Result<VerifiedAssertion, AssertionError> {
        if compact.len() > MAX_ASSERTION_BYTES {
            return Err(AssertionError::Malformed);
        }
        let (message, signature) = compact.rsplit_once('.').ok_or(AssertionError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(AssertionError::Malformed)?;
        let header: WireHeader = decode(header).ok_or(AssertionError::Malformed)?;
        if header.alg != "HS256" || header.typ != TYPE {
            return Err(AssertionError::Malformed);
        }
        let signature = part::engine().decode(signature).map_err(|_| AssertionError::Malformed)?;
        let issuer = self.signer(&header.kid, message.as_bytes(), &signature)?;
        let claims: WireClaims = decode(claims).ok_or(AssertionError::ClaimsMalformed)?;
        if claims.iss != issuer.name {
            return Err(AssertionError::IssuerMismatch);
        }
        if claims.aud != self.audience {
            return Err(AssertionError::AudienceMismatch);
        }
        if claims.htm != method {
            return Err(AssertionError::MethodMismatch);
        }
        if !is_received(&claims.target) {
            return Err(AssertionError::TargetMismatch);
        }
        check_time(&claims, now)?;
        Ok(VerifiedAssertion { claims: view(claims, issuer)? })
    }

    /// The issuer whose key of that name signed `message`. Two issuers may have given their keys one name.
    fn signer(&self, kid: &str, message: &[u8], signature: &[u8]) -> Result<&TrustedIssuer, AssertionError> {
        let mut outcome = AssertionError::KeyUnknown;
        for issuer in &self.issuers {
            if let Some(key) = issuer.keys.find(kid) {
                if key.verifies(message, signature) {
                    return Ok(issuer);
                }
                outcome = AssertionError::SignatureInvalid;
            }
        }
        Err(outcome)
    }
}

fn capabilities(entry: Option<&Value>) -> Result<Vec<Capability>, AssertionKeyError> {
    let Some(entry) = entry else { return Ok(Vec::new()) };
    let names = entry.as_array().and_then(|items| json::strings(items)).ok_or(AssertionKeyError::Capability)?;
    names.iter().map(|name| Capability::from_name(name).ok_or(AssertionKeyError::Capability)).collect()
}

/// Both parts deserialise into structures, for which serde refuses a member named twice; but for the claims that are
/// handed on, a map, which whoever has the key alone can write.
fn decode<T: DeserializeOwned>(text: &str) -> Option<T> {
    let json = part::engine().decode(text).ok()?;
    serde_json::from_slice(&json).ok()
}

fn check_time(claims: &WireClaims, now: UnixTime) -> Result<(), AssertionError> {
    let (issued_at, expires_at) = (UnixTime::from_secs(claims.iat), UnixTime::from_secs(claims.exp));
    if now >= expires_at {
        return Err(AssertionError::Expired);
    }
    let from_the_future = issued_at > now.saturating_add(ASSERTION_LEEWAY);
    if from_the_future || expires_at.saturating_since(issued_at) > ASSERTION_LIFETIME {
        return Err(AssertionError::LifetimeExceeded);
    }
    Ok(())
}

fn view(claims: WireClaims, issuer: &TrustedIssuer) -> Result<WireClaimsView, AssertionError> {
    let claimed = match claims.capability.as_deref() {
        None => None,
        Some(name) => Some(Capability::from_name(name).ok_or(AssertionError::ClaimsMalformed)?),
    };
    let digest = |text: &String| part::engine().decode(text).ok().and_then(|octets| octets.try_into().ok());
    let content_sha256 = match &claims.content_sha256 {
        None => None,
        Some(text) => Some(digest(text).ok_or(AssertionError::ClaimsMalformed)?),
    };
    Ok(WireClaimsView {
        issuer: claims.iss,
        subject: claims.sub,
        subject_issuer: claims.sub_iss,
        company: claims.company,
        roles: claims.roles,
        scopes: spaced(&claims.scope.unwrap_or_default()),
        route: claims.route,
        policy: claims.policy,
        capability: claimed.filter(|capability| issuer.capabilities.contains(capability)),
        handed_on: claims.fields.into_iter().collect(),
        content_sha256,
        id: claims.jti,
    })
}

/// The names in a list with spaces between; there may be none.
fn spaced(names: &str) -> Vec<String> {
    names.split(' ').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

impl VerifiedAssertion {
    /// Who made it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.claims.issuer
    }

    /// The caller; `None` on a public route.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.claims.subject.as_deref()
    }

    /// The issuer section that the subject belongs to.
    #[must_use]
    pub fn subject_issuer(&self) -> Option<&str> {
        self.claims.subject_issuer.as_deref()
    }

    /// The company that the request is about.
    #[must_use]
    pub fn company(&self) -> Option<&str> {
        self.claims.company.as_deref()
    }

    /// The caller's roles in that company.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.claims.roles
    }

    /// The token's scopes.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.claims.scopes
    }

    /// The route that decided.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.claims.route.as_deref()
    }

    /// The version of the policy that decided.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.claims.policy.as_deref()
    }

    /// What it claims to be allowed at the permissions service, when its issuer's keys can grant that.
    #[must_use]
    pub const fn capability(&self) -> Option<Capability> {
        self.claims.capability
    }

    /// Header fields that the edge has set with the request, and their values: what callers claim under these names is
    /// not to be believed, whatever arrived.
    #[must_use]
    pub fn handed_on(&self) -> &[(String, String)] {
        &self.claims.handed_on
    }

    /// The SHA-256 of the request's body, where it is bound: whoever reads the body must compare it.
    #[must_use]
    pub const fn content_sha256(&self) -> Option<&ContentDigest> {
        self.claims.content_sha256.as_ref()
    }

    /// `jti`: what tells it from any other, for logs.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.claims.id
    }
}

/// Who called stays out of debug output: it ends in logs.
impl fmt::Debug for VerifiedAssertion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifiedAssertion")
            .field("issuer", &self.claims.issuer)
            .field("route", &self.claims.route)
            .field("id", &self.claims.id)
            .finish_non_exhaustive()
    }
}

impl AssertionError {
    /// The error's stable name, for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "assertion_malformed",
            Self::KeyUnknown => "assertion_key_unknown",
            Self::SignatureInvalid => "assertion_signature_invalid",
            Self::ClaimsMalformed => "assertion_claims_malformed",
            Self::IssuerMismatch => "assertion_issuer_mismatch",
            Self::AudienceMismatch => "assertion_audience_mismatch",
            Self::MethodMismatch => "assertion_method_mismatch",
            Self::TargetMismatch => "assertion_target_mismatch",
            Self::Expired => "assertion_expired",
            Self::LifetimeExceeded => "assertion_lifetime_exceeded",
        }
    }
}

impl fmt::Display for AssertionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the assertion is not a well-formed compact JWS of its type",
            Self::KeyUnknown => "the assertion names a key that this origin does not have",
            Self::SignatureInvalid => "the assertion's signature does not hold",
            Self::ClaimsMalformed => "the assertion's claims are not those of an assertion",
            Self::IssuerMismatch => "the assertion names another issuer than the one whose key signed it",
            Self::AudienceMismatch => "the assertion was made for another origin",
            Self::MethodMismatch => "the assertion was made for another method",
            Self::TargetMismatch => "the assertion was made for another path or query",
            Self::Expired => "the assertion has expired",
            Self::LifetimeExceeded => "the assertion was issued in the future or lives too long",
        })
    }
}

impl core::error::Error for AssertionError {}
