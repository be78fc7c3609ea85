//! Cross-origin requests: only OPTIONS with `Origin` and `Access-Control-Request-Method` is a preflight.

use crate::make::{
    Theme,
    callers::{ORDERS, partner},
    who,
};

const PAGE: &str = "https://app.ljg-sushi.example";
const ASKED: &str = "access-control-request-method";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    let orders = "/companies/1111/orders";
    for (name, target) in [
        ("of a route", orders),
        ("of a route with a query", "/companies/1111/orders?page=2"),
        ("of a public route", "/health"),
        ("of nothing", "/nothing"),
    ] {
        theme
            .case(format!("a preflight {name}"), "OPTIONS", target)
            .header("origin", PAGE)
            .header(ASKED, "GET")
            .preflight();
    }
    for method in ["POST", "DELETE", "get", "NONSENSE"] {
        theme
            .case(format!("a preflight that asks for {method}"), "OPTIONS", orders)
            .header("origin", PAGE)
            .header(ASKED, method)
            .preflight();
    }
    for origin in
        ["https://evil.example", "null", "http://app.ljg-sushi.example", "https://app.ljg-sushi.example.evil.example"]
    {
        theme
            .case(format!("a preflight of {origin}, which learns nothing by it"), "OPTIONS", orders)
            .header("origin", origin)
            .header(ASKED, "GET")
            .preflight();
    }
    theme
        .case("a preflight with fields", "OPTIONS", orders)
        .header("Origin", PAGE)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization, content-type")
        .preflight();
    theme
        .case("a preflight with a token is one all the same", "OPTIONS", orders)
        .header("origin", PAGE)
        .header(ASKED, "GET")
        .token(&partner("1111"))
        .preflight();
    theme
        .case("a preflight is no way round the target's rules", "OPTIONS", "/companies/2222/../1111/orders")
        .attack("path tricks")
        .header("origin", PAGE)
        .header(ASKED, "GET")
        .deny("target_dot_segment", 400, None);
    theme.case("OPTIONS without the asked method", "OPTIONS", orders).header("origin", PAGE).deny(
        "method_not_allowed",
        405,
        None,
    );
    theme.case("OPTIONS without an origin", "OPTIONS", orders).header(ASKED, "GET").deny(
        "method_not_allowed",
        405,
        None,
    );
    theme
        .case("OPTIONS with two asked methods", "OPTIONS", orders)
        .header("origin", PAGE)
        .header(ASKED, "GET")
        .header(ASKED, "POST")
        .deny("method_not_allowed", 405, None);
    theme
        .case("OPTIONS with two origins", "OPTIONS", orders)
        .header("origin", PAGE)
        .header("origin", "https://evil.example")
        .header(ASKED, "GET")
        .deny("method_not_allowed", 405, None);
    for method in ["GET", "POST", "HEAD"] {
        theme
            .case(format!("{method} with a preflight's fields is none"), method, orders)
            .header("origin", PAGE)
            .header(ASKED, "GET")
            .deny(
                "credential_missing",
                401,
                if method == "POST" { "external-orders-create" } else { "external-orders-list" },
            );
    }
    for origin in [PAGE, "https://evil.example", "null"] {
        theme
            .get(format!("a page's origin decides nothing: {origin}"), orders)
            .header("origin", origin)
            .token(&partner("1111"))
            .permit("external-orders-list", who("partners", "1111", ORDERS).at("1111", &[]));
        theme
            .get(format!("nor does it for what is refused: {origin}"), "/companies/2222/orders")
            .header("origin", origin)
            .token(&partner("1111"))
            .deny("company_mismatch", 403, "external-orders-list");
    }
    theme.enter("rules");
    theme
        .case("a preflight of a path with an OPTIONS route", "OPTIONS", "/shop/special")
        .header("origin", "https://app.corpus.example")
        .header(ASKED, "GET")
        .preflight();
    theme
        .case("an OPTIONS route, asked by a page without a method", "OPTIONS", "/shop/special")
        .header("origin", "https://app.corpus.example")
        .permit_anyone("shop-options");
    theme
}
