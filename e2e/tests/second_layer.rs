//! What a new isolate knows before it asks an issuer: what another isolate of its data centre fetched, and what was
//! sealed into the build.

use std::{thread, time::Duration};

use postern_e2e::{
    PARTNERS, USERS, caching_edge::DataCentre, cold::ColdEdge, control::PAST_COOLDOWN, planted::with_planted_panic,
    session, wait,
};
use serde_json::json;

/// A refresh goes on behind the answer.
const PATIENCE: Duration = Duration::from_secs(5);
const PARTNER_TARGET: &str = "/companies/1111/orders";
const USER_TARGET: &str = "/companies/1111/users/user-manager/orders";

#[test]
fn a_new_isolate_takes_keys_from_the_data_centre_and_not_from_the_issuer() {
    let stack = session();
    let centre = DataCentre::new(&stack);
    let fetches = || (stack.control().jwks_fetches(PARTNERS), stack.control().jwks_fetches(USERS));
    let (partners, users) = fetches();
    for _ in 0..3 {
        let edge = centre.isolate(&stack);
        let partner = stack.control().mint(PARTNERS, json!({}));
        assert_eq!(edge.get(PARTNER_TARGET).bearer(&partner).send().status(), 200);
        let user = stack.control().mint(USERS, json!({}));
        assert_eq!(edge.get(USER_TARGET).bearer(&user).send().status(), 200);
    }
    assert_eq!(fetches(), (partners + 1, users + 1));
    // In another data centre nobody has fetched them yet.
    let elsewhere = DataCentre::new(&stack);
    let edge = elsewhere.isolate(&stack);
    let partner = stack.control().mint(PARTNERS, json!({}));
    assert_eq!(edge.get(PARTNER_TARGET).bearer(&partner).send().status(), 200);
    assert_eq!(fetches(), (partners + 2, users + 1));
}

#[test]
fn a_new_isolate_serves_known_keys_while_the_issuer_is_down() {
    let stack = session();
    let centre = DataCentre::new(&stack);
    let token = || stack.control().mint(PARTNERS, json!({}));
    assert_eq!(centre.isolate(&stack).get(PARTNER_TARGET).bearer(&token()).send().status(), 200);
    let token = token();
    stack.control().jwks(PARTNERS, &json!({"mode": "status", "status": 500}));
    assert_eq!(centre.isolate(&stack).get(PARTNER_TARGET).bearer(&token).send().status(), 200);
    // Without the second layer it is what a cold start is.
    let elsewhere = DataCentre::new(&stack);
    assert_eq!(elsewhere.isolate(&stack).get(PARTNER_TARGET).bearer(&token).send().status(), 503);
}

#[test]
fn a_sealed_key_serves_a_cold_edge_whose_issuer_is_down_and_is_refreshed_at_first_use() {
    let stack = session();
    stack.control().jwks(PARTNERS, &json!({"mode": "status", "status": 500}));
    let before = stack.control().jwks_fetches(PARTNERS);
    let edge = ColdEdge::start_with(&stack, |config| with_planted_panic(&stack, config));
    let sealed = || stack.control().mint(PARTNERS, json!({"key": "sealed"}));
    assert_eq!(edge.get(PARTNER_TARGET).bearer(&sealed()).send().status(), 200);
    wait::until("the issuer is asked for its keys", PATIENCE, || stack.control().jwks_fetches(PARTNERS) > before);
    // Whatever key the seed has not cannot be told now, and the seed still serves.
    let current = stack.control().mint(PARTNERS, json!({}));
    assert_eq!(edge.get(PARTNER_TARGET).bearer(&current).send().status(), 503);
    assert_eq!(edge.get(PARTNER_TARGET).bearer(&sealed()).send().status(), 200);
    // The issuer is back: what it publishes counts, and the sealed key is not among it.
    stack.control().jwks(PARTNERS, &json!({}));
    thread::sleep(PAST_COOLDOWN);
    let current = stack.control().mint(PARTNERS, json!({}));
    assert_eq!(edge.get(PARTNER_TARGET).bearer(&current).send().status(), 200);
    assert_eq!(edge.get(PARTNER_TARGET).bearer(&sealed()).send().status(), 401);
}
