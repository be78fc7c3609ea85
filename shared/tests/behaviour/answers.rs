//! Denials over HTTP: status, challenge, problem document (RFC 6750 §3, RFC 9110 §15, RFC 9457).

use postern::{Answer, PublicCode, Reason, answer::RETRY_AFTER_SECONDS};
use serde_json::{Value, json};

use crate::support::{Call, Token, World, policies, world::field};

const ORDERS: &str = "/companies/1111/orders";
const MANAGERS: &str = "/companies/1111/users/user-manager/orders";

fn problem(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

/// A call and the answer it must get: status, public code, challenge.
fn cases() -> Vec<(&'static str, Call, u16, &'static str, Option<&'static str>)> {
    let partner = || Token::partner("1111").compact();
    let bad = "Bearer realm=\"postern\", error=\"invalid_token\", \
               error_description=\"The access token is malformed, expired or not valid here.\"";
    let malformed =
        "Bearer realm=\"postern\", error=\"invalid_request\", error_description=\"The request is malformed.\"";
    let scope = "Bearer realm=\"postern\", error=\"insufficient_scope\", \
                 error_description=\"The access token lacks a scope that this request needs.\", \
                 scope=\"orders/list.orders\"";
    vec![
        ("no credential", Call::get(ORDERS), 401, "missing_token", Some("Bearer realm=\"postern\"")),
        (
            "another scheme",
            Call::get(ORDERS).header("authorization", "Basic eDp5"),
            401,
            "missing_token",
            Some("Bearer realm=\"postern\""),
        ),
        ("a malformed token", Call::get(ORDERS).bearer("x"), 401, "invalid_token", Some(bad)),
        (
            "an expired token",
            Call::get(ORDERS).bearer(Token::partner("1111").claim("exp", json!(1)).compact()),
            401,
            "invalid_token",
            Some(bad),
        ),
        (
            "a missing scope",
            Call::get(ORDERS).bearer(Token::partner("1111").claim("scope", json!("x")).compact()),
            403,
            "insufficient_scope",
            Some(scope),
        ),
        ("another company", Call::get("/companies/2222/orders").bearer(partner()), 403, "access_denied", None),
        (
            "another user",
            Call::get(MANAGERS).bearer(Token::user("user-standard").compact()),
            403,
            "access_denied",
            None,
        ),
        (
            "a missing role",
            Call::get(&MANAGERS.replace("manager", "standard")).bearer(Token::user("user-standard").compact()),
            403,
            "access_denied",
            None,
        ),
        ("two credentials", Call::get(ORDERS).bearer("a").bearer("a"), 400, "invalid_request", Some(malformed)),
        (
            "half a credential",
            Call::get(ORDERS).header("authorization", "Bearer "),
            400,
            "invalid_request",
            Some(malformed),
        ),
        ("a target that is not canonical", Call::get("/companies/1111/../x"), 400, "invalid_request", None),
        ("no such route", Call::get("/nowhere"), 404, "not_found", None),
        ("no such method", Call::new("DELETE", ORDERS), 405, "method_not_allowed", None),
    ]
}

#[test]
fn each_denial_has_its_status_code_and_challenge() {
    let mut world = World::example();
    for (name, call, status, code, challenge) in cases() {
        let denial = world.deny(&call);
        let answer = denial.answer();
        assert_eq!((answer.status, field(answer, "www-authenticate")), (status, challenge), "{name}");
        assert_eq!(field(answer, "content-type"), Some("application/problem+json"), "{name}");
        assert_eq!(field(answer, "cache-control"), Some("no-store"), "{name}");
        assert_eq!(field(answer, "retry-after"), None, "{name}");
        assert!(field(answer, "vary").is_some_and(|vary| vary.ends_with("Origin")), "{name}");
        let body = problem(answer);
        assert_eq!(
            (&body["status"], &body["code"], &body["type"]),
            (&json!(status), &json!(code), &json!("about:blank"))
        );
        assert!(body["title"].is_string() && body["detail"].is_string(), "{name}");
        assert_eq!(denial.reason().public_code().as_str(), code, "{name}");
    }
}

#[test]
fn a_missing_scope_alone_names_a_scope() {
    let mut world = World::example();
    for (name, call, ..) in cases().into_iter().filter(|case| case.0 != "a missing scope") {
        let answer = world.deny(&call).answer().clone();
        assert!(!format!("{answer:?}").contains("orders/list.orders"), "{name}");
    }
}

#[test]
fn head_gets_the_same_answer_without_a_body() {
    let mut world = World::example();
    for (name, mut call, status, ..) in cases().into_iter().filter(|case| case.1.method == "GET") {
        let with_body = world.deny(&call).answer().clone();
        call.method = "HEAD".into();
        let head = world.deny(&call).answer().clone();
        assert_eq!(head, Answer { body: String::new(), ..with_body }, "{name}");
        assert_eq!(head.status, status);
    }
}

#[test]
fn a_405_lists_the_methods_of_the_path() {
    let mut world = World::example();
    for (method, target, allow) in [
        ("DELETE", ORDERS, "GET, HEAD, POST"),
        ("PUT", MANAGERS, "GET, HEAD, POST"),
        ("POST", "/companies/1111/orders/42", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
        ("OPTIONS", ORDERS, "GET, HEAD, POST"),
        // Methods are case-sensitive (RFC 9110 §9.1).
        ("get", ORDERS, "GET, HEAD, POST"),
        ("", ORDERS, "GET, HEAD, POST"),
    ] {
        let denial = world.deny(&Call::new(method, target));
        assert_eq!(denial.reason(), Reason::MethodNotAllowed, "{method}");
        assert_eq!(field(denial.answer(), "allow"), Some(allow), "{method} {target}");
    }
}

#[test]
fn paths_are_matched_exactly() {
    let mut world = World::example();
    for target in [
        "/",
        "/companies",
        "/companies/1111",
        "/companies/1111/orders/",
        "/companies/1111/orders/42/",
        "/Companies/1111/orders",
        "/companies/1111/ORDERS",
        "/health/",
        "/companies/1111/users/user-manager",
        "/companies/1111/users/user-manager/orders/",
        "/users/user-manager",
    ] {
        let call = Call::get(target).bearer(Token::partner("1111").compact());
        let denial = world.deny(&call);
        assert_eq!((denial.answer().status, denial.reason()), (404, Reason::NoRoute), "{target}");
        assert_eq!(denial.route(), None, "{target}");
    }
}

#[test]
fn unknown_routes_and_methods_are_answered_alike_for_every_caller() {
    let mut world = World::example();
    for call in [Call::get("/nowhere"), Call::new("DELETE", ORDERS)] {
        let anonymous = world.deny(&call).answer().clone();
        for credential in [Token::partner("1111").compact(), "x".into()] {
            assert_eq!(world.deny(&call.clone().bearer(credential)).answer(), &anonymous);
        }
        assert_eq!(world.deny(&call.bearer("a").bearer("b")).answer(), &anonymous);
    }
}

#[test]
fn which_rule_said_no_is_not_told() {
    let mut world = World::example();
    let user = |name: &str| Token::user(name).compact();
    let path = |company: &str, name: &str| format!("/companies/{company}/users/{name}/orders");
    let answers: Vec<Answer> = [
        Call::get(&path("1111", "user-standard")).bearer(user("user-standard")),
        Call::get(&path("3333", "user-manager")).bearer(user("user-manager")),
        Call::get(&path("1111", "user-manager")).bearer(user("user-standard")),
        Call::get(&path("1111", "user-unseeded")).bearer(user("user-unseeded")),
    ]
    .iter()
    .map(|call| world.deny(call).answer().clone())
    .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[test]
fn what_cannot_be_told_is_a_503_that_says_when_to_try_again() {
    let mut world = World::example();
    world.service_is_up = false;
    let down = world.deny(&Call::get(MANAGERS).bearer(Token::user("user-manager").compact()));
    world.published.clear();
    let no_keys = world.deny(&Call::get(ORDERS).bearer(Token::partner("1111").compact()));
    for denial in [down, no_keys] {
        let answer = denial.answer();
        assert_eq!(answer.status, 503);
        assert_eq!(field(answer, "retry-after"), Some(RETRY_AFTER_SECONDS.to_string().as_str()));
        assert_eq!(field(answer, "www-authenticate"), None);
        assert_eq!(problem(answer)["code"], "temporarily_unavailable");
    }
}

#[test]
fn a_permitted_request_has_answers_for_an_origin_that_fails() {
    let mut world = World::example();
    let call = Call::get(ORDERS).bearer(Token::partner("1111").compact());
    let permit = world.permit(&call.clone().header("origin", "https://app.ljg-sushi.example"));
    for (answer, status, retry) in [(permit.unreachable(), 502, None), (permit.unavailable(), 503, Some("5"))] {
        assert_eq!((answer.status, field(&answer, "retry-after")), (status, retry));
        assert_eq!(field(&answer, "access-control-allow-origin"), Some("https://app.ljg-sushi.example"));
    }
    let head = Call { method: "HEAD".into(), ..call };
    assert_eq!(world.permit(&head).unreachable().body, "");
}

#[test]
fn a_caller_who_must_say_the_hash_of_a_body_is_told_in_which_field() {
    let mut world = World::example();
    let permit = world.permit(&Call::get(ORDERS).bearer(Token::partner("1111").compact()));
    let answer = permit.lacks_payload_hash();
    assert_eq!((answer.status, problem(&answer)["code"].as_str()), (400, Some("invalid_request")));
    assert!(problem(&answer)["detail"].as_str().is_some_and(|detail| detail.contains("x-amz-content-sha256")));
}

#[test]
fn who_meets_only_the_response_sets_the_fields_that_the_permit_says() {
    let mut world = World::example();
    let call = Call::get(ORDERS).bearer(Token::partner("1111").compact());
    for origin in [None, Some("https://app.ljg-sushi.example"), Some("https://elsewhere.example"), Some("null")] {
        let headers: Vec<(&str, &str)> = origin.map(|origin| ("Origin", origin)).into_iter().collect();
        let request = postern::Request { method: "GET", target: ORDERS, headers: &headers };
        let call = headers.iter().fold(call.clone(), |call, (name, value)| call.header(name, value));
        let permit = world.permit(&call);
        assert_eq!(policies::example().response_headers(&request), permit.response_headers(), "{origin:?}");
    }
}

#[test]
fn a_driver_that_cannot_begin_has_an_answer_too() {
    let answer = Answer::of(PublicCode::TemporarilyUnavailable);
    assert_eq!((answer.status, field(&answer, "retry-after")), (503, Some("5")));
    assert_eq!(field(&answer, "vary"), None);
}

#[test]
fn each_status_has_its_phrase_of_rfc_9110() {
    for code in PublicCode::ALL {
        let answer = Answer::of(code);
        let phrase = match answer.status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            413 => "Content Too Large",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            status => panic!("{status} is not in the table of this test"),
        };
        assert_eq!(answer.reason_phrase(), phrase);
        assert_eq!(problem(&answer)["title"], phrase);
    }
    assert_eq!(Answer { status: 204, headers: Vec::new(), body: String::new() }.reason_phrase(), "No Content");
}

#[test]
fn no_answer_repeats_what_the_caller_sent() {
    let mut world = World::example();
    let token = Token::partner("needle").claim("scope", json!("needle")).header("kid", json!("needle")).compact();
    for call in [
        Call::get("/companies/needle/orders").bearer(&token),
        Call::get("/needle"),
        Call::get("/needle/../x"),
        Call::get(ORDERS).bearer("needle"),
        Call::get(ORDERS).header("authorization", "Bearer needle needle"),
        Call::new("NEEDLE", ORDERS),
        Call::get(ORDERS).header("origin", "https://needle.example"),
    ] {
        let answer = world.deny(&call).answer().clone();
        assert!(!format!("{answer:?}").to_lowercase().contains("needle"), "{answer:?}");
    }
}
