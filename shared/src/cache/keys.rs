//! The cache of issuers' keys: when to use, when to fetch, when to leave the issuer alone.
//!
//! Per issuer section and `jwks_url`: a set is *fresh* for its TTL, is refreshed before that ends, and is
//! *stale* but usable until [`KEY_MAX_STALE`] when the issuer cannot be reached. An unknown `kid` causes a
//! fetch only when the set is older than [`KEY_COOLDOWN`] and is then remembered as unknown, so that made-up `kid`s neither
//! reach the issuer in numbers nor slow down callers whose keys are known. One caller at a time leads a
//! fetch; its lead lapses after [`KEY_FETCH_LEASE`], because a request that fetches may be cancelled.

use alloc::{string::String, sync::Arc};
use core::time::Duration;

use hashbrown::HashMap;

use super::generations::Generations;
use crate::{jwks::JwkSet, policy::Issuer, time::UnixTime};

/// Least time a set is fresh, whatever `Cache-Control` says: a `no-store` must not turn into a fetch per request.
pub const KEY_MIN_TTL: Duration = Duration::from_secs(60);
/// Most time a set is fresh, whatever `Cache-Control` says: a withdrawn key ends within it.
pub const KEY_MAX_TTL: Duration = Duration::from_secs(900);
/// TTL when the issuer says nothing.
const DEFAULT_TTL: Duration = Duration::from_secs(300);
/// Hard maximum age of a set that cannot be refreshed: issuers announce rotations a day or more ahead.
pub const KEY_MAX_STALE: Duration = Duration::from_secs(6 * 3600);
/// Least time between two fetches for one issuer after a miss or an error.
pub const KEY_COOLDOWN: Duration = Duration::from_secs(3);
/// How long whoever leads a fetch may take before another takes over. Longer than a driver's own timeout.
pub const KEY_FETCH_LEASE: Duration = Duration::from_secs(4);
/// How long a `kid` that the issuer did not have is remembered as unknown.
const UNKNOWN_KEY_MEMORY: Duration = Duration::from_secs(30);
/// Unknown `kid`s remembered per issuer, at most twice this.
pub const MAX_UNKNOWN_KEY_IDS: usize = 256;

/// Keys by issuer.
#[derive(Debug, Default)]
pub struct KeyCache {
    entries: HashMap<(String, String), Entry>,
}

#[derive(Debug)]
struct Entry {
    held: Option<Held>,
    /// When the last fetch ended, if it failed.
    failed_at: Option<UnixTime>,
    leader_since: Option<UnixTime>,
    /// `kid`s that a set just fetched did not have, and when that was.
    unknown: Generations<String, UnixTime>,
}

#[derive(Debug, Clone)]
struct Held {
    keys: Arc<JwkSet>,
    fetched_at: UnixTime,
    ttl: Duration,
}

/// What to do for one token's key.
#[derive(Clone, Debug)]
pub enum KeyLookup {
    /// Use these: they are fresh, and have the key or are known not to have it.
    Fresh(Arc<JwkSet>),
    /// Use these, and lead a refresh in the background: `store` or `fail` when it ends.
    Refresh(Arc<JwkSet>),
    /// Lead a fetch: `store` or `fail` when it ends, then look up again.
    Fetch,
    /// Another request leads a fetch: look up again in some milliseconds.
    Wait,
    /// Use these though they are past their time: the issuer could not be reached lately.
    Stale(Arc<JwkSet>),
    /// There are none, and the issuer could not be reached lately.
    Unavailable,
}

impl KeyCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to do for a token of `issuer` whose header names `key_id`.
    pub fn look_up(&mut self, issuer: &Issuer, key_id: Option<&str>, now: UnixTime) -> KeyLookup {
        self.entry(issuer).look_up(key_id, now)
    }

    /// A fetch that the cache asked for has succeeded. `max_age` is `Cache-Control`'s, less `Age`, if it has one.
    pub fn store(&mut self, issuer: &Issuer, keys: JwkSet, max_age: Option<Duration>, now: UnixTime) {
        let entry = self.entry(issuer);
        let ttl = max_age.unwrap_or(DEFAULT_TTL).clamp(KEY_MIN_TTL, KEY_MAX_TTL);
        entry.held = Some(Held { keys: Arc::new(keys), fetched_at: now, ttl });
        entry.leader_since = None;
        entry.failed_at = None;
    }

    /// A fetch that the cache asked for has failed.
    pub fn fail(&mut self, issuer: &Issuer, now: UnixTime) {
        let entry = self.entry(issuer);
        entry.leader_since = None;
        entry.failed_at = Some(now);
    }

    fn entry(&mut self, issuer: &Issuer) -> &mut Entry {
        let key = (issuer.name().into(), issuer.jwks_url().into());
        self.entries.entry(key).or_insert_with(|| Entry {
            held: None,
            failed_at: None,
            leader_since: None,
            unknown: Generations::new(MAX_UNKNOWN_KEY_IDS),
        })
    }
}

