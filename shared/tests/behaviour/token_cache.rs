//! The cache of verified tokens: it saves a signature check and nothing else.

use postern::{Authorizer, JwkSet, Progress, Reason, Request};
use serde_json::json;

use crate::support::{
    Call, NOW, Outcome, Token, World, at,
    keys::{PARTNERS_ED, STRANGER_ED, jwks},
    policies,
    world::believe,
};

const ORDERS: &str = "/companies/1111/orders";

fn warm(token: &str) -> World {
    let mut world = World::example();
    assert_eq!(world.outcome(&Call::get(ORDERS).bearer(token)), Outcome::Permit);
    assert_eq!(world.counts.signatures, 1);
    world
}

#[test]
fn a_token_is_checked_once() {
    let token = Token::partner("1111").compact();
    let mut world = warm(&token);
    for _ in 0..3 {
        assert_eq!(world.outcome(&Call::get(ORDERS).bearer(&token)), Outcome::Permit);
    }
    assert_eq!((world.counts.keys, world.counts.signatures), (1, 1));
}

#[test]
fn the_whole_token_is_compared() {
    let token = Token::partner("1111").compact();
    let mut world = warm(&token);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let last = signature.chars().next().unwrap();
    let other = Token::partner("1111").claim("jti", json!("q"));
    let tampered = [
        format!("{message}.{}{}", if last == 'A' { 'B' } else { 'A' }, &signature[1..]),
        format!("{}.{signature}", Token::partner("1111").claim("exp", json!(NOW + 9_999)).message()),
        format!("{}.{signature}", Token::partner("2222").message()),
        format!("{}.{signature}", other.message()),
        Token::partner("1111").signed_by(&STRANGER_ED).compact(),
    ];
    for tampered in tampered {
        assert_eq!(world.outcome(&Call::get(ORDERS).bearer(tampered)), Outcome::Deny(401, Reason::SignatureInvalid));
    }
    for prefix in [1, token.len() / 2, token.len() - 1] {
        let cut = Call::get(ORDERS).bearer(&token[..prefix]);
        assert!(matches!(world.outcome(&cut), Outcome::Deny(401, _)), "{prefix}");
    }
    let case = Call::get(ORDERS).bearer(token.to_lowercase());
    assert!(matches!(world.outcome(&case), Outcome::Deny(401, _)));
}

#[test]
fn exp_is_looked_at_on_every_hit() {
    let token = Token::partner("1111").claim("exp", json!(NOW + 10)).compact();
    let mut world = warm(&token);
    world.now = at(9);
    assert_eq!(world.outcome(&Call::get(ORDERS).bearer(&token)), Outcome::Permit);
    world.now = at(10);
    assert_eq!(world.outcome(&Call::get(ORDERS).bearer(&token)), Outcome::Deny(401, Reason::Expired));
    // It was forgotten, and judged anew like any other token.
    assert_eq!(world.counts.signatures, 2);
}

#[test]
fn every_rule_of_the_route_is_judged_on_every_hit() {
    let token = Token::partner("1111").claim("scope", json!("orders/list.orders")).compact();
    let mut world = warm(&token);
    for (method, target, reason) in [
        ("GET", "/companies/2222/orders", Reason::CompanyMismatch),
        ("GET", "/companies/1111/orders/42", Reason::ScopeMissing),
        ("POST", ORDERS, Reason::ScopeMissing),
    ] {
        let call = Call::new(method, target).bearer(&token);
        assert_eq!(world.outcome(&call), Outcome::Deny(403, reason), "{method} {target}");
    }
    assert_eq!(world.counts.signatures, 1);
}

#[test]
fn a_remembered_token_is_nothing_to_another_issuers_route() {
    let token = Token::partner("1111").compact();
    let mut world = warm(&token);
    for target in ["/companies/1111/users/1111/orders", "/companies/1111/users/1111/vouchers/v"] {
        let call = Call::get(target).bearer(&token);
        assert_eq!(world.outcome(&call), Outcome::Deny(401, Reason::AlgorithmNotAllowed), "{target}");
    }
}

#[test]
fn a_key_that_is_withdrawn_ends_within_five_minutes() {
    let token = Token::partner("1111").compact();
    let mut world = warm(&token);
    world.later(299);
    assert_eq!(world.outcome(&Call::get(ORDERS).bearer(&token)), Outcome::Permit);
    assert_eq!(world.counts.signatures, 1);
    world.publish(crate::support::token::PARTNERS_URL, &[&STRANGER_ED]);
    world.later(1);
    let outcome = world.outcome(&Call::get(ORDERS).bearer(&token));
    assert_eq!(outcome, Outcome::Deny(401, Reason::SignatureInvalid));
}

