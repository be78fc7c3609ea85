//! The Lambda@Edge function behind the local CloudFront, while something that it needs is down, slow, changed or wrong.
//!
//! These go to CloudFront whichever edge the run is about.

use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::digest::sha256;
use postern_e2e::{
    Answer, PARTNERS, Session, session,
    stand_in::StandIn,
    steady::{Sample, Steady},
    wait,
};
use serde_json::{Value, json};

const ORDERS: &str = "/companies/1111/orders";
/// Asks for permissions anew each time, at a function URL that wants a signature.
const VOUCHER: &str = "/companies/1111/users/user-manager/vouchers/voucher-7";
/// Decided in an origin-request event.
const USER_ORDERS: &str = "/companies/1111/users/user-manager/orders";
/// Its body passes unread, to a function URL that wants a signature.
const LARGE: &str = "/tried/large";
/// A viewer-request event shows so much of a body.
const SHOWN: usize = 40 * 1024;
/// CloudFront ends a viewer-request function then.
const CLOUDFRONTS_PATIENCE: Duration = Duration::from_secs(5);
/// Longer than the function keeps its secrets without asking again.
const PAST_REFRESH: Duration = Duration::from_secs(6 * 60);
const HEX: &str = "x-amz-content-sha256";

fn unavailable(answer: Answer) {
    answer.denied(503, "temporarily_unavailable");
}

