//! `k` and `K` look up a key of two issuers, `u` one that is not known; `f` and `F` answer the oldest and the newest question,
//! `s` the oldest with a short time, `x` fails it; `o` restores the oldest snapshot and `O` one of the other issuer; `U` looks
//! up many keys that are made up.

use std::time::Duration;

use postern::{
    UnixTime,
    cache::{
        KEY_MAX_TTL, KEY_MIN_TTL, KeyAnswer, KeyCache, KeyFetch, KeyLookup, KeySnapshot, KeyStep, MAX_UNKNOWN_KEY_IDS,
    },
    jwks::JwkSet,
    policy::Issuer,
};

use super::{Clock, Reached, numbers_after};
use crate::{Script, world::CHECKED};

/// The sections that are looked up.
const ISSUERS: [&str; 2] = ["users", "partners"];
/// Keys that one step makes up, and most such steps.
const FLOOD: (usize, usize) = (160, 8);

pub(super) struct Keys {
    cache: KeyCache,
    asked: Vec<(usize, KeyFetch, UnixTime)>,
    /// What each set is of: issuer, when it was asked for, when its time began, and its time. Its key is called by its place.
    sets: Vec<(usize, UnixTime, UnixTime, Duration)>,
    snapshots: Vec<(usize, KeySnapshot)>,
    floods: usize,
}

fn issuer(index: usize) -> &'static Issuer {
    CHECKED.issuers().iter().find(|issuer| issuer.name() == ISSUERS[index]).expect("an issuer")
}

impl Keys {
    pub(super) fn new(script: &mut Script<'_>) -> Self {
        let has_second_layer = script.choose(2) == 1;
        let cache = if has_second_layer { KeyCache::with_second_layer() } else { KeyCache::new() };
        Self { cache, asked: Vec::new(), sets: Vec::new(), snapshots: Vec::new(), floods: 0 }
    }

    pub(super) fn step(&mut self, step: u8, clock: &Clock) -> Option<Reached> {
        match step {
            b'k' => return self.look_up(0, None, clock),
            b'K' => return self.look_up(1, None, clock),
            b'u' => return self.look_up(0, Some("made-up"), clock),
            b'f' if !self.asked.is_empty() => self.answer(0, 300, clock),
            b'F' if !self.asked.is_empty() => self.answer(self.asked.len() - 1, 1_000_000, clock),
            b's' if !self.asked.is_empty() => self.answer(0, 0, clock),
            b'x' if !self.asked.is_empty() => {
                let (of, ..) = self.asked.remove(0);
                self.cache.fail(issuer(of), clock.now());
            }
            b'o' | b'O' => self.restore(step == b'O', clock),
            b'U' if self.floods < FLOOD.1 => self.flood(clock),
            _ => {}
        }
        None
    }

    fn look_up(&mut self, of: usize, key_id: Option<&str>, clock: &Clock) -> Option<Reached> {
        let now = clock.now();
        match self.cache.look_up(issuer(of), key_id, now) {
            KeyLookup::Fresh(keys) => {
                self.assert_is_good(of, &keys, true, clock);
                Some(Reached::FreshKeys)
            }
            KeyLookup::Refresh(keys, fetch) => {
                self.assert_is_good(of, &keys, false, clock);
                self.asked.push((of, fetch, now));
                Some(Reached::FreshKeys)
            }
            KeyLookup::Stale(keys) => {
                self.assert_is_good(of, &keys, false, clock);
                Some(Reached::StaleKeys)
            }
            KeyLookup::Fetch(fetch) => {
                self.asked.push((of, fetch, now));
                None
            }
            KeyLookup::Recall | KeyLookup::Wait | KeyLookup::Unavailable => None,
        }
    }

    /// The set is the issuer's, within its time, and no older than one that was given out or stored before.
    fn assert_is_good(&self, of: usize, keys: &JwkSet, is_fresh: bool, clock: &Clock) {
        let name = keys.keys().next().and_then(|key| key.key_id()).expect("a key with a name");
        let (owner, asked_at, since, time) = self.sets[name.parse::<usize>().expect("a number")];
        assert_eq!(owner, of, "keys of another issuer");
        if clock.is_set_back {
            return;
        }
        let age = clock.now().saturating_since(since);
        assert!(age < issuer(of).jwks_max_stale(), "keys past the hard maximum: {age:?}");
        assert!(!is_fresh || (age < time && age < KEY_MAX_TTL), "keys past their time are fresh: {age:?}");
        let latest = self.sets.iter().filter(|(own, ..)| *own == of).map(|(_, asked_at, ..)| *asked_at).max();
        assert_eq!(Some(asked_at), latest, "keys that a later answer has replaced");
    }

    fn answer(&mut self, place: usize, max_age: u64, clock: &Clock) {
        let (of, fetch, asked_at) = self.asked.remove(place);
        let url = fetch.url().to_owned();
        if url.contains(".well-known/openid-configuration") || url.contains("oauth-authorization-server") {
            let url = issuer(of).url();
            let body = format!(r#"{{"issuer":"{url}","jwks_uri":"{url}/keys"}}"#);
            let answer = KeyAnswer { status: 200, cache_control: None, age: None, body: body.as_bytes() };
            match fetch.answered(issuer(of), &answer).expect("metadata") {
                KeyStep::Next(next) => self.asked.insert(place, (of, next, asked_at)),
                KeyStep::Fetched(_) => panic!("metadata is taken for keys"),
            }
            return;
        }
        let body = format!(
            r#"{{"keys":[{{"kid":"{}","kty":"OKP","crv":"Ed25519","x":"gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"}}]}}"#,
            self.sets.len()
        );
        let cache_control = format!("max-age={max_age}");
        let answer = KeyAnswer { status: 200, cache_control: Some(&cache_control), age: None, body: body.as_bytes() };
        let Ok(KeyStep::Fetched(fetched)) = fetch.answered(issuer(of), &answer) else { panic!("keys are not taken") };
        let time = Duration::from_secs(max_age).clamp(KEY_MIN_TTL, KEY_MAX_TTL);
        self.sets.push((of, asked_at, clock.now(), time));
        if let Some(snapshot) = self.cache.store(issuer(of), fetched, clock.now()) {
            self.snapshots.push((of, snapshot));
        }
    }

    /// A snapshot makes no keys younger, and is taken for no other issuer's.
    fn restore(&mut self, is_for_another: bool, clock: &Clock) {
        let Some((of, snapshot)) = self.snapshots.first() else {
            let _ = self.cache.restore(issuer(0), None, clock.now());
            return;
        };
        let text = snapshot.to_json().to_string();
        let snapshot = KeySnapshot::parse(text.as_bytes()).expect("a snapshot is read as it was written");
        let target = if is_for_another { 1 - of } else { *of };
        let restored = self.cache.restore(issuer(target), Some(snapshot), clock.now());
        assert!(restored.is_err() || !is_for_another, "a snapshot is taken for another issuer's");
    }

    fn flood(&mut self, clock: &Clock) {
        for index in 0..FLOOD.0 {
            let key_id = format!("{}-{index}", self.floods);
            self.look_up(0, Some(&key_id), clock);
        }
        self.floods += 1;
        let shown = format!("{:?}", self.cache);
        let most = numbers_after(&shown, "young").chain(numbers_after(&shown, "old")).max().unwrap_or_default();
        assert!(most <= MAX_UNKNOWN_KEY_IDS, "{most} made-up keys are remembered");
    }
}
