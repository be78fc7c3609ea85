//! What the tests stand on: issuers that really sign, the example's policy, and a driver of the decision.

pub(crate) mod keys;
pub(crate) mod policies;
pub(crate) mod token;
pub(crate) mod world;

pub(crate) use keys::TestKey;
pub(crate) use token::Token;
pub(crate) use world::{Call, Outcome, World};

use postern::UnixTime;

/// The moment at which the tests take place, in seconds since the epoch.
pub(crate) const NOW: u64 = 1_800_000_000;

/// [`NOW`] and `seconds` more.
pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(NOW + seconds)
}
