//! The outcome: a [`Permit`] with what may be forwarded, or a [`Denial`] with its reason.
//!
//! A `Permit` is proof that every rule of its route held at one moment. Its fields are private and only the
//! authoriser makes one. A denial is a decision, not an error.

use alloc::{borrow::Cow, string::String, sync::Arc, vec::Vec};
use core::fmt;

use crate::{
    answer::{Answer, Context, Extra},
    assertion::{ASSERTION_LIFETIME, Assertion, AssertionKeys, Claims},
    authorizer::{Company, VerifiedToken},
    digest::ContentDigest,
    forward::UnusualNames,
    policy::{Origin, Policy},
    reason::{PublicCode, Reason},
    target::CanonicalTarget,
    time::UnixTime,
};

/// The header field that names the route to an origin that gets no assertion, for its logs. It proves nothing.
pub const ROUTE_HEADER: &str = "postern-route";

/// What became of a request.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a decision is moved once; a box would cost each permit an allocation")]
pub enum Decision {
    /// Forward it, with an assertion.
    Permit(Permit),
    /// Answer with [`Denial::answer`].
    Deny(Denial),
    /// It was a CORS preflight: answer with this.
    Preflight(Answer),
}

/// Leave to forward one request to one origin. It has shares in the policy, in the token and in the caller's record, and
/// copies none of them.
#[derive(Clone)]
pub struct Permit {
    pub(crate) route: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) method: Cow<'static, str>,
    pub(crate) target: CanonicalTarget,
    pub(crate) principal: Option<Principal>,
    pub(crate) company: Option<Company>,
    pub(crate) roles: Option<Arc<[String]>>,
    pub(crate) policy_version: Arc<str>,
    pub(crate) handed_on: Vec<(String, String)>,
    pub(crate) content_sha256: Option<ContentDigest>,
    /// Whether the value of `Authorization` reaches the origin.
    pub(crate) forwards_token: bool,
    pub(crate) unusual_names: UnusualNames,
    pub(crate) response_headers: Vec<(&'static str, String)>,
    pub(crate) vary: Arc<str>,
}

/// Who calls, as far as the token says.
#[derive(Clone)]
pub(crate) struct Principal {
    /// Name of the issuer section.
    pub(crate) issuer: Arc<str>,
    pub(crate) token: Arc<VerifiedToken>,
}

impl Permit {
    /// The name of the route that decided.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Where the request may go, and nowhere else.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The method that was decided on.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The target that was decided on, byte for byte what must be forwarded.
    #[must_use]
    pub fn target(&self) -> &str {
        self.target.as_str()
    }

