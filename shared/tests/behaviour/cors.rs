//! Cross-origin access: preflights from the policy, denials and permits that a page can read (WHATWG Fetch §3.2).

use postern::{Answer, Decision, Policy, policy::from_toml};

use crate::support::{Call, Outcome, Token, World, policies, world::field};

const APP: &str = "https://app.ljg-sushi.example";
const ORDERS: &str = "/companies/1111/orders";

fn preflight(target: &str, origin: &str) -> Call {
    Call::new("OPTIONS", target).header("origin", origin).header("access-control-request-method", "GET")
}

fn answer(world: &mut World, call: &Call) -> Answer {
    match world.decide(call) {
        Decision::Preflight(answer) => answer,
        other => panic!("not a preflight: {other:?}"),
    }
}

#[test]
fn a_preflight_is_answered_from_the_policy_before_anything_else_is_asked() {
    let mut world = World::example();
    for (target, methods) in [
        (ORDERS, "GET, HEAD, POST"),
        ("/companies/1111/users/u/vouchers/v", "GET, HEAD"),
        ("/health", "GET, HEAD"),
        // So that the page can read the 404.
        ("/nowhere", "GET, POST"),
    ] {
        let answer = answer(&mut world, &preflight(target, APP).header("access-control-request-headers", "x"));
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        for (name, value) in [
            ("access-control-allow-origin", Some(APP)),
            ("access-control-allow-methods", Some(methods)),
            ("access-control-allow-headers", Some("authorization, content-type")),
            ("access-control-max-age", Some("600")),
            ("access-control-allow-credentials", None),
            ("vary", Some("Origin, Access-Control-Request-Method")),
        ] {
            assert_eq!(field(&answer, name), value, "{target} {name}");
        }
    }
    assert_eq!(world.counts, crate::support::world::Counts::default());
}

#[test]
fn only_options_with_both_fields_is_a_preflight() {
    let mut world = World::example();
    for call in [
        Call::new("OPTIONS", ORDERS),
        Call::new("OPTIONS", ORDERS).header("origin", APP),
        Call::new("OPTIONS", ORDERS).header("access-control-request-method", "GET"),
        preflight(ORDERS, APP).header("origin", APP),
        preflight(ORDERS, APP).header("access-control-request-method", "GET"),
        Call { method: "options".into(), ..preflight(ORDERS, APP) },
    ] {
        assert!(matches!(world.outcome(&call), Outcome::Deny(405, _)), "{call:?}");
    }
    for method in ["GET", "HEAD"] {
        let call = Call { method: method.into(), ..preflight(ORDERS, APP) };
        assert!(matches!(world.outcome(&call), Outcome::Deny(401, _)), "{method}");
    }
}

#[test]
fn a_preflight_is_no_way_round_the_target_rules() {
    assert!(matches!(World::example().outcome(&preflight("/a/../b", APP)), Outcome::Deny(400, _)));
}

#[test]
fn an_origin_that_the_policy_does_not_name_is_told_nothing() {
    let mut world = World::example();
    for origin in [
        "https://evil.example",
        "null",
        "http://app.ljg-sushi.example",
        "https://app.ljg-sushi.example:8443",
        "https://app.ljg-sushi.example.evil.example",
        "https://APP.ljg-sushi.example",
        "https://app.ljg-sushi.example/",
        "",
        "*",
    ] {
        let preflight = answer(&mut world, &preflight(ORDERS, origin));
        let denial = world.deny(&Call::get(ORDERS).header("origin", origin)).answer().clone();
        for answer in [preflight, denial] {
            let told: Vec<_> = answer.headers.iter().filter(|(name, _)| name.starts_with("access-control")).collect();
            assert!(told.is_empty(), "{origin}: {told:?}");
            assert!(field(&answer, "vary").is_some_and(|vary| vary.contains("Origin")), "{origin}");
        }
    }
}

#[test]
fn a_page_can_read_every_denial() {
    let mut world = World::example();
    let down = |world: &mut World| world.published.clear();
    let partner = || Token::partner("1111").compact();
    let calls: [(Call, u16); 7] = [
        (Call::get("/a//b"), 400),
        (Call::get(ORDERS), 401),
        (Call::get(ORDERS).bearer("x"), 401),
        (Call::get("/companies/2222/orders").bearer(partner()), 403),
        (Call::get("/nowhere"), 404),
        (Call::new("DELETE", ORDERS), 405),
        (Call::get("/companies/1111/users/u/orders").bearer(Token::user("u").compact()), 503),
    ];
    for (call, status) in calls {
        if status == 503 {
            down(&mut world);
        }
        let answer = world.deny(&call.header("Origin", APP)).answer().clone();
        assert_eq!((answer.status, field(&answer, "access-control-allow-origin")), (status, Some(APP)));
        let exposed = field(&answer, "access-control-expose-headers");
        assert_eq!(exposed, Some("www-authenticate, retry-after, location"), "{status}");
        assert!(field(&answer, "vary").is_some_and(|vary| vary.ends_with("Origin")), "{status}");
    }
}

#[test]
fn a_permit_carries_the_fields_for_the_origins_response() {
    let mut world = World::example();
    let call = Call::get("/health");
    assert_eq!(world.permit(&call).response_headers(), []);
    let fields = world.permit(&call.header("origin", APP)).response_headers().to_vec();
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["access-control-allow-origin", "access-control-expose-headers"]);
}

fn with_cors(cors: &str) -> Policy {
    from_toml(&format!("{}\n{cors}", policies::SMALL), None).unwrap()
}

#[test]
fn any_origin_and_credentials_are_said_as_browsers_want_them() {
    for (cors, origin, credentials) in [
        ("[cors]\norigins = [\"*\"]", "*", None),
        ("[cors]\norigins = [\"https://a.example\"]\ncredentials = true", "https://a.example", Some("true")),
    ] {
        let mut world = World::new(with_cors(cors));
        let call = Call::get("/companies/1/orders").header("origin", "https://a.example");
        let answer = world.deny(&call).answer().clone();
        assert_eq!(field(&answer, "access-control-allow-origin"), Some(origin));
        assert_eq!(field(&answer, "access-control-allow-credentials"), credentials);
    }
}

#[test]
fn without_cors_in_the_policy_there_are_no_preflights_and_no_fields() {
    let mut world = World::new(from_toml(policies::SMALL, None).unwrap());
    let denial = world.deny(&preflight("/companies/1/orders", APP));
    assert_eq!(denial.answer().status, 405);
    assert!(!denial.answer().headers.iter().any(|(name, _)| name.starts_with("access-control") || *name == "vary"));
}
