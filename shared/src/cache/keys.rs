//! The cache of issuers' keys: when to use, when to fetch, when to leave the issuer alone.
//!
//! Per issuer section and place of its keys: a set is *fresh* for its TTL, is refreshed before that ends, and is
//! *stale* but usable until the section's hard maximum when the issuer cannot be reached. An unknown `kid` causes a
//! fetch only when the set is older than [`KEY_COOLDOWN`], and is remembered as unknown once a set that was asked for
//! after it came without it, so that made-up `kid`s neither reach the issuer in numbers nor slow down callers whose
//! keys are known. One caller at a time leads a fetch; its lead lapses after [`KEY_FETCH_LEASE`], because a request
//! that fetches may be cancelled.
//!
//! A cache that has never heard of an issuer may be told what others know ([`KeySnapshot`]): by a seed that was sealed
//! into the build, or by a second layer that outlives it.

use alloc::{
    string::{String, ToString},
    sync::Arc,
};
use core::time::Duration;

use hashbrown::{Equivalent, HashMap};

use super::{
    fetch::{FetchedKeys, KeyFetch},
    generations::Generations,
    snapshot::{KeySnapshot, SnapshotError},
};
use crate::{
    jwks::JwkSet,
    policy::{Issuer, JwksLocation},
    time::UnixTime,
};

/// Least time a set is fresh, whatever `Cache-Control` says: a `no-store` must not turn into a fetch per request.
pub const KEY_MIN_TTL: Duration = Duration::from_secs(60);
/// Most time a set is fresh, whatever `Cache-Control` says: a withdrawn key ends within it.
pub const KEY_MAX_TTL: Duration = Duration::from_secs(900);
/// TTL when the issuer says nothing: most issuers that do say something say hours, and a withdrawn key should not wait that
/// long.
const DEFAULT_TTL: Duration = Duration::from_secs(300);
/// Least time between two fetches for one issuer after a miss or an error: a token with a new key waits no longer, and tokens
/// with keys that nobody has ask no issuer oftener.
pub const KEY_COOLDOWN: Duration = Duration::from_secs(3);
/// How long whoever leads a fetch may take before another takes over. Longer than a driver's own timeout.
pub const KEY_FETCH_LEASE: Duration = Duration::from_secs(4);
/// How long a discovered `jwks_uri` is used before the issuer's metadata is asked again; a failure forgets it too. Issuers move
/// theirs once in years.
pub const KEY_DISCOVERY_TTL: Duration = Duration::from_secs(3600);
/// How long a `kid` that the issuer did not have is remembered as unknown: issuers publish keys before they sign with them, so
/// that none turns up later but by an accident that half a minute mends.
const UNKNOWN_KEY_MEMORY: Duration = Duration::from_secs(30);
/// Unknown `kid`s remembered per issuer, at most twice this: each may be of 256 octets, and an issuer has a handful.
pub const MAX_UNKNOWN_KEY_IDS: usize = 256;

/// Keys by issuer.
#[derive(Debug, Default)]
pub struct KeyCache {
    entries: HashMap<(String, JwksLocation), Entry>,
    has_second_layer: bool,
    keeps_to_itself: bool,
}

/// The name of an issuer section and the place of its keys, to look an entry up by; hashed as the pair that it stands for.
#[derive(Hash)]
struct Place<'i>(&'i str, &'i JwksLocation);

impl<'i> Place<'i> {
    fn of(issuer: &'i Issuer) -> Self {
        Self(issuer.name(), issuer.jwks())
    }
}

impl Equivalent<(String, JwksLocation)> for Place<'_> {
    fn equivalent(&self, (name, jwks): &(String, JwksLocation)) -> bool {
        self.0 == name && self.1 == jwks
    }
}

#[derive(Debug)]
struct Entry {
    held: Option<Held>,
    /// When the last fetch ended, if it failed.
    failed_at: Option<UnixTime>,
    leader_since: Option<UnixTime>,
    /// `kid`s that no set has had, and when one was first looked for.
    unknown: Generations<String, UnixTime>,
    /// Where discovery found the keys, and when.
    discovered: Option<(String, UnixTime)>,
    /// The second layer is still to be asked.
    may_recall: bool,
}

#[derive(Debug, Clone)]
struct Held {
    keys: Arc<JwkSet>,
    jwks_url: Arc<str>,
    /// When the fetch that brought it began.
    asked_at: UnixTime,
    /// A moment at which it had the age `aged`.
    since: UnixTime,
    aged: Duration,
    /// The latest moment since then at which it was looked at.
    seen: UnixTime,
    ttl: Duration,
    /// From a snapshot: nobody has waited for the issuer yet, and nobody with a known key need.
    is_restored: bool,
}

