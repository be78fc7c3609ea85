//! How the permissions service fares, as one instance sees it: whether it is out of order, and whether it wants to be left
//! alone.
//!
//! Records of a service that is out of order may stand in for its answers, so a caller must not be able to bring that about.
//! One failed question proves nothing: it may be about a subject whose record the service cannot give. So it takes
//! [`OUTAGE_FAILURES`] failures with no answer between them, spread over [`OUTAGE_SPREAD`]. Whatever the service answers
//! meanwhile, refusals too, shows that it is not out of order.

use core::time::Duration;

use super::permissions_fetch::PermissionsFailure;
use crate::time::UnixTime;

/// Consecutive failures before records stand in: one or two may be one caller's, or a connection that broke.
pub const OUTAGE_FAILURES: u32 = 3;
/// Least time from the first of them to the last: many questions at once fail together by one short fault.
pub const OUTAGE_SPREAD: Duration = Duration::from_secs(10);

/// What one instance knows of the service. A new one knows nothing.
#[derive(Debug, Default)]
pub(super) struct Service {
    failing: Option<Failing>,
    /// It wants to be left alone: since when, and until when.
    backoff: Option<(UnixTime, UnixTime)>,
    /// The latest question that has had an answer.
    answered: u64,
}

#[derive(Debug)]
struct Failing {
    count: u32,
    first_at: UnixTime,
    last_at: UnixTime,
}

impl Service {
    /// The question of that number has had an answer.
    pub(super) fn answered(&mut self, question: u64) {
        self.answered = self.answered.max(question);
        self.failing = None;
    }

    /// The question of that number has failed.
    pub(super) fn failed(&mut self, question: u64, failure: PermissionsFailure, now: UnixTime) {
        match failure {
            // A later question has had an answer already.
            PermissionsFailure::Outage if question < self.answered => {}
            PermissionsFailure::Outage => {
                let before = self.failing.take().filter(|failing| failing.first_at <= now);
                let failing = before.unwrap_or(Failing { count: 0, first_at: now, last_at: now });
                self.failing = Some(Failing { count: failing.count.saturating_add(1), last_at: now, ..failing });
            }
            PermissionsFailure::Backoff(time) => {
                self.failing = None;
                self.backoff = Some((now, now.saturating_add(time)));
            }
            PermissionsFailure::Misconfigured => self.failing = None,
            PermissionsFailure::CutShort => {}
        }
    }

    /// Whether it is out of order, so that records may stand in for its answers.
    pub(super) fn is_out_of_order(&self, now: UnixTime) -> bool {
        self.failing.as_ref().is_some_and(|failing| {
            failing.count >= OUTAGE_FAILURES
                && failing.last_at.saturating_since(failing.first_at) >= OUTAGE_SPREAD
                // By a clock that was set back nobody can tell how far they were apart.
                && failing.last_at <= now
        })
    }

    /// Whether it wants to be left alone.
    pub(super) fn backs_off(&self, now: UnixTime) -> bool {
        self.backoff.is_some_and(|(since, until)| since <= now && now < until)
    }
}
