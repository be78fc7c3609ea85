//! A rate limit on the decision log for callers without a verified token.
//!
//! Anyone can send thousands of requests without a token, and each line costs the operator money. Such denials therefore
//! count against an allowance per second. The log counts the lines over the allowance, and its next line contains that
//! number.

use core::mem;

use crate::{decision::Decision, time::UnixTime};

/// The use of the current second's allowance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogAllowance {
    /// Seconds since 1970.
    second: u64,
    written: u32,
    left_out: u64,
}

impl LogAllowance {
    /// Returns whether to write a line for `decision` at `now`, with at most `per_second` counted lines per second. The
    /// number is that of the lines left out since the last written one.
    pub(crate) fn take(&mut self, decision: &Decision, per_second: u32, now: UnixTime) -> Option<u64> {
        if is_of_nobody_known(decision) {
            // A clock that moved backwards starts a new second too.
            let second = now.as_secs();
            if second != self.second {
                self.second = second;
                self.written = 0;
            }
            if self.written >= per_second {
                self.left_out = self.left_out.saturating_add(1);
                return None;
            }
            self.written = self.written.saturating_add(1);
        }
        Some(mem::take(&mut self.left_out))
    }
}

/// A denial before any token was verified: any caller can cause these for free.
fn is_of_nobody_known(decision: &Decision) -> bool {
    matches!(decision, Decision::Deny(denial) if denial.issuer().is_none())
}
