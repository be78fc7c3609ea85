//! A caller's permissions that somebody has asked for already, on the way to a decision.

use std::{fmt, time::Duration};

use postern::authorizer::{Caller, NeedsPermissions};

use super::Hydrated;

/// What is known of one caller's permissions, and how old it may be by now.
///
/// Made by this crate's layers alone: by [`permissions`](crate::permissions), which asks for it, and by
/// [`context`](crate::context), which has it from an authorizer in front.
#[derive(Clone)]
pub struct HeldPermissions {
    issuer: String,
    subject: String,
    known: Hydrated,
    age: Duration,
}

impl HeldPermissions {
    /// What is known of `caller`. `age` is the most that it can have, counted from when it was asked for; zero says that
    /// it was asked for this very request.
    pub(crate) fn new(caller: &Caller, known: Hydrated, age: Duration) -> Self {
        Self { issuer: caller.issuer().to_owned(), subject: caller.subject().to_owned(), known, age }
    }

    /// The issuer section that the caller belongs to.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whose permissions. Personal data: not for logs.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The record, or that there is none.
    #[must_use]
    pub const fn known(&self) -> &Hydrated {
        &self.known
    }

    /// The most that its age can be, counted from when it was asked for; zero: it was asked for this very request.
    #[must_use]
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// Whether a decision may rest on it: it is about this caller, and as young as the route wants.
    pub(super) fn serves(&self, need: &NeedsPermissions<'_>) -> bool {
        let is_young = self.age.is_zero() || self.age < need.max_age();
        is_young && self.issuer == need.issuer().name() && self.subject == need.subject()
    }
}

/// Who it is about stays out of debug output: it ends in logs.
impl fmt::Debug for HeldPermissions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HeldPermissions").field("age", &self.age).finish_non_exhaustive()
    }
}
