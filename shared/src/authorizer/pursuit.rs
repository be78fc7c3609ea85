//! What a token is verified for: a decision on a request ([`Progress`]), or to know who calls
//! ([`Identification`](super::Identification)). Both lack the same keys and the same check of a signature, and a driver
//! answers both alike.

use alloc::sync::Arc;

use super::{Authorizer, NeedsSignature, Progress, VerifiedToken, begin::Pending, needs::Signed, rules};
use crate::{purpose::Purpose, reason::Reason, time::UnixTime};

/// What [`NeedsKeys::resume`](super::NeedsKeys::resume) and [`NeedsSignature::resume`] may give. Only this crate has any.
pub trait Pursuit: sealed::Steps {}

impl<T: sealed::Steps> Pursuit for T {}

pub(super) mod sealed {
    use super::*;

    /// The steps that differ. It has no lifetime of its own: with one, no future that holds a need could be sent between
    /// threads, since the compiler does not see that the two are always the same.
    pub trait Steps: Sized {
        /// All that is known before the token is verified.
        type Pending;

        /// Whose cache remembers the token.
        fn authorizer(pending: &Self::Pending) -> &Authorizer;

        /// What it is for, and so which of the caches.
        fn purpose(pending: &Self::Pending) -> Purpose;

        /// The route that it is about, if any, for debug output.
        fn route(pending: &Self::Pending) -> Option<&str>;

        /// It is over.
        fn denied(pending: Self::Pending, reason: Reason) -> Self;

        /// The next need.
        fn needs_signature(pending: Self::Pending, signed: Signed) -> Self;

        /// The token is verified.
        fn verified(pending: Self::Pending, token: Arc<VerifiedToken>, now: UnixTime) -> Self;
    }
}

impl<'a> sealed::Steps for Progress<'a> {
    type Pending = Pending<'a>;

    fn authorizer(pending: &Pending<'a>) -> &'a Authorizer {
        pending.authorizer
    }

    fn purpose(pending: &Pending<'a>) -> Purpose {
        pending.purpose()
    }

    fn route<'p>(pending: &'p Pending<'a>) -> Option<&'p str> {
        Some(&pending.route.name)
    }

    fn denied(pending: Pending<'a>, reason: Reason) -> Self {
        pending.deny(reason)
    }

    fn needs_signature(pending: Pending<'a>, signed: Signed) -> Self {
        Self::NeedsSignature(NeedsSignature::new(pending, signed))
    }

    fn verified(pending: Pending<'a>, token: Arc<VerifiedToken>, now: UnixTime) -> Self {
        rules::judge(pending, token, now)
    }
}
