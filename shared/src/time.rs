//! Points in time, given to the core by whoever drives it.
//!
//! The core reads no clock. Milliseconds, because a `permissions_max_age` of a few seconds
//! would otherwise be overstepped by up to one; saturating, because a claim may hold any number.

use core::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted (as RFC 7519 `NumericDate` counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From milliseconds since the epoch, as `Date.now()` gives them.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch; saturates at the end of time.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// This moment and `duration` more; saturates at the end of time.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// How long after `earlier` this is; zero when a clock went backwards.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// When this version of the engine was released. No right clock is earlier.
///
/// A constant, so that equal inputs decide alike in every build of one version. Each release moves it to its own day.
pub const RELEASED_AT: UnixTime = UnixTime::from_secs(1_796_083_200); // 2026-12-01T00:00:00Z

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_both_ends() {
        let end = UnixTime::from_secs(u64::MAX);
        assert_eq!(end.as_millis(), u64::MAX);
        assert_eq!(end.saturating_add(Duration::MAX), end);
        assert_eq!(UnixTime::default().saturating_since(end), Duration::ZERO);
    }

    #[test]
    fn seconds_round_down() {
        assert_eq!(UnixTime::from_millis(1_999).as_secs(), 1);
    }
}
