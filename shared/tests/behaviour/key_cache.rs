//! The key cache when the issuer answers: fresh, refreshed in time, one fetch at once, rotation, unknown `kid`s.

use std::time::Duration;

use postern::{
    Policy,
    cache::{
        KEY_COOLDOWN, KEY_FETCH_LEASE, KEY_MAX_TTL, KEY_MIN_TTL, KeyCache, KeyFetch, KeyLookup, MAX_UNKNOWN_KEY_IDS,
    },
    policy::{Issuer, JwksLocation},
};

use crate::support::{
    World, at,
    keys::{PARTNERS_EC, PARTNERS_ED, PARTNERS_NEXT, TestKey, jwks},
    policies,
    world::fetch_keys,
};

/// A cache, the policy whose issuers it is asked about, and a clock in seconds.
pub(crate) struct Bench {
    policy: Policy,
    pub(crate) cache: KeyCache,
    /// The fetch that was asked for last.
    fetch: Option<KeyFetch>,
}

const JWKS_URL: &str = "https://keys.example/jwks";

/// The example with a place for the partners' keys, so that one answer brings them.
fn policy(jwks_url: &str) -> Policy {
    let url = "url = \"https://auth.partners.ljg-sushi.example\"";
    let text = policies::example_with(url, &format!("{url}\njwks_url = \"{jwks_url}\""));
    postern::policy::from_toml(&text, None).unwrap()
}

/// The variant's name: what tables are written in.
pub(crate) fn name(lookup: &KeyLookup) -> &'static str {
    match lookup {
        KeyLookup::Fresh(_) => "fresh",
        KeyLookup::Refresh(..) => "refresh",
        KeyLookup::Fetch(_) => "fetch",
        KeyLookup::Recall => "recall",
        KeyLookup::Wait => "wait",
        KeyLookup::Stale(_) => "stale",
        KeyLookup::Unavailable => "unavailable",
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { policy: policy(JWKS_URL), cache: KeyCache::new(), fetch: None }
    }

    /// A cache that has just stored the partners' two keys, with `max_age` seconds to go.
    pub(crate) fn holding(max_age: u64) -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.look_up(None, 0), "fetch");
        bench.store(&[&PARTNERS_ED, &PARTNERS_EC], Some(max_age), 0);
        bench
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        self.policy.issuers().iter().find(|issuer| issuer.name() == "partners").unwrap()
    }

    pub(crate) fn look_up(&mut self, key_id: Option<&str>, seconds: u64) -> &'static str {
        let issuer = self.policy.issuers().iter().find(|issuer| issuer.name() == "partners").unwrap();
        let lookup = self.cache.look_up(issuer, key_id, at(seconds));
        if let KeyLookup::Fetch(fetch) | KeyLookup::Refresh(_, fetch) = &lookup {
            self.fetch = Some(fetch.clone());
        }
        name(&lookup)
    }

    pub(crate) fn known(&mut self, seconds: u64) -> &'static str {
        self.look_up(Some("partners-ed"), seconds)
    }

    pub(crate) fn store(&mut self, keys: &[&TestKey], max_age: Option<u64>, seconds: u64) {
        let issuer = self.policy.issuers().iter().find(|issuer| issuer.name() == "partners").unwrap();
        let cache_control = max_age.map(|seconds| format!("max-age={seconds}"));
        let fetch = self.fetch.take().expect("a fetch was asked for");
        let fetched = fetch_keys(issuer, fetch, cache_control.as_deref(), |_| Some(jwks(keys))).unwrap();
        self.cache.store(issuer, fetched, at(seconds));
    }

    pub(crate) fn fail(&mut self, seconds: u64) {
        let issuer = self.policy.issuers().iter().find(|issuer| issuer.name() == "partners").unwrap();
        self.cache.fail(issuer, at(seconds));
    }
}

#[test]
fn what_cache_control_says_holds_within_bounds() {
    assert_eq!((KEY_MIN_TTL, KEY_MAX_TTL), (Duration::from_secs(60), Duration::from_secs(900)));
    for (max_age, ttl) in [
        (Some(0), 60),
        (Some(1), 60),
        (Some(60), 60),
        (Some(600), 600),
        (Some(900), 900),
        (Some(901), 900),
        (Some(31_536_000), 900),
        (Some(u64::MAX), 900),
        (None, 300),
    ] {
        let mut bench = Bench::new();
        bench.look_up(None, 0);
        bench.store(&[&PARTNERS_ED], max_age, 0);
        assert_eq!(bench.known(ttl * 4 / 5 - 1), "fresh", "{max_age:?}");
        assert_eq!(bench.known(ttl), "fetch", "{max_age:?}");
    }
}

