//! Who calls, and nothing else: for enforcement points that decide in two steps, or on more than one request at once.

use alloc::{borrow::ToOwned, string::String, sync::Arc};
use core::fmt;

use super::{
    Authorizer, Caller, NeedsKeys, NeedsSignature, VerifiedToken, begin, credential::Candidates, needs::Signed,
    pursuit::sealed,
};
use crate::{
    answer::Extra, bearer::bearer, decision::Denial, purpose::Purpose, reason::Reason, request::Request, time::UnixTime,
};

/// The identification of a caller, finished or not.
#[derive(Debug)]
#[must_use = "nobody is identified yet"]
pub enum Identification<'a> {
    /// Done: the token is good at some section. That permits nothing yet.
    Identified(Caller),
    /// There is no token that is.
    Refused(Denial),
    /// It lacks an issuer's keys.
    NeedsKeys(NeedsKeys<'a, Identification<'a>>),
    /// It lacks a signature check.
    NeedsSignature(NeedsSignature<'a, Identification<'a>>),
}

/// An identification on its way.
pub struct Asked<'a> {
    authorizer: &'a Authorizer,
    /// The request's `Origin`, and whether its answer has no body.
    origin: Option<String>,
    is_head: bool,
}

impl Authorizer {
    /// Begins to find out whose token `request` carries, of any issuer section. Neither its target nor its method is
    /// looked at, and no route's rule.
    pub fn identify(&self, request: &Request<'_>, now: UnixTime) -> Identification<'_> {
        let asked = Asked {
            authorizer: self,
            origin: request.sole_header("origin").map(ToOwned::to_owned),
            is_head: request.method == "HEAD",
        };
        if let Err(reason) = self.check_clock(now) {
            return asked.refuse(reason);
        }
        let compact = match begin::credential(bearer(request), &self.policy) {
            Ok(compact) => compact,
            Err(reason) => return asked.refuse(reason),
        };
        if let Some(token) = self.tokens_for(self.purpose).lock().get(compact, now) {
            return asked.identified(token, now);
        }
        let token = match self.unverified(compact, self.purpose) {
            Ok(token) => token,
            Err(reason) => return asked.refuse(reason),
        };
        match Candidates::of(&self.policy, None, &token) {
            Ok((issuer, candidates)) => Identification::NeedsKeys(NeedsKeys::new(asked, token, issuer, candidates)),
            Err(reason) => asked.refuse(reason),
        }
    }
}

impl<'a> Asked<'a> {
    fn refuse(&self, reason: Reason) -> Identification<'a> {
        let policy = &self.authorizer.policy;
        let context = policy.context(self.origin.as_deref(), self.is_head, policy.vary_of_caller());
        Identification::Refused(Denial::new(reason, None, Extra::Nothing, context))
    }

    fn identified(&self, token: Arc<VerifiedToken>, now: UnixTime) -> Identification<'a> {
        if let Err(reason) = self.authorizer.check_validity(&token, now) {
            return self.refuse(reason);
        }
        match Caller::new(&self.authorizer.policy, token) {
            Some(caller) => Identification::Identified(caller),
            None => self.refuse(Reason::IssuerUnknown),
        }
    }
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Asked").finish_non_exhaustive()
    }
}

impl<'a> sealed::Steps for Identification<'a> {
    type Pending = Asked<'a>;

    fn authorizer(asked: &Asked<'a>) -> &'a Authorizer {
        asked.authorizer
    }

    fn purpose(asked: &Asked<'a>) -> Purpose {
        asked.authorizer.purpose
    }

    fn route<'p>(_: &'p Asked<'a>) -> Option<&'p str> {
        None
    }

    fn denied(asked: Asked<'a>, reason: Reason) -> Self {
        asked.refuse(reason)
    }

    fn needs_signature(asked: Asked<'a>, signed: Signed) -> Self {
        Self::NeedsSignature(NeedsSignature::new(asked, signed))
    }

    fn verified(asked: Asked<'a>, token: Arc<VerifiedToken>, now: UnixTime) -> Self {
        asked.identified(token, now)
    }
}
