//! The core beside the naive model, on random policies and requests, and what must hold whatever they are.

use std::collections::BTreeMap;

use postern::{query::parameter, target::CanonicalTarget};
use postern_corpus::{
    Expect, World,
    case::{Facts, Request},
    driver::shuffle,
    drivers::host::{self, Stage},
    model::{self, policy::Policy, query},
    queries,
    random::{self, Caller, Chance, Language, Place, RandomPolicy},
};

/// Policies, and requests for each.
const POLICIES: u64 = 150;
const REQUESTS: usize = 40;

fn as_they_are(name: &str) -> String {
    name.to_owned()
}

fn stage(policy: &RandomPolicy, world: &World) -> Stage {
    Stage::with_policy(policy.build().expect("it builds"), world).expect("the world stands")
}

fn decide(stage: &Stage, request: &Request) -> Expect {
    stage.decide(request, host::portable)
}

/// Runs `property` on many policies, each with its requests.
fn for_each(seed: u64, mut property: impl FnMut(&mut Chance, &RandomPolicy, &World, &[Request])) {
    let world = random::world(&as_they_are);
    for index in 0..POLICIES {
        let mut chance = Chance::of(seed * 1_000_000 + index);
        let callers = random::callers(&mut chance, 6, &as_they_are);
        let policy = RandomPolicy::random(&mut chance, 7, Language::Whole);
        let requests = requests(&mut chance, &policy, &callers);
        property(&mut chance, &policy, &world, &requests);
    }
}

fn requests(chance: &mut Chance, policy: &RandomPolicy, callers: &[Caller]) -> Vec<Request> {
    (0..REQUESTS).map(|_| random::request(chance, policy, callers, &as_they_are).0).collect()
}

