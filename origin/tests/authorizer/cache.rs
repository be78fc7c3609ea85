//! A cached result grants and refuses nothing, anywhere it is used, that the decision would not have when it was made; and
//! it is used no longer than its TTL.

use std::{collections::BTreeMap, time::Duration};

use postern::{Decision, Request, target::encode_path};
use postern_origin::{
    assertion::BasePath,
    authorizer::{Caching, ResponseKind, Settings, answer::answer, event::Shape, verdict::Failure},
};
use proptest::prelude::ProptestConfig;
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, Seen, Sent, decoded},
    policies::{documents, nested, orders},
    sequences::{Random, Step, personas, records, step},
    world::{Records, World, partner, record, user},
};

const STEPS: usize = 120;
const TTL: Duration = Duration::from_secs(30);

/// The number of sequences for each set-up: one for 20 cases of a property test, whose number `PROPTEST_CASES` sets.
fn sequences() -> u64 {
    u64::from(ProptestConfig::default().cases.div_ceil(20))
}

/// What came of all sequences of one set-up.
#[derive(Default)]
struct Tally {
    sequences: u64,
    requests: u64,
    from_cache: u64,
    granted: u64,
    granted_from_cache: u64,
    refused_from_cache: u64,
    /// Refused for a `*`, `?` or `$`, which never stand in a resource, or granted with what no document can name to deny it.
    unnameable: u64,
    violations: Vec<String>,
}

/// An authorizer under test.
enum Who {
    Postern(Settings),
    /// The original's: it decides for the first request, and allows everything.
    AllowsAll,
    /// The same, allowing what was asked for.
    AllowsTheFirst,
}

async fn try_out(policy: &str, who: &Who, gateway: impl Fn() -> Gateway) -> Tally {
    let mut tally = Tally::default();
    let personas = personas();
    for seed in 0..sequences() {
        let world = World::of(policy);
        world.state.borrow_mut().records = records();
        let templates: Vec<String> =
            world.authorizer().policy().routes().iter().map(|route| route.path().to_owned()).collect();
        let (mut gateway, mut random) = (gateway(), Random::new(seed));
        let mut history: BTreeMap<u64, Records> = BTreeMap::new();
        let mut recent: Vec<Sent> = Vec::new();
        tally.sequences += 1;
        for _ in 0..STEPS {
            match step(&mut random, &templates, &personas, &recent) {
                Step::Wait(seconds) => world.state.borrow_mut().now += seconds,
                Step::Change(subject, record) => {
                    let mut state = world.state.borrow_mut();
                    // One second has one truth.
                    state.now += 1;
                    match record {
                        Some(record) => state.records.insert(subject, record),
                        None => state.records.remove(&subject),
                    };
                }
                Step::Send(sent) => {
                    recent.truncate(7);
                    recent.insert(0, sent.clone());
                    let now = world.state.borrow().now;
                    history.insert(now, world.state.borrow().records.clone());
                    let seen = gateway.send(&sent, now, async |event| ask(&world, who, event).await).await;
                    tally.requests += 1;
                    tally.from_cache += u64::from(seen.cached);
                    tally.judge(&world, &gateway, &sent, seen, &history[&seen.made_at.unwrap_or(now)], now);
                }
            }
        }
    }
    tally
}

async fn ask(world: &World, who: &Who, event: Value) -> Result<Value, String> {
    let settings = match who {
        Who::Postern(settings) => *settings,
        Who::AllowsAll | Who::AllowsTheFirst => Settings::default(),
    };
    let arn = event.get("methodArn").or(event.get("routeArn")).cloned();
    let result = answer(world, settings, &BasePath::none(), event).await.map_err(|failure| failure.to_string())?;
    let is_allowed = result["policyDocument"]["Statement"][0]["Effect"] == "Allow";
    let resource = match who {
        Who::Postern(_) => return Ok(result),
        Who::AllowsAll => json!("*"),
        Who::AllowsTheFirst => arn.unwrap_or_default(),
    };
    let effect = if is_allowed { "Allow" } else { "Deny" };
    Ok(json!({"principalId": "user", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource},
    ]}}))
}

