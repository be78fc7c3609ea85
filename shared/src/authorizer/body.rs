//! The last need, of routes that bind bodies the edge has read: the digest of this request's.
//!
//! Asked for when every other rule holds, so that nobody has an edge read what it would then refuse.

use alloc::{boxed::Box, sync::Arc};
use core::{fmt, time::Duration};

use super::{Progress, VerifiedToken, begin::Pending};
use crate::{
    assertion::ASSERTION_LIFETIME,
    decision::{Decision, Permit},
    digest::ContentDigest,
    reason::Reason,
    time::UnixTime,
};

/// The answer to [`NeedsBody`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyDigest {
    /// The SHA-256 of the whole body, of no octets where there is none. These very octets are what is then forwarded.
    Sha256(ContentDigest),
    /// The body is longer than [`NeedsBody::limit`].
    TooLarge,
    /// The body broke off, or took longer than [`NeedsBody::time_limit`].
    Unreadable,
}

/// A decision that lacks the digest of the request's body.
#[must_use = "a decision in flight decides nothing"]
pub struct NeedsBody<'a> {
    pub(super) pending: Pending<'a>,
    pub(super) token: Option<Arc<VerifiedToken>>,
    pub(super) permit: Box<Permit>,
    /// When everything else was decided.
    pub(super) since: UnixTime,
}

impl<'a> NeedsBody<'a> {
    /// Longest body that is taken, in octets: reading may end there.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.pending.authorizer.policy.limits.body
    }

    /// Longest that reading may take, from when the body is asked for: what was decided is then too old to be held to.
    #[must_use]
    pub const fn time_limit(&self) -> Duration {
        ASSERTION_LIFETIME
    }

    /// Goes on with the digest.
    pub fn resume(mut self, digest: BodyDigest, now: UnixTime) -> Progress<'a> {
        let refuse = |reason| self.pending.deny_whoever(reason, self.token.as_ref());
        // A body may take its time.
        let authorizer = self.pending.authorizer;
        let validity = self
            .token
            .as_ref()
            .map_or_else(|| authorizer.check_clock(now), |token| authorizer.check_validity(token, now));
        if let Err(reason) = validity {
            return refuse(reason);
        }
        // A caller who feeds a body slowly would hold on to roles that are withdrawn meanwhile.
        let is_late = now.saturating_since(self.since) > self.time_limit();
        match digest {
            _ if is_late => refuse(Reason::BodyUnreadable),
            BodyDigest::Sha256(digest) => {
                self.permit.content_sha256 = Some(digest);
                Progress::Decided(Decision::Permit(*self.permit))
            }
            BodyDigest::TooLarge => refuse(Reason::BodyTooLarge),
            BodyDigest::Unreadable => refuse(Reason::BodyUnreadable),
        }
    }
}

impl fmt::Debug for NeedsBody<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NeedsBody").field("route", &self.pending.route.name).finish_non_exhaustive()
    }
}
