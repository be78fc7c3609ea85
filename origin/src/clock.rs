//! The one clock that this crate reads.

use std::time::{SystemTime, UNIX_EPOCH};

use postern::UnixTime;

/// The system's time. A clock before 1970 reads as 1970, when no token and no assertion is good.
#[must_use]
pub fn system_time() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
