//! Tokens whose signature held, so that the same token is not checked again for each request.
//!
//! The whole token is the key and is compared in full. An entry is good for one policy (the authoriser owns
//! the cache), for the sections it was accepted under, and for a bounded time; `exp` is looked at on every hit.
//!
//! When it is full, a hand goes round over the entries: what was used since it last came by is left once more, what was not
//! makes room (the "clock" of F. J. Corbató, 1968). Each step takes constant time, spread over the hits that caused it, and
//! a new token takes the very memory of a forgotten one.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{fmt, hash::BuildHasher as _, mem, time::Duration};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::{authorizer::VerifiedToken, header::Header, time::UnixTime, token::Legacy};

/// Tokens remembered, at most. With tokens of 1 to 2 KiB this stays near 4 MiB, a thirtieth of an isolate's 128 MB.
const CAPACITY: usize = 2048;

/// Longest that a signature check is remembered: a key withdrawn by its issuer ends no later than this.
const MAX_AGE: Duration = Duration::from_secs(300);

pub(crate) struct TokenCache {
    /// By the end of their tokens, which is their signatures': a caller who fills the table shows signed tokens, and cannot
    /// choose what they end in. An issuer could, and need not: it is believed anyway.
    places: HashTable<usize>,
    hasher: DefaultHashBuilder,
    entries: Vec<Entry>,
    hand: usize,
    last: Option<Last>,
    /// The text of the token that was forgotten last.
    room: String,
}

struct Entry {
    compact: String,
    hash: u64,
    token: Arc<VerifiedToken>,
    verified_at: UnixTime,
    /// Since the hand came by.
    is_used: bool,
}

/// What was remembered last: the next one may have much in common with it.
struct Last {
    token: Arc<VerifiedToken>,
    header: Arc<Header>,
}

/// Tokens stay out of debug output: it ends in logs.
impl fmt::Debug for TokenCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenCache").field("tokens", &self.places.len()).finish_non_exhaustive()
    }
}

impl TokenCache {
    pub(crate) fn new() -> Self {
        Self {
            places: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            entries: Vec::new(),
            hand: 0,
            last: None,
            room: String::new(),
        }
    }

    /// What was remembered last: the next one may have lists in common with it.
    pub(crate) fn last(&self) -> Option<Arc<VerifiedToken>> {
        self.last.as_ref().map(|last| Arc::clone(&last.token))
    }

    /// What those before it leave to a token that is not remembered.
    pub(crate) fn legacy(&mut self) -> Legacy {
        Legacy { header: self.last.as_ref().map(|last| Arc::clone(&last.header)), room: mem::take(&mut self.room) }
    }

    pub(crate) fn get(&mut self, compact: &str, now: UnixTime) -> Option<Arc<VerifiedToken>> {
        let hash = self.hash(compact);
        let place = self.places.find_entry(hash, are_of(&self.entries, compact)).ok()?;
        let entry = self.entries.get_mut(*place.get())?;
        // A clock that went backwards makes an entry's age unknown, so it counts as too old.
        let usable = now >= entry.verified_at
            && now.saturating_since(entry.verified_at) < MAX_AGE
            && !entry.token.is_expired(now);
        entry.is_used = usable;
        if !usable {
            // The hand will find an entry that nothing leads to.
            place.remove();
            return None;
        }
        Some(Arc::clone(&entry.token))
    }

    pub(crate) fn insert(&mut self, compact: String, header: Arc<Header>, token: Arc<VerifiedToken>, now: UnixTime) {
        let hash = self.hash(&compact);
        self.last = Some(Last { token: Arc::clone(&token), header });
        let known = self.places.find(hash, are_of(&self.entries, &compact)).copied();
        let entry = Entry { compact, hash, token, verified_at: now, is_used: false };
        // Two requests with one new token may both have had it checked.
        let place = known.or_else(|| self.vacated());
        let forgotten = match place.and_then(|place| self.entries.get_mut(place)) {
            Some(place) => Some(mem::replace(place, entry)),
            None => {
                self.entries.push(entry);
                None
            }
        };
        self.room = forgotten.map_or_else(String::new, |forgotten| forgotten.compact);
        if known.is_none() {
            let place = place.unwrap_or(self.entries.len().saturating_sub(1));
            let entries = &self.entries;
            self.places.insert_unique(hash, place, |place| entries.get(*place).map_or(0, |entry| entry.hash));
        }
    }

    /// The place of an entry to overwrite, which nothing leads to any more; `None` while there is room.
    fn vacated(&mut self) -> Option<usize> {
        if self.entries.len() < CAPACITY {
            return None;
        }
        // Not past every entry twice: the first round leaves none that is used.
        loop {
            let place = self.hand;
            self.hand = place.saturating_add(1) % CAPACITY;
            let entry = self.entries.get_mut(place)?;
            if !mem::take(&mut entry.is_used) {
                if let Ok(found) = self.places.find_entry(entry.hash, |other| *other == place) {
                    found.remove();
                }
                return Some(place);
            }
        }
    }

    fn hash(&self, compact: &str) -> u64 {
        match compact.as_bytes().last_chunk::<16>() {
            Some(end) => self.hasher.hash_one(u128::from_ne_bytes(*end)),
            None => self.hasher.hash_one(compact),
        }
    }
}

/// Whether the entry at a place is this token's.
fn are_of(entries: &[Entry], compact: &str) -> impl Fn(&usize) -> bool {
    |place| entries.get(*place).is_some_and(|entry| are_same(&entry.compact, compact))
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
