//! The cache of permissions records, by issuer section and subject.
//!
//! A record decides only while it is younger than the route's `permissions_max_age`, counted from the moment
//! it was *asked for*, so that a downgrade takes effect within that time. At zero every request asks.
//! Past that age it is of no use: a permissions service that is down is answered with 503, but on routes that say
//! for how much longer a record may stand in (`permissions_stale_if_error`).

use alloc::{
    string::{String, ToString},
    sync::Arc,
};
use core::time::Duration;

use super::generations::Generations;
use crate::{permissions::PermissionsRecord, policy::Issuer, time::UnixTime};

/// Records remembered, at least; at most twice as many.
const CAPACITY: usize = 4096;
/// How long whoever leads a fetch may take before another takes over. Longer than a driver's own timeout.
pub const PERMISSIONS_FETCH_LEASE: Duration = Duration::from_secs(4);

/// Permissions records by issuer section and subject.
#[derive(Debug)]
pub struct PermissionsCache {
    entries: Generations<(String, String), Entry>,
}

#[derive(Default)]
struct Entry {
    /// `Some(None)`: the service said that there is no record.
    held: Option<(Option<Arc<PermissionsRecord>>, UnixTime)>,
    leader_since: Option<UnixTime>,
}

/// What to do for one subject's permissions.
#[derive(Clone, Debug)]
pub enum PermissionsLookup {
    /// Young enough: the record, or that there is none.
    Known(Option<Arc<PermissionsRecord>>),
    /// Lead a fetch: `store` or `fail` when it ends. What it brought decides, whatever its age by then.
    Fetch,
    /// Another request leads a fetch: look up again in some milliseconds.
    Wait,
}

impl Default for PermissionsCache {
    fn default() -> Self {
        Self::new()
    }
}

impl PermissionsCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self { entries: Generations::new(CAPACITY) }
    }

    /// What to do for a decision that takes records younger than `max_age`.
    pub fn look_up(&mut self, issuer: &Issuer, subject: &str, max_age: Duration, now: UnixTime) -> PermissionsLookup {
        let entry = self.entry(issuer, subject);
        // From ahead of a clock that was set back: left here it would keep out newer records, and decide once more
        // when the clock gets there.
        if entry.held.as_ref().is_some_and(|(_, asked_at)| *asked_at > now) {
            entry.held = None;
        }
        // Zero means asked anew by each request, so nobody waits for another's answer either.
        if max_age.is_zero() {
            return PermissionsLookup::Fetch;
        }
        if let Some((record, asked_at)) = &entry.held
            && now.saturating_since(*asked_at) < max_age
        {
            return PermissionsLookup::Known(record.clone());
        }
        if entry.leader_since.is_some_and(|since| now >= since && now.saturating_since(since) < PERMISSIONS_FETCH_LEASE)
        {
            return PermissionsLookup::Wait;
        }
        entry.leader_since = Some(now);
        PermissionsLookup::Fetch
    }

    /// A fetch that the cache asked for has ended: the record, or `None` where the service has none.
    /// `asked_at` is when it began.
    pub fn store(
        &mut self,
        issuer: &Issuer,
        subject: &str,
        record: Option<Arc<PermissionsRecord>>,
        asked_at: UnixTime,
    ) {
        let entry = self.entry(issuer, subject);
        entry.leader_since = None;
        // A slower fetch that began earlier must not bring back what a later one has replaced.
        if entry.held.as_ref().is_none_or(|(_, held_at)| *held_at <= asked_at) {
            entry.held = Some((record, asked_at));
        }
    }

    /// A fetch that the cache asked for has failed.
    pub fn fail(&mut self, issuer: &Issuer, subject: &str) {
        self.entry(issuer, subject).leader_since = None;
    }

    /// What may stand in for an answer that could not be had: a record, or that there is none, no older than `max_age`
    /// and `stale_if_error` together. Never where either is zero.
    pub fn stand_in(
        &mut self,
        issuer: &Issuer,
        subject: &str,
        (max_age, stale_if_error): (Duration, Duration),
        now: UnixTime,
    ) -> Option<Option<Arc<PermissionsRecord>>> {
        let (record, asked_at) = self.entry(issuer, subject).held.as_ref()?;
        let allowed = !max_age.is_zero() && !stale_if_error.is_zero() && *asked_at <= now;
        let is_young = now.saturating_since(*asked_at) < max_age.saturating_add(stale_if_error);
        (allowed && is_young).then(|| record.clone())
    }

    fn entry(&mut self, issuer: &Issuer, subject: &str) -> &mut Entry {
        let key = (issuer.name().to_string(), subject.to_string());
        self.entries.get_or_default(key)
    }
}
