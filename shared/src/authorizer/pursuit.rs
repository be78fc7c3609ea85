//! What a token is verified for: a decision on a request ([`Progress`]), or to know who calls
//! ([`Identification`](super::Identification)). Both lack the same keys and the same check of a signature, and a driver
//! answers both alike.

use alloc::sync::Arc;

use super::{Authorizer, NeedsSignature, Progress, VerifiedToken, begin::Pending, rules};
use crate::{reason::Reason, time::UnixTime};

/// What [`NeedsKeys::resume`](super::NeedsKeys::resume) and [`NeedsSignature::resume`] may give. Only this crate has any.
pub trait Pursuit<'a>: sealed::Steps<'a> {}

impl<'a, T: sealed::Steps<'a>> Pursuit<'a> for T {}

pub(super) mod sealed {
    use super::*;

    /// The steps that differ.
    pub trait Steps<'a>: Sized {
        /// All that is known before the token is verified.
        type Pending;

        /// Whose cache remembers the token.
        fn authorizer(pending: &Self::Pending) -> &'a Authorizer;

        /// The route that it is about, if any, for debug output.
        fn route(pending: &Self::Pending) -> Option<&str>;

        /// It is over.
        fn denied(pending: Self::Pending, reason: Reason) -> Self;

        /// The next need.
        fn needs_signature(need: NeedsSignature<'a, Self>) -> Self;

        /// The token is verified.
        fn verified(pending: Self::Pending, token: Arc<VerifiedToken>, now: UnixTime) -> Self;
    }
}

impl<'a> sealed::Steps<'a> for Progress<'a> {
    type Pending = Pending<'a>;

    fn authorizer(pending: &Pending<'a>) -> &'a Authorizer {
        pending.authorizer
    }

    fn route<'p>(pending: &'p Pending<'a>) -> Option<&'p str> {
        Some(&pending.route.name)
    }

    fn denied(pending: Pending<'a>, reason: Reason) -> Self {
        pending.deny(reason)
    }

    fn needs_signature(need: NeedsSignature<'a>) -> Self {
        Self::NeedsSignature(need)
    }

    fn verified(pending: Pending<'a>, token: Arc<VerifiedToken>, now: UnixTime) -> Self {
        rules::judge(pending, token, now)
    }
}
