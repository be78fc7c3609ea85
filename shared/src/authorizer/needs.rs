//! What a decision in flight may lack, one type for each.

use alloc::{string::String, sync::Arc};
use core::{fmt, marker::PhantomData, time::Duration};

use super::{
    NeedsBody, Pursuit, VerifiedToken,
    begin::Pending,
    credential::{self, Candidates},
    rules,
};
use crate::{
    algorithm::Algorithm, decision::Decision, jwk::Jwk, jwks::JwkSet, permissions::PermissionsRecord, policy::Issuer,
    purpose::Purpose, reason::Reason, signature::is_well_formed, time::UnixTime, token::UnverifiedToken,
};

/// A decision, finished or not.
#[derive(Debug)]
#[must_use = "a decision in flight decides nothing"]
pub enum Progress<'a> {
    /// Done.
    Decided(Decision),
    /// It lacks an issuer's keys.
    NeedsKeys(NeedsKeys<'a>),
    /// It lacks a signature check.
    NeedsSignature(NeedsSignature<'a>),
    /// It lacks the subject's permissions.
    NeedsPermissions(NeedsPermissions<'a>),
    /// It lacks the digest of the request's body.
    NeedsBody(NeedsBody<'a>),
}

/// The answer to [`NeedsKeys`].
#[derive(Clone, Copy, Debug)]
pub enum Keys<'k> {
    /// The issuer's current keys: a `kid` that is not among them is unknown, and the token invalid.
    Fresh(&'k JwkSet),
    /// Keys past their time, the issuer being out of reach: a `kid` that is not among them may exist.
    Stale(&'k JwkSet),
    /// No keys can be had.
    Unavailable,
}

/// The answer to [`NeedsSignature`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureCheck {
    /// The signature holds.
    Valid,
    /// It does not.
    Invalid,
    /// It could not be checked.
    Unavailable,
}

/// The answer to [`NeedsPermissions`].
#[derive(Clone, Copy, Debug)]
pub enum Permissions<'p> {
    /// The subject's record.
    Found(&'p PermissionsRecord),
    /// The service has no record of the subject, who then may do nothing.
    Absent,
    /// The service could not tell.
    Unavailable,
}

/// What lacks the keys of one issuer: a decision, or whatever else `P` is.
#[must_use = "a decision in flight decides nothing"]
pub struct NeedsKeys<'a, P: Pursuit = Progress<'a>> {
    pending: P::Pending,
    token: UnverifiedToken,
    issuer: &'a Issuer,
    candidates: Candidates,
}

impl<'a, P: Pursuit> NeedsKeys<'a, P> {
    pub(super) const fn new(
        pending: P::Pending,
        token: UnverifiedToken,
        issuer: &'a Issuer,
        candidates: Candidates,
    ) -> Self {
        Self { pending, token, issuer, candidates }
    }

    /// The issuer section whose keys are needed; where several share a URL they share their keys.
    #[must_use]
    pub const fn issuer(&self) -> &'a Issuer {
        self.issuer
    }

    /// Which of a driver's caches of keys to look in.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        P::purpose(&self.pending)
    }

    /// The token's `kid`: foreign text, for looking up and nothing else.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.token.key_id()
    }

    /// Goes on with the keys.
    pub fn resume(self, keys: Keys<'_>, now: UnixTime) -> P {
        if let Err(reason) = P::authorizer(&self.pending).check_clock(now) {
            return P::denied(self.pending, reason);
        }
        let (set, otherwise) = match keys {
            Keys::Fresh(set) => (set, Reason::KeyUnknown),
            Keys::Stale(set) => (set, Reason::KeysUnavailable),
            Keys::Unavailable => return P::denied(self.pending, Reason::KeysUnavailable),
        };
        match set.select(self.token.key_id(), self.token.algorithm()) {
            // What hosts judge differently is judged before one is asked.
            Some(key) if !is_well_formed(self.token.algorithm(), &key, self.token.signature()) => {
                P::denied(self.pending, Reason::SignatureInvalid)
            }
            Some(key) => {
                P::needs_signature(self.pending, Signed { token: self.token, candidates: self.candidates, key })
            }
            None => P::denied(self.pending, otherwise),
        }
    }
}

/// A token, and the key that is to have signed it.
pub struct Signed {
    token: UnverifiedToken,
    /// The issuer sections that it may be of.
    candidates: Candidates,
    key: Arc<Jwk>,
}

/// What lacks one signature check: a decision, or whatever else `P` is.
#[must_use = "a decision in flight decides nothing"]
pub struct NeedsSignature<'a, P: Pursuit = Progress<'a>> {
    pending: P::Pending,
    signed: Signed,
    /// What it gives borrows the authoriser for so long.
    authorizer: PhantomData<&'a ()>,
}

