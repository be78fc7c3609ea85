//! Tokens whose signature held, so that the same token is not checked again for each request.
//!
//! The whole token is the key and is compared in full. An entry is good for one policy (the authoriser owns
//! the cache), for the sections it was accepted under, and for a bounded time; `exp` is looked at on every hit.
//!
//! It is bounded in entries and in octets, the lists of its tokens included: tokens differ a hundredfold in size, and an
//! instance that runs out of memory serves nobody. When it is full, a hand goes round over the entries: what was used since
//! it last came by is left once more, what was not makes room (the "clock" of F. J. Corbató, 1968). Each step takes constant
//! time, spread over the hits that caused it, and a new token takes the very memory of a forgotten one.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{fmt, hash::BuildHasher as _, mem, time::Duration};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::{authorizer::VerifiedToken, header::Header, purpose::Purpose, time::UnixTime, token::Legacy};

/// Tokens remembered, at most. With tokens of 1 to 2 KiB this stays near 4 MiB, a thirtieth of an isolate's 128 MB.
const CAPACITY: usize = 2048;
/// Octets remembered, at most, as they are roughly counted: room for twice as much as 2048 usual tokens take.
const MAX_OCTETS: usize = 8 * 1024 * 1024;
/// The same for what is only tried.
const MAX_TRIED_OCTETS: usize = 2 * 1024 * 1024;

/// Longest that a signature check is remembered: a key withdrawn by its issuer ends no later than this.
const MAX_AGE: Duration = Duration::from_secs(300);

pub(crate) struct TokenCache {
    /// By the end of their tokens, which is their signatures': a caller who fills the table shows signed tokens, and cannot
    /// choose what they end in. An issuer could, and need not: it is believed anyway.
    places: HashTable<usize>,
    hasher: DefaultHashBuilder,
    entries: Vec<Option<Entry>>,
    /// Places of entries that were forgotten.
    vacant: Vec<usize>,
    /// What the entries take of memory, and may take.
    octets: usize,
    most_octets: usize,
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
    octets: usize,
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
    pub(crate) fn new(purpose: Purpose) -> Self {
        let most_octets = match purpose {
            Purpose::Enforce => MAX_OCTETS,
            Purpose::Try => MAX_TRIED_OCTETS,
        };
        Self {
            vacant: Vec::new(),
            octets: 0,
            most_octets,
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
        let entry = self.entries.get_mut(*place.get())?.as_mut()?;
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
        let octets = compact.capacity().saturating_add(token.octets()).saturating_add(size_of::<Entry>());
        // Two requests with one new token may both have had it checked.
        if let Ok(known) = self.places.find_entry(hash, are_of(&self.entries, &compact)) {
            let (place, _) = known.remove();
            self.room = self.forget(place);
        }
        while self.is_full(octets) {
            match self.vacate() {
                Some(room) => self.room = room,
                None => break,
            }
        }
        let entry = Some(Entry { compact, hash, token, verified_at: now, octets, is_used: false });
        self.octets = self.octets.saturating_add(octets);
        let place = match self.vacant.pop() {
            Some(place) => {
                if let Some(vacant) = self.entries.get_mut(place) {
                    *vacant = entry;
                }
                place
            }
            None => {
                self.entries.push(entry);
                self.entries.len().saturating_sub(1)
            }
        };
        let entries = &self.entries;
        self.places.insert_unique(hash, place, |place| entry_at(entries, *place).map_or(0, |entry| entry.hash));
    }

    /// Whether one more entry of this size is one too many.
    fn is_full(&self, octets: usize) -> bool {
        let has_place = self.entries.len() < CAPACITY || !self.vacant.is_empty();
        !has_place || self.octets.saturating_add(octets) > self.most_octets
    }

    /// Forgets an entry that was not used since the hand last came by, and returns its text; `None` where there is none.
    fn vacate(&mut self) -> Option<String> {
        // Not past every entry twice: the first round leaves none that is used.
        for _ in 0..self.entries.len().saturating_mul(2) {
            let place = self.hand;
            let next = place.saturating_add(1);
            self.hand = if next < self.entries.len() { next } else { 0 };
            let Some(entry) = self.entries.get_mut(place).and_then(Option::as_mut) else { continue };
            if mem::take(&mut entry.is_used) {
                continue;
            }
            let hash = entry.hash;
            if let Ok(found) = self.places.find_entry(hash, |other| *other == place) {
                found.remove();
            }
            return Some(self.forget(place));
        }
        None
    }

    /// Makes the place vacant, to which nothing leads any more, and returns the text that was there.
    fn forget(&mut self, place: usize) -> String {
        let Some(entry) = self.entries.get_mut(place).and_then(Option::take) else { return String::new() };
        self.octets = self.octets.saturating_sub(entry.octets);
        self.vacant.push(place);
        entry.compact
    }

    fn hash(&self, compact: &str) -> u64 {
        match compact.as_bytes().last_chunk::<16>() {
            Some(end) => self.hasher.hash_one(u128::from_ne_bytes(*end)),
            None => self.hasher.hash_one(compact),
        }
    }
}

fn entry_at(entries: &[Option<Entry>], place: usize) -> Option<&Entry> {
    entries.get(place)?.as_ref()
}

/// Whether the entry at a place is this token's.
fn are_of(entries: &[Option<Entry>], compact: &str) -> impl Fn(&usize) -> bool {
    |place| entry_at(entries, *place).is_some_and(|entry| are_same(&entry.compact, compact))
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
