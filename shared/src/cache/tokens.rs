//! Tokens whose signature held, so that the same token is not checked again for each request.
//!
//! The whole token is the key and is compared in full. An entry is good for one policy (the authoriser owns
//! the cache), for the sections it was accepted under, and for a bounded time; `exp` is looked at on every hit.

use alloc::{string::String, sync::Arc};
use core::{
    hash::{Hash, Hasher},
    time::Duration,
};

use hashbrown::Equivalent;

use super::generations::Generations;
use crate::{authorizer::VerifiedToken, time::UnixTime};

/// Tokens remembered, at least; at most twice as many. With tokens of 1 to 2 KiB this stays near 4 MiB,
/// a thirtieth of an isolate's 128 MB.
const CAPACITY: usize = 1024;

/// Longest that a signature check is remembered: a key withdrawn by its issuer ends no later than this.
const MAX_AGE: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(crate) struct TokenCache {
    entries: Generations<Remembered, Entry>,
    last: Option<Arc<VerifiedToken>>,
}

/// A token that is remembered. Its place in the table is that of its end, which is its signature's: a caller who fills the
/// table shows signed tokens, and cannot choose what they end in. An issuer could, and need not: it is believed anyway.
#[derive(Clone)]
struct Remembered(String);

/// A token that is shown.
struct Shown<'t>(&'t str);

impl Hash for Remembered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Shown(&self.0).hash(state);
    }
}

impl Hash for Shown<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0.as_bytes().last_chunk::<16>() {
            Some(end) => state.write_u128(u128::from_ne_bytes(*end)),
            None => self.0.hash(state),
        }
    }
}

impl PartialEq for Remembered {
    fn eq(&self, other: &Self) -> bool {
        are_same(&self.0, &other.0)
    }
}

impl Eq for Remembered {}

impl Equivalent<Remembered> for Shown<'_> {
    fn equivalent(&self, remembered: &Remembered) -> bool {
        are_same(self.0, &remembered.0)
    }
}

/// Whether two tokens are the same to the last octet. Eight at a time, since WebAssembly compares memory one by one; and
/// through all of them, so that no time tells how much of a guess was right. What is left over lies in the octets by which
/// the entry was found.
fn are_same(one: &str, other: &str) -> bool {
    let ((one_words, one_rest), (other_words, other_rest)) = (one.as_bytes().as_chunks(), other.as_bytes().as_chunks());
    let differ =
        |bits: u64, (one, other): (&[u8; 8], &[u8; 8])| bits | (u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other));
    one.len() == other.len() && one_words.iter().zip(other_words).fold(0, differ) == 0 && one_rest == other_rest
}

struct Entry {
    token: Arc<VerifiedToken>,
    verified_at: UnixTime,
}

impl TokenCache {
    pub(crate) fn new() -> Self {
        Self { entries: Generations::new(CAPACITY), last: None }
    }

    /// What was remembered last: the next one may have lists in common with it.
    pub(crate) fn last(&self) -> Option<Arc<VerifiedToken>> {
        self.last.clone()
    }

    pub(crate) fn get(&mut self, compact: &str, now: UnixTime) -> Option<Arc<VerifiedToken>> {
        let entry = self.entries.get_mut(&Shown(compact))?;
        // A clock that went backwards makes an entry's age unknown, so it counts as too old.
        let usable = now >= entry.verified_at
            && now.saturating_since(entry.verified_at) < MAX_AGE
            && !entry.token.is_expired(now);
        let token = usable.then(|| Arc::clone(&entry.token));
        if token.is_none() {
            self.entries.remove(&Shown(compact));
        }
        token
    }

    pub(crate) fn insert(&mut self, compact: String, token: Arc<VerifiedToken>, now: UnixTime) {
        self.last = Some(Arc::clone(&token));
        self.entries.insert(Remembered(compact), Entry { token, verified_at: now });
    }
}