#[test]
fn a_set_is_refreshed_in_its_last_fifth_by_one_caller() {
    let mut bench = Bench::holding(600);
    for (seconds, expected) in [(0, "fresh"), (479, "fresh"), (480, "refresh"), (480, "fresh"), (483, "fresh")] {
        assert_eq!(bench.known(seconds), expected, "{seconds}");
    }
    // Its lead has lapsed: the request that led was perhaps cancelled.
    assert_eq!(bench.known(484), "refresh");
    bench.store(&[&PARTNERS_ED], Some(600), 485);
    assert_eq!(bench.known(485 + 479), "fresh");
    assert_eq!(bench.known(485 + 480), "refresh");
}

#[test]
fn nobody_waits_while_a_refresh_is_under_way_and_everybody_once_the_time_is_up() {
    let mut bench = Bench::holding(600);
    assert_eq!(bench.known(599), "refresh");
    assert_eq!(bench.known(599), "fresh");
    assert_eq!(bench.known(600), "wait");
    bench.store(&[&PARTNERS_ED], Some(600), 601);
    assert_eq!(bench.known(601), "fresh");
}

#[test]
fn one_caller_fetches_and_the_others_wait() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(Some("a"), 0), "fetch");
    for key_id in [Some("a"), Some("b"), None] {
        assert_eq!(bench.look_up(key_id, 0), "wait");
    }
    bench.store(&[&PARTNERS_ED], None, 1);
    assert_eq!(bench.known(1), "fresh");
}

#[test]
fn a_lead_lapses_so_that_another_takes_over() {
    let lease = KEY_FETCH_LEASE.as_secs();
    let mut bench = Bench::new();
    assert_eq!(bench.known(0), "fetch");
    assert_eq!(bench.known(lease - 1), "wait");
    assert_eq!(bench.known(lease), "fetch");
    assert_eq!(bench.known(lease), "wait");
}

#[test]
fn an_unknown_kid_causes_one_fetch_and_finds_the_rotated_key() {
    let mut bench = Bench::holding(600);
    assert_eq!(bench.look_up(Some("partners-next"), 10), "fetch");
    assert_eq!(bench.look_up(Some("partners-next"), 10), "wait");
    assert_eq!(bench.known(10), "fresh");
    bench.store(&[&PARTNERS_ED, &PARTNERS_NEXT], Some(600), 11);
    assert_eq!(bench.look_up(Some("partners-next"), 11), "fresh");
    assert_eq!(bench.known(11), "fresh");
}

#[test]
fn an_unknown_kid_right_after_a_fetch_causes_none_and_is_not_held_against_it() {
    let cooldown = KEY_COOLDOWN.as_secs();
    let mut bench = Bench::holding(600);
    assert_eq!(bench.look_up(Some("partners-next"), cooldown - 1), "fresh");
    // The set may be older than the key, by a moment: that says nothing yet.
    assert_eq!(bench.look_up(Some("partners-next"), cooldown), "fetch");
    bench.store(&[&PARTNERS_ED, &PARTNERS_NEXT], Some(600), cooldown);
    assert_eq!(bench.look_up(Some("partners-next"), cooldown), "fresh");
}

#[test]
fn a_kid_that_the_issuer_was_asked_for_and_does_not_have_is_remembered_for_a_while() {
    let mut bench = Bench::holding(600);
    assert_eq!(bench.look_up(Some("made-up"), 10), "fetch");
    bench.store(&[&PARTNERS_ED, &PARTNERS_EC], Some(600), 11);
    for (seconds, expected) in [(11, "fresh"), (20, "fresh"), (39, "fresh"), (40, "fetch")] {
        assert_eq!(bench.look_up(Some("made-up"), seconds), expected, "{seconds}");
    }
}

#[test]
fn a_kid_that_waited_for_a_fetch_begun_before_it_is_not_held_to_be_unknown() {
    let mut bench = Bench::holding(600);
    assert_eq!(bench.look_up(Some("made-up"), 10), "fetch");
    // Published just after the issuer was asked: the answer that is under way cannot have it.
    assert_eq!(bench.look_up(Some("partners-next"), 11), "wait");
    bench.store(&[&PARTNERS_ED], Some(600), 12);
    assert_eq!(bench.look_up(Some("made-up"), 16), "fresh");
    assert_eq!(bench.look_up(Some("partners-next"), 16), "fetch");
}

#[test]
fn whoever_led_too_long_does_not_bring_back_what_was_replaced() {
    let mut bench = Bench::new();
    bench.known(0);
    let slow = bench.fetch.take().unwrap();
    assert_eq!(bench.known(5), "fetch");
    bench.store(&[&PARTNERS_NEXT], Some(600), 6);
    bench.fetch = Some(slow);
    bench.store(&[&PARTNERS_ED], Some(600), 7);
    assert_eq!(bench.look_up(Some("partners-next"), 20), "fresh");
    assert_eq!(bench.known(20), "fetch");
}