impl Tally {
    /// Holds what the client has seen against what the core decides, by what was true when the result was made.
    fn judge(&mut self, world: &World, gateway: &Gateway, sent: &Sent, seen: Seen, then: &Records, now: u64) {
        let path = gateway.delivered(&sent.path);
        let made_at = seen.made_at.unwrap_or(now);
        // A platform that decodes paths hands on what is then encoded again.
        let is_decoded = path != sent.path || matches!(gateway.shape, Shape::HttpVersion1 | Shape::HttpVersion2);
        // A `?` in a path was sent as an escape.
        let escaped = |path: &str| path.replace('?', "%3F");
        let as_sent = if is_decoded { encode_path(&path).unwrap_or_else(|_| escaped(&path)) } else { escaped(&path) };
        let query = match (gateway.caching, gateway.shape) {
            // No part of the key.
            (Caching::ByToken(_) | Caching::ByRequest(_), _) | (_, Shape::RestToken) => String::new(),
            (Caching::Off, Shape::HttpVersion2) => sent.query.clone(),
            // Of a query that arrives decoded nothing is judged but how long it is.
            (Caching::Off, _) => "y".repeat(sent.query.len()),
        };
        let permits = |path: &str, at: u64| {
            let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
            let token = sent.token.clone().unwrap_or_default();
            let headers = [("authorization", token.as_str())];
            let request = Request { method: &sent.method, target: &target, headers: &headers };
            matches!(world.judge(&request, then, at), Decision::Permit(_))
        };
        // An identifier in another spelling is the same identifier.
        let same = encode_path(&decoded(&path)).ok();
        let (then_permitted, now_permitted) = (permits(&as_sent, made_at), permits(&as_sent, now));
        let granted = seen.status == 200;
        self.granted += u64::from(granted);
        self.granted_from_cache += u64::from(granted && seen.cached);
        self.refused_from_cache += u64::from(!granted && seen.cached);
        if granted {
            let in_other_words = same.is_some_and(|same| permits(&same, made_at) && permits(&same, now));
            let in_arn = if gateway.decodes { decoded(&path) } else { path.clone() };
            if in_arn.chars().any(|c| c.is_control() || c == '?') || has_broken_escape(&path) {
                // No document can name a control character, a `?` or a `%` without digits, to deny what a `*` takes.
                self.unnameable += 1;
            } else if !(in_other_words || then_permitted && now_permitted) {
                self.violations.push(format!("granted: {} {path} ? {} at {now}, {seen:?}", sent.method, sent.query));
            }
        } else if then_permitted && now_permitted && sent.token.is_some() {
            if path.contains(['*', '?', '$']) {
                self.unnameable += 1;
            } else {
                self.violations.push(format!("refused: {} {path} ? {} at {now}, {seen:?}", sent.method, sent.query));
            }
        }
        if now >= made_at + TTL.as_secs() {
            self.violations.push(format!("used {} s after it was made", now - made_at));
        }
    }
}

fn has_broken_escape(path: &str) -> bool {
    path.split('%').skip(1).any(|after| after.get(..2).is_none_or(|digits| u8::from_str_radix(digits, 16).is_err()))
        && !path.contains("%u")
        && !path.contains("%U")
}

fn report(name: &str, tally: &Tally) {
    println!(
        "{name}: sequences tried {}, requests {}, from the cache {} ({} granted, {} refused), granted {}, without a name {}, \
         violations {}",
        tally.sequences,
        tally.requests,
        tally.from_cache,
        tally.granted_from_cache,
        tally.refused_from_cache,
        tally.granted,
        tally.unnameable,
        tally.violations.len()
    );
}

const SHAPES: [Shape; 4] = [Shape::RestToken, Shape::RestRequest, Shape::HttpVersion1, Shape::HttpVersion2];

