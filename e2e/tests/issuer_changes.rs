//! An issuer that changes its keys, and a clock that goes backwards: who is served meanwhile, and with how many fetches.
//! The edges' clocks stand still between the steps, so every count is exact.

use std::time::Duration;

use postern::cache::KEY_COOLDOWN;
use postern_e2e::{
    PARTNERS,
    fault_table::Row,
    gate::Gate,
    hostile_issuer::{published, serve_set},
    scene::Scene,
    session,
};
use serde_json::Value;

/// What `serve_set` says in `Cache-Control`.
const TTL: Duration = Duration::from_secs(300);
/// Within the last fifth of it.
const DUE: Duration = Duration::from_secs(250);

/// The set without one of its keys.
fn without(set: &Value, kid: &str) -> Value {
    let mut set = set.clone();
    set["keys"].as_array_mut().expect("keys").retain(|key| key["kid"] != kid);
    set
}

#[test]
fn a_key_that_was_removed_is_refused_once_the_set_was_fetched_again() {
    let stack = session();
    let old = stack.control().signing_key(PARTNERS);
    let first = published(&stack);
    // The rest of the set is good: a set without keys is a fault, not a removal.
    stack.control().add_key(PARTNERS, "ES256");
    let rest = without(&published(&stack), &old);
    stack.control().reset();

    let mut cold = Scene::new(&stack);
    cold.issuer.answers(serve_set(&rest));
    cold.known().denied(401, "invalid_token");
    cold.known().denied(401, "invalid_token");
    cold.expect(1, 0);
    cold.issuer.answers(serve_set(&first));
    cold.later(KEY_COOLDOWN);
    cold.known().expect(200);
    cold.expect(2, 1);

    let mut warm = Scene::new(&stack);
    warm.known().expect(200);
    warm.issuer.answers(serve_set(&rest));
    // Until the set is looked at again nobody can know.
    warm.known().expect(200);
    warm.expect(1, 2);
    warm.later(TTL);
    warm.known().denied(401, "invalid_token");
    warm.known().denied(401, "invalid_token");
    warm.expect(2, 2);
    // It comes back, as after a mistake.
    warm.issuer.answers(serve_set(&first));
    warm.later(KEY_COOLDOWN);
    warm.known().expect(200);
    warm.expect(3, 3);

    let row = Row {
        fault: "key removed",
        cold: "401; 200 once it is back",
        warm: "200 until the set is fetched again, then 401; 200 once it is back",
        allowed: "cold 2, warm 3".to_owned(),
        seen: format!("cold {}, warm {}", cold.issuer.fetches(), warm.issuer.fetches()),
    };
    row.write(&stack, 12);
}

#[test]
fn a_key_that_was_added_works_after_one_fetch() {
    let stack = session();
    let mut scene = Scene::new(&stack);
    scene.known().expect(200);
    scene.expect(1, 1);
    scene.later(KEY_COOLDOWN);
    stack.control().add_key(PARTNERS, "ES256");
    scene.issuer.answers(serve_set(&published(&stack)));
    for _ in 0..3 {
        scene.known().expect(200);
    }
    let row = Row {
        fault: "key added",
        cold: "",
        warm: "200",
        allowed: "warm 2".to_owned(),
        seen: format!("warm {}", scene.issuer.fetches()),
    };
    row.write(&stack, 13);
    scene.expect(2, 4);
}

#[test]
fn a_set_is_refreshed_before_its_time_is_over_and_nobody_waits_for_that() {
    let stack = session();
    let mut scene = Scene::new(&stack);
    scene.known().expect(200);
    let gate = Gate::default();
    let (passage, set) = (gate.passage(), published(&stack));
    scene.issuer.answers(move |arrival| {
        passage.wait();
        serve_set(&set)(arrival)
    });
    scene.later(DUE);
    // Answered while the refresh stands before the gate: whoever waited for it would not be.
    scene.known().expect(200);
    gate.holds(1);
    scene.known().expect(200);
    scene.expect(2, 3);
    gate.open();
    // Whoever asks for a key that is not there waits for the fetch that is under way.
    scene.unknown().denied(401, "invalid_token");
    // Past the end of the first set's time, and nobody fetches: the second is there.
    scene.later(TTL - DUE);
    scene.known().expect(200);
    let row = Row {
        fault: "set refreshed in time",
        cold: "",
        warm: "200, while the refresh is held",
        allowed: "warm 2".to_owned(),
        seen: format!("warm {}", scene.issuer.fetches()),
    };
    row.write(&stack, 14);
    assert_eq!(scene.issuer.fetches(), 2);
}

#[test]
fn with_a_clock_that_goes_backwards_the_set_is_fetched_anew_and_nobody_is_refused() {
    const BACK: Duration = Duration::from_secs(3600);
    let stack = session();
    let mut scene = Scene::new(&stack);
    scene.known().expect(200);
    scene.expect(1, 1);
    // How old the set is nobody can tell now.
    scene.earlier(BACK);
    for _ in 0..3 {
        scene.known().expect(200);
    }
    scene.unknown().denied(401, "invalid_token");
    scene.expect(2, 4);
    // And once more while the issuer is out of reach: known keys work, and of others nobody can tell.
    scene.earlier(BACK);
    scene.issuer.answers(|arrival| arrival.answer("500 Internal Server Error", "", ""));
    for _ in 0..3 {
        scene.known().expect(200);
    }
    scene.unknown().denied(503, "temporarily_unavailable");
    scene.expect(3, 7);
    // Forward again, to where the first set was.
    scene.later(BACK + BACK);
    scene.issuer.answers(serve_set(&published(&stack)));
    for _ in 0..3 {
        scene.known().expect(200);
    }
    let row = Row {
        fault: "clock going backwards",
        cold: "",
        warm: "200",
        allowed: "warm 4".to_owned(),
        seen: format!("warm {}", scene.issuer.fetches()),
    };
    row.write(&stack, 15);
    scene.expect(4, 10);
}

#[test]
fn a_cold_edge_whose_clock_goes_backwards_after_a_failure_asks_again() {
    let stack = session();
    let mut scene = Scene::new(&stack);
    scene.issuer.answers(|arrival| arrival.answer("500 Internal Server Error", "", ""));
    scene.known().denied(503, "temporarily_unavailable");
    scene.expect(1, 0);
    scene.issuer.answers(serve_set(&published(&stack)));
    // A failure that lies ahead of the clock is no reason to wait an hour.
    scene.earlier(Duration::from_secs(3600));
    scene.known().expect(200);
    let row = Row {
        fault: "the same, after a failure",
        cold: "503; 200 at once when it is over",
        warm: "",
        allowed: "cold 2".to_owned(),
        seen: format!("cold {}", scene.issuer.fetches()),
    };
    row.write(&stack, 16);
    scene.expect(2, 1);
}
