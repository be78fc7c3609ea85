//! The cache of permissions records, by issuer section and subject.
//!
//! A record decides only while it is younger than the route's `permissions_max_age`, counted from the moment
//! it was *asked for*, so that a downgrade takes effect within that time. At zero every request asks.
//! A question that has left never answers a request that arrived after it, but by that age: requests that arrive while a
//! question is under way wait for the next one, which is sent once for all of them.
//! Past that age a record is worth a question with its `ETag`: if the service says that it is unchanged, it is as young
//! as that question. A permissions service that is down is answered with 503, but on routes that say for how much
//! longer a record may stand in (`permissions_stale_if_error`); there, once the service is out of order ([`OUTAGE_FAILURES`],
//! [`OUTAGE_SPREAD`]) and the subject's own question has failed, the record stands in at once for the length of a cooldown,
//! so that a service that hangs does not cost every request the driver's whole timeout.
//!
//! The outage is the service's, and the cooldown a subject's own. Were one enough, a subject whose record cannot be read
//! would keep old records in use while the service answers: its own, or everybody else's.
//!
//! [`OUTAGE_FAILURES`]: super::OUTAGE_FAILURES
//! [`OUTAGE_SPREAD`]: super::OUTAGE_SPREAD

use alloc::{
    string::{String, ToString},
    sync::Arc,
};
use core::{fmt, time::Duration};

use super::{
    generations::Generations,
    permissions_fetch::{FetchedPermissions, PermissionsFailure, PermissionsFetch, Tagged},
    service::Service,
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
    service: Service,
    /// The number of the latest arrival or question. What has the greater number came later, whatever the clock says.
    latest: u64,
}

type Key = (String, String);

/// A request that needs one subject's permissions: whose, how old they may be, and when it arrived.
#[derive(Clone)]
pub struct PermissionsInquiry {
    key: Key,
    ages: Ages,
    arrived: u64,
}

/// How old a record may be, and how much older while the service is out of order.
type Ages = (Duration, Duration);

#[derive(Default)]
struct Entry {
    held: Option<Held>,
    /// The question under way.
    lead: Option<Moment>,
    /// The latest question that failed.
    failed: Option<Moment>,
}

/// When something happened to a question, and to which.
#[derive(Clone, Copy)]
struct Moment {
    question: u64,
    at: UnixTime,
}

struct Held {
    /// `None`: the service said that there is no record.
    record: Option<Arc<PermissionsRecord>>,
    tag: Option<Arc<str>>,
    question: u64,
    asked_at: UnixTime,
}