#[tokio::test]
async fn no_cached_result_grants_or_refuses_what_the_decision_would_not_have() {
    let policies = [("orders", orders()), ("documents", documents()), ("nested", nested())];
    let (mut requests, mut sequences, mut violations) = (0, 0, Vec::new());
    for (name, policy) in &policies {
        for shape in SHAPES {
            for caching in [Caching::ByToken(TTL), Caching::ByRequest(TTL), Caching::Off] {
                let settings = Settings::default().with_caching(caching);
                let of_policy = World::of(policy);
                let is_fit = settings.fit_for(of_policy.authorizer().policy()).is_ok();
                // Where no list can be made the function refuses to start.
                assert_eq!(is_fit, *name != "nested" || !matches!(caching, Caching::ByToken(_)), "{name} {caching:?}");
                // A `TOKEN` authorizer has no other identity source.
                if !is_fit || (shape == Shape::RestToken && matches!(caching, Caching::ByRequest(_))) {
                    continue;
                }
                let decoding = [Shape::RestToken, Shape::RestRequest].contains(&shape);
                for decodes in if decoding { &[false, true][..] } else { &[true][..] } {
                    let tally = try_out(policy, &Who::Postern(settings), || {
                        let mut gateway = Gateway::new(shape, caching);
                        gateway.decodes = *decodes;
                        gateway
                    })
                    .await;
                    report(&format!("{name}, {shape:?}, {caching:?}, ARNs decoded: {decodes}"), &tally);
                    if let Some(violation) = tally.violations.first() {
                        println!("    {violation}");
                    }
                    assert!(tally.granted > 4 * tally.sequences, "nothing is shown where nothing is granted");
                    if caching != Caching::Off {
                        assert!(2 * tally.granted_from_cache > tally.sequences);
                        assert!(tally.refused_from_cache > 4 * tally.sequences);
                    }
                    requests += tally.requests;
                    sequences += tally.sequences;
                    violations.extend(tally.violations);
                }
            }
        }
    }
    println!("sequences tried {sequences}, requests {requests}, violations {}", violations.len());
    assert!(
        violations.is_empty(),
        "{} violations, such as {:#?}",
        violations.len(),
        &violations[..violations.len().min(5)]
    );
}

#[tokio::test]
async fn simple_responses_are_right_where_they_are_not_cached() {
    let settings = Settings::default().with_response(ResponseKind::Simple);
    let tally = try_out(&orders(), &Who::Postern(settings), || {
        let mut gateway = Gateway::new(Shape::HttpVersion2, Caching::Off);
        gateway.simple = true;
        gateway
    })
    .await;
    report("orders, simple", &tally);
    assert!(tally.violations.is_empty(), "{:?}", tally.violations);
}

#[tokio::test]
async fn the_simulation_finds_the_originals_authorizer() {
    let gateway = || Gateway::new(Shape::RestToken, Caching::ByToken(TTL));
    let all = try_out(&orders(), &Who::AllowsAll, gateway).await;
    report("planted: allows `*`", &all);
    assert!(all.violations.iter().any(|violation| violation.starts_with("granted")));
    let first = try_out(&orders(), &Who::AllowsTheFirst, gateway).await;
    report("planted: allows the first request's ARN", &first);
    assert!(first.violations.iter().any(|violation| violation.starts_with("refused")));
}

fn sent(method: &str, path: &str, token: &str) -> Sent {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let token = Some(format!("Bearer {token}"));
    Sent { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), token }
}

async fn status(gateway: &mut Gateway, world: &World, sent: &Sent) -> (u16, bool) {
    let settings = Settings::default().with_caching(gateway.caching);
    let now = world.state.borrow().now;
    let seen = gateway
        .send(sent, now, async |event| {
            answer(world, settings, &BasePath::none(), event).await.map_err(|failure| failure.to_string())
        })
        .await;
    (seen.status, seen.cached)
}

/// The same token must not reach another company through the cache, and must reach its own other routes.
#[tokio::test]
async fn fault_1_a_cached_result_opens_no_other_company_and_shuts_no_other_route() {
    let world = World::of(&orders()).with(record("alice", &[("1111", &["Manager"])]));
    let token = user("alice", "", 3600);
    for shape in SHAPES {
        let mut gateway = Gateway::new(shape, Caching::ByToken(TTL));
        let mut at = async |path: &str| status(&mut gateway, &world, &sent("GET", path, &token)).await;
        assert_eq!(at("/companies/1111/users/alice/orders").await, (200, false), "{shape:?}");
        assert_eq!(at("/companies/2222/users/alice/orders").await, (403, true), "{shape:?}");
        assert_eq!(at("/companies/1111/users/bob/orders").await, (403, true), "{shape:?}");
        assert_eq!(at("/companies/1111/users/alice/vouchers/17").await, (200, true), "{shape:?}");
        assert_eq!(at("/companies/1111/users/alice/orders/17").await, (200, true), "{shape:?}");
        assert_eq!(at("/companies/1111/users/alice/orders/17/x").await, (403, true), "{shape:?}");
    }
}