#[test]
fn a_flood_of_made_up_kids_fetches_at_most_once_a_cooldown() {
    let mut bench = Bench::holding(900);
    let mut fetches = 0;
    // A hundred made-up names a second for a minute; each fetch takes no time and brings the same keys.
    for count in 0..6_000_u64 {
        let seconds = 100 + count / 100;
        match bench.look_up(Some(&format!("made-up-{count}")), seconds) {
            "fetch" => {
                fetches += 1;
                bench.store(&[&PARTNERS_ED, &PARTNERS_EC], Some(900), seconds);
            }
            other => assert_eq!(other, "fresh", "{count}"),
        }
        // Callers whose key is known notice nothing.
        assert_eq!(bench.known(seconds), "fresh", "{count}");
        assert_eq!(bench.look_up(None, seconds), "fresh", "{count}");
    }
    assert!(fetches <= 60 / KEY_COOLDOWN.as_secs(), "{fetches}");
}

#[test]
fn a_flood_while_the_issuer_is_slow_leaves_known_kids_alone() {
    let mut bench = Bench::holding(900);
    let mut fetches = 0;
    for count in 0..1_000_u64 {
        // Nobody who leads ever comes back: each lead lapses.
        match bench.look_up(Some(&format!("made-up-{count}")), 100 + count / 50) {
            "fetch" => fetches += 1,
            other => assert_eq!(other, "wait", "{count}"),
        }
        assert_eq!(bench.known(100 + count / 50), "fresh", "{count}");
    }
    assert_eq!(fetches, 20 / KEY_FETCH_LEASE.as_secs());
}

#[test]
fn the_memory_of_unknown_kids_is_bounded() {
    let mut bench = Bench::holding(900);
    let flood = 2 * MAX_UNKNOWN_KEY_IDS;
    assert_eq!(bench.look_up(Some("made-up-0"), 10), "fetch");
    for count in 1..=flood {
        assert_eq!(bench.look_up(Some(&format!("made-up-{count}")), 10), "wait");
    }
    bench.store(&[&PARTNERS_ED, &PARTNERS_EC], Some(900), 11);
    // The last is remembered, the first is forgotten.
    let later = 11 + KEY_COOLDOWN.as_secs();
    assert_eq!(bench.look_up(Some(&format!("made-up-{flood}")), later), "fresh");
    assert_eq!(bench.look_up(Some("made-up-0"), later), "fetch");
}

#[test]
fn issuers_are_kept_apart() {
    let mut bench = Bench::holding(600);
    let users = bench.policy.issuers().iter().find(|issuer| issuer.name() == "users").unwrap();
    assert_eq!(name(&bench.cache.look_up(users, Some("partners-ed"), at(0))), "fetch");
    bench.cache.fail(users, at(0));
    assert_eq!(name(&bench.cache.look_up(users, None, at(1))), "unavailable");
    assert_eq!(bench.known(1), "fresh");
}

#[test]
fn keys_are_kept_under_the_url_they_came_from() {
    let mut bench = Bench::holding(600);
    bench.policy = policy("https://keys.example/moved");
    assert_eq!(*bench.issuer().jwks(), JwksLocation::Url("https://keys.example/moved".into()));
    assert_eq!(bench.known(0), "fetch");
}

#[test]
fn rotation_is_no_outage() {
    use crate::support::{Call, Outcome, Token, token::PARTNERS_URL};
    let mut world = World::example();
    let call = |world: &mut World, key: &'static TestKey| {
        world.outcome(&Call::get("/companies/1111/orders").bearer(Token::partner("1111").signed_by(key).compact()))
    };
    assert_eq!(call(&mut world, &PARTNERS_ED), Outcome::Permit);
    // The new key is published beside the old one, and used at once.
    world.publish(PARTNERS_URL, &[&PARTNERS_ED, &PARTNERS_NEXT]);
    world.later(10);
    assert_eq!(call(&mut world, &PARTNERS_NEXT), Outcome::Permit);
    assert_eq!(call(&mut world, &PARTNERS_ED), Outcome::Permit);
    assert_eq!(world.counts.key_fetches, 2);
    // The old one is withdrawn: tokens signed with it end within the time that a set is fresh.
    world.publish(PARTNERS_URL, &[&PARTNERS_NEXT]);
    world.later(KEY_MAX_TTL.as_secs());
    assert_eq!(call(&mut world, &PARTNERS_ED), Outcome::Deny(401, postern::Reason::KeyUnknown));
    assert_eq!(call(&mut world, &PARTNERS_NEXT), Outcome::Permit);
}
