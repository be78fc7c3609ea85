//! Many callers at once: of an edge without keys, and with keys that nobody has.

use std::{
    thread,
    time::{Duration, Instant},
};

use postern::cache::KEY_COOLDOWN;
use postern_e2e::{
    PARTNERS, Session,
    client::Connection,
    cold::ColdEdge,
    fault_table::Row,
    gate::Gate,
    hostile_issuer::{HostileIssuer, published, serve_set},
    scene::{Scene, TARGET, with_made_up_kid},
    session,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

const CALLERS: usize = 1000;
/// Time for requests that were sent to have come in; nothing is concluded from it.
const ARRIVAL: Duration = Duration::from_millis(300);

/// A thousand callers are two thousand connections, and both ends of half of them are this process's.
fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
        .expect("as many files as the system allows");
}

/// Connections to an edge, on which nothing was sent yet.
fn connections(edge: &ColdEdge, count: usize) -> Vec<Connection> {
    (0..count).map(|_| Connection::open(&edge.url()).expect("a connection")).collect()
}

fn tokens(stack: &Session, count: usize) -> Vec<String> {
    (0..count).map(|_| stack.control().mint(PARTNERS, json!({}))).collect()
}

/// An issuer that holds its key set back until the gate opens.
fn held(stack: &Session, gate: &Gate) -> HostileIssuer {
    let issuer = HostileIssuer::start(stack);
    hold(&issuer, stack, gate);
    issuer
}

fn hold(issuer: &HostileIssuer, stack: &Session, gate: &Gate) {
    let (passage, set) = (gate.passage(), published(stack));
    issuer.answers(move |arrival| {
        passage.wait();
        serve_set(&set)(arrival)
    });
}

#[track_caller]
fn all_are_200(callers: Vec<Connection>) {
    for (number, mut caller) in callers.into_iter().enumerate() {
        let answer = caller.answer().unwrap_or_else(|error| panic!("caller {number}: {error}"));
        assert_eq!(answer.status(), 200, "caller {number}: {answer:?}");
    }
}

#[test]
fn a_thousand_requests_at_once_on_a_cold_isolate_cause_one_fetch() {
    allow_many_connections();
    let stack = session();
    let tokens = tokens(&stack, 20);
    let gate = Gate::default();
    let issuer = held(&stack, &gate);
    let edge = issuer.edge(&stack);
    let mut callers = connections(&edge, CALLERS);
    for (caller, token) in callers.iter_mut().zip(tokens.iter().cycle()) {
        caller.ask(&edge.get(TARGET).bearer(token)).expect("sent");
    }
    gate.holds(1);
    thread::sleep(ARRIVAL);
    gate.open();
    all_are_200(callers);
    let row = Row {
        fault: "1,000 requests at once",
        cold: "200 each",
        warm: "",
        allowed: "cold 1".to_owned(),
        seen: format!("cold {}", issuer.fetches()),
    };
    row.write(&stack, 17);
    assert_eq!((issuer.fetches(), issuer.permitted()), (1, CALLERS as u64));
}

#[test]
fn when_the_first_of_a_thousand_hangs_up_in_the_middle_of_its_fetch_the_rest_are_served() {
    const MOST: u64 = 2;
    allow_many_connections();
    let stack = session();
    let tokens = tokens(&stack, 20);
    let gate = Gate::default();
    let issuer = held(&stack, &gate);
    let edge = issuer.edge(&stack);
    let mut callers = connections(&edge, CALLERS);
    let mut leader = callers.swap_remove(0);
    leader.ask(&edge.get(TARGET).bearer(&tokens[0])).expect("sent");
    gate.holds(1);
    for (caller, token) in callers.iter_mut().zip(tokens.iter().cycle()) {
        caller.ask(&edge.get(TARGET).bearer(token)).expect("sent");
    }
    thread::sleep(ARRIVAL);
    leader.reset().expect("hung up");
    thread::sleep(ARRIVAL);
    gate.open();
    all_are_200(callers);
    let row = Row {
        fault: "1,000 at once, the first hangs up",
        cold: "200 each of the rest",
        warm: "",
        allowed: format!("cold {MOST}"),
        seen: format!("cold {}", issuer.fetches()),
    };
    row.write(&stack, 18);
    assert!((1..=MOST).contains(&issuer.fetches()), "{} fetches", issuer.fetches());
    assert!(issuer.permitted() >= CALLERS as u64 - 1);
}

