//! The key cache when the issuer does not answer, or the clock misbehaves.

use postern::{
    Reason, UnixTime,
    cache::{KEY_COOLDOWN, KeyLookup},
};

use crate::{
    key_cache::{Bench, name},
    support::{
        Call, Outcome, Token, World,
        keys::{PARTNERS_ED, PARTNERS_NEXT},
        token::PARTNERS_URL,
    },
};

#[test]
fn without_keys_a_failure_is_unavailable_until_the_cooldown_ends() {
    let cooldown = KEY_COOLDOWN.as_secs();
    let mut bench = Bench::new();
    assert_eq!(bench.known(0), "fetch");
    bench.fail(1);
    for seconds in 1..=cooldown {
        assert_eq!(bench.known(seconds), "unavailable", "{seconds}");
        assert_eq!(bench.look_up(None, seconds), "unavailable", "{seconds}");
    }
    assert_eq!(bench.known(1 + cooldown), "fetch");
    assert_eq!(bench.known(1 + cooldown), "wait");
}

#[test]
fn past_its_time_a_set_is_fetched_first_and_stale_once_that_failed() {
    let mut bench = Bench::holding(600);
    assert_eq!(bench.known(600), "fetch");
    assert_eq!(bench.known(601), "wait");
    bench.fail(602);
    assert_eq!(bench.known(602), "stale");
    assert_eq!(bench.known(604), "stale");
    // Tried again in the background: whoever's key is known does not wait for an issuer that is down.
    assert_eq!(bench.known(605), "refresh");
    assert_eq!(bench.known(605), "stale");
    bench.fail(606);
    assert_eq!(bench.known(608), "stale");
    assert_eq!(bench.known(609), "refresh");
    bench.store(&[&PARTNERS_ED], Some(600), 610);
    assert_eq!(bench.known(610), "fresh");
}

#[test]
fn a_stale_set_ends_at_the_hard_maximum() {
    let mut bench = Bench::holding(600);
    let end = bench.issuer().jwks_max_stale().as_secs();
    assert_eq!(end, 6 * 3600);
    bench.known(end - 10);
    bench.fail(end - 10);
    assert_eq!(bench.known(end - 8), "stale");
    // Later failures do not push it out.
    bench.known(end - 7);
    bench.fail(end - 1);
    assert_eq!(bench.known(end - 1), "stale");
    assert_eq!(bench.known(end), "unavailable");
    assert_eq!(bench.known(end + 2), "fetch");
}

#[test]
fn a_failed_refresh_leaves_the_set_fresh() {
    let mut bench = Bench::holding(600);
    assert_eq!(bench.known(500), "refresh");
    bench.fail(501);
    for (seconds, expected) in [(501, "fresh"), (503, "fresh"), (504, "refresh"), (504, "fresh")] {
        assert_eq!(bench.known(seconds), expected, "{seconds}");
    }
}

#[test]
fn an_unknown_kid_while_the_issuer_is_down_cannot_be_told() {
    let mut bench = Bench::holding(600);
    assert_eq!(bench.look_up(Some("partners-next"), 100), "fetch");
    bench.fail(101);
    assert_eq!(bench.look_up(Some("partners-next"), 101), "stale");
    assert_eq!(bench.look_up(Some("other"), 102), "stale");
    assert_eq!(bench.known(102), "fresh");
    // It was not remembered as unknown: nobody had been able to say so.
    assert_eq!(bench.look_up(Some("partners-next"), 104), "fetch");
    bench.store(&[&PARTNERS_NEXT], None, 105);
    assert_eq!(bench.look_up(Some("partners-next"), 105), "fresh");
}

#[test]
fn a_flood_of_made_up_kids_at_an_issuer_that_is_down_is_bounded_too() {
    let mut bench = Bench::holding(900);
    let mut fetches = 0;
    for count in 0..3_000_u64 {
        let seconds = 100 + count / 100;
        match bench.look_up(Some(&format!("made-up-{count}")), seconds) {
            "fetch" => {
                fetches += 1;
                bench.fail(seconds);
            }
            other => assert_eq!(other, "stale", "{count}"),
        }
        assert_eq!(bench.known(seconds), "fresh", "{count}");
    }
    assert_eq!(fetches, 30 / KEY_COOLDOWN.as_secs());
}

#[test]
fn a_clock_that_goes_backwards_has_the_keys_fetched_again_and_loses_none() {
    for seconds_back in [1, 1_000, 1_000_000_000] {
        let mut bench = Bench::holding(600);
        let issuer = bench.issuer().clone();
        let past = UnixTime::from_secs(crate::support::NOW - seconds_back);
        let mut look_up = |key_id: &str| bench.cache.look_up(&issuer, Some(key_id), past);
        assert_eq!(name(&look_up("partners-ed")), "fetch");
        assert_eq!(name(&look_up("partners-ed")), "wait");
        bench.cache.fail(&issuer, past);
        let KeyLookup::Stale(keys) = bench.cache.look_up(&issuer, Some("partners-ed"), past) else {
            panic!("the keys were lost")
        };
        assert_eq!(keys.keys().count(), 2);
    }
}