#[test]
fn a_clock_that_goes_backwards_has_the_token_checked_again() {
    let token = Token::partner("1111").compact();
    let mut world = World::example();
    world.now = at(100);
    world.permit(&Call::get(ORDERS).bearer(&token));
    world.now = at(50);
    assert_eq!(world.outcome(&Call::get(ORDERS).bearer(&token)), Outcome::Permit);
    assert_eq!(world.counts.signatures, 2);
}

#[test]
fn what_was_refused_is_not_remembered() {
    let mut world = World::example();
    for (token, reason) in [
        (Token::partner("1111").signed_by(&STRANGER_ED), Reason::SignatureInvalid),
        (Token::partner("1111").claim("aud", json!("x")), Reason::AudienceMismatch),
        (Token::partner("1111").claim("exp", json!(NOW)), Reason::Expired),
        (Token::partner("1111").claim("nbf", json!(NOW + 60)), Reason::NotYetValid),
    ] {
        let call = Call::get(ORDERS).bearer(token.compact());
        for _ in 0..2 {
            let before = world.counts.signatures;
            assert_eq!(world.outcome(&call), Outcome::Deny(401, reason));
            assert_eq!(world.counts.signatures, before + 1);
        }
    }
    // A token that was too early the first time is judged afresh when its time has come.
    let early = Call::get(ORDERS).bearer(Token::partner("1111").claim("nbf", json!(NOW + 60)).compact());
    assert_eq!(world.outcome(&early), Outcome::Deny(401, Reason::NotYetValid));
    world.now = at(60);
    assert_eq!(world.outcome(&early), Outcome::Permit);
}

/// Decides a made-up token without a look at its signature, and tells whether it was remembered.
fn begins_with_keys(authorizer: &Authorizer, token: &str, keys: &JwkSet) -> bool {
    let value = format!("Bearer {token}");
    let headers = [("authorization", value.as_str())];
    let progress = authorizer.begin(&Request { method: "GET", target: ORDERS, headers: &headers }, at(0));
    match progress {
        Progress::Decided(_) => false,
        needs_keys => {
            assert!(matches!(believe(needs_keys, keys, at(0)), Progress::Decided(_)));
            true
        }
    }
}

#[test]
fn memory_is_bounded_and_what_is_used_stays() {
    let authorizer = Authorizer::new(policies::example());
    let keys = JwkSet::parse(jwks(&[&PARTNERS_ED]).as_bytes()).unwrap();
    let token = |id: usize| Token::partner("1111").claim("jti", json!(id)).with_signature(&[7; 64]);
    let (used, unused) = (token(0), token(1));
    assert!(begins_with_keys(&authorizer, &used, &keys) && begins_with_keys(&authorizer, &unused, &keys));
    for id in 2..2_100 {
        assert!(begins_with_keys(&authorizer, &token(id), &keys));
        assert!(!begins_with_keys(&authorizer, &used, &keys), "{id}");
    }
    assert!(begins_with_keys(&authorizer, &unused, &keys));
    // What is forgotten leaves nothing behind that leads to it.
    assert!(format!("{authorizer:?}").contains("TokenCache { tokens: 2048, .. }"));
}

#[test]
fn warm_and_cold_caches_decide_alike() {
    let tokens = [
        Token::partner("1111"),
        Token::partner("2222"),
        Token::partner("1111").claim("scope", json!("orders/get.order")),
        Token::partner("1111").claim("aud", json!("x")),
        Token::user("user-manager"),
        Token::user("user-standard"),
        Token::user("user-percompany"),
        Token::user("1111"),
    ];
    let targets = [
        ORDERS,
        "/companies/2222/orders",
        "/companies/1111/orders/42",
        "/companies/1111/users/user-manager/orders",
        "/companies/1111/users/user-standard/orders",
        "/companies/2222/users/user-percompany/vouchers/v",
        "/companies/1111/users/1111/orders",
        "/health",
    ];
    let mut warm = World::example();
    for _ in 0..2 {
        for token in &tokens {
            let token = token.compact();
            for target in targets {
                let call = Call::get(target).bearer(&token);
                assert_eq!(warm.outcome(&call), World::example().outcome(&call), "{target}");
            }
        }
    }
}
