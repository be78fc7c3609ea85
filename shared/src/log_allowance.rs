//! How many lines of the decision log callers may cause who showed nothing.
//!
//! Anyone can send requests without a token by the thousand, and each line costs its operator money. So denials of callers
//! who are not known count against an allowance for each second. What goes over it is counted, and the next line that is
//! written says the number: nothing is lost without a trace.

use core::mem;

use crate::{decision::Decision, time::UnixTime};

/// What is left of the allowance of this second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogAllowance {
    /// Seconds since 1970.
    second: u64,
    written: u32,
    left_out: u64,
}

impl LogAllowance {
    /// Whether a line for `decision` is written at `now`, with at most `per_second` of those that count. Holds the number of
    /// lines that were left out since the last one.
    pub(crate) fn take(&mut self, decision: &Decision, per_second: u32, now: UnixTime) -> Option<u64> {
        if is_of_nobody_known(decision) {
            // A clock that was set back begins another second too.
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

/// A denial before any token was verified: it costs its caller nothing to cause one.
fn is_of_nobody_known(decision: &Decision) -> bool {
    matches!(decision, Decision::Deny(denial) if denial.issuer().is_none())
}