/// What to do for one token's key.
#[derive(Clone, Debug)]
pub enum KeyLookup {
    /// Use these: they are fresh, and have the key or are known not to have it.
    Fresh(Arc<JwkSet>),
    /// Use these, and lead a refresh in the background: `store` or `fail` when it ends.
    Refresh(Arc<JwkSet>, KeyFetch),
    /// Lead a fetch: `store` or `fail` when it ends, then look up again.
    Fetch(KeyFetch),
    /// Ask the second layer: `restore` with what it has, or nothing, then look up again.
    Recall,
    /// Another request leads: look up again in some milliseconds.
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

    /// An empty cache that asks a second layer before it first asks an issuer.
    #[must_use]
    pub fn with_second_layer() -> Self {
        Self { has_second_layer: true, ..Self::default() }
    }

    /// Makes [`store`](Self::store) return nothing to keep: for a cache of decisions that are only tried, since the second
    /// layer is read by those that are enforced.
    #[must_use]
    pub fn that_keeps_to_itself(mut self) -> Self {
        self.keeps_to_itself = true;
        self
    }

    /// What to do for a token of `issuer` whose header names `key_id`.
    pub fn look_up(&mut self, issuer: &Issuer, key_id: Option<&str>, now: UnixTime) -> KeyLookup {
        // Nearly always there is one: nothing is copied to find it.
        if let Some(entry) = self.entries.get_mut(&Place::of(issuer)) {
            return entry.look_up(issuer, key_id, now);
        }
        self.entry(issuer).look_up(issuer, key_id, now)
    }

    /// A fetch that the cache asked for has succeeded. Gives what a second layer may keep; `None` where another that was
    /// asked for later was faster, and from a cache [that keeps to itself](Self::that_keeps_to_itself).
    pub fn store(&mut self, issuer: &Issuer, fetched: FetchedKeys, now: UnixTime) -> Option<KeySnapshot> {
        let keeps_to_itself = self.keeps_to_itself;
        let entry = self.entry(issuer);
        let FetchedKeys { keys, jwks_url, asked_at, discovered_at, max_age } = fetched;
        let ttl = max_age.unwrap_or(DEFAULT_TTL).clamp(KEY_MIN_TTL, KEY_MAX_TTL);
        // Left ahead of a clock that was set back meanwhile, it would keep out all that is fetched until the clock gets there.
        let asked_at = asked_at.min(now);
        entry.leader_since = None;
        entry.failed_at = None;
        // Whoever led before and took too long must not bring back what a later fetch has replaced.
        if let Some(held) = &mut entry.held {
            held.see(now);
        }
        if entry.held.as_ref().is_some_and(|held| held.asked_at > asked_at) {
            return None;
        }
        let snapshot = KeySnapshot::new(issuer, jwks_url.clone(), keys.clone(), now, ttl);
        entry.held = Some(Held {
            keys: Arc::new(keys),
            jwks_url: jwks_url.as_str().into(),
            asked_at,
            since: now,
            aged: Duration::ZERO,
            seen: now,
            ttl,
            is_restored: false,
        });
        entry.discovered = discovered_at.map(|at| (jwks_url, at));
        (!keeps_to_itself).then_some(snapshot)
    }

    /// A fetch that the cache asked for has failed.
    pub fn fail(&mut self, issuer: &Issuer, now: UnixTime) {
        let entry = self.entry(issuer);
        entry.leader_since = None;
        entry.failed_at = Some(now);
        entry.discovered = None;
    }

    /// The second layer has answered, or a seed is there: keys that were fetched some time ago, if any.
    ///
    /// # Errors
    /// [`SnapshotError`] when they cannot be used; the cache then goes on as without them.
    pub fn restore(
        &mut self,
        issuer: &Issuer,
        snapshot: Option<KeySnapshot>,
        now: UnixTime,
    ) -> Result<(), SnapshotError> {
        let entry = self.entry(issuer);
        entry.leader_since = None;
        let Some(snapshot) = snapshot else { return Ok(()) };
        snapshot.check(issuer, now)?;
        let fetched_at = snapshot.fetched_at();
        if entry.held.as_ref().is_some_and(|held| held.asked_at >= fetched_at) {
            return Ok(());
        }
        let (jwks_url, ttl) = (snapshot.jwks_url().into(), snapshot.ttl().min(KEY_MAX_TTL));
        entry.held = Some(Held {
            keys: Arc::new(snapshot.into_keys()),
            jwks_url,
            asked_at: fetched_at,
            since: fetched_at,
            aged: Duration::ZERO,
            seen: fetched_at,
            ttl,
            is_restored: true,
        });
        Ok(())
    }

    /// Where the keys in use were fetched: where discovery found them, or where the policy says.
    #[must_use]
    pub fn source(&self, issuer: &Issuer) -> Option<&str> {
        let entry = self.entries.get(&Place::of(issuer))?;
        entry.held.as_ref().map(|held| &*held.jwks_url)
    }

