//! How soon a change is felt, and what is answered while nobody can tell.

use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use http::Request;
use lambda_http::Body;
use postern::{assertion::AssertionKeys, policy::from_toml};

use postern_e2e::{
    Answer, Call, PARTNERS, Platform, Session, USERS, assertions,
    cold::ColdEdge,
    control::{PAST_COOLDOWN, sleep_until},
    freshness_table::Row,
    random, session,
    stand_in::StandIn,
    steady::{Sample, Steady},
    wait,
};
use postern_origin::{
    authorize::AuthorizeLayer,
    enforcer::Enforcer,
    orders::SampleStore,
    services::{internal_orders, vouchers},
};
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _};

const EXAMPLE: &str = include_str!("../../postern.toml");

/// Permissions may be 2 s old here.
const LIST: &str = "/companies/1111/users/user-manager/orders";
const LIST_MAX_AGE: Duration = Duration::from_secs(2);
/// And 30 s here.
const GET: &str = "/companies/1111/users/user-manager/orders/sample-1";
/// Asked anew each time: POST to [`LIST`], and this.
const VOUCHER: &str = "/companies/1111/users/user-manager/vouchers/voucher-7";

const PARTNER_TARGET: &str = "/companies/1111/orders";

fn record(companies: &Value, role: &str) -> Value {
    json!({"companies": companies, "role": role})
}

/// Requests of these methods and targets to both edges, all with one user's token.
fn flow(stack: &Session, requests: &[(&'static str, &'static str)]) -> Steady {
    let token = stack.user("user-manager");
    let mut kinds: Vec<Box<dyn Fn() -> Call + Send>> = Vec::new();
    for (_, edge) in stack.edges() {
        for (method, target) in requests.iter().copied() {
            let (edge, token) = (edge.to_owned(), token.clone());
            kinds.push(Box::new(move || Call::new(&edge, method, target).bearer(&token)));
        }
    }
    Steady::start(kinds)
}

/// Fails unless every request that ended before `change` was permitted and every one sent from `gone` on denied.
#[track_caller]
fn check(samples: &[Sample], change: Instant, gone: Instant) {
    let (before, after): (Vec<_>, Vec<_>) = samples.iter().partition(|sample| sample.ended <= change);
    let permitted = |sample: &Sample| matches!(sample.status(), 200 | 201);
    if let Some(bad) = before.iter().find(|sample| !permitted(sample)) {
        panic!("before the change: {bad:?}");
    }
    let late: Vec<_> = after.iter().filter(|sample| sample.began >= gone).collect();
    if let Some(bad) = late.iter().find(|sample| sample.status() != 403) {
        panic!("{:?} after the change: {bad:?}", bad.began.duration_since(change));
    }
    assert!(before.len() >= 3 && late.len() >= 3, "{} before, {} after", before.len(), late.len());
    // In between it is the one or the other, and once denied it stays so.
    let first_denial = after.iter().position(|sample| !permitted(sample)).unwrap_or(after.len());
    if let Some(bad) = after[first_denial..].iter().find(|sample| sample.status() != 403) {
        panic!("denied, and then again: {bad:?}");
    }
}

#[test]
fn a_downgrade_is_felt_within_the_routes_permissions_max_age() {
    let stack = session();
    let steady = flow(&stack, &[("GET", LIST)]);
    steady.each_sends(3);
    let sent = Instant::now();
    stack.control().put_permissions("user-manager", &record(&json!(["1111"]), "Standard"));
    let change = Instant::now();
    sleep_until(change + LIST_MAX_AGE);
    steady.each_sends(3);
    for samples in steady.stop() {
        check(&samples, sent, change + LIST_MAX_AGE);
    }
}

/// Takes a role away while `ask` asks all the time, and writes down until when it was permitted.
fn measure(stack: &Session, driver: &str, max_age: Duration, ask: impl Fn() -> u16) {
    stack.control().put_permissions("user-manager", &record(&json!(["1111"]), "Manager"));
    // The record is remembered from here on, where it is remembered at all; an earlier one has had its time.
    wait::until("the role is felt", LIST_MAX_AGE + Duration::from_millis(500), || ask() == 200);
    stack.control().put_permissions("user-manager", &record(&json!(["1111"]), "Standard"));
    let change = Instant::now();
    let (mut last_permit, mut requests) = (None, 0);
    // However slow an edge is that has just started, it is asked some times.
    while change.elapsed() < max_age + Duration::from_millis(500) || requests < 10 {
        let began = change.elapsed();
        match ask() {
            200 => last_permit = Some(began),
            403 => {}
            status => panic!("{driver}: {status}"),
        }
        requests += 1;
    }
    Row { driver, max_age, last_permit, requests }.write(stack);
    assert!(last_permit.is_none_or(|after| after < max_age), "{driver}: {last_permit:?} after the change");
}