fn hex(octets: &[u8]) -> String {
    sha256(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The `kid` of an assertion.
fn kid(compact: &str) -> String {
    let header = compact.split('.').next().unwrap_or_default();
    let json = Base64UrlUnpadded::decode_vec(header).expect("base64url");
    let header: Value = serde_json::from_slice(&json).expect("a header");
    header["kid"].as_str().expect("a kid").to_owned()
}

#[test]
fn a_permissions_outage_is_503_and_heals() {
    let stack = session();
    let front = stack.cloudfront();
    let call = front.get(VOUCHER).bearer(&stack.user("user-manager"));
    call.send().expect(200);
    for mode in ["cut", "hang"] {
        stack.control().line("permissions", mode);
        let start = Instant::now();
        unavailable(call.send());
        assert!(start.elapsed() < CLOUDFRONTS_PATIENCE, "{mode}: {:?}", start.elapsed());
        stack.control().line("permissions", "open");
        wait::until("permissions are back", Duration::from_secs(10), || call.send().status() == 200);
    }
}

#[test]
fn sealed_keys_serve_a_cold_container_whose_issuer_is_down_and_not_past_their_maximum() {
    let stack = session();
    let front = stack.cloudfront();
    stack.control().jwks(PARTNERS, &json!({"mode": "status", "status": 500}));
    let sealed = || stack.control().mint(PARTNERS, json!({"key": "sealed"}));
    front.end_containers();
    front.get(ORDERS).bearer(&sealed()).send().expect(200);
    // A key that was not sealed cannot be told.
    unavailable(front.get(ORDERS).bearer(&stack.control().mint(PARTNERS, json!({}))).send());
    // Longer than any key set is kept; the token is of that time.
    let later = Duration::from_secs(8 * 24 * 3600);
    front.end_containers();
    front.move_clock(later);
    let now = postern_e2e::assertions::now().saturating_add(later).as_secs();
    let token = stack.control().mint(PARTNERS, json!({"key": "sealed", "claims": {"iat": now, "exp": now + 3600}}));
    unavailable(front.get(ORDERS).bearer(&token).send());
    // In time the same container serves it, so that it was the seeds' age and not the token.
    stack.control().jwks(PARTNERS, &json!({}));
    front.move_clock(Duration::ZERO);
    front.end_containers();
    front.get(ORDERS).bearer(&stack.partner("1111")).send().expect(200);
}

#[test]
fn a_cold_container_without_secrets_answers_503_and_recovers() {
    let stack = session();
    let front = stack.cloudfront();
    let call = front.get(ORDERS).bearer(&stack.partner("1111"));
    for mode in ["refuse", "hang", "nonsense", "error"] {
        front.end_containers();
        front.secrets(&json!({"mode": mode}));
        let start = Instant::now();
        unavailable(call.send());
        assert!(start.elapsed() < CLOUDFRONTS_PATIENCE, "{mode}: {:?}", start.elapsed());
        front.secrets(&json!({"mode": "serve"}));
        wait::until("secrets are back", Duration::from_secs(10), || call.send().status() == 200);
    }
    // One of its keys is missing: nothing is served with the others.
    front.end_containers();
    front.secrets(&json!({"values": {"POSTERN_KEY_VOUCHERS": null}}));
    unavailable(call.send());
}

#[test]
fn a_warm_container_goes_on_with_its_secrets_while_they_are_out_of_reach() {
    let stack = session();
    let front = stack.cloudfront();
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    let call = front.get(ORDERS).bearer(&stack.partner("1111"));
    front.end_containers();
    call.send().expect(200);
    let calls = front.count("/secrets/calls");
    front.secrets(&json!({"mode": "error"}));
    front.move_clock(PAST_REFRESH);
    for _ in 0..3 {
        call.send().expect(200);
    }
    assert!(front.count("/secrets/calls") > calls, "nobody asked for the secrets again");
    assert_eq!(services.seen().len(), 4);
}

/// The edge's keys for external orders: those it has, and after them the one that is next.
fn keys(stack: &Session) -> (Value, Value) {
    let old = stack.keys["external-orders"].clone();
    let mut rotated = old.clone();
    let keys = rotated["keys"].as_array_mut().expect("keys");
    assert!(keys.len() > 1, "the stack has one key alone: {}", keys.len());
    keys.reverse();
    (old, rotated)
}

#[test]
fn assertion_keys_rotate_while_requests_flow_and_none_fails() {
    let stack = session();
    let front = stack.cloudfront();
    let (_, rotated) = keys(&stack);
    let token = stack.partner("1111");
    let flow: Vec<Box<dyn Fn() -> postern_e2e::Call + Send>> = (0..3)
        .map(|_| {
            let call = front.get(ORDERS).bearer(&token);
            Box::new(move || call.clone()) as Box<dyn Fn() -> postern_e2e::Call + Send>
        })
        .collect();
    let steady = Steady::start(flow);
    steady.each_sends(3);
    front.secrets(&json!({"values": {"POSTERN_KEY_EXTERNAL_ORDERS": rotated}}));
    steady.each_sends(3);
    // Containers come and go: some have the old key, some the new one.
    front.end_containers();
    steady.each_sends(5);
    let samples: Vec<Sample> = steady.stop().into_iter().flatten().collect();
    let bad = samples.iter().find(|sample| sample.status() != 200);
    assert!(bad.is_none(), "of {} one was answered {bad:?}", samples.len());
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    front.get(ORDERS).bearer(&token).send().expect(200);
    let new = rotated["keys"][0]["kid"].as_str().expect("a kid");
    assert_eq!(kid(services.seen()[0].value("postern-assertion").expect("an assertion")), new);
}

#[test]
fn a_warm_container_takes_the_new_key_within_minutes() {
    let stack = session();
    let front = stack.cloudfront();
    let (old, rotated) = keys(&stack);
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    let call = front.get(ORDERS).bearer(&stack.partner("1111"));
    front.end_containers();
    call.send().expect(200);
    front.secrets(&json!({"values": {"POSTERN_KEY_EXTERNAL_ORDERS": rotated}}));
    call.send().expect(200);
    front.move_clock(PAST_REFRESH);
    call.send().expect(200);
    call.send().expect(200);
    let kids: Vec<String> =
        services.seen().iter().map(|head| kid(head.value("postern-assertion").expect("an assertion"))).collect();
    let (old, new) = (old["keys"][0]["kid"].as_str(), rotated["keys"][0]["kid"].as_str());
    assert_eq!((Some(kids[0].as_str()), Some(kids[1].as_str()), Some(kids[3].as_str())), (old, old, new), "{kids:?}");
    assert_eq!(front.count("/started") - front.count("/containers"), front.count("/started") - 1, "another container");
}

#[test]
fn whatever_hangs_the_answer_is_503_before_cloudfront_loses_patience() {
    let stack = session();
    let front = stack.cloudfront();
    let token = stack.control().mint("users", json!({"claims": {"sub": "user-manager"}}));
    let calls = [front.get(VOUCHER).bearer(&token), front.get(USER_ORDERS).bearer(&token)];
    for hanging in [&["secrets"][..], &["issuer"], &["permissions"], &["secrets", "issuer", "permissions"]] {
        for call in &calls {
            front.end_containers();
            for what in hanging {
                match *what {
                    "secrets" => front.secrets(&json!({"mode": "hang"})),
                    "issuer" => stack.control().jwks("users", &json!({"mode": "hang"})),
                    _ => stack.control().line("permissions", "hang"),
                }
            }
            let start = Instant::now();
            unavailable(call.send());
            assert!(start.elapsed() < CLOUDFRONTS_PATIENCE, "{hanging:?}: {:?}", start.elapsed());
            front.secrets(&json!({"mode": "serve"}));
            stack.control().jwks("users", &json!({"mode": "serve"}));
            stack.control().line("permissions", "open");
        }
    }
    assert_eq!(front.count("/timedOut"), 0, "CloudFront ended a function");
}

#[test]
fn a_request_whose_authorization_was_taken_for_awss_signature_is_accepted() {
    let stack = session();
    let front = stack.cloudfront();
    let token = stack.user("user-manager");
    let accepted = front.count("/functionUrl/accepted");
    front.get(VOUCHER).bearer(&token).send().expect(200);
    front.get(USER_ORDERS).bearer(&token).send().expect(200);
    let order = front.call("POST", USER_ORDERS).bearer(&token).header("content-type", "application/json");
    order.body("{\"quantity\": 3}").send().expect(201);
    assert_eq!(front.count("/functionUrl/accepted") - accepted, 3);
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "{}"));
    front.get(VOUCHER).bearer(&token).send().expect(200);
    let seen = services.seen();
    let authorization = seen[0].value("authorization").expect("a signature");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 "), "not CloudFront's");
    // Nobody gets there without one.
    let direct =
        postern_e2e::Call::new(&stack.cloudfront.function_urls, "GET", format!("/lambda-url/vouchers{VOUCHER}"));
    let answer = direct.bearer(&token).send().expect(403);
    assert_eq!(answer.header("x-amzn-errortype"), Some("AccessDeniedException"));
}

