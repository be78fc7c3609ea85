//! Answers `NeedsKeys`: issuers' JWK sets, fetched and kept in the instance.
//!
//! When to fetch, what, and what an answer is worth is the core's `KeyCache` to say; here is how. Where the platform
//! can, a fetch goes on without the request that leads it, so that its keys serve the next one even if that caller hangs
//! up. A new instance begins with the sealed seeds, and asks the second layer, where there is one, before an issuer.
//! Rules that are only tried have a cache of their own, and never write to the second layer.

use std::{cell::RefCell, time::Duration};

use postern::{
    ByPurpose, Keys, Progress, Purpose,
    authorizer::NeedsKeys,
    cache::{FetchedKeys, KeyAnswer, KeyCache, KeyFetch, KeyLookup, KeyStep},
    decision_log::CacheState,
    policy::{Issuer, Policy},
};

use super::{
    Platform,
    outgoing::{self, QUESTION_TIMEOUT, Question},
    runtime,
};
use crate::log;

/// Time between two looks at a fetch that another request leads: a fraction of a usual fetch.
const WAIT: Duration = Duration::from_millis(20);
/// Most looks: together longer than a lapsed lead, yet not for ever.
const MOST_LOOKS: u32 = 250;

thread_local! {
    /// Each made by the first request that needs it, since the age of a seed takes a clock.
    static CACHES: RefCell<ByPurpose<Option<KeyCache>>> = const { RefCell::new(ByPurpose::new(None, None)) };
}

fn with_cache<P: Platform, T>(platform: &P, purpose: Purpose, ask: impl FnOnce(&mut KeyCache) -> T) -> T {
    let make = || seeded::<P>(purpose, platform.authorizer().policy());
    CACHES.with_borrow_mut(|caches| ask(caches.of_mut(purpose).get_or_insert_with(make)))
}

/// A cache that knows what was sealed.
fn seeded<P: Platform>(purpose: Purpose, policy: &Policy) -> KeyCache {
    let mut cache = if P::HAS_SECOND_LAYER { KeyCache::with_second_layer() } else { KeyCache::new() };
    if purpose == Purpose::Try {
        cache = cache.that_keeps_to_itself();
    }
    let seeds = P::seeds();
    for issuer in policy.issuers() {
        if let Err(error) = cache.restore(issuer, seeds.of(issuer).cloned(), runtime::now()) {
            runtime::log(&log::failure("key_seed_unused", issuer.name(), &error.to_string(), None));
        }
    }
    cache
}

/// Goes on with the issuer's keys, or without. `policy` is the one that is being decided by.
pub(crate) async fn provide<P: Platform>(
    platform: &P,
    policy: &'static Policy,
    need: NeedsKeys<'static>,
    seen: &mut Option<CacheState>,
) -> Progress<'static> {
    let (issuer, purpose) = (need.issuer(), need.purpose());
    *seen = Some(CacheState::Hit);
    for _ in 0..MOST_LOOKS {
        let now = runtime::now();
        match with_cache(platform, purpose, |cache| cache.look_up(issuer, need.key_id(), now)) {
            KeyLookup::Fresh(keys) => return need.resume(Keys::Fresh(&keys), now),
            KeyLookup::Refresh(keys, fetch) => {
                platform.aside(refresh(platform.clone(), policy, (issuer, purpose), fetch));
                return need.resume(Keys::Fresh(&keys), now);
            }
            KeyLookup::Stale(keys) => {
                *seen = Some(CacheState::Stale);
                return need.resume(Keys::Stale(&keys), now);
            }
            KeyLookup::Unavailable => break,
            // The outcome is in the cache, where the next look finds it.
            KeyLookup::Fetch(fetch) => {
                let _ = platform.lead(refresh(platform.clone(), policy, (issuer, purpose), fetch)).await;
            }
            KeyLookup::Recall => {
                let _ = platform.lead(recall(platform.clone(), issuer, purpose)).await;
            }
            KeyLookup::Wait => {
                if !platform.pause(WAIT).await {
                    break;
                }
            }
        }
        *seen = Some(CacheState::Miss);
    }
    *seen = Some(CacheState::Unavailable);
    need.resume(Keys::Unavailable, runtime::now())
}

async fn recall<P: Platform>(platform: P, issuer: &'static Issuer, purpose: Purpose) {
    let snapshot = P::recall(issuer).await;
    if let Err(error) = with_cache(&platform, purpose, |cache| cache.restore(issuer, snapshot, runtime::now())) {
        runtime::log(&log::failure("keys_not_recalled", issuer.name(), &error.to_string(), None));
    }
}

async fn refresh<P: Platform>(
    platform: P,
    policy: &'static Policy,
    (issuer, purpose): (&'static Issuer, Purpose),
    fetch: KeyFetch,
) {
    match follow(&platform, policy, issuer, fetch).await {
        Ok(fetched) => {
            for refused in fetched.keys().refused() {
                let why = format!("key {} of the set: {}", refused.index, refused.reason);
                runtime::log(&log::failure("key_refused", issuer.name(), &why, None));
            }
            let snapshot = with_cache(&platform, purpose, |cache| cache.store(issuer, fetched, runtime::now()));
            if let Some(snapshot) = snapshot {
                P::keep(issuer, &snapshot).await;
            }
        }
        Err(why) => {
            runtime::log(&log::failure("keys_failed", issuer.name(), &why, None));
            with_cache(&platform, purpose, |cache| cache.fail(issuer, runtime::now()));
        }
    }
}

/// Makes one request after another until the keys are there or something failed.
async fn follow<P: Platform>(
    platform: &P,
    policy: &Policy,
    issuer: &Issuer,
    mut fetch: KeyFetch,
) -> Result<FetchedKeys, String> {
    let begun = runtime::now();
    let time = platform.time_for(QUESTION_TIMEOUT);
    loop {
        let question = Question {
            url: fetch.url(),
            fields: &[("accept", fetch.accept())],
            plain_http: policy.is_development(),
            limit: time.saturating_sub(runtime::now().saturating_since(begun)),
            cap: fetch.max_bytes(),
        };
        let fetched = outgoing::get::<P>(&question).await.map_err(|error| error.to_string())?;
        let answer = KeyAnswer {
            status: fetched.status,
            cache_control: fetched.cache_control.as_deref(),
            age: fetched.age.as_deref(),
            body: &fetched.body,
        };
        match fetch.answered(issuer, &answer).map_err(|error| error.to_string())? {
            KeyStep::Next(next) => fetch = next,
            KeyStep::Fetched(fetched) => return Ok(fetched),
        }
    }
}