    /// The issuer section of the caller's token; `None` on a public route.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.principal.as_ref().map(|principal| &*principal.issuer)
    }

    /// The caller's subject; `None` on a public route. Personal data: not for logs.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.principal.as_ref().map(|principal| &*principal.token.subject)
    }

    /// Whether the token that this rests on has ended; never on a public route. For drivers that wait for something, such
    /// as a body, between the decision and what it permits: `exp` is not forgiven (RFC 7519 §4.1.4).
    #[must_use]
    pub fn is_expired(&self, now: UnixTime) -> bool {
        self.principal.as_ref().is_some_and(|principal| principal.token.is_expired(now))
    }

    /// The company that the request is about, where the route binds one.
    #[must_use]
    pub fn company(&self) -> Option<&str> {
        self.company.as_ref()?.name(&self.target, self.subject())
    }

    /// The caller's roles in that company.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        self.roles.as_deref().unwrap_or_default()
    }

    /// The token's scopes.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        self.principal.as_ref().map_or(&[], |principal| &principal.token.scopes)
    }

    /// The claims that the route hands on, as header fields: among what [`forward`](Self::forward) sets.
    #[must_use]
    pub fn handed_on(&self) -> &[(String, String)] {
        &self.handed_on
    }

    /// How many of the request's fields do not reach the origin because of the characters in their names.
    #[must_use]
    pub const fn unusual_names(&self) -> UnusualNames {
        self.unusual_names
    }

    /// The SHA-256 of the body that may be forwarded, where the route binds it.
    #[must_use]
    pub const fn content_sha256(&self) -> Option<&ContentDigest> {
        self.content_sha256.as_ref()
    }

    /// The version of the policy that decided.
    #[must_use]
    pub fn policy_version(&self) -> &str {
        &self.policy_version
    }

    /// The fields of the request that the decision rests on, for the answer's `Vary`; empty where there are none.
    /// [`Policy::answer_of`] adds them to what the origin's answer varies by.
    #[must_use]
    pub fn vary(&self) -> &str {
        &self.vary
    }

    /// CORS fields to set on the origin's response, in place of any it set itself.
    #[must_use]
    pub fn response_headers(&self) -> &[(&'static str, String)] {
        &self.response_headers
    }

    /// The assertion for this one request: `issuer` is the edge's name ([`Policy::edge`]), `id` 128 fresh random bits.
    #[must_use]
    pub fn assertion(&self, issuer: &str, now: UnixTime, id: [u8; 16]) -> Assertion {
        Assertion {
            issuer: issuer.into(),
            audience: self.origin.name().into(),
            subject: self.subject().map(Into::into),
            subject_issuer: self.issuer().map(Into::into),
            company: self.company().map(Into::into),
            roles: self.roles().to_vec(),
            scopes: self.scopes().to_vec(),
            route: Some(self.route().into()),
            policy: Some(self.policy_version().into()),
            capability: None,
            handed_on: self.handed_on.clone(),
            content_sha256: self.content_sha256,
            method: self.method().into(),
            target: self.target().into(),
            issued_at: now,
            expires_at: now.saturating_add(ASSERTION_LIFETIME),
            id,
        }
    }

    /// [`assertion`](Self::assertion), signed: what stands in the field [`HEADER`](crate::assertion::HEADER). Nothing that
    /// it says is copied on the way.
    #[must_use]
    pub fn signed_assertion(&self, issuer: &str, now: UnixTime, id: [u8; 16], keys: &AssertionKeys) -> String {
        let claims = Claims {
            issuer,
            audience: self.origin.name(),
            subject: self.subject(),
            subject_issuer: self.issuer(),
            company: self.company(),
            roles: self.roles(),
            scopes: self.scopes(),
            route: Some(&self.route),
            policy: Some(&self.policy_version),
            capability: None,
            handed_on: &self.handed_on,
            content_sha256: self.content_sha256.as_ref(),
            method: &self.method,
            target: self.target(),
            issued_at: now,
            expires_at: now.saturating_add(ASSERTION_LIFETIME),
            id: &id,
        };
        claims.sign(keys)
    }

    /// The 502 for an origin that cannot be reached.
    #[must_use]
    pub fn unreachable(&self) -> Answer {
        self.refuse(PublicCode::BadGateway)
    }

    /// The 503 for a request that is permitted and yet cannot be forwarded: the origin's key is missing, say.
    #[must_use]
    pub fn unavailable(&self) -> Answer {
        self.refuse(PublicCode::TemporarilyUnavailable)
    }

    /// The answer for a request that is permitted and that a driver yet finds unfit to forward.
    #[must_use]
    pub fn refuse(&self, code: PublicCode) -> Answer {
        self.answer(code, Extra::Nothing)
    }

    /// The 400 for a request that must be signed for its origin with its body's hash, where the caller alone can say it:
    /// the answer names the field.
    #[must_use]
    pub fn lacks_payload_hash(&self) -> Answer {
        self.answer(PublicCode::InvalidRequest, Extra::PayloadHash)
    }

    fn answer(&self, code: PublicCode, extra: Extra<'_>) -> Answer {
        let head = self.method == "HEAD";
        let mut answer = Answer::denial(code, extra, Context { head, vary: &self.vary, ..Context::default() });
        answer.headers.extend_from_slice(&self.response_headers);
        answer
    }
}

/// Who called stays out of debug output: it ends in logs.
impl fmt::Debug for Permit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Permit")
            .field("route", &self.route)
            .field("origin", &self.origin.name())
            .finish_non_exhaustive()
    }
}

/// A refusal, with all that its answer says.
#[derive(Clone)]
pub struct Denial {
    reason: Reason,
    route: Option<String>,
    caller: Option<Principal>,
    company: Option<String>,
    answer: Answer,
}

impl Denial {
    pub(crate) fn new(reason: Reason, route: Option<&str>, extra: Extra<'_>, context: Context<'_>) -> Self {
        let extra = if reason == Reason::CredentialMalformed { Extra::Credential } else { extra };
        let answer = Answer::denial(reason.public_code(), extra, context);
        Self { reason, route: route.map(Into::into), caller: None, company: None, answer }
    }

    /// The same, with who was refused and which company the request named.
    pub(crate) fn about(self, caller: Option<Principal>, company: Option<String>) -> Self {
        Self { caller, company, ..self }
    }

    /// Why, in the operator's terms.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The name of the route that decided; `None` when none was reached.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// The issuer section of the caller, once its token was verified.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.caller.as_ref().map(|caller| &*caller.issuer)
    }

    /// The caller's subject, once its token was verified. Personal data: not for logs.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.caller.as_ref().map(|caller| &*caller.token.subject)
    }

    /// The company that the request named, where the route binds one to be found in it.
    #[must_use]
    pub fn company(&self) -> Option<&str> {
        self.company.as_deref()
    }

    /// The HTTP answer, whole.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        &self.answer
    }
}

/// Who called stays out of debug output: it ends in logs.
impl fmt::Debug for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denial").field("reason", &self.reason).field("route", &self.route).finish_non_exhaustive()
    }
}

impl Policy {
    pub(crate) fn context<'a>(&'a self, origin: Option<&'a str>, head: bool, vary: &'a str) -> Context<'a> {
        Context { cors: self.cors.as_ref(), origin, head, vary }
    }
}
