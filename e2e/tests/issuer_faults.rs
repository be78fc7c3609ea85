//! Faults at an issuer: what each means for an edge without keys and for one with keys, and how often the issuer is
//! asked meanwhile. The edges' clocks stand still between the steps, so every count is exact.
//!
//! For each fault the same promise: without keys 503 and never a permit; with keys, those go on working until
//! `DEFAULT_JWKS_MAX_STALE`, then 503; once the fault has ended, 200. A `kid` that a stale set lacks is 503 and not 401,
//! since nobody can tell. Rotations, floods and clocks that go backwards are in `issuer_changes.rs` and `issuer_floods.rs`.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use postern::{cache::KEY_COOLDOWN, policy::DEFAULT_JWKS_MAX_STALE};
use postern_e2e::{
    Session,
    fault_table::Row,
    gate::Gate,
    hostile_issuer::{published, refuse, serve_set, speak_no_tls},
    scene::Scene,
    server::Arrival,
    session,
};

/// What `serve_set` says in `Cache-Control`.
const TTL: Duration = Duration::from_secs(300);
const DENIED: (u16, &str) = (503, "temporarily_unavailable");

/// Both phases of one fault, and its row of the table. Gives the TLS handshakes that were begun.
#[track_caller]
fn fault<F>(number: u8, name: &'static str, stack: &Session, respond: F) -> u64
where
    F: Fn(Arrival) -> io::Result<()> + Clone + Send + Sync + 'static,
{
    let (cold, warm) = (cold(stack, respond.clone()), warm(stack, respond));
    let seen = (cold.issuer.fetches(), warm.issuer.fetches());
    let row = Row {
        fault: name,
        cold: "503; 200 once it is over",
        warm: "200 for 6 h, then 503; 200 once it is over",
        allowed: format!("cold {}, warm {}", COLD_FETCHES, WARM_FETCHES),
        seen: format!("cold {}, warm {}", seen.0, seen.1),
    };
    row.write(stack, number);
    assert_eq!(seen, (COLD_FETCHES, WARM_FETCHES), "fetches of the key set, cold and warm");
    cold.issuer.handshakes() + warm.issuer.handshakes()
}

const COLD_FETCHES: u64 = 3;

/// An edge that has no keys when the fault begins.
#[track_caller]
fn cold(stack: &Session, respond: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static) -> Scene<'_> {
    let mut scene = Scene::new(stack);
    scene.issuer.answers(respond);
    scene.known().denied(DENIED.0, DENIED.1);
    // The issuer is left alone for a while, whatever is asked of the edge.
    scene.known().denied(DENIED.0, DENIED.1);
    scene.unknown().denied(DENIED.0, DENIED.1);
    scene.expect(1, 0);
    scene.later(KEY_COOLDOWN);
    scene.known().denied(DENIED.0, DENIED.1);
    scene.expect(2, 0);
    scene.issuer.answers(serve_set(&published(stack)));
    scene.later(KEY_COOLDOWN);
    scene.known().expect(200);
    assert_eq!(scene.issuer.permitted(), 1);
    assert_eq!(scene.issuer.astray(), 0, "a redirect was followed");
    scene
}

const WARM_FETCHES: u64 = 6;

/// An edge that has keys when the fault begins.
#[track_caller]
fn warm(stack: &Session, respond: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static) -> Scene<'_> {
    let mut scene = Scene::new(stack);
    scene.known().expect(200);
    scene.expect(1, 1);
    scene.issuer.answers(respond);
    // The set is past its time: the first caller waits for the fetch, in vain, and is served all the same.
    scene.later(TTL);
    scene.known().expect(200);
    scene.known().expect(200);
    scene.unknown().denied(DENIED.0, DENIED.1);
    scene.expect(2, 3);
    // From here on nobody whose key is known waits. Whoever's is not does, until the fetch in the background has failed.
    scene.later(KEY_COOLDOWN);
    scene.known().expect(200);
    scene.unknown().denied(DENIED.0, DENIED.1);
    scene.expect(3, 4);
    // Shortly before the hard maximum, from the fetch that succeeded.
    scene.later(DEFAULT_JWKS_MAX_STALE - TTL - KEY_COOLDOWN - KEY_COOLDOWN);
    scene.known().expect(200);
    scene.unknown().denied(DENIED.0, DENIED.1);
    scene.expect(4, 5);
    // At the maximum.
    scene.later(KEY_COOLDOWN);
    scene.known().denied(DENIED.0, DENIED.1);
    scene.expect(5, 5);
    scene.issuer.answers(serve_set(&published(stack)));
    scene.later(KEY_COOLDOWN);
    scene.known().expect(200);
    assert_eq!(scene.issuer.permitted(), 6);
    assert_eq!(scene.issuer.astray(), 0, "a redirect was followed");
    scene
}

