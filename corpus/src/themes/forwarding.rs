//! Which of a caller's fields reach an origin: those that no server takes more from, and its token only where the policy
//! says so.

use crate::make::{
    Theme,
    callers::{ORDERS, machine, partner, person},
    nobody, who,
};

const FORGED: &str = "forged identity and forwarding fields";

/// Fields by which some server takes another request, and names that servers fold.
const REMOVED: [(&str, &str); 16] = [
    ("X-Forwarded-For", "192.0.2.77"),
    ("X_Forwarded_For", "192.0.2.77"),
    ("X.Forwarded.For", "192.0.2.77"),
    ("X-Forwarded-Host", "evil.corpus.example"),
    ("X-Forwarded-Prefix", "/x"),
    ("Forwarded", "for=192.0.2.77"),
    ("True-Client-IP", "192.0.2.77"),
    ("X-Original-URL", "/x"),
    ("X-Rewrite-URL", "/x"),
    ("X-Envoy-Original-Path", "/x"),
    ("SCRIPT_NAME", "/x"),
    ("Path-Info", "/x"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Middleware-Subrequest", "middleware"),
    ("Postern-Assertion", "x"),
    ("legacy.id", "7"),
];

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    for (name, value) in REMOVED {
        theme
            .get(format!("`{name}` reaches no origin"), "/companies/1111/orders")
            .attack(FORGED)
            .header(name, value)
            .header("x-own", "1")
            .token(&partner("1111"))
            .permit("external-orders-list", who("partners", "1111", ORDERS).at("1111", &[]).reaching(&["x-own"]));
    }
    theme
        .get("a public route's origin gets no token", "/health")
        .token(&partner("1111"))
        .header("x-own", "1")
        .permit("health", nobody().reaching(&["x-own"]));
    theme.enter("rules");
    theme
        .get("a listed name reaches its origin, and so does the token where the section says so", "/people/1111/papers")
        .header("legacy_id", "7")
        .header("legacy_ids", "7")
        .header("x-own", "1")
        .token(&person("manager"))
        .permit(
            "papers-list",
            who("people", "manager", "papers/read papers/write").at("1111", &["Manager"]).reaching(&[
                "authorization",
                "legacy_id",
                "x-own",
            ]),
        );
    theme
        .get("an origin that verifies assertions gets no token", "/machines/1111/things")
        .header("legacy_id", "7")
        .header("x-own", "1")
        .token(&machine("1111"))
        .permit(
            "things-list",
            who("machines", "1111", "things/read things/write").at("1111", &[]).reaching(&["x-own"]),
        );
    theme
        .case("a public route forwards no token, whatever its origin's section says", "HEAD", "/shop/x")
        .token(&machine("1111"))
        .header("legacy_id", "7")
        .permit("shop-head", nobody().reaching(&["legacy_id"]));
    theme
}
