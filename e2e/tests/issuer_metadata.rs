//! Faults in what an issuer says of itself, where the policy leaves it to that to say where the keys are (OpenID Connect
//! Discovery 1.0 §4). An edge without keys answers 503, asks for no key set, and recovers.

use std::io;

use postern::cache::KEY_COOLDOWN;
use postern_e2e::{Session, fault_table::Row, gate::Gate, scene::Scene, server::Arrival, session};
use serde_json::{Value, json};

/// What the stack's partners' issuer would say, with one member changed.
fn metadata(stack: &Session, member: &str, value: &str) -> Value {
    let mut metadata = json!({"issuer": stack.partners.issuer, "jwks_uri": stack.partners.jwks});
    metadata[member] = value.into();
    metadata
}

fn say(metadata: &Value) -> impl Fn(Arrival) -> io::Result<()> + Send + Sync + use<> {
    let content = metadata.to_string();
    move |arrival| arrival.answer("200 OK", "content-type: application/json\r\n", &content)
}

#[track_caller]
fn fault(
    (number, name): (u8, &'static str),
    stack: &Session,
    respond: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static,
) {
    let mut scene = Scene::new(stack);
    scene.issuer.answers_metadata(respond);
    for _ in 0..2 {
        scene.known().denied(503, "temporarily_unavailable");
    }
    // Neither the key set, nor any other place, nor an order.
    scene.expect(0, 0);
    assert_eq!(scene.issuer.looks_at_metadata(), 1, "{name}");
    scene.issuer.tells_the_truth();
    scene.later(KEY_COOLDOWN);
    scene.known().expect(200);
    let row = Row {
        fault: name,
        cold: "503; 200 once it is over",
        warm: "",
        allowed: "metadata 2, cold 1".to_owned(),
        seen: format!("metadata {}, cold {}", scene.issuer.looks_at_metadata(), scene.issuer.fetches()),
    };
    row.write(stack, number);
    assert_eq!(scene.issuer.looks_at_metadata(), 2, "{name}");
    scene.expect(1, 1);
}

#[test]
fn metadata_of_another_issuer_leads_nowhere() {
    let stack = session();
    for other in [&stack.users.issuer, &format!("{}/", stack.partners.issuer), "https://evil.example"] {
        fault((30, "metadata of another issuer"), &stack, say(&metadata(&stack, "issuer", other)));
    }
}

#[test]
fn a_key_set_where_no_policy_may_have_one_is_not_asked_for() {
    let stack = session();
    for place in [
        "http://evil.example/jwks",
        "http://127.0.0.1.evil.example/jwks",
        "http://user@127.0.0.1:1/jwks",
        "https://evil.example/../jwks",
        "file:///etc/passwd",
        "/jwks",
        "",
    ] {
        fault((31, "metadata that names a place that may not be"), &stack, say(&metadata(&stack, "jwks_uri", place)));
    }
}

#[test]
fn metadata_that_is_none_is_503() {
    let stack = session();
    let good = metadata(&stack, "x", "").to_string();
    let (cut, error) = (good[..good.len() - 1].to_owned(), good.clone());
    let huge = metadata(&stack, "x", &"x".repeat(100_000));
    let elsewhere = format!("location: {}/elsewhere\r\n", stack.partners.issuer);
    fault((32, "metadata with status 500"), &stack, move |arrival| {
        arrival.answer("500 Internal Server Error", "", &error)
    });
    fault((33, "metadata that is HTML"), &stack, |arrival| arrival.answer("200 OK", "", "<title>Sign in</title>"));
    fault((34, "metadata cut off"), &stack, move |arrival| arrival.answer("200 OK", "", &cut));
    fault((35, "metadata past its cap"), &stack, say(&huge));
    fault((36, "metadata that is elsewhere"), &stack, move |arrival| arrival.answer("302 Found", &elsewhere, ""));
    fault((37, "metadata without a key set"), &stack, say(&json!({"issuer": stack.partners.issuer})));
}

#[test]
fn metadata_slower_than_the_timeout_is_503() {
    let stack = session();
    let gate = Gate::default();
    let (passage, late) = (gate.passage(), say(&metadata(&stack, "x", "")));
    fault((38, "metadata slower than the timeout"), &stack, move |arrival| {
        passage.wait();
        late(arrival)
    });
}