/// What is no part of the key decides nothing that is kept under it.
#[tokio::test]
async fn what_is_not_in_the_key_decides_nothing_that_is_cached_by_request() {
    let plain = "/companies/1111/users/alice/orders";
    let token = user("alice", "", 3600);
    let odd = ["q=it's".to_owned(), "x=%zz".to_owned(), format!("x={}", "y".repeat(9000))];
    for shape in [Shape::RestRequest, Shape::HttpVersion1, Shape::HttpVersion2] {
        for query in &odd {
            for (first, second) in [(query.as_str(), ""), ("", query)] {
                let world = World::of(&orders()).with(record("alice", &[("1111", &["Manager"])]));
                let mut gateway = Gateway::new(shape, Caching::ByRequest(TTL));
                for (query, from_cache) in [(first, false), (second, true)] {
                    let sent = Sent { query: query.to_owned(), ..sent("GET", plain, &token) };
                    assert_eq!(status(&mut gateway, &world, &sent).await, (200, from_cache), "{shape:?}");
                }
            }
        }
    }
}

/// The key has one token, the method and the path: neither a preflight's fields nor a second token refuse for others.
#[tokio::test]
async fn no_refusal_that_rests_on_fields_is_cached_by_request() {
    let cors = "\n[cors]\norigins = [\"https://app.example\"]\n";
    let open = "\n[[route]]\nname = \"options\"\nmethods = [\"OPTIONS\"]\npath = \"/open\"\norigin = \"api\"\nissuer = \"users\"\n";
    let world = World::of(&(orders().replacen("\n[permissions]", &format!("{cors}[permissions]"), 1) + open));
    let settings = Settings::default().with_caching(Caching::ByRequest(TTL));
    let gateway = Gateway::new(Shape::RestRequest, Caching::ByRequest(TTL));
    let ask = async |event| answer(&world, settings, &BasePath::none(), event).await;
    let plain = gateway.event(&sent("OPTIONS", "/open", &user("alice", "", 3600)));
    let allowed = ask(plain.clone()).await.expect("a result");
    assert_eq!(allowed["policyDocument"]["Statement"][0]["Effect"], "Allow");

    let mut preflight = plain.clone();
    preflight["headers"]["origin"] = json!("https://app.example");
    preflight["headers"]["access-control-request-method"] = json!("GET");
    assert_eq!(ask(preflight).await, Ok(allowed));

    let mut two = plain;
    let token = two["headers"]["authorization"].clone();
    two["multiValueHeaders"]["authorization"] = json!([token, token]);
    assert_eq!(ask(two).await, Err(Failure::Unauthorized));
}

/// A cached permission ends with the token, and a role that is gone is gone within the TTL.
#[tokio::test]
async fn fault_3_a_cached_result_outlives_neither_the_token_nor_its_ttl() {
    let manager = record("alice", &[("1111", &["Manager"])]);
    let orders_of_alice = "/companies/1111/users/alice/orders";
    for shape in SHAPES {
        for caching in [Caching::ByToken(TTL), Caching::ByRequest(TTL)] {
            if shape == Shape::RestToken && matches!(caching, Caching::ByRequest(_)) {
                continue;
            }
            let world = World::of(&orders()).with(manager.clone());
            let mut gateway = Gateway::new(shape, caching);
            let short = sent("GET", orders_of_alice, &user("alice", "", 10));
            assert_eq!(status(&mut gateway, &world, &short).await, (200, false));
            world.state.borrow_mut().now += 9;
            assert_eq!(status(&mut gateway, &world, &short).await, (200, true));
            world.state.borrow_mut().now += 1;
            assert_eq!(status(&mut gateway, &world, &short).await, (403, true), "{shape:?} {caching:?}");

            let long = sent("GET", orders_of_alice, &user("alice", "", 3600));
            assert_eq!(status(&mut gateway, &world, &long).await, (200, false));
            world.state.borrow_mut().records.insert("alice".to_owned(), record("alice", &[("1111", &["Standard"])]));
            world.state.borrow_mut().now += TTL.as_secs() - 1;
            assert_eq!(status(&mut gateway, &world, &long).await, (200, true));
            world.state.borrow_mut().now += 1;
            assert_eq!(status(&mut gateway, &world, &long).await, (403, false), "{shape:?} {caching:?}");
        }
    }
}

