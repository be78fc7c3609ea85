//! The purpose of a decision, which separates the caches of enforced and of tried policies.
//!
//! A rule that is only tried must not change what the enforced policy decides. So it never fails, leads or fills a cache
//! that an enforced decision reads: each cache exists once for each [`Purpose`], in a [`ByPurpose`], and each need names the
//! purpose to look it up by.

/// The purpose of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To answer a request.
    Enforce,
    /// To be compared with the enforced decision in the log: a shadow route, or a shadow policy.
    Try,
}

/// One value for each purpose.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByPurpose<T> {
    enforced: T,
    tried: T,
}

impl<T> ByPurpose<T> {
    /// Returns the two values together.
    #[must_use]
    pub const fn new(enforced: T, tried: T) -> Self {
        Self { enforced, tried }
    }

    /// Returns the value for `purpose`.
    #[must_use]
    pub const fn of(&self, purpose: Purpose) -> &T {
        match purpose {
            Purpose::Enforce => &self.enforced,
            Purpose::Try => &self.tried,
        }
    }

    /// Returns the value for `purpose`, to change.
    #[must_use]
    pub const fn of_mut(&mut self, purpose: Purpose) -> &mut T {
        match purpose {
            Purpose::Enforce => &mut self.enforced,
            Purpose::Try => &mut self.tried,
        }
    }
}
