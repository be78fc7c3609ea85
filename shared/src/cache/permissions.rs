//! The cache of permissions records, by issuer section and subject.
//!
//! A record decides only while it is younger than the route's `permissions_max_age`, counted from the moment
//! it was *asked for*, so that a downgrade takes effect within that time. At zero every request asks.
//! Past that age a record is worth a question with its `ETag`: if the service says that it is unchanged, it is as young
//! as that question. A permissions service that is down is answered with 503, but on routes that say for how much
//! longer a record may stand in (`permissions_stale_if_error`); there, after one failure, the record stands in at once for
//! the length of a cooldown, so that a service that hangs does not cost every request the driver's whole timeout.
//!
//! The cooldown is a subject's own. Were it the service's, one subject whose record cannot be read would keep everybody
//! else's old records in use while the service answers.

use alloc::{
    string::{String, ToString},
    sync::Arc,
};
use core::time::Duration;

use super::{
    generations::Generations,
    permissions_fetch::{FetchedPermissions, PermissionsFetch, Tagged},
};
use crate::{permissions::PermissionsRecord, policy::Issuer, time::UnixTime};

/// Records remembered, at least; at most twice as many. Of a few hundred octets each as a rule, they stay within a few MB of
/// an isolate's 128.
const CAPACITY: usize = 4096;
/// Subjects remembered of whom there is no record, or not yet; at most twice as many. Apart from the records: whoever
/// can make up subjects must not drive out those who have one.
const BLANK_CAPACITY: usize = 1024;
/// Longest that it is believed unasked that there is no record, whatever the route allows: whoever is given a role at
/// last has asked a moment before.
pub const PERMISSIONS_ABSENT_MAX_AGE: Duration = Duration::from_secs(60);
/// How long whoever leads a fetch may take before another takes over. Longer than a driver's own timeout.
pub const PERMISSIONS_FETCH_LEASE: Duration = Duration::from_secs(4);
/// How long after a failure a record that may stand in does so unasked. Longer than the lease, or half of the requests
/// at a service that hangs would wait for it.
pub const PERMISSIONS_COOLDOWN: Duration = Duration::from_secs(5);

/// Permissions records by issuer section and subject.
#[derive(Debug)]
pub struct PermissionsCache {
    records: Generations<Key, Entry>,
    blanks: Generations<Key, Entry>,
}

type Key = (String, String);

#[derive(Default)]
struct Entry {
    held: Option<Held>,
    leader_since: Option<UnixTime>,
    /// The last fetch failed, then.
    failed_at: Option<UnixTime>,
}

struct Held {
    /// `None`: the service said that there is no record.
    record: Option<Arc<PermissionsRecord>>,
    tag: Option<Arc<str>>,
    asked_at: UnixTime,
}