/// Behind the tower layer, on the stack's policy: a service that decides for itself.
fn behind_the_layer(stack: &Session) -> impl Fn(&str, &str) -> u16 {
    let overlay = fs::read_to_string(stack.logs.with_file_name("overlay.toml")).expect("the stack's overlay");
    let policy = from_toml(EXAMPLE, Some(&overlay)).unwrap_or_else(|errors| panic!("{errors}"));
    let keys = AssertionKeys::from_json(&stack.keys["permissions"].to_string()).expect("keys");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let enforcer = Arc::new(Enforcer::new(policy, Some(keys)).expect("an enforcer").with_log(|_| ()));
    move |target, token| {
        let layer = AuthorizeLayer::new(Arc::clone(&enforcer));
        let request = Request::get(target).header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::Empty).expect("a request");
        let answer = runtime.block_on(async {
            match target {
                VOUCHER => layer.layer(vouchers::router()).oneshot(request).await,
                _ => layer.layer(internal_orders::router(SampleStore::default())).oneshot(request).await,
            }
        });
        answer.expect("an answer").status().as_u16()
    }
}

#[test]
fn how_long_after_a_downgrade_access_is_gone_is_measured_for_each_driver() {
    let stack = session();
    let token = stack.user("user-manager");
    let native = behind_the_layer(&stack);
    for (target, max_age) in [(VOUCHER, Duration::ZERO), (LIST, LIST_MAX_AGE)] {
        for (name, edge) in stack.edges() {
            let call = Call::new(edge, "GET", target).bearer(&token);
            measure(&stack, name, max_age, || call.send().status());
        }
        measure(&stack, "tower layer", max_age, || native(target, &token));
    }
}

#[test]
fn at_zero_a_downgrade_is_felt_at_once() {
    let stack = session();
    let steady = flow(&stack, &[("POST", LIST), ("GET", VOUCHER)]);
    steady.each_sends(3);
    let sent = Instant::now();
    stack.control().put_permissions("user-manager", &record(&json!(["1111"]), "Standard"));
    let change = Instant::now();
    steady.each_sends(3);
    for samples in steady.stop() {
        check(&samples, sent, change);
    }
}

#[test]
fn a_company_taken_away_and_a_record_deleted_are_felt_at_once_at_zero() {
    let stack = session();
    let token = stack.user("user-manager");
    let voucher = stack.get(VOUCHER).bearer(&token);
    voucher.send().expect(200);
    stack.control().put_permissions("user-manager", &record(&json!(["2222"]), "Manager"));
    voucher.send().denied(403, "access_denied");
    stack.control().put_permissions("user-manager", &record(&json!(["2222", "1111"]), "Manager"));
    voucher.send().expect(200);
    stack.control().delete_permissions("user-manager");
    voucher.send().denied(403, "access_denied");
}

#[test]
fn a_role_given_is_felt_within_the_routes_permissions_max_age() {
    let stack = session();
    let token = stack.user("user-standard");
    let list = stack.get("/companies/1111/users/user-standard/orders").bearer(&token);
    list.send().denied(403, "access_denied");
    stack.control().put_permissions("user-standard", &record(&json!(["1111"]), "Manager"));
    let change = Instant::now();
    wait::until("the role is felt", LIST_MAX_AGE + Duration::from_millis(500), || list.send().status() == 200);
    sleep_until(change + LIST_MAX_AGE);
    list.send().expect(200);
}

#[test]
fn what_one_route_may_remember_another_asks_anew() {
    let stack = session();
    let token = stack.user("user-manager");
    stack.get(VOUCHER).bearer(&token).send().expect(200);
    stack.control().put_permissions("user-manager", &record(&json!(["1111"]), "Standard"));
    // The record is a moment old: good enough for the route that takes 30 s, and for no stricter one.
    stack.get(GET).bearer(&token).send().expect(200);
    stack.get(VOUCHER).bearer(&token).send().denied(403, "access_denied");
}

