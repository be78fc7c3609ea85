//! A policy that is only tried decides nothing: enforced decisions with any shadow equal those without.
//!
//! The model: an instance of an edge with its caches goes through a history of requests, of what the service and the issuer
//! do, and of the clock. The same history is gone through twice, with the shadow tried and without. Its control plants the
//! fault that the model is for: caches that what is only tried shares with what is enforced.

mod instance;
mod variants;

use std::sync::LazyLock;

use postern::Purpose;
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRng, TestRunner},
};

use crate::support::Call;

use instance::{Instance, Service, Step, calls};
use variants::Variant;

static VARIANTS: LazyLock<Vec<Variant>> = LazyLock::new(variants::all);
static CALLS: LazyLock<Vec<Call>> = LazyLock::new(calls);

fn enforced(variant: &Variant, steps: &[Step], shares_caches: bool, is_tried: bool) -> Vec<String> {
    Instance::new(variant, shares_caches).run(steps, &CALLS, is_tried)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let request = (0..CALLS.len(), prop::bool::weighted(0.1), prop::option::weighted(0.8, prop::bool::weighted(0.1)));
    let role = (prop::sample::select(vec!["u", "v"]), any::<bool>());
    let pauses: Vec<i64> = vec![0, 500, 1_999, 2_000, 3_000, 5_000, 12_000, 61_000, 301_000, 1_000_000, -3_000];
    let step = prop_oneof![
        12 => request.prop_map(|(call, hangs, tried)| Step::Request { call, hangs, tried }),
        3 => prop::sample::select(vec![Purpose::Enforce, Purpose::Try]).prop_map(|of| Step::Answer { of }),
        2 => prop::sample::select(vec![Service::Answers, Service::Fails, Service::Limits]).prop_map(Step::Service),
        3 => role.prop_map(|(subject, is_manager)| Step::Role { subject, is_manager }),
        1 => any::<bool>().prop_map(Step::Issuer),
        1 => Just(Step::Rotate),
        8 => prop::sample::select(pauses).prop_map(Step::Clock),
    ];
    prop::collection::vec(step, 1..40)
}

fn search(shares_caches: bool, cases: u32) -> Result<(), TestError<(usize, Vec<Step>)>> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, random).run(&(0..VARIANTS.len(), steps()), |(index, steps)| {
        let variant = &VARIANTS[index];
        let with = enforced(variant, &steps, shares_caches, true);
        let without = enforced(variant, &steps, shares_caches, false);
        prop_assert_eq!(with, without, "{}", &variant.name);
        Ok(())
    })
}

#[test]
fn enforced_decisions_with_any_shadow_equal_those_without() {
    let cases = Config::default().cases.max(2_000);
    search(false, cases).unwrap_or_else(|error| panic!("{error}"));
}

/// Without it the model could be blind.
#[test]
fn the_model_finds_caches_that_a_shadow_shares_with_what_is_enforced() {
    let found = search(true, 2_000);
    assert!(matches!(found, Err(TestError::Fail(..))), "{found:?}");
}

#[test]
fn every_field_of_the_policy_that_a_shadow_may_change_is_changed() {
    assert_eq!(variants::changed_fields(), variants::fields());
}

/// Requests on every route at every age of what is remembered, with each variant tried after each request.
#[test]
fn no_field_of_a_shadow_changes_an_enforced_decision() {
    let requests = |tried| (0..CALLS.len()).map(move |call| Step::Request { call, hangs: false, tried });
    let mut steps: Vec<Step> = Vec::new();
    for pause in [0, 2_000, 5_000, 12_000, 61_000] {
        steps.push(Step::Clock(pause));
        steps.extend(requests(Some(false)));
        steps.push(Step::Role { subject: "u", is_manager: pause % 4_000 == 0 });
    }
    for variant in &*VARIANTS {
        let (with, without) = (enforced(variant, &steps, false, true), enforced(variant, &steps, false, false));
        assert_eq!(with, without, "{}", variant.name);
        assert!(with.iter().any(|said| said.starts_with("permit")), "{}", variant.name);
    }
}

/// The known fault: the service refuses the shadow's edge, and the failure keeps a withdrawn role in use.
#[test]
fn a_role_that_is_withdrawn_does_not_live_on_by_a_shadow_of_another_edge() {
    let request = |call, tried| Step::Request { call, hangs: false, tried };
    // The shadow asks each time, and the enforced route does not ask for 20 s.
    let slow = |pause| [Step::Clock(pause), request(1, Some(false))];
    let mut steps = vec![request(0, None), Step::Role { subject: "u", is_manager: false }];
    steps.extend([1_000, 5_000, 6_000].into_iter().flat_map(slow));
    steps.push(request(0, None));
    let variant = variants::that_asks_anew_as_another_edge();
    for (shares_caches, is_tried, expected) in
        [(false, true, "deny role_missing"), (true, true, "permit orders"), (true, false, "deny role_missing")]
    {
        let said = enforced(&variant, &steps, shares_caches, is_tried);
        assert!(said.last().unwrap().starts_with(expected), "{shares_caches} {is_tried}: {said:?}");
    }
}