#[test]
fn with_the_connection_refused_known_keys_go_on_and_a_cold_edge_is_503() {
    fault(1, "connection refused", &session(), refuse);
}

#[test]
fn with_a_key_set_slower_than_the_timeout_known_keys_go_on_and_a_cold_edge_is_503() {
    let stack = session();
    // Shut until every answer has been seen.
    let gate = Gate::default();
    let (passage, set) = (gate.passage(), published(&stack));
    fault(2, "slower than the timeout", &stack, move |arrival| {
        passage.wait();
        serve_set(&set)(arrival)
    });
}

#[test]
fn with_a_key_set_that_starts_and_never_ends_known_keys_go_on_and_a_cold_edge_is_503() {
    let stack = session();
    let gate = Gate::default();
    let passage = gate.passage();
    fault(3, "a body that stops half-way", &stack, move |arrival| {
        let mut stream = arrival.stream();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"keys\":")?;
        passage.wait();
        Ok(())
    });
}

#[test]
fn with_status_500_known_keys_go_on_and_a_cold_edge_is_503() {
    let stack = session();
    // The body of an error is no key set, even if it looks like one.
    let set = published(&stack).to_string();
    fault(4, "status 500", &stack, move |arrival| arrival.answer("500 Internal Server Error", "", &set));
}

#[test]
fn with_a_page_of_status_200_known_keys_go_on_and_a_cold_edge_is_503() {
    fault(5, "HTML with status 200", &session(), |arrival| {
        arrival.answer("200 OK", "content-type: text/html\r\n", "<!doctype html><title>Sign in</title>")
    });
}

#[test]
fn with_a_body_shorter_than_it_says_known_keys_go_on_and_a_cold_edge_is_503() {
    let stack = session();
    // Whole as JSON, so that only the length tells.
    let set = published(&stack).to_string();
    fault(6, "fewer octets than content-length", &stack, move |arrival| {
        let length = set.len() + 1;
        write!(arrival.stream(), "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{set}")
    });
}

#[test]
fn with_json_that_is_cut_off_known_keys_go_on_and_a_cold_edge_is_503() {
    let stack = session();
    let mut set = published(&stack).to_string();
    set.truncate(set.len() - 2);
    fault(7, "JSON cut off", &stack, move |arrival| {
        arrival.answer("200 OK", "content-type: application/jwk-set+json\r\n", &set)
    });
}

#[test]
fn with_a_body_of_100_mb_the_edge_hangs_up_known_keys_go_on_and_a_cold_edge_is_503() {
    const WHOLE: usize = 100_000_000;
    /// `MAX_JWKS_BYTES` is 256 KiB; the rest are the buffers of the system and of the runtime.
    const MOST: u64 = 10_000_000;
    let stack = session();
    let mut start = published(&stack).to_string();
    start.truncate(start.len() - 1);
    let most_sent = Arc::new(AtomicU64::new(0));
    let most = Arc::clone(&most_sent);
    fault(8, "100 MB", &stack, move |arrival| {
        let mut stream = arrival.stream();
        // A key set indeed, if somebody read it to its end.
        write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {WHOLE}\r\n\r\n{start}")?;
        let (mut sent, piece) = (start.len(), [b' '; 65_536]);
        while sent < WHOLE - 1 {
            let next = piece.len().min(WHOLE - 1 - sent);
            let written = stream.write_all(&piece[..next]);
            sent += next;
            most.fetch_max(sent as u64, Ordering::SeqCst);
            written?;
        }
        stream.write_all(b"}")
    });
    let sent = most_sent.load(Ordering::SeqCst);
    assert!(sent > 0 && sent < MOST, "{sent} octets were taken");
}

#[test]
fn with_a_redirect_nobody_goes_there_known_keys_go_on_and_a_cold_edge_is_503() {
    let stack = session();
    // What is there would do: `HostileIssuer` serves good keys at every other path, and counts who asks.
    let location = format!("location: {}/elsewhere\r\n", stack.partners.issuer);
    fault(9, "redirect (its target: never asked)", &stack, move |arrival| arrival.answer("302 Found", &location, ""));
}

#[test]
fn with_a_tls_error_known_keys_go_on_and_a_cold_edge_is_503() {
    let handshakes = fault(10, "TLS error", &session(), speak_no_tls);
    // Each fetch while it lasted.
    assert_eq!(handshakes, 2 + 4);
}

#[test]
fn with_an_empty_key_set_known_keys_go_on_and_a_cold_edge_is_503() {
    fault(11, "empty set", &session(), serve_set(&serde_json::json!({"keys": []})));
}
