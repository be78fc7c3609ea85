//! Issuers change their keys while requests flow.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern_e2e::{
    Call, PARTNERS, Platform, Session, USERS,
    control::PAST_COOLDOWN,
    random, session,
    steady::{Sample, Steady},
    wait,
};
use serde_json::json;

const PARTNER_TARGET: &str = "/companies/1111/orders";
const USER_TARGET: &str = "/companies/1111/users/user-manager/orders";

type Kind = Box<dyn Fn() -> Call + Send>;

/// Requests with tokens that were signed before, each shown once, so that each signature is checked.
fn with_old_tokens(edge: &str, stack: &Session, count: usize) -> Kind {
    let tokens: Vec<String> = (0..count).map(|_| stack.control().mint(PARTNERS, json!({}))).collect();
    let (edge, next) = (edge.to_owned(), AtomicUsize::new(0));
    Box::new(move || {
        let token = &tokens[next.fetch_add(1, Ordering::Relaxed) % tokens.len()];
        Call::new(&edge, "GET", PARTNER_TARGET).bearer(token)
    })
}

/// Requests with a token of this moment each.
fn with_newest_tokens(edge: &str, stack: &Session, issuer: &'static str, target: &'static str) -> Kind {
    let (edge, mint) = (edge.to_owned(), stack.control().minter());
    Box::new(move || Call::new(&edge, "GET", target).bearer(&mint(issuer, json!({}))))
}

/// One request of each kind after the other.
fn in_turn(kinds: Vec<Kind>) -> Kind {
    let next = AtomicUsize::new(0);
    Box::new(move || kinds[next.fetch_add(1, Ordering::Relaxed) % kinds.len()]())
}

#[track_caller]
fn all_are_200(what: &str, samples: &[Sample]) {
    let bad = samples.iter().find(|sample| sample.status() != 200);
    assert!(bad.is_none(), "{what}: of {} requests one was answered {bad:?}", samples.len());
    assert!(samples.len() >= 12, "{what}: only {} requests", samples.len());
}

#[test]
fn no_request_fails_while_the_partners_issuer_goes_from_rs256_to_es256_to_eddsa() {
    let stack = session();
    thread::sleep(PAST_COOLDOWN);
    let mut kinds = Vec::new();
    for (_, edge) in stack.edges() {
        kinds.push(with_old_tokens(edge, &stack, 150));
        kinds.push(with_newest_tokens(edge, &stack, PARTNERS, PARTNER_TARGET));
        kinds.push(with_newest_tokens(edge, &stack, USERS, USER_TARGET));
    }
    let names = ["old tokens", "newest tokens", "users' tokens"];
    let mut names: Vec<String> =
        stack.edges().iter().flat_map(|(runtime, _)| names.map(|name| format!("{name} under {runtime}"))).collect();
    if !Platform::current().serves_many_at_a_time() {
        // One caller has one container. Of several, one that is asked now and then may have fetched the keys just before
        // the next is published, and then takes that for unknown for three seconds (SECURITY.md).
        kinds = vec![in_turn(kinds)];
        names = vec!["all kinds in turn".to_owned()];
    }
    let steady = Steady::start(kinds);
    // An edge that knew no keys has just asked for them.
    steady.each_sends(2);
    thread::sleep(PAST_COOLDOWN);
    let mut signers = vec![stack.control().signing_key(PARTNERS)];
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        steady.each_sends(2);
        signers.push(stack.control().add_key(PARTNERS, algorithm));
        // The edges have asked for the new key a moment later; the next change comes when they may ask again.
        thread::sleep(PAST_COOLDOWN);
    }
    assert_eq!(signers.len(), 4);
    for (name, samples) in names.iter().zip(steady.stop()) {
        all_are_200(name, &samples);
    }
}

