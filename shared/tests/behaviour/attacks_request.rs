//! Attacks on the request around the token: targets, override fields, forged identity, tokens in the wrong place.

use postern::{Reason, query::QueryError, target::TargetError};

use crate::support::{Call, Outcome, Token, World};

const ORDERS: &str = "/companies/1111/orders";

/// Each way of writing a path that some component reads in another way, and why it is refused.
#[test]
fn a_target_that_could_be_read_in_two_ways_is_refused() {
    use TargetError::*;
    let mut world = World::example();
    let token = Token::partner("1111").compact();
    for (target, error) in [
        ("/companies/2222/../1111/orders", DotSegment),
        ("/companies/./1111/orders", DotSegment),
        ("/companies/2222/%2e%2e/1111/orders", DotSegment),
        ("/companies/2222/%2E%2E/1111/orders", DotSegment),
        ("/companies/2222/.%2e/1111/orders", DotSegment),
        ("/companies/1111/orders/.", DotSegment),
        ("/companies/1111/orders.", DotSegment),
        ("/companies/1111./orders", DotSegment),
        ("//companies/1111/orders", EmptySegment),
        ("/companies//1111/orders", EmptySegment),
        ("/companies/1111/orders//", EmptySegment),
        ("/companies/1111%2Forders", ForbiddenEscape),
        ("/companies/1111%2forders", ForbiddenEscape),
        ("/companies/1111%5Corders", ForbiddenEscape),
        ("/companies/1111\\orders", ForbiddenCharacter),
        ("/companies/1111;x=y/orders", ForbiddenCharacter),
        ("/companies/1111/orders;", ForbiddenCharacter),
        ("/companies/..;/1111/orders", ForbiddenCharacter),
        ("/companies/1111%3Bx/orders", ForbiddenEscape),
        ("/companies/1111%00/orders", ForbiddenEscape),
        ("/companies/1111%23/orders", ForbiddenEscape),
        ("/companies/1111%3Fx/orders", ForbiddenEscape),
        ("/companies/1111%0D%0Ax:y/orders", ForbiddenEscape),
        ("/companies/%2531111/orders", ForbiddenEscape),
        ("/companies/1111%252Forders", ForbiddenEscape),
        ("/companies/%31111/orders", NeedlessEscape),
        ("/%63ompanies/1111/orders", NeedlessEscape),
        ("/companies/1%7c1/orders", NeedlessEscape),
        ("/companies/1111/orders%", BrokenEscape),
        ("/companies/1111/orders%2", BrokenEscape),
        ("/companies/1111/orders%u0031", BrokenEscape),
        ("/companies/%C0%AE%C0%AE/orders", NotUtf8),
        ("/companies/%C0%AF1111/orders", NotUtf8),
        ("/companies/%E0%80%AF/orders", NotUtf8),
        ("/companies/%F8%80%80%80%AF/orders", NotUtf8),
        ("/companies/%ED%A0%80/orders", NotUtf8),
        ("/companies/1111/orders#x", ForbiddenCharacter),
        ("/companies/1111/orders?a#x", ForbiddenCharacter),
        ("/companies/1111 /orders", ForbiddenCharacter),
        ("/companies/1111\t/orders", ForbiddenCharacter),
        ("/companies/\u{ff0f}1111/orders", ForbiddenCharacter),
        ("/companies/1111\u{0}/orders", ForbiddenCharacter),
        ("https://evil.example/companies/1111/orders", NotAbsolutePath),
        ("evil.example:443", NotAbsolutePath),
        ("companies/1111/orders", NotAbsolutePath),
        ("\\companies\\1111\\orders", NotAbsolutePath),
        ("*", NotAbsolutePath),
        ("", NotAbsolutePath),
        ("?x", NotAbsolutePath),
        ("/companies/1111/orders?", EmptyQuery),
    ] {
        let call = Call::get(target).bearer(&token);
        assert_eq!(world.outcome(&call), Outcome::Deny(400, Reason::Target(error)), "{target:?}");
    }
    assert_eq!(world.counts.keys, 0);
}

