//! An instance of the WebAssembly that traps: whoever it was serving is answered with 503 at once, and the next request
//! is served by a new instance, which knows no keys yet.
//!
//! The Worker here is the same, built with a way to trap on request (`edge/src/cloudflare/planted.rs`).

use std::{thread, time::Duration};

use postern_e2e::{
    PARTNERS, Platform, Session,
    client::Connection,
    cold::ColdEdge,
    gate::Gate,
    hostile_issuer::{HostileIssuer, published, serve_set},
    planted::{FIELD, with_planted_panic},
    random,
    scene::TARGET,
    session, wait,
};
use serde_json::json;

/// Requests in flight when the instance traps.
const OTHERS: usize = 5;

/// Longer than what is planted for later takes.
const PLANTED_LATER: Duration = Duration::from_millis(800);

/// The ways in which a request itself ends the instance.
const WAYS: [&str; 7] = ["at-once", "after-an-await", "in-a-promise", "in-a-timer", "stack", "calls", "memory"];

struct Trap<'s> {
    stack: &'s Session,
    issuer: HostileIssuer,
    edge: ColdEdge,
}

impl<'s> Trap<'s> {
    fn new(stack: &'s Session) -> Self {
        let issuer = HostileIssuer::start(stack);
        let edge = ColdEdge::start_with(stack, |config| issuer.in_front_of(&with_planted_panic(stack, config)));
        Self { stack, issuer, edge }
    }

    fn token(&self) -> String {
        self.stack.control().mint(PARTNERS, json!({}))
    }

    #[track_caller]
    fn is_served(&self) {
        self.edge.get(TARGET).bearer(&self.token()).send().expect(200);
    }

    /// Sends good requests and leaves them in flight.
    #[track_caller]
    fn others(&self, count: usize) -> Vec<Connection> {
        let send = |_| {
            let mut connection = Connection::open(&self.edge.url()).expect("a connection");
            connection.ask(&self.edge.get(TARGET).bearer(&self.token())).expect("sent");
            connection
        };
        (0..count).map(send).collect()
    }

    /// The request that ends the instance, and those that it took along.
    #[track_caller]
    fn traps(&self, how: &str, others: Vec<Connection>) {
        let planted = self.edge.get(TARGET).bearer(&self.token()).header(FIELD, how);
        planted.send().denied(503, "temporarily_unavailable");
        for mut other in others {
            other.answer().expect("an answer").denied(503, "temporarily_unavailable");
        }
    }
}

/// Two instances have asked for the keys, each once for the enforced policy. For the policy that is only tried each may ask
/// once more.
fn assert_two_instances_asked(trap: &Trap<'_>, how: &str) {
    let fetches = trap.issuer.fetches();
    assert!((2..=2 * Platform::KEY_CACHES).contains(&fetches), "{how}: {fetches} fetches by two instances");
}

#[test]
fn whoever_waits_for_an_order_when_the_instance_traps_is_503_and_the_next_is_served() {
    let stack = session();
    for how in WAYS {
        println!("{how}");
        let trap = Trap::new(&stack);
        trap.is_served();
        let gate = Gate::default();
        let passage = gate.passage();
        trap.issuer.answers_orders(move |arrival| {
            passage.wait();
            arrival.answer("200 OK", "", "")
        });
        let others = trap.others(OTHERS);
        gate.holds(OTHERS);
        // Answered while no order is: what the old instance was doing is over.
        trap.traps(how, others);
        assert_eq!(trap.issuer.permitted(), 1 + OTHERS as u64, "{how}");
        gate.open();
        for _ in 0..3 {
            trap.is_served();
        }
        // The new instance asked for the keys, once.
        assert_two_instances_asked(&trap, how);
    }
}