#[test]
fn a_body_that_the_function_sees_whole_is_signed_for_the_caller() {
    let stack = session();
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("201 Created", "", "{}"));
    let call = stack.cloudfront().call("POST", LARGE).bearer(&stack.partner("1111"));
    for body in [Vec::new(), b"{}".to_vec(), vec![0xFF; SHOWN]] {
        call.clone().body(body.clone()).send().expect(201);
        assert_eq!(services.seen().last().and_then(|head| head.value(HEX)), Some(hex(&body).as_str()));
    }
    // What the caller says of it does not count where the function sees it.
    call.clone().header(HEX, &hex(b"another")).body("{}").send().expect(201);
    assert_eq!(services.seen().last().and_then(|head| head.value(HEX)), Some(hex(b"{}").as_str()));
}

#[test]
fn a_body_that_the_function_does_not_see_whole_needs_its_hash_from_the_caller() {
    let stack = session();
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("201 Created", "", "{}"));
    let body = vec![b'x'; SHOWN + 1];
    let call = stack.cloudfront().call("POST", LARGE).bearer(&stack.partner("1111")).body(body.clone());
    for refused in [call.clone(), call.clone().header(HEX, "UNSIGNED-PAYLOAD"), call.clone().header(HEX, "00")] {
        let answer = refused.send().expect(400);
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(HEX), "{answer:?}");
    }
    // Two of them are none that could be relied on.
    call.clone().header(HEX, &hex(&body)).header(HEX, &hex(b"")).send().expect(400);
    assert!(services.seen().is_empty(), "{:?}", services.seen());
    call.clone().header(HEX, &hex(&body)).send().expect(201);
    // One that is not the body's is AWS's to refuse.
    call.header(HEX, &hex(b"another")).send().expect(403);
    assert_eq!(services.seen().len(), 1);
}

/// The distribution, with another origin behind the behaviour of that path pattern.
fn misdirected(distribution: &Value, pattern: &str, origin: &str) -> Value {
    let mut changed = distribution.clone();
    let behaviours = changed["CacheBehaviors"]["Items"].as_array_mut().expect("behaviours");
    let behaviour = behaviours.iter_mut().find(|behaviour| behaviour["PathPattern"] == pattern).expect("the behaviour");
    behaviour["TargetOriginId"] = origin.into();
    changed
}

#[test]
fn a_behaviour_with_another_origin_than_the_routes_serves_nobody() {
    let stack = session();
    let front = stack.cloudfront();
    let token = stack.user("user-manager");
    let distribution = front.distribution();
    // A viewer's event does not say which origin it will be: the one that it is refuses what is meant for another.
    front.distribute(&misdirected(&distribution, "/companies/*/users/*/vouchers/*", "external-orders"));
    front.get(VOUCHER).bearer(&token).send().denied(502, "bad_gateway");
    // An origin's event does.
    front.distribute(&misdirected(&distribution, "/companies/*/users/*/orders*", "vouchers"));
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    front.get(USER_ORDERS).bearer(&token).send().denied(502, "bad_gateway");
    assert!(services.seen().is_empty(), "{:?}", services.seen());
}

#[test]
fn a_thawed_container_gets_over_connections_that_were_closed_meanwhile() {
    let stack = session();
    let front = stack.cloudfront();
    let call = front.get(VOUCHER).bearer(&stack.user("user-manager"));
    front.end_containers();
    call.send().expect(200);
    let started = front.count("/started");
    for _ in 0..3 {
        // The other end hangs up while the container is frozen and cannot notice.
        stack.control().line("permissions", "cut");
        stack.control().line("permissions", "open");
        call.send().expect(200);
    }
    assert_eq!(front.count("/started"), started, "another container answered");
}

#[test]
fn a_request_waits_for_no_other() {
    let stack = session();
    let front = stack.cloudfront();
    let (company, user) = (stack.partner("1111"), stack.user("user-manager"));
    front.get(ORDERS).bearer(&company).send().expect(200);
    stack.control().line("permissions", "hang");
    let waiting = front.get(VOUCHER).bearer(&user);
    let waiting = std::thread::spawn(move || waiting.send());
    wait::until("one container is busy", Duration::from_secs(5), || {
        let state = front.state();
        state["containers"].as_u64() > state["idle"].as_u64()
    });
    front.get(ORDERS).bearer(&company).send().expect(200);
    unavailable(waiting.join().expect("an answer"));
}