#[test]
fn a_public_route_is_no_way_round_the_target_rules() {
    let mut world = World::example();
    for target in ["/health/../companies/1111/orders", "/health;/x", "//health", "/%68ealth"] {
        assert!(matches!(world.outcome(&Call::get(target)), Outcome::Deny(400, _)), "{target}");
    }
}

#[test]
fn what_is_forwarded_is_byte_for_byte_what_was_decided_on() {
    let mut world = World::example();
    for target in [
        "/companies/1111/orders",
        "/companies/1111/orders?status=PENDING&page=2",
        "/companies/1111/orders?redirect=/../x?y",
        "/companies/1111/orders?q=%2f%2F%00",
        "/companies/1111/orders/auth0%7C42",
        "/companies/1111/orders/a%20b",
        "/companies/1111/orders/caf%C3%A9",
        "/companies/1111/orders/~a!$&'()*+,=:@b",
    ] {
        let permit = world.permit(&Call::get(target).bearer(Token::partner("1111").compact()));
        assert_eq!(permit.target(), target);
    }
}

#[test]
fn method_overrides_are_not_read() {
    let mut world = World::example();
    let reader = Token::partner("1111").claim("scope", serde_json::json!("orders/list.orders")).compact();
    for name in ["x-http-method-override", "x-http-method", "x-method-override", "_method"] {
        let call = Call::get(ORDERS).bearer(&reader).header(name, "POST");
        assert_eq!(world.permit(&call).method(), "GET", "{name}");
        let call = Call::new("POST", ORDERS).bearer(&reader).header(name, "GET");
        assert_eq!(world.outcome(&call), Outcome::Deny(403, Reason::ScopeMissing), "{name}");
    }
    let call = Call::new("POST", &format!("{ORDERS}?_method=GET")).bearer(&reader);
    assert_eq!(world.outcome(&call), Outcome::Deny(400, Reason::Query(QueryError::MethodOverride)));
}

#[test]
fn forwarded_fields_do_not_change_the_target() {
    let mut world = World::example();
    let token = Token::partner("1111").compact();
    for name in [
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-uri",
        "x-forwarded-path",
        "x-forwarded-prefix",
        "x-envoy-original-path",
        "x-forwarded-host",
        "host",
        "forwarded",
    ] {
        let call = Call::get("/companies/2222/orders").bearer(&token).header(name, ORDERS);
        assert_eq!(world.outcome(&call), Outcome::Deny(403, Reason::CompanyMismatch), "{name}");
        let call = Call::get(ORDERS).bearer(&token).header(name, "/companies/2222/orders");
        assert_eq!(world.permit(&call).target(), ORDERS, "{name}");
    }
}

#[test]
fn forged_identity_fields_say_nothing() {
    let mut world = World::example();
    for (name, value) in [
        ("postern-assertion", "eyJhbGciOiJub25lIn0.e30."),
        ("Postern_Assertion", "x"),
        ("x-amzn-oidc-identity", "1111"),
        ("x-forwarded-user", "1111"),
        ("x-forwarded-access-token", "x"),
        ("cookie", "access_token=x"),
        ("proxy-authorization", "Bearer x"),
        ("x-authorization", "Bearer x"),
    ] {
        let call = Call::get(ORDERS).header(name, value);
        assert_eq!(world.outcome(&call), Outcome::Deny(401, Reason::CredentialMissing), "{name}");
    }
}

#[test]
fn a_token_in_the_query_is_no_credential() {
    let mut world = World::example();
    let token = Token::partner("1111").compact();
    for query in ["access_token", "token", "Authorization"] {
        let call = Call::get(&format!("{ORDERS}?{query}={token}"));
        assert_eq!(world.outcome(&call), Outcome::Deny(401, Reason::CredentialMissing), "{query}");
    }
}

#[test]
fn the_query_does_not_stand_in_for_the_path() {
    let mut world = World::example();
    let token = Token::partner("1111").compact();
    for target in ["/companies/2222/orders?company=1111", "/companies/2222/orders?/companies/1111/orders"] {
        let call = Call::get(target).bearer(&token);
        assert_eq!(world.outcome(&call), Outcome::Deny(403, Reason::CompanyMismatch), "{target}");
    }
}