#[test]
fn a_user_is_served_across_a_rotation_at_the_users_issuer() {
    let stack = session();
    let old = stack.user("user-manager");
    thread::sleep(PAST_COOLDOWN);
    stack.control().add_key(USERS, "RS256");
    let new = stack.user("user-manager");
    for token in [&old, &new, &old] {
        stack.get(USER_TARGET).bearer(token).send().expect(200);
    }
}

#[test]
fn the_next_key_is_taken_soon_even_when_it_comes_right_after_the_last_one() {
    let stack = session();
    thread::sleep(PAST_COOLDOWN);
    stack.control().add_key(PARTNERS, "ES256");
    stack.get(PARTNER_TARGET).bearer(&stack.partner("1111")).send().expect(200);
    // Within the cooldown of the fetch that the first key caused.
    stack.control().add_key(PARTNERS, "EdDSA");
    let token = stack.partner("1111");
    wait::until("a token of the second key is taken", PAST_COOLDOWN + Duration::from_secs(2), || {
        stack.get(PARTNER_TARGET).bearer(&token).send().status() == 200
    });
}

#[test]
fn a_token_of_a_withdrawn_key_is_refused_once_the_key_set_was_fetched_again() {
    let stack = session();
    thread::sleep(PAST_COOLDOWN);
    stack.control().add_key(PARTNERS, "ES256");
    let (shown, kept_back) = (stack.partner("1111"), stack.partner("1111"));
    stack.get(PARTNER_TARGET).bearer(&shown).send().expect(200);
    thread::sleep(PAST_COOLDOWN);
    // The old keys are gone at once, as after a theft.
    stack.control().replace_keys(PARTNERS, "EdDSA");
    stack.get(PARTNER_TARGET).bearer(&stack.partner("1111")).send().expect(200);
    stack.get(PARTNER_TARGET).bearer(&kept_back).send().denied(401, "invalid_token");
}

#[test]
fn one_bad_key_in_a_set_does_not_harm_the_others() {
    let stack = session();
    thread::sleep(PAST_COOLDOWN);
    stack.control().add_key(PARTNERS, "ES256");
    let mut set = Call::new(&stack.partners.jwks, "GET", "").send().expect(200).json();
    let bad = [
        json!({"kty": "oct", "kid": "hmac", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}),
        json!({"kty": "RSA", "kid": "small", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "off-the-curve", "x": "AAAA", "y": "AAAA"}),
        json!("nonsense"),
    ];
    let keys = set["keys"].as_array_mut().expect("keys");
    keys.splice(0..0, bad);
    let how = json!({"mode": "body", "body": set.to_string(), "contentType": "application/json"});
    stack.control().jwks(PARTNERS, &how);
    stack.get(PARTNER_TARGET).bearer(&stack.partner("1111")).send().expect(200);
    // A key that is in the set and unfit verifies nothing.
    for (kid, alg) in [("hmac", "HS256"), ("small", "RS256"), ("off-the-curve", "ES256")] {
        let token = stack.control().mint(PARTNERS, json!({"header": {"kid": kid, "alg": alg}, "key": "forged"}));
        stack.get(PARTNER_TARGET).bearer(&token).send().denied(401, "invalid_token");
    }
}

/// A token whose header names a key that nobody has; what comes after the header is never looked at.
fn with_made_up_kid(rest: &str) -> String {
    let header = json!({"alg": "RS256", "kid": random::word("made-up")});
    format!("{}.{rest}", Base64UrlUnpadded::encode_string(header.to_string().as_bytes()))
}