#[test]
fn with_the_permissions_service_down_the_answer_is_503_and_never_an_old_permit() {
    let stack = session();
    let steady = flow(&stack, &[("GET", LIST), ("POST", LIST), ("GET", VOUCHER)]);
    steady.each_sends(3);
    let sent = Instant::now();
    stack.control().line("permissions", "cut");
    let down = Instant::now();
    sleep_until(down + LIST_MAX_AGE);
    steady.each_sends(3);
    let seen = steady.stop();
    stack.control().line("permissions", "open");
    for (number, samples) in seen.iter().enumerate() {
        let limit = if number % 3 == 0 { down + LIST_MAX_AGE } else { down };
        for sample in samples {
            let expected: &[u16] = if sample.ended <= sent {
                &[200, 201]
            } else if sample.began >= limit {
                &[503]
            } else {
                &[200, 201, 503]
            };
            assert!(expected.contains(&sample.status()), "{sample:?}");
        }
        let answer = samples.last().and_then(|sample| sample.answer.clone()).expect("an answer");
        answer.denied(503, "temporarily_unavailable");
    }
    let token = stack.user("user-manager");
    stack.get(VOUCHER).bearer(&token).send().expect(200);
}

#[test]
fn with_the_permissions_service_down_what_needs_no_permissions_goes_on() {
    let stack = session();
    let (company, user) = (stack.partner("1111"), stack.user("user-manager"));
    stack.control().line("permissions", "cut");
    stack.get(PARTNER_TARGET).bearer(&company).send().expect(200);
    // What is refused without asking is refused as ever.
    stack.get(VOUCHER).send().denied(401, "missing_token");
    stack.get("/companies/1111/users/user-standard/vouchers/v").bearer(&user).send().denied(403, "access_denied");
    let unscoped = stack.control().mint(USERS, json!({"claims": {"scope": "openid"}}));
    stack.get(LIST).bearer(&unscoped).send().denied(403, "insufficient_scope");
    let expired = stack.control().mint(USERS, json!({"claims": {"exp": 1_700_000_000}}));
    stack.get(VOUCHER).bearer(&expired).send().denied(401, "invalid_token");
}

#[test]
fn a_permissions_service_that_hangs_is_given_up_in_time() {
    let stack = session();
    let token = stack.user("user-manager");
    stack.control().line("permissions", "hang");
    let start = Instant::now();
    stack.get(VOUCHER).bearer(&token).send().denied(503, "temporarily_unavailable");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "it took {took:?}");
}

#[test]
fn a_slow_permissions_service_is_waited_for() {
    let stack = session();
    let token = stack.user("user-manager");
    stack.control().line("permissions", "slow");
    stack.get(VOUCHER).bearer(&token).send().expect(200);
}