#[test]
fn the_core_and_the_naive_model_are_of_one_opinion() {
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for_each(1, |_, policy, world, requests| {
        let (stage, model) = (stage(policy, world), Policy::parse(&policy.toml()).expect("the model reads it"));
        for request in requests {
            let expected = model::decide(&model, world, request, Facts::default());
            let mut found = decide(&stage, request);
            // Which of the request's fields reach the origin is no part of the decision.
            if let Expect::Permit(permit) = &mut found {
                permit.reaching = None;
            }
            assert_eq!(found, expected, "{request:?}\n{}", policy.toml());
            let outcome = match expected {
                Expect::Permit(_) => "permit".to_owned(),
                Expect::Deny(deny) => deny.reason,
                Expect::Preflight {} => "preflight".to_owned(),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
    });
    println!("{outcomes:?}");
    let all: usize = outcomes.values().sum();
    assert!(outcomes["permit"] * 10 > all * 3, "too few permits: {outcomes:?}");
    for reason in [
        "no_route",
        "method_not_allowed",
        "path_ambiguous",
        "credential_missing",
        "issuer_mismatch",
        "issuer_unknown",
        "scope_missing",
        "condition_unmet",
        "subject_mismatch",
        "company_mismatch",
        "company_unspecified",
        "query_ambiguous",
        "query_name",
        "query_question_mark",
        "query_method_override",
        "role_missing",
    ] {
        assert!(outcomes.contains_key(reason), "never seen: {reason} in {outcomes:?}");
    }
}

#[test]
fn queries_are_read_as_the_naive_model_reads_them() {
    let mut chance = Chance::of(6);
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..40_000 {
        let (text, name) = queries::random(&mut chance);
        let Ok(target) = CanonicalTarget::parse(&text) else { continue };
        let expected = query::read(&text, name, None);
        let read = parameter(&target, name);
        assert_eq!(read.as_ref().map_err(|error| error.code()), expected.as_ref().map_err(|reason| *reason), "{text}");
        *outcomes.entry(expected.map_or_else(|reason| reason, |_| "read")).or_default() += 1;
    }
    println!("{outcomes:?}");
    // All reasons but that of a method's override, and no reason.
    assert_eq!(outcomes.len(), 10, "{outcomes:?}");
    assert!(outcomes.values().all(|count| *count > 50), "{outcomes:?}");
}

#[test]
fn another_rule_never_grants() {
    let mut taken = 0;
    for_each(2, |chance, policy, world, requests| {
        let mut stricter = policy.clone();
        let place = chance.below(stricter.routes.len());
        let route = &mut stricter.routes[place];
        if route.issuers.is_empty() {
            route.issuers = vec!["staff"];
        } else {
            match chance.below(5) {
                0 => route.all_of = vec!["read", "write", "list"],
                1 => route.tier = true,
                2 if route.path.contains(&"{user}") => route.subject = true,
                3 if route.company == Place::Any => route.company = Place::Path,
                _ if !matches!(route.company, Place::Nowhere | Place::Any)
                    && route.roles.len() != 1
                    && !route.issuers.contains(&"machines") =>
                {
                    route.roles = vec!["Manager"];
                }
                _ => route.any_of = vec!["list"],
            }
        }
        if stricter.build().is_none() {
            return;
        }
        // A list of roles or of scopes of which one will do may also have been replaced by another one.
        let replaced = !policy.routes[place].any_of.is_empty() && stricter.routes[place].any_of == ["list"];
        let (before, after) = (stage(policy, world), stage(&stricter, world));
        for request in requests {
            match (decide(&before, request), decide(&after, request)) {
                (Expect::Permit(before), Expect::Permit(after)) => assert_eq!(before.route, after.route),
                (Expect::Permit(_), _) => taken += 1,
                // Its own route no longer lets in whom the stricter one, of which it may be a spelling, does not.
                (Expect::Deny(before), Expect::Permit(_)) if before.reason == "path_ambiguous" => {}
                (_, Expect::Permit(_)) if replaced => panic!("`list` is one of those that would do before"),
                (before, Expect::Permit(after)) => {
                    panic!("{before:?} became {after:?}\n{request:?}\n{}\nbefore:\n{}", stricter.toml(), policy.toml())
                }
                _ => {}
            }
        }
    });
    assert!(taken > 100, "the rules that were added took away no more than {taken}");
}

#[test]
fn other_names_for_companies_and_subjects_change_no_decision() {
    let renamed = |name: &str| match name {
        "1" => "company-one".to_owned(),
        "2" => "1".to_owned(),
        _ => "2".to_owned(),
    };
    let shown = |name: &Option<String>| name.as_deref().map(renamed);
    let (world, other_world) = (random::world(&as_they_are), random::world(&renamed));
    let mut permits = 0;
    for index in 0..POLICIES {
        // The same choices twice: once with these names and once with those.
        let (mut chance, mut other) = (Chance::of(3_000_000 + index), Chance::of(3_000_000 + index));
        let callers = random::callers(&mut chance, 6, &as_they_are);
        let other_callers = random::callers(&mut other, 6, &renamed);
        let policy = RandomPolicy::random(&mut chance, 7, Language::Whole);
        let same = RandomPolicy::random(&mut other, 7, Language::Whole);
        assert_eq!(policy.toml(), same.toml());
        let (stage, other_stage) = (stage(&policy, &world), stage(&same, &other_world));
        for _ in 0..REQUESTS {
            let (request, _) = random::request(&mut chance, &policy, &callers, &as_they_are);
            let (other_request, _) = random::request(&mut other, &same, &other_callers, &renamed);
            match (decide(&stage, &request), decide(&other_stage, &other_request)) {
                (Expect::Permit(one), Expect::Permit(two)) => {
                    permits += 1;
                    assert_eq!((&one.route, &one.roles), (&two.route, &two.roles));
                    assert_eq!((shown(&one.company), shown(&one.subject)), (two.company, two.subject));
                }
                (one, two) => assert_eq!(one, two, "{request:?} {other_request:?}\n{}", policy.toml()),
            }
        }
    }
    assert!(permits > 1500, "{permits}");
}

#[test]
fn the_order_of_routes_does_not_matter() {
    for_each(4, |_, policy, world, requests| {
        let mut shuffled = policy.clone();
        shuffle(&mut shuffled.routes);
        let mut backwards = policy.clone();
        backwards.routes.reverse();
        let stages = [stage(policy, world), stage(&shuffled, world), stage(&backwards, world)];
        for request in requests {
            let decisions = stages.each_ref().map(|stage| decide(stage, request));
            assert!(decisions.iter().all(|decision| *decision == decisions[0]), "{request:?}\n{}", policy.toml());
        }
    });
}

#[test]
fn what_is_remembered_decides_nothing() {
    for_each(5, |chance, policy, world, requests| {
        // Each cold decision takes an authoriser of its own.
        if !chance.happens(25) {
            return;
        }
        let requests = &requests[..REQUESTS / 2];
        let cold: Vec<Expect> = requests.iter().map(|request| decide(&stage(policy, world), request)).collect();
        let warm = stage(policy, world);
        let mut order: Vec<usize> = (0..requests.len()).chain(0..requests.len()).chain(0..requests.len()).collect();
        shuffle(&mut order);
        for place in order {
            assert_eq!(decide(&warm, &requests[place]), cold[place], "{:?}\n{}", requests[place], policy.toml());
        }
    });
}
