//! Fields that other systems have believed: none of them changes a decision.

use crate::make::{
    Theme,
    callers::{ORDERS, partner, user},
    who,
};

const FORGED: &str = "forged identity and forwarding fields";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    let fields = [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "internal-orders.ljg-sushi.example"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Prefix", "/companies/2222"),
        ("Forwarded", "for=127.0.0.1;host=evil.example"),
        ("X-Real-IP", "10.0.0.1"),
        ("X-Original-URL", "/companies/1111/orders"),
        ("X-Rewrite-URL", "/companies/1111/orders"),
        ("X-Original-Method", "GET"),
        ("Postern-Assertion", "eyJhbGciOiJub25lIn0.e30."),
        ("Postern_Assertion", "eyJhbGciOiJub25lIn0.e30."),
        ("POSTERN-ASSERTION", "eyJhbGciOiJub25lIn0.e30."),
        ("Postern-Subject", "manager"),
        ("X-User", "manager"),
        ("X-Remote-User", "manager"),
        ("Remote-User", "manager"),
        ("X-Auth-Request-User", "manager"),
        ("X-Amzn-Oidc-Identity", "manager"),
        ("X-Company", "2222"),
        ("X-Role", "Manager"),
        ("Cf-Access-Authenticated-User-Email", "x@corpus.example"),
        ("Cookie", "session=manager"),
    ];
    for (name, value) in fields {
        theme
            .get(format!("`{name}` is no credential"), "/companies/1111/orders")
            .attack(FORGED)
            .header(name, value)
            .deny("credential_missing", 401, "external-orders-list");
        theme
            .get(format!("`{name}` opens no other company"), "/companies/2222/orders")
            .attack(FORGED)
            .header(name, value)
            .token(&partner("1111"))
            .deny("company_mismatch", 403, "external-orders-list");
    }
    for (name, value) in [("X-Original-URL", "/nothing"), ("X-Forwarded-Prefix", "/x"), ("Postern-Assertion", "x")] {
        theme
            .get(format!("`{name}` takes nothing away"), "/companies/1111/orders")
            .attack(FORGED)
            .header(name, value)
            .token(&partner("1111"))
            .permit("external-orders-list", who("partners", "1111", ORDERS).at("1111", &[]));
    }
    for (name, value) in [("X-Role", "Manager"), ("X-Company", "1111"), ("Postern-Roles", "Manager")] {
        theme
            .get(format!("`{name}` is no role"), "/companies/1111/users/standard/orders")
            .attack(FORGED)
            .header(name, value)
            .token(&user("standard"))
            .deny("role_missing", 403, "internal-orders-list");
    }
    theme
        .get("two of a field that nobody reads", "/health")
        .header("accept", "text/html")
        .header("accept", "*/*")
        .permit_anyone("health");
    theme
}
