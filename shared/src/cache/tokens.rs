//! Tokens whose signature held, so that the same token is not checked again for each request.
//!
//! The whole token is the key and is compared in full. An entry is good for one policy (the authoriser owns
//! the cache), for the sections it was accepted under, and for a bounded time; `exp` is looked at on every hit.

use alloc::{string::String, sync::Arc};
use core::time::Duration;

use super::generations::Generations;
use crate::{authorizer::VerifiedToken, time::UnixTime};

/// Tokens remembered, at least; at most twice as many. With tokens of 1 to 2 KiB this stays near 4 MiB,
/// a thirtieth of an isolate's 128 MB.
const CAPACITY: usize = 1024;

/// Longest that a signature check is remembered: a key withdrawn by its issuer ends no later than this.
const MAX_AGE: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(crate) struct TokenCache(Generations<String, Entry>);

struct Entry {
    token: Arc<VerifiedToken>,
    verified_at: UnixTime,
}

impl TokenCache {
    pub(crate) fn new() -> Self {
        Self(Generations::new(CAPACITY))
    }

    pub(crate) fn get(&mut self, compact: &str, now: UnixTime) -> Option<Arc<VerifiedToken>> {
        let entry = self.0.get_mut(compact)?;
        // A clock that went backwards makes an entry's age unknown, so it counts as too old.
        let usable = now >= entry.verified_at
            && now.saturating_since(entry.verified_at) < MAX_AGE
            && !entry.token.is_expired(now);
        let token = usable.then(|| Arc::clone(&entry.token));
        if token.is_none() {
            self.0.remove(compact);
        }
        token
    }

    pub(crate) fn insert(&mut self, compact: String, token: Arc<VerifiedToken>, now: UnixTime) {
        self.0.insert(compact, Entry { token, verified_at: now });
    }
}