impl Entry {
    fn look_up(&mut self, key_id: Option<&str>, now: UnixTime) -> KeyLookup {
        let held = self.held.clone().filter(|held| held.age(now) < KEY_MAX_STALE);
        let Some(held) = held else {
            return self.lead_or(now, KeyLookup::Unavailable);
        };
        let known = key_id.is_none_or(|key_id| held.keys.knows(key_id));
        if held.age(now) >= held.ttl {
            return self.past_its_time(held, known, now);
        }
        if let Some(key_id) = key_id.filter(|_| !known) {
            return self.unknown_key(key_id, held, now);
        }
        // The last fifth of its time: refreshed while it is still good, so that nobody waits.
        let due = held.ttl.saturating_sub(held.ttl.checked_div(5).unwrap_or_default());
        if held.age(now) >= due && self.may_lead(now) {
            self.leader_since = Some(now);
            return KeyLookup::Refresh(held.keys);
        }
        KeyLookup::Fresh(held.keys)
    }

    fn past_its_time(&mut self, held: Held, known: bool, now: UnixTime) -> KeyLookup {
        // The first caller fetches and waits for it, since a key may have been withdrawn. Once that has failed,
        // callers whose key is known no longer wait while the issuer is tried again.
        if !known || self.failed_at.is_none() {
            return self.lead_or(now, KeyLookup::Stale(held.keys));
        }
        if self.may_lead(now) {
            self.leader_since = Some(now);
            return KeyLookup::Refresh(held.keys);
        }
        KeyLookup::Stale(held.keys)
    }

    /// A `kid` that a fresh set does not have: perhaps the issuer rotated a moment ago, perhaps it is made up.
    fn unknown_key(&mut self, key_id: &str, held: Held, now: UnixTime) -> KeyLookup {
        // A set that was asked for because of this very `kid` did not have it. One that was there before may be older
        // than the key: that says nothing yet, and is not remembered.
        let asked_at = self.unknown.get_mut(key_id).copied();
        if asked_at.is_some_and(|at| within(at, now, UNKNOWN_KEY_MEMORY) && held.fetched_at >= at) {
            return KeyLookup::Fresh(held.keys);
        }
        if held.age(now) < KEY_COOLDOWN {
            return KeyLookup::Fresh(held.keys);
        }
        // While the issuer is left alone after an error, nobody can tell: a stale set says so.
        let look_up = self.lead_or(now, KeyLookup::Stale(held.keys));
        if matches!(look_up, KeyLookup::Fetch | KeyLookup::Wait) {
            self.unknown.insert(key_id.into(), now);
        }
        look_up
    }

    fn is_led(&self, now: UnixTime) -> bool {
        self.leader_since.is_some_and(|since| within(since, now, KEY_FETCH_LEASE))
    }

    fn may_lead(&self, now: UnixTime) -> bool {
        !self.is_led(now) && !self.failed_at.is_some_and(|since| within(since, now, KEY_COOLDOWN))
    }

    /// Lead a fetch, wait for whoever does, or `otherwise` while the issuer is left alone.
    fn lead_or(&mut self, now: UnixTime, otherwise: KeyLookup) -> KeyLookup {
        if self.may_lead(now) {
            self.leader_since = Some(now);
            KeyLookup::Fetch
        } else if self.is_led(now) {
            KeyLookup::Wait
        } else {
            otherwise
        }
    }
}

impl Held {
    /// A clock that went backwards makes the age unknown: past its time, yet usable until refreshed.
    fn age(&self, now: UnixTime) -> Duration {
        if now < self.fetched_at { self.ttl } else { now.saturating_since(self.fetched_at) }
    }
}

/// Whether `since` lies less than `span` back; a moment that lies ahead of a clock set back does not.
fn within(since: UnixTime, now: UnixTime, span: Duration) -> bool {
    now >= since && now.saturating_since(since) < span
}