#[test]
fn whoever_waits_for_keys_when_the_instance_traps_is_503_and_the_next_is_served() {
    let stack = session();
    for how in WAYS {
        println!("{how}");
        let trap = Trap::new(&stack);
        let gate = Gate::default();
        let (passage, set) = (gate.passage(), published(&stack));
        trap.issuer.answers(move |arrival| {
            passage.wait();
            serve_set(&set)(arrival)
        });
        let others = trap.others(OTHERS);
        gate.holds(1);
        trap.traps(how, others);
        assert_eq!(trap.issuer.permitted(), 0, "{how}");
        trap.issuer.answers(serve_set(&published(&stack)));
        trap.is_served();
        // The old instance's keys arrive where nobody waits for them, and harm nobody.
        gate.open();
        for _ in 0..3 {
            trap.is_served();
        }
        assert_two_instances_asked(&trap, how);
    }
}

#[test]
fn an_instance_without_memory_for_a_request_to_begin_is_replaced() {
    let stack = session();
    let trap = Trap::new(&stack);
    trap.is_served();
    let hoarder = trap.edge.get(TARGET).bearer(&trap.token()).header(FIELD, "memory-later");
    hoarder.send().expect(200);
    // Until its memory is gone it serves; then one request is lost, and none after that.
    let lost = || trap.edge.get(TARGET).bearer(&trap.token()).send();
    wait::until("the instance has no memory", Duration::from_secs(5), || lost().status() == 503);
    for _ in 0..3 {
        trap.is_served();
    }
}

#[test]
fn whoever_waits_for_an_order_when_memory_runs_out_is_not_left_waiting() {
    let stack = session();
    let trap = Trap::new(&stack);
    trap.is_served();
    let gate = Gate::default();
    // So many fields that an answer takes memory to pass on.
    let fields: String = (0..200).map(|number| format!("x-a-field-with-a-rather-long-name-{number}: 1\r\n")).collect();
    let passage = gate.passage();
    trap.issuer.answers_orders(move |arrival| {
        passage.wait();
        arrival.answer("200 OK", &fields, "")
    });
    let others = trap.others(OTHERS);
    gate.holds(OTHERS);
    trap.edge.get(TARGET).header(FIELD, "memory-later").send().denied(401, "missing_token");
    thread::sleep(PLANTED_LATER);
    gate.open();
    let statuses: Vec<u16> = others.into_iter().map(|mut other| other.answer().expect("an answer").status()).collect();
    // Those whose turn came before it was noticed may have found enough.
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
    assert!(statuses.contains(&503), "{statuses:?}: memory has not run out");
    for _ in 0..3 {
        trap.is_served();
    }
}

#[test]
fn a_timer_that_outlives_its_instance_does_not_harm_the_next() {
    let stack = session();
    let trap = Trap::new(&stack);
    trap.edge.get(TARGET).bearer(&trap.token()).header(FIELD, "timer").send().expect(200);
    trap.traps("at-once", Vec::new());
    trap.is_served();
    thread::sleep(PLANTED_LATER);
    trap.is_served();
    // Twice cold, and not a third time.
    assert_two_instances_asked(&trap, "at-once");
}

#[test]
fn what_a_panic_says_is_not_written_down() {
    let stack = session();
    let trap = Trap::new(&stack);
    let (token, word) = (trap.token(), random::word("quoted"));
    // The planted panic quotes its field, as a panic of a library would quote the text that it fell over.
    let planted = trap.edge.get(TARGET).bearer(&token).header(FIELD, &format!("quote {word}"));
    planted.send().denied(503, "temporarily_unavailable");
    wait::until("the log has the panic", Duration::from_secs(5), || trap.edge.log().contains("\"panicked\""));
    let log = trap.edge.log();
    assert!(log.contains("planted.rs"), "it says where: {log}");
    assert!(!log.contains(&word) && !log.contains(&token), "{log}");
}

#[test]
fn an_instance_traps_again_and_again_and_the_next_request_is_served_each_time() {
    let stack = session();
    let trap = Trap::new(&stack);
    for round in 1..=10 {
        trap.is_served();
        trap.traps(WAYS[round % WAYS.len()], Vec::new());
    }
    trap.is_served();
    assert_eq!(trap.issuer.permitted(), 11);
}