#[test]
fn a_clock_that_goes_backwards_does_not_put_off_the_hard_maximum() {
    let mut bench = Bench::holding(600);
    let issuer = bench.issuer().clone();
    let past = |seconds: u64| UnixTime::from_secs(crate::support::NOW - 1_000_000 + seconds);
    let mut look_up = |seconds| name(&bench.cache.look_up(&issuer, Some("partners-ed"), past(seconds)));
    assert_eq!(look_up(0), "fetch");
    // From then on the set ages on, beginning past its time.
    let left = issuer.jwks_max_stale().as_secs() - 600;
    assert_eq!(look_up(1), "wait");
    assert_eq!(look_up(left - 1), "fetch");
    bench.cache.fail(&issuer, past(left - 1));
    let mut look_up = |seconds| name(&bench.cache.look_up(&issuer, Some("partners-ed"), past(seconds)));
    assert_eq!(look_up(left - 1), "stale");
    assert_eq!(look_up(left), "unavailable");
}

#[test]
fn a_clock_that_goes_backwards_late_leaves_a_set_the_age_that_it_had() {
    let mut bench = Bench::holding(600);
    let issuer = bench.issuer().clone();
    let max = issuer.jwks_max_stale().as_secs();
    assert_eq!(bench.known(max - 60), "fetch");
    bench.fail(max - 60);
    let past = |seconds: u64| UnixTime::from_secs(crate::support::NOW - 1_000_000 + seconds);
    for seconds in [0, 59] {
        assert_eq!(name(&bench.cache.look_up(&issuer, Some("partners-ed"), past(seconds))), "refresh");
        bench.cache.fail(&issuer, past(seconds));
        assert_eq!(name(&bench.cache.look_up(&issuer, Some("partners-ed"), past(seconds))), "stale");
    }
    assert_eq!(name(&bench.cache.look_up(&issuer, Some("partners-ed"), past(60))), "unavailable");
}

#[test]
fn a_clock_that_goes_backwards_during_a_fetch_does_not_keep_out_the_next() {
    let mut bench = Bench::new();
    assert_eq!(bench.known(1_000), "fetch");
    bench.store(&[&PARTNERS_ED], Some(600), 0);
    assert_eq!(bench.look_up(Some("partners-next"), 10), "fetch");
    bench.store(&[&PARTNERS_ED, &PARTNERS_NEXT], Some(600), 11);
    assert_eq!(bench.look_up(Some("partners-next"), 12), "fresh");
    let issuer = bench.issuer().clone();
    let then = UnixTime::from_secs(crate::support::NOW + 12);
    let KeyLookup::Fresh(keys) = bench.cache.look_up(&issuer, Some("partners-next"), then) else { panic!("not fresh") };
    assert_eq!(keys.keys().count(), 2, "the set that was fetched is dropped");
}

#[test]
fn a_lead_and_a_failure_that_lie_ahead_of_the_clock_do_not_block() {
    let mut bench = Bench::new();
    assert_eq!(bench.known(1_000), "fetch");
    assert_eq!(bench.known(0), "fetch");
    bench.fail(1_000);
    assert_eq!(bench.known(0), "fetch");
}

#[test]
fn time_at_its_ends_is_survived() {
    let mut bench = Bench::new();
    let issuer = bench.issuer().clone();
    for millis in [0, u64::MAX, 0, u64::MAX / 2, u64::MAX] {
        let now = UnixTime::from_millis(millis);
        let _ = bench.cache.look_up(&issuer, Some("a"), now);
        bench.cache.fail(&issuer, now);
        let _ = bench.cache.look_up(&issuer, None, now);
    }
}

#[test]
fn an_answer_that_is_no_key_set_does_not_replace_the_keys() {
    let jwks_url = format!("{PARTNERS_URL}/.well-known/jwks.json");
    for body in ["", "<html>", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#, r#"{"keys":[{"#] {
        let mut world = World::example();
        let call = Call::get("/companies/1111/orders").bearer(Token::partner("1111").compact());
        assert_eq!(world.outcome(&call), Outcome::Permit);
        world.published.insert(jwks_url.clone(), body.into());
        world.later(1_000);
        assert_eq!(world.outcome(&call), Outcome::Permit, "{body}");
        let rotated = Token::partner("1111").signed_by(&PARTNERS_NEXT).compact();
        let outcome = world.outcome(&Call::get("/companies/1111/orders").bearer(rotated));
        assert_eq!(outcome, Outcome::Deny(503, Reason::KeysUnavailable), "{body}");
    }
}