/// The answer to "how long after a downgrade is access gone", for the table that the tests print.
#[tokio::test]
async fn access_is_gone_within_the_ttl_after_a_downgrade() {
    for (name, caching) in [
        ("not cached", Caching::Off),
        ("cached by token, 30 s", Caching::ByToken(TTL)),
        ("cached by request, 30 s", Caching::ByRequest(TTL)),
    ] {
        let world = World::of(&orders()).with(record("alice", &[("1111", &["Manager"])]));
        let mut gateway = Gateway::new(Shape::RestRequest, caching);
        let request = sent("GET", "/companies/1111/users/alice/orders", &user("alice", "", 3600));
        assert_eq!(status(&mut gateway, &world, &request).await.0, 200);
        world.state.borrow_mut().records.clear();
        let mut gone_after = 0;
        while status(&mut gateway, &world, &request).await.0 == 200 {
            world.state.borrow_mut().now += 1;
            gone_after += 1;
        }
        println!("freshness: authorizer, {name}: access is gone {gone_after} s after the downgrade");
        assert!(gone_after <= if caching == Caching::Off { 0 } else { TTL.as_secs() });
    }
}

/// A record is as old as its asking: what that takes comes on top of the TTL, as the documents say.
#[tokio::test]
async fn access_is_gone_within_the_ttl_and_the_time_of_one_question() {
    const QUESTION: u64 = 3;
    for caching in [Caching::ByToken(TTL), Caching::ByRequest(TTL)] {
        let world = World::of(&orders()).with(record("alice", &[("1111", &["Manager"])]));
        let mut gateway = Gateway::new(Shape::RestRequest, caching);
        gateway.answers_after = QUESTION;
        let request = sent("GET", "/companies/1111/users/alice/orders", &user("alice", "", 3600));
        assert_eq!(status(&mut gateway, &world, &request).await, (200, false));
        // Right after the service has read it, which is when the question began at the earliest.
        world.state.borrow_mut().records.clear();
        world.state.borrow_mut().now += QUESTION;
        let mut gone_after = QUESTION;
        while status(&mut gateway, &world, &request).await.0 == 200 {
            world.state.borrow_mut().now += 1;
            gone_after += 1;
        }
        assert_eq!(gone_after, TTL.as_secs() + QUESTION, "{caching:?}");
    }
}

#[tokio::test]
async fn an_outage_is_an_error_that_nobody_caches() {
    let world = World::of(&orders()).with(record("alice", &[("1111", &["Manager"])]));
    let request = sent("GET", "/companies/1111/users/alice/orders", &user("alice", "", 3600));
    for caching in [Caching::Off, Caching::ByToken(TTL), Caching::ByRequest(TTL)] {
        let mut gateway = Gateway::new(Shape::RestRequest, caching);
        world.state.borrow_mut().answers = false;
        assert_eq!(status(&mut gateway, &world, &request).await, (500, false), "{caching:?}");
        world.state.borrow_mut().answers = true;
        assert_eq!(status(&mut gateway, &world, &request).await, (200, false), "{caching:?}");
    }
}

#[tokio::test]
async fn a_partner_needs_no_record_and_is_listed_all_the_same() {
    let world = World::of(&orders());
    world.state.borrow_mut().answers = false;
    let token = partner("2222", 3600);
    let mut gateway = Gateway::new(Shape::RestToken, Caching::ByToken(TTL));
    for (path, expected) in
        [("/companies/2222/orders", 200), ("/companies/2222/orders/1", 200), ("/companies/1111/orders", 403)]
    {
        assert_eq!(status(&mut gateway, &world, &sent("GET", path, &token)).await.0, expected, "{path}");
    }
}