#[test]
fn a_flood_of_made_up_kids_neither_reaches_the_issuer_nor_slows_a_known_caller() {
    const FLOOD: Duration = Duration::from_secs(5);
    const MANY: usize = 300;
    let stack = session();
    let token = stack.partner("1111");
    let rest = token.split_once('.').map(|(_, rest)| rest.to_owned()).expect("a token");
    let known = || stack.get(PARTNER_TARGET).bearer(&token);
    known().send().expect(200);
    let before = stack.control().jwks_fetches(PARTNERS);

    let calm: Vec<Duration> = (0..20).map(|_| time(&known())).collect();
    let edge = stack.edge.clone();
    let flood: Vec<Kind> = (0..4)
        .map(|_| {
            let (edge, rest) = (edge.clone(), rest.clone());
            Box::new(move || Call::new(&edge, "GET", PARTNER_TARGET).bearer(&with_made_up_kid(&rest))) as Kind
        })
        .collect();
    let start = Instant::now();
    let steady = Steady::start(flood);
    let mut during = Vec::new();
    while start.elapsed() < FLOOD || steady.count() < MANY {
        assert!(start.elapsed() < FLOOD * 6, "only {} made-up tokens in {:?}", steady.count(), start.elapsed());
        let began = Instant::now();
        let answer = known().send();
        during.push(began.elapsed());
        assert_eq!(answer.status(), 200, "a known caller: {answer:?}");
    }
    let samples: Vec<Sample> = steady.stop().into_iter().flatten().collect();
    let lasted = start.elapsed();
    let fetches = stack.control().jwks_fetches(PARTNERS) - before;
    let bad = samples.iter().find(|sample| sample.status() != 401);
    assert!(bad.is_none(), "a made-up token: {bad:?}");
    // One fetch for each cooldown of 3 s that has begun, in each cache of each instance: at CloudFront each caller may have
    // an instance.
    let instances = if Platform::current().serves_many_at_a_time() { 1 } else { 5 };
    let most = (lasted.as_secs() / 3 + 1) * instances * Platform::KEY_CACHES;
    assert!(fetches <= most, "{} made-up kids caused {fetches} fetches, more than {most}", samples.len());
    // No known caller waits for a fetch: the slowest stays near the slowest of a calm edge under this load.
    let slowest = during.iter().max().copied().unwrap_or_default();
    let bound = calm.iter().max().copied().unwrap_or_default() * 10 + Duration::from_millis(500);
    assert!(slowest < bound, "a known caller waited {slowest:?}, more than {bound:?}");
}

#[test]
fn made_up_kids_do_not_slow_known_callers_while_the_key_set_hangs() {
    let stack = session();
    let token = stack.partner("1111");
    let rest = token.split_once('.').map(|(_, rest)| rest.to_owned()).expect("a token");
    stack.get(PARTNER_TARGET).bearer(&token).send().expect(200);
    warm_up(&stack);
    thread::sleep(PAST_COOLDOWN);
    stack.control().jwks(PARTNERS, &json!({"mode": "hang"}));
    let edge = stack.edge.clone();
    let steady =
        Steady::start(vec![Box::new(move || Call::new(&edge, "GET", PARTNER_TARGET).bearer(&with_made_up_kid(&rest)))]);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        let fresh = stack.control().mint(PARTNERS, json!({}));
        let took = time(&stack.get(PARTNER_TARGET).bearer(&fresh));
        assert!(took < Duration::from_secs(1), "a known caller waited {took:?}");
    }
    stack.control().jwks(PARTNERS, &json!({"mode": "serve"}));
    for sample in steady.stop().into_iter().flatten() {
        // While nobody can tell whether there is such a key, 503 says so.
        assert!(matches!(sample.status(), 401 | 503), "{sample:?}");
    }
}

/// Has as many instances know the keys as callers will come at a time: one, where an instance serves them all.
fn warm_up(stack: &Session) {
    if Platform::current().serves_many_at_a_time() {
        return;
    }
    let kinds = (0..4).map(|_| with_newest_tokens(&stack.edge, stack, PARTNERS, PARTNER_TARGET)).collect();
    let steady = Steady::start(kinds);
    steady.each_sends(5);
    for samples in steady.stop() {
        assert!(samples.iter().all(|sample| sample.status() == 200), "{samples:?}");
    }
}

#[track_caller]
fn time(call: &Call) -> Duration {
    let start = Instant::now();
    call.send().expect(200);
    start.elapsed()
}