/// What to do for one subject's permissions.
#[derive(Clone, Debug)]
pub enum PermissionsLookup {
    /// Young enough: the record, or that there is none.
    Known(Option<Arc<PermissionsRecord>>),
    /// The service failed a moment ago, and this may stand in for it: the record, or that there is none.
    StandIn(Option<Arc<PermissionsRecord>>),
    /// Lead a fetch: `store` or `fail` when it ends. What it brought decides, whatever its age by then.
    Fetch(PermissionsFetch),
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
        Self { records: Generations::new(CAPACITY), blanks: Generations::new(BLANK_CAPACITY) }
    }

    /// What to do for a decision that takes records younger than `max_age`, and ones older by `stale_if_error` at most
    /// while the service cannot tell.
    pub fn look_up(
        &mut self,
        issuer: &Issuer,
        subject: &str,
        (max_age, stale_if_error): (Duration, Duration),
        now: UnixTime,
    ) -> PermissionsLookup {
        let key = key(issuer, subject);
        let entry = self.entry(&key);
        entry.forget_the_future(now);
        // Zero means asked anew by each request, so nobody waits for another's answer either.
        if max_age.is_zero() {
            return PermissionsLookup::Fetch(entry.fetch(key, now));
        }
        if let Some(held) = entry.held.as_ref().filter(|held| held.is_younger((max_age, Duration::ZERO), now)) {
            return PermissionsLookup::Known(held.record.clone());
        }
        let is_led = entry.leader_since.is_some_and(|since| now.saturating_since(since) < PERMISSIONS_FETCH_LEASE);
        // Who leads after a failure does so for all: the others need not wait and see whether it fails again.
        let is_failing = entry.failed_at.is_some_and(|at| is_led || now.saturating_since(at) < PERMISSIONS_COOLDOWN);
        if is_failing && let Some(record) = entry.stand_in((max_age, stale_if_error), now) {
            return PermissionsLookup::StandIn(record);
        }
        if is_led {
            return PermissionsLookup::Wait;
        }
        entry.leader_since = Some(now);
        PermissionsLookup::Fetch(entry.fetch(key, now))
    }

    /// A fetch that the cache asked for has brought an answer, at `now`.
    ///
    /// One that was asked ahead of `now` is dropped: the clock was set back meanwhile, and by what it says nobody can tell
    /// which of two answers is the younger. It still decides for whoever asked.
    pub fn store(&mut self, fetched: FetchedPermissions, now: UnixTime) {
        let FetchedPermissions { key, asked_at, record, tag } = fetched;
        let entry = self.entry(&key);
        entry.end_lead(asked_at);
        entry.forget_the_future(now);
        if asked_at > now {
            return;
        }
        entry.failed_at = None;
        // A slower fetch that began earlier must not bring back what a later one has replaced.
        if entry.held.as_ref().is_some_and(|held| held.asked_at > asked_at) {
            return;
        }
        entry.held = Some(Held { record, tag, asked_at });
        // In the half that its kind belongs in, and in no other.
        let entry = core::mem::take(entry);
        self.records.remove(&key);
        self.blanks.remove(&key);
        let is_record = entry.held.as_ref().is_some_and(|held| held.record.is_some());
        if is_record { self.records.insert(key, entry) } else { self.blanks.insert(key, entry) }
    }

    /// A fetch that the cache asked for has failed.
    pub fn fail(&mut self, fetch: &PermissionsFetch, now: UnixTime) {
        let entry = self.entry(&fetch.key);
        entry.end_lead(fetch.asked_at);
        // A later question has had an answer already: the service is not down.
        if entry.held.as_ref().is_none_or(|held| held.asked_at <= fetch.asked_at) {
            entry.failed_at = Some(now);
        }
    }

    /// What may stand in for an answer that could not be had: a record, or that there is none, no older than `max_age`
    /// and `stale_if_error` together. Never where either is zero.
    pub fn stand_in(
        &mut self,
        issuer: &Issuer,
        subject: &str,
        ages: (Duration, Duration),
        now: UnixTime,
    ) -> Option<Option<Arc<PermissionsRecord>>> {
        self.entry(&key(issuer, subject)).stand_in(ages, now)
    }

    fn entry(&mut self, key: &Key) -> &mut Entry {
        let is_record = self.records.get_mut(key).is_some();
        let half = if is_record { &mut self.records } else { &mut self.blanks };
        half.get_or_default(key.clone())
    }
}

fn key(issuer: &Issuer, subject: &str) -> Key {
    (issuer.name().to_string(), subject.to_string())
}

impl Entry {
    /// Forgets what is from ahead of a clock that was set back: left here it would keep out newer records, and decide once
    /// more when the clock gets there.
    fn forget_the_future(&mut self, now: UnixTime) {
        if self.held.as_ref().is_some_and(|held| held.asked_at > now) {
            self.held = None;
        }
        self.leader_since = self.leader_since.filter(|since| *since <= now);
        self.failed_at = self.failed_at.filter(|at| *at <= now);
    }

    fn fetch(&self, key: Key, now: UnixTime) -> PermissionsFetch {
        let tagged = self.held.as_ref().and_then(|held| {
            let (tag, record) = held.tag.as_ref().zip(held.record.as_ref())?;
            Some(Tagged { tag: Arc::clone(tag), record: Arc::clone(record) })
        });
        PermissionsFetch { key, asked_at: now, tagged }
    }

    /// Ends the lead of the fetch that began at `asked_at`, and no other's.
    fn end_lead(&mut self, asked_at: UnixTime) {
        self.leader_since = self.leader_since.filter(|since| *since != asked_at);
    }

    fn stand_in(&self, ages: (Duration, Duration), now: UnixTime) -> Option<Option<Arc<PermissionsRecord>>> {
        let held = self.held.as_ref()?;
        let allowed = !ages.0.is_zero() && !ages.1.is_zero() && held.asked_at <= now;
        (allowed && held.is_younger(ages, now)).then(|| held.record.clone())
    }
}

impl Held {
    /// Whether it is younger than both ages together.
    fn is_younger(&self, (max_age, more): (Duration, Duration), now: UnixTime) -> bool {
        let max_age = if self.record.is_some() { max_age } else { max_age.min(PERMISSIONS_ABSENT_MAX_AGE) };
        now.saturating_since(self.asked_at) < max_age.saturating_add(more)
    }
}