#[test]
fn ten_thousand_made_up_kids_cause_one_fetch_a_cooldown_and_none_is_permitted() {
    const MANY: usize = 10_000;
    const THREADS: usize = 4;
    let stack = session();
    let issuer = HostileIssuer::start(&stack);
    let edge = issuer.edge(&stack);
    let good = tokens(&stack, 50);
    edge.get(TARGET).bearer(&good[0]).send().expect(200);
    let start = Instant::now();
    let floods: Vec<_> = (0..THREADS)
        .map(|_| {
            let (mut connection, url) = (Connection::open(&edge.url()).expect("a connection"), edge.get(TARGET));
            thread::spawn(move || {
                let mut send = || -> std::io::Result<u16> {
                    connection.ask(&url.clone().bearer(&with_made_up_kid()))?;
                    Ok(connection.answer()?.status())
                };
                (0..MANY / THREADS).map(|_| send().unwrap_or(0)).collect::<Vec<u16>>()
            })
        })
        .collect();
    for token in &good {
        edge.get(TARGET).bearer(token).send().expect(200);
    }
    let statuses: Vec<u16> = floods.into_iter().flat_map(|flood| flood.join().expect("a flood")).collect();
    let lasted = start.elapsed();
    // The first keys, and then one fetch for each cooldown that has begun.
    let most = 1 + lasted.as_millis() as u64 / KEY_COOLDOWN.as_millis() as u64 + 1;
    let row = Row {
        fault: "10,000 made-up kids",
        cold: "",
        warm: "200 to good tokens, 401 to these",
        allowed: format!("warm {most} ({:.1} s)", lasted.as_secs_f64()),
        seen: format!("warm {}", issuer.fetches()),
    };
    row.write(&stack, 19);
    assert_eq!(statuses.len(), MANY);
    let refused = statuses.iter().filter(|status| matches!(status, 401 | 503)).count();
    assert_eq!(refused, MANY, "some were not refused");
    assert_eq!(issuer.permitted(), 1 + good.len() as u64);
    assert!(issuer.fetches() <= most, "{} fetches in {lasted:?}, more than {most}", issuer.fetches());
}

#[test]
fn while_the_fetch_for_a_made_up_kid_is_held_good_tokens_are_answered() {
    const GOOD: u64 = 10;
    let stack = session();
    let mut scene = Scene::new(&stack);
    scene.known().expect(200);
    let gate = Gate::default();
    hold(&scene.issuer, &stack, &gate);
    scene.later(KEY_COOLDOWN);
    let good: Vec<_> = (0..GOOD).map(|_| scene.call()).collect();
    let mut flood = connections(&scene.edge, 50);
    for made_up in &mut flood {
        made_up.ask(&scene.edge.get(TARGET).bearer(&with_made_up_kid())).expect("sent");
    }
    gate.holds(1);
    for call in &good {
        call.send().expect(200);
    }
    // All of them came before this, and before the fetch was given up: that would be 503 to those who wait for it.
    gate.open();
    for mut made_up in flood {
        made_up.answer().expect("an answer").denied(401, "invalid_token");
    }
    let row = Row {
        fault: "made-up kids, their fetch held open",
        cold: "",
        warm: "200 to good tokens before it ends",
        allowed: "warm 2".to_owned(),
        seen: format!("warm {}", scene.issuer.fetches()),
    };
    row.write(&stack, 20);
    scene.expect(2, 1 + GOOD);
}