/// What to do for one subject's permissions.
#[derive(Clone, Debug)]
pub enum PermissionsLookup {
    /// Young enough: the record, or that there is none.
    Known(Option<Arc<PermissionsRecord>>),
    /// The service is out of order, and this may stand in for it: the record, or that there is none.
    StandIn(Option<Arc<PermissionsRecord>>),
    /// Lead a fetch: `store` or `fail` when it ends. What it brought decides, whatever its age by then.
    Fetch(PermissionsFetch),
    /// Another request leads a fetch: look up again in some milliseconds.
    Wait,
    /// Nobody can tell: the service wants to be left alone, or did not answer a question that left after the request
    /// arrived.
    Unavailable,
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
        Self {
            records: Generations::new(CAPACITY),
            blanks: Generations::new(BLANK_CAPACITY),
            service: Service::default(),
            latest: 0,
        }
    }

    /// A request arrives that takes records younger than `max_age`, and ones older by `stale_if_error` at most while the
    /// service is out of order. It is asked about once, and looked up as often as it has to wait.
    pub fn inquire(
        &mut self,
        issuer: &Issuer,
        subject: &str,
        (max_age, stale_if_error): (Duration, Duration),
    ) -> PermissionsInquiry {
        let key = (issuer.name().to_string(), subject.to_string());
        PermissionsInquiry { key, ages: (max_age, stale_if_error), arrived: self.next() }
    }

    /// What to do for the request.
    pub fn look_up(&mut self, inquiry: &PermissionsInquiry, now: UnixTime) -> PermissionsLookup {
        let (out_of_order, backs_off) = (self.service.is_out_of_order(now), self.service.backs_off(now));
        let question = self.next();
        let entry = self.entry(&inquiry.key);
        entry.forget_the_future(now);
        if let Some(held) = entry.held.as_ref().filter(|held| held.answers(inquiry, now)) {
            return PermissionsLookup::Known(held.record.clone());
        }
        if backs_off {
            return PermissionsLookup::Unavailable;
        }
        let is_led = entry.lead.is_some_and(|lead| now.saturating_since(lead.at) < PERMISSIONS_FETCH_LEASE);
        // Who leads after a failure does so for all: the others need not wait and see whether it fails again.
        let is_failing = entry.failed.is_some_and(|it| is_led || now.saturating_since(it.at) < PERMISSIONS_COOLDOWN);
        if out_of_order
            && is_failing
            && let Some(record) = entry.stand_in(inquiry.ages, now)
        {
            return PermissionsLookup::StandIn(record);
        }
        // It was asked for this request too.
        if entry.failed.is_some_and(|failed| failed.question > inquiry.arrived) {
            return PermissionsLookup::Unavailable;
        }
        if is_led {
            return PermissionsLookup::Wait;
        }
        entry.lead = Some(Moment { question, at: now });
        PermissionsLookup::Fetch(entry.fetch(inquiry.key.clone(), question, now))
    }

    /// A fetch that the cache asked for has brought an answer, at `now`.
    ///
    /// One that was asked ahead of `now` is dropped: the clock was set back meanwhile, and nobody can tell how old it is. It
    /// still decides for whoever asked.
    pub fn store(&mut self, fetched: FetchedPermissions, now: UnixTime) {
        let FetchedPermissions { key, question, asked_at, record, tag } = fetched;
        self.service.answered(question);
        let entry = self.entry(&key);
        entry.end_lead(question);
        entry.forget_the_future(now);
        if asked_at > now {
            return;
        }
        // A slower fetch that began earlier must not bring back what a later one has replaced.
        if entry.held.as_ref().is_some_and(|held| held.question > question) {
            return;
        }
        entry.failed = entry.failed.filter(|failed| failed.question > question);
        entry.held = Some(Held { record, tag, question, asked_at });
        // In the half that its kind belongs in, and in no other.
        let entry = core::mem::take(entry);
        self.records.remove(&key);
        self.blanks.remove(&key);
        let is_record = entry.held.as_ref().is_some_and(|held| held.record.is_some());
        if is_record { self.records.insert(key, entry) } else { self.blanks.insert(key, entry) }
    }

    /// A fetch that the cache asked for has failed: [`PermissionsFetchError::failure`] says how.
    ///
    /// [`PermissionsFetchError::failure`]: super::PermissionsFetchError::failure
    pub fn fail(&mut self, fetch: &PermissionsFetch, failure: PermissionsFailure, now: UnixTime) {
        self.service.failed(fetch.question, failure, now);
        let entry = self.entry(&fetch.key);
        entry.end_lead(fetch.question);
        // Whoever had too little time to wait has found out nothing for the others.
        let tells = failure != PermissionsFailure::CutShort;
        // A later question has had an answer already, or has failed itself.
        let is_latest = entry.held.as_ref().is_none_or(|held| held.question < fetch.question)
            && entry.failed.is_none_or(|failed| failed.question < fetch.question);
        if tells && is_latest {
            entry.failed = Some(Moment { question: fetch.question, at: now });
        }
    }

    /// What may stand in for an answer that could not be had: a record, or that there is none, no older than `max_age`
    /// and `stale_if_error` together. Never where either is zero, and never while the service is not out of order.
    pub fn stand_in(&mut self, inquiry: &PermissionsInquiry, now: UnixTime) -> Option<Option<Arc<PermissionsRecord>>> {
        let is_allowed = self.service.is_out_of_order(now) && !self.service.backs_off(now);
        is_allowed.then(|| self.entry(&inquiry.key).stand_in(inquiry.ages, now)).flatten()
    }

    fn next(&mut self) -> u64 {
        self.latest = self.latest.saturating_add(1);
        self.latest
    }

    fn entry(&mut self, key: &Key) -> &mut Entry {
        let is_record = self.records.get_mut(key).is_some();
        let half = if is_record { &mut self.records } else { &mut self.blanks };
        half.get_or_default(key.clone())
    }
}

impl Entry {
    /// Forgets what is from ahead of a clock that was set back: left here it would keep out newer records, and decide once
    /// more when the clock gets there.
    fn forget_the_future(&mut self, now: UnixTime) {
        if self.held.as_ref().is_some_and(|held| held.asked_at > now) {
            self.held = None;
        }
        self.lead = self.lead.filter(|lead| lead.at <= now);
        self.failed = self.failed.filter(|failed| failed.at <= now);
    }

    fn fetch(&self, key: Key, question: u64, now: UnixTime) -> PermissionsFetch {
        let tagged = self.held.as_ref().and_then(|held| {
            let (tag, record) = held.tag.as_ref().zip(held.record.as_ref())?;
            Some(Tagged { tag: Arc::clone(tag), record: Arc::clone(record) })
        });
        PermissionsFetch { key, question, asked_at: now, tagged }
    }

    /// Ends the lead of that question, and no other's.
    fn end_lead(&mut self, question: u64) {
        self.lead = self.lead.filter(|lead| lead.question != question);
    }

    fn stand_in(&self, ages: Ages, now: UnixTime) -> Option<Option<Arc<PermissionsRecord>>> {
        let held = self.held.as_ref()?;
        let allowed = !ages.0.is_zero() && !ages.1.is_zero() && held.asked_at <= now;
        (allowed && held.is_younger(ages, now)).then(|| held.record.clone())
    }
}

impl Held {
    /// Whether it was asked for after the request arrived, or is young enough for it.
    fn answers(&self, inquiry: &PermissionsInquiry, now: UnixTime) -> bool {
        let (max_age, _) = inquiry.ages;
        self.question > inquiry.arrived || (!max_age.is_zero() && self.is_younger((max_age, Duration::ZERO), now))
    }

    /// Whether it is younger than both ages together.
    fn is_younger(&self, (max_age, more): Ages, now: UnixTime) -> bool {
        let max_age = if self.record.is_some() { max_age } else { max_age.min(PERMISSIONS_ABSENT_MAX_AGE) };
        now.saturating_since(self.asked_at) < max_age.saturating_add(more)
    }
}

/// Whom it is about stays out of debug output: it ends in logs.
impl fmt::Debug for PermissionsInquiry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PermissionsInquiry").field("issuer", &self.key.0).finish_non_exhaustive()
    }
}