#[test]
fn a_permissions_service_that_talks_nonsense_is_one_that_cannot_tell() {
    let record = |id: &str, rest: &str| format!(r#"{{"id":"{id}",{rest}}}"#);
    let good = record("user-manager", r#""companies":["1111"],"role":"Manager""#);
    let huge =
        record("user-manager", &format!(r#""companies":["1111"],"role":"Manager","x":"{}""#, "x".repeat(500_000)));
    let nonsense: Vec<(&str, &str, String)> = vec![
        ("500 Internal Server Error", "", good.clone()),
        ("401 Unauthorized", "", good.clone()),
        ("403 Forbidden", "", good.clone()),
        ("302 Found", "location: http://127.0.0.1:1/\r\n", good.clone()),
        ("204 No Content", "", String::new()),
        // Not the state that an edge may have asked about.
        ("304 Not Modified", "etag: \"another\"\r\n", String::new()),
        ("206 Partial Content", "", good.clone()),
        ("200 OK", "content-type: text/html\r\n", "<html>Manager</html>".to_owned()),
        ("200 OK", "", String::new()),
        ("200 OK", "", "null".to_owned()),
        ("200 OK", "", format!("[{good}]")),
        ("200 OK", "", format!("{good}{good}")),
        ("200 OK", "", good[..good.len() - 1].to_owned()),
        ("200 OK", "", record("user-standard", r#""companies":["1111"],"role":"Manager""#)),
        ("200 OK", "", record("user-manager", r#""companies":["1111"],"role":["Manager"]"#)),
        ("200 OK", "", record("user-manager", r#""companies":"1111","role":"Manager""#)),
        ("200 OK", "", record("user-manager", r#""companies":["2222"],"companies":["1111"],"role":"Manager""#)),
        ("200 OK", "", huge),
    ];
    let stack = session();
    let token = stack.user("user-manager");
    for (status, fields, content) in nonsense {
        let (shown, fields) = (content.chars().take(80).collect::<String>(), fields.to_owned());
        let service = StandIn::for_permissions(&stack, move |arrival| arrival.answer(status, &fields, &content));
        let answer = stack.get(VOUCHER).bearer(&token).send();
        assert_eq!(answer.status(), 503, "{status} {shown}: {answer:?}");
        answer.denied(503, "temporarily_unavailable");
        let most = Platform::current().asks_without_an_answer();
        assert!((1..=most).contains(&service.seen().len()), "{status} {shown}: asked more than {most} times");
    }
    let service = StandIn::for_permissions(&stack, move |arrival| arrival.answer("200 OK", "", &good));
    stack.get(VOUCHER).bearer(&token).send().expect(200);
    drop(service);
    let service = StandIn::for_permissions(&stack, |arrival| arrival.answer("404 Not Found", "", ""));
    stack.get(VOUCHER).bearer(&token).send().denied(403, "access_denied");
    drop(service);
}

#[test]
fn with_the_table_behind_the_permissions_service_down_the_answer_is_503() {
    let stack = session();
    let token = stack.user("user-manager");
    let voucher = stack.get(VOUCHER).bearer(&token);
    for mode in ["cut", "hang"] {
        stack.control().line("dynamodb", mode);
        let start = Instant::now();
        voucher.send().denied(503, "temporarily_unavailable");
        assert!(start.elapsed() < Duration::from_secs(5), "{mode}: it took {:?}", start.elapsed());
        stack.control().line("dynamodb", "open");
        wait::until("the table is back", Duration::from_secs(5), || voucher.send().status() == 200);
    }
}

#[test]
fn with_a_service_down_the_answer_is_502_and_readable() {
    let stack = session();
    let token = stack.partner("1111");
    let call = stack.get(PARTNER_TARGET).bearer(&token).header("origin", &stack.page);
    stack.control().line("origins", "cut");
    let answer = call.send().expect(502);
    if Platform::current().answers_for_unreachable_origins() {
        let answer = answer.denied(502, "bad_gateway");
        assert_eq!(answer.header("access-control-allow-origin"), Some(stack.page.as_str()));
    } else {
        assert_eq!(answer.code(), None, "{answer:?}");
    }
    // Who may not, is told so all the same.
    stack.get("/companies/2222/orders").bearer(&token).send().denied(403, "access_denied");
    stack.control().line("origins", "open");
    wait::until("the service is back", Duration::from_secs(5), || call.send().status() == 200);
}

/// Shows a token of 3 to 4 s until well after its end.
fn outlive(stack: &Session, issuer: &str, requests: &[(&'static str, &'static str)]) {
    let now = assertions::now();
    let expiry = now.as_secs() + 4;
    let end = Instant::now() + Duration::from_millis(expiry * 1000 - now.as_millis());
    let token = stack.control().mint(issuer, json!({"claims": {"exp": expiry}}));
    let mut kinds: Vec<Box<dyn Fn() -> Call + Send>> = Vec::new();
    for (_, edge) in stack.edges() {
        for (method, target) in requests.iter().copied() {
            let (edge, token) = (edge.to_owned(), token.clone());
            kinds.push(Box::new(move || Call::new(&edge, method, target).bearer(&token)));
        }
    }
    let steady = Steady::start(kinds);
    sleep_until(end);
    steady.each_sends(3);
    for samples in steady.stop() {
        let mut permitted = samples.iter().filter(|sample| sample.ended < end).peekable();
        assert!(permitted.peek().is_some(), "no answer before the end");
        for sample in permitted {
            assert!(matches!(sample.status(), 200 | 201), "{sample:?}");
        }
        let late: Vec<&Sample> = samples.iter().filter(|sample| sample.began >= end).collect();
        assert!(late.len() >= 3, "only {} after the end", late.len());
        for sample in late {
            sample.answer.clone().expect("an answer").denied(401, "invalid_token");
        }
    }
}

#[test]
fn a_permit_that_is_remembered_does_not_outlive_the_partners_token() {
    outlive(&session(), PARTNERS, &[("GET", PARTNER_TARGET), ("POST", PARTNER_TARGET)]);
}

#[test]
fn a_permit_that_is_remembered_does_not_outlive_the_users_token() {
    outlive(&session(), USERS, &[("GET", LIST), ("GET", GET), ("GET", VOUCHER)]);
}

/// Ways in which a key set can be out of reach or worthless.
fn outages() -> Vec<(&'static str, Value)> {
    let huge = json!({"keys": [], "padding": "x".repeat(900_000)}).to_string();
    vec![
        ("status 500", json!({"mode": "status", "status": 500})),
        ("status 404", json!({"mode": "status", "status": 404})),
        ("a redirect", json!({"mode": "status", "status": 302, "body": "{\"keys\":[]}"})),
        ("a page", json!({"mode": "body", "body": "<html>sign in</html>"})),
        ("no keys", json!({"mode": "body", "body": "{\"keys\":[]}", "contentType": "application/json"})),
        ("a huge body", json!({"mode": "body", "body": huge, "contentType": "application/json"})),
        ("a closed port", json!({"mode": "refuse"})),
        ("a hang", json!({"mode": "hang"})),
    ]
}

#[test]
fn with_an_issuers_keys_out_of_reach_known_keys_go_on_working_and_unknown_ones_are_503() {
    let stack = session();
    let token = stack.control().mint(PARTNERS, json!({}));
    stack.get(PARTNER_TARGET).bearer(&token).send().expect(200);
    thread::sleep(PAST_COOLDOWN);
    stack.control().jwks(PARTNERS, &json!({"mode": "status", "status": 500}));
    let unknown = stack.control().mint(PARTNERS, json!({"header": {"kid": random::word("unknown")}}));
    for _ in 0..2 {
        stack.get(PARTNER_TARGET).bearer(&unknown).send().denied(503, "temporarily_unavailable");
        let fresh = stack.control().mint(PARTNERS, json!({}));
        stack.get(PARTNER_TARGET).bearer(&fresh).send().expect(200);
    }
    stack.control().jwks(PARTNERS, &json!({"mode": "serve"}));
    wait::until("the unknown key is told to be unknown", PAST_COOLDOWN + Duration::from_secs(1), || {
        stack.get(PARTNER_TARGET).bearer(&unknown).send().status() == 401
    });
}

#[test]
fn a_cold_edge_without_an_issuers_keys_answers_503_and_recovers() {
    let stack = session();
    let (company, user) = (stack.partner("1111"), stack.user("user-manager"));
    let answer = |cold: &ColdEdge| -> Answer { cold.get(PARTNER_TARGET).bearer(&company).send() };
    let mut last = None;
    for (what, how) in outages() {
        let cold = ColdEdge::start(&stack);
        stack.control().jwks(PARTNERS, &how);
        let start = Instant::now();
        let denied = answer(&cold);
        assert_eq!(denied.status(), 503, "{what}: {denied:?}");
        denied.denied(503, "temporarily_unavailable");
        assert!(start.elapsed() < Duration::from_secs(5), "{what}: it took {:?}", start.elapsed());
        // The other issuer's callers notice nothing.
        cold.get(VOUCHER).bearer(&user).send().expect(200);
        stack.control().jwks(PARTNERS, &json!({"mode": "serve"}));
        last = Some(cold);
    }
    let cold = last.expect("an outage");
    wait::until("a cold edge recovers", PAST_COOLDOWN + Duration::from_secs(1), || answer(&cold).status() == 200);
}

#[test]
fn a_cold_edge_asks_an_issuer_once_for_many_callers_at_a_time() {
    let stack = session();
    let token = stack.partner("1111");
    let cold = ColdEdge::start(&stack);
    let before = stack.control().jwks_fetches(PARTNERS);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let call = cold.get(PARTNER_TARGET).bearer(&token);
            thread::spawn(move || call.send().status())
        })
        .collect();
    let statuses: Vec<u16> = callers.into_iter().map(|caller| caller.join().expect("a caller")).collect();
    assert_eq!(statuses, [200; 8]);
    let fetches = stack.control().jwks_fetches(PARTNERS) - before;
    if Platform::current().serves_many_at_a_time() {
        assert!((1..=Platform::KEY_CACHES).contains(&fetches), "{fetches} fetches by one isolate");
    } else {
        assert!((1..=8 * Platform::KEY_CACHES).contains(&fetches), "{fetches} fetches by eight containers at most");
    }
}