    fn entry(&mut self, issuer: &Issuer) -> &mut Entry {
        let may_recall = self.has_second_layer;
        self.entries.entry((issuer.name().to_string(), issuer.jwks().clone())).or_insert_with(|| Entry {
            held: None,
            failed_at: None,
            leader_since: None,
            unknown: Generations::new(MAX_UNKNOWN_KEY_IDS),
            discovered: None,
            may_recall,
        })
    }
}

impl Entry {
    fn look_up(&mut self, issuer: &Issuer, key_id: Option<&str>, now: UnixTime) -> KeyLookup {
        if let Some(held) = &mut self.held {
            held.see(now);
        }
        let held = self.held.clone().filter(|held| held.age(now) < issuer.jwks_max_stale());
        let Some(held) = held else {
            if self.may_recall {
                self.may_recall = false;
                self.leader_since = Some(now);
                return KeyLookup::Recall;
            }
            return self.lead_or(issuer, now, KeyLookup::Unavailable);
        };
        let known = key_id.is_none_or(|key_id| held.keys.knows(key_id));
        if held.age(now) >= held.ttl {
            return self.past_its_time(issuer, held, known, now);
        }
        if let Some(key_id) = key_id.filter(|_| !known) {
            return self.unknown_key(issuer, key_id, held, now);
        }
        // The last fifth of its time: refreshed while it is still good, so that nobody waits.
        let due = held.ttl.saturating_sub(held.ttl.checked_div(5).unwrap_or_default());
        if held.age(now) >= due && self.may_lead(now) {
            return KeyLookup::Refresh(held.keys, self.lead(issuer, now));
        }
        KeyLookup::Fresh(held.keys)
    }

    fn past_its_time(&mut self, issuer: &Issuer, held: Held, known: bool, now: UnixTime) -> KeyLookup {
        // The first caller fetches and waits for it, since a key may have been withdrawn. Once that has failed,
        // callers whose key is known no longer wait while the issuer is tried again; nor do they where a snapshot
        // was to spare them just that.
        if !known || (self.failed_at.is_none() && !held.is_restored) {
            return self.lead_or(issuer, now, KeyLookup::Stale(held.keys));
        }
        if self.may_lead(now) {
            return KeyLookup::Refresh(held.keys, self.lead(issuer, now));
        }
        KeyLookup::Stale(held.keys)
    }

    /// A `kid` that a fresh set does not have: perhaps the issuer rotated a moment ago, perhaps it is made up.
    fn unknown_key(&mut self, issuer: &Issuer, key_id: &str, held: Held, now: UnixTime) -> KeyLookup {
        // A set that was asked for since this very `kid` was first looked for did not have it. One whose fetch began
        // before may be older than the key: that says nothing yet, and is not remembered.
        let looked_for_at = self.unknown.get_mut(key_id).copied().filter(|at| within(*at, now, UNKNOWN_KEY_MEMORY));
        if looked_for_at.is_some_and(|at| held.asked_at >= at) || held.age(now) < KEY_COOLDOWN {
            return KeyLookup::Fresh(held.keys);
        }
        // While the issuer is left alone after an error, nobody can tell: a stale set says so.
        let look_up = self.lead_or(issuer, now, KeyLookup::Stale(held.keys));
        if matches!(look_up, KeyLookup::Fetch(_) | KeyLookup::Wait) && looked_for_at.is_none() {
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

    fn lead(&mut self, issuer: &Issuer, now: UnixTime) -> KeyFetch {
        self.leader_since = Some(now);
        let discovered = self.discovered.as_ref().filter(|(_, at)| within(*at, now, KEY_DISCOVERY_TTL));
        KeyFetch::begin(issuer, discovered, now)
    }

    /// Lead a fetch, wait for whoever does, or `otherwise` while the issuer is left alone.
    fn lead_or(&mut self, issuer: &Issuer, now: UnixTime, otherwise: KeyLookup) -> KeyLookup {
        if self.may_lead(now) {
            KeyLookup::Fetch(self.lead(issuer, now))
        } else if self.is_led(now) {
            KeyLookup::Wait
        } else {
            otherwise
        }
    }
}

impl Held {
    /// A clock that went back behind the set's own time makes its age unknown: it is then past its time, yet usable
    /// until refreshed, and ages on from what it was seen to be, so that the hard maximum is not put off.
    fn see(&mut self, now: UnixTime) {
        if now < self.since {
            self.aged = self.age(self.seen).max(self.ttl);
            (self.since, self.seen) = (now, now);
            self.asked_at = self.asked_at.min(now);
        }
        self.seen = self.seen.max(now);
    }

    fn age(&self, now: UnixTime) -> Duration {
        self.aged.saturating_add(now.saturating_since(self.since))
    }
}

/// Whether `since` lies less than `span` back; a moment that lies ahead of a clock set back does not.
fn within(since: UnixTime, now: UnixTime, span: Duration) -> bool {
    now >= since && now.saturating_since(since) < span
}
