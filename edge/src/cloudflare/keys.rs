//! Answers `NeedsKeys`: issuers' JWK sets, fetched and kept in the isolate.
//!
//! When to fetch is the core's `KeyCache` to say; here is how. A fetch is detached from the request that leads
//! it, so that it ends, and its keys serve the next request, even if that one's caller hangs up.

use std::{cell::RefCell, time::Duration};

use postern::{
    JwkSet, Keys, Progress,
    authorizer::NeedsKeys,
    cache::{KeyCache, KeyLookup},
    jwks::MAX_JWKS_BYTES,
    policy::Issuer,
};
use worker::worker_sys::Context;

use super::{isolate::Isolate, outgoing, runtime};
use crate::{cache_control, log};

/// Time for one fetch. Shorter than the lease that the core gives whoever leads (`KEY_FETCH_LEASE`).
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// Time between two looks at a fetch that another request leads: a fraction of a usual fetch.
const WAIT: Duration = Duration::from_millis(20);
/// Most looks: together longer than a lapsed lead, yet not for ever.
const MOST_LOOKS: u32 = 250;

thread_local! {
    static CACHE: RefCell<KeyCache> = RefCell::new(KeyCache::new());
}

/// Goes on with the issuer's keys, or without.
pub(super) async fn provide(
    isolate: &'static Isolate,
    need: NeedsKeys<'static>,
    context: &Context,
) -> Progress<'static> {
    let issuer = need.issuer();
    let plain_http = isolate.authorizer.policy().is_development();
    for _ in 0..MOST_LOOKS {
        let now = runtime::now();
        match CACHE.with_borrow_mut(|cache| cache.look_up(issuer, need.key_id(), now)) {
            KeyLookup::Fresh(keys) => return need.resume(Keys::Fresh(&keys), now),
            KeyLookup::Refresh(keys) => {
                drop(runtime::detach(context, refresh(issuer, plain_http)));
                return need.resume(Keys::Fresh(&keys), now);
            }
            KeyLookup::Stale(keys) => return need.resume(Keys::Stale(&keys), now),
            KeyLookup::Unavailable => break,
            KeyLookup::Fetch => {
                // The outcome is in the cache, where the next look finds it.
                let _ = runtime::detach(context, refresh(issuer, plain_http)).await;
            }
            KeyLookup::Wait => runtime::pause(WAIT).await,
        }
    }
    need.resume(Keys::Unavailable, runtime::now())
}

async fn refresh(issuer: &'static Issuer, plain_http: bool) {
    match fetch(issuer, plain_http).await {
        Ok((keys, max_age)) => {
            for refused in keys.refused() {
                let why = format!("key {} of the set: {}", refused.index, refused.reason);
                runtime::log(&log::failure("key_refused", issuer.name(), &why, None));
            }
            CACHE.with_borrow_mut(|cache| cache.store(issuer, keys, max_age, runtime::now()));
        }
        Err(why) => {
            runtime::log(&log::failure("keys_failed", issuer.name(), &why, None));
            CACHE.with_borrow_mut(|cache| cache.fail(issuer, runtime::now()));
        }
    }
}

async fn fetch(issuer: &Issuer, plain_http: bool) -> Result<(JwkSet, Option<Duration>), String> {
    let accept = [("accept", "application/jwk-set+json, application/json")];
    let fetched = outgoing::get(issuer.jwks_url(), &accept, plain_http, FETCH_TIMEOUT, MAX_JWKS_BYTES)
        .await
        .map_err(|error| error.to_string())?;
    if fetched.status != 200 {
        return Err(format!("the status is {}", fetched.status));
    }
    let keys = JwkSet::parse(&fetched.body).map_err(|error| error.to_string())?;
    Ok((keys, cache_control::freshness(fetched.cache_control.as_deref(), fetched.age.as_deref())))
}