impl<'a, P: Pursuit> NeedsSignature<'a, P> {
    pub(super) const fn new(pending: P::Pending, signed: Signed) -> Self {
        Self { pending, signed, authorizer: PhantomData }
    }

    /// The algorithm to check with: the header's, the issuer's and the key's all at once.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.signed.token.algorithm()
    }

    /// The key to check with.
    #[must_use]
    pub fn key(&self) -> &Jwk {
        &self.signed.key
    }

    /// The octets that were signed (RFC 7515 §5.2).
    #[must_use]
    pub fn message(&self) -> &[u8] {
        self.signed.token.message()
    }

    /// The signature, decoded.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.signed.token.signature()
    }

    /// Goes on with the outcome; a valid token is remembered.
    pub fn resume(self, check: SignatureCheck, now: UnixTime) -> P {
        let authorizer = P::authorizer(&self.pending);
        if let Err(reason) = authorizer.check_clock(now) {
            return P::denied(self.pending, reason);
        }
        match check {
            SignatureCheck::Valid => {}
            SignatureCheck::Invalid => return P::denied(self.pending, Reason::SignatureInvalid),
            SignatureCheck::Unavailable => return P::denied(self.pending, Reason::SignatureUnavailable),
        }
        let purpose = P::purpose(&self.pending);
        let tokens = authorizer.tokens_for(purpose);
        let like = tokens.lock().last();
        let (candidates, token) = (&self.signed.candidates, &self.signed.token);
        match credential::verify((&authorizer.policy, purpose), candidates, token, like.as_deref(), now) {
            Ok(token) => {
                let token = Arc::new(token);
                let (compact, header) = self.signed.token.into_parts();
                tokens.lock().insert(compact, header, Arc::clone(&token), now);
                P::verified(self.pending, token, now)
            }
            Err(reason) => P::denied(self.pending, reason),
        }
    }
}

/// A decision that lacks one subject's permissions.
#[must_use = "a decision in flight decides nothing"]
pub struct NeedsPermissions<'a> {
    pending: Pending<'a>,
    token: Arc<VerifiedToken>,
    issuer: &'a Issuer,
}

impl<'a> NeedsPermissions<'a> {
    pub(super) const fn new(pending: Pending<'a>, token: Arc<VerifiedToken>, issuer: &'a Issuer) -> Self {
        Self { pending, token, issuer }
    }

    /// The issuer section that the subject belongs to.
    #[must_use]
    pub const fn issuer(&self) -> &'a Issuer {
        self.issuer
    }

    /// Which of a driver's caches of permissions to look in.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.pending.purpose()
    }

    /// Whose permissions are needed. Personal data: not for logs.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.token.subject
    }

    /// How old the record may be; zero means that it must be asked for now.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        self.pending.route.permissions_max_age
    }

    /// How much older it may be if the service cannot tell; zero: it may not.
    #[must_use]
    pub const fn stale_if_error(&self) -> Duration {
        self.pending.route.permissions_stale_if_error
    }

    /// The canonical target of the record at the permissions service: `/users/{subject}`, or `None` for a
    /// subject that no canonical path can hold.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        super::survey::record_target(self.subject())
    }

    /// Goes on with the permissions.
    pub fn resume(self, permissions: Permissions<'_>, now: UnixTime) -> Progress<'a> {
        if let Err(reason) = self.pending.authorizer.check_validity(&self.token, now) {
            return self.pending.deny_caller(reason, &self.token);
        }
        match permissions {
            // A record about someone else is no answer to this question.
            Permissions::Found(record) if record.id() == &*self.token.subject => {
                rules::judge_company(self.pending, self.token, record, now)
            }
            Permissions::Found(_) | Permissions::Unavailable => {
                self.pending.deny_caller(Reason::PermissionsUnavailable, &self.token)
            }
            Permissions::Absent => self.pending.deny_caller(Reason::CompanyMismatch, &self.token),
        }
    }
}

// The token and its subject stay out of debug output: it ends in logs.
impl fmt::Debug for Signed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signed").field("algorithm", &self.token.algorithm()).finish_non_exhaustive()
    }
}

impl<'a, P: Pursuit> fmt::Debug for NeedsKeys<'a, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NeedsKeys").field("route", &P::route(&self.pending)).finish_non_exhaustive()
    }
}

impl<'a, P: Pursuit> fmt::Debug for NeedsSignature<'a, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NeedsSignature").field("route", &P::route(&self.pending)).finish_non_exhaustive()
    }
}

impl fmt::Debug for NeedsPermissions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NeedsPermissions").field("route", &self.pending.route.name).finish_non_exhaustive()
    }
}
