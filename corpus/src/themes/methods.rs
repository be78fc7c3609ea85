//! Methods: case-sensitive, HEAD follows GET, override fields are not read; 404 and 405 are alike for every caller.

use crate::make::{
    Theme,
    callers::{ORDERS, machine, partner, person, user},
    who,
};

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    let orders = "/companies/1111/orders";
    let partner_of = || who("partners", "1111", ORDERS).at("1111", &[]);
    theme.get("GET lists", orders).token(&partner("1111")).permit("external-orders-list", partner_of());
    theme.case("HEAD follows GET", "HEAD", orders).token(&partner("1111")).permit("external-orders-list", partner_of());
    theme.case("POST creates", "POST", orders).token(&partner("1111")).permit("external-orders-create", partner_of());
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS"] {
        theme.case(format!("{method} is none of the path's"), method, orders).token(&partner("1111")).deny(
            "method_not_allowed",
            405,
            None,
        );
        theme.case(format!("{method} is none of the path's for nobody either"), method, orders).deny(
            "method_not_allowed",
            405,
            None,
        );
    }
    for method in ["get", "Get", "GETS", "head", "post", "PROPFIND", "QUERY", "M-SEARCH"] {
        theme.case(format!("`{method}` is another method"), method, orders).token(&partner("1111")).deny(
            "method_not_allowed",
            405,
            None,
        );
    }
    theme.case("TRACE is none", "TRACE", orders).deny("method_not_allowed", 405, None);
    theme.case("HEAD of a public route", "HEAD", "/health").permit_anyone("health");
    theme.case("POST to a public route", "POST", "/health").deny("method_not_allowed", 405, None);
    theme.case("HEAD without a token", "HEAD", orders).deny("credential_missing", 401, "external-orders-list");
    theme.case("HEAD of another company's", "HEAD", "/companies/2222/orders").token(&partner("1111")).deny(
        "company_mismatch",
        403,
        "external-orders-list",
    );
    let own = "/companies/1111/users/manager/orders";
    theme
        .case("HEAD with the permissions service", "HEAD", own)
        .token(&user("manager"))
        .permit("internal-orders-list", who("users", "manager", ORDERS).at("1111", &["Manager"]));
    theme.case("DELETE of an order", "DELETE", "/companies/1111/orders/o1").token(&partner("1111")).deny(
        "method_not_allowed",
        405,
        None,
    );
    for method in ["GET", "POST", "DELETE", "HEAD", "OPTIONS"] {
        theme.case(format!("{method} where there is nothing"), method, "/nothing").deny("no_route", 404, None);
    }
    theme
        .case("a method in the query is not read", "GET", format!("{orders}?_method=POST"))
        .attack("method override")
        .token(&partner("1111"))
        .permit("external-orders-list", partner_of());
    for field in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "x_http_method_override"] {
        theme
            .case(format!("`{field}` is not read"), "POST", orders)
            .attack("method override")
            .header(field, "GET")
            .token(&partner("1111").claim("scope", "orders/list.orders"))
            .deny("scope_missing", 403, "external-orders-create");
        theme
            .case(format!("`{field}` opens no method"), "GET", orders)
            .attack("method override")
            .header(field, "DELETE")
            .token(&partner("1111"))
            .permit("external-orders-list", partner_of());
    }

    theme.enter("rules");
    let things = "/machines/1111/things";
    let machine_of = || who("machines", "1111", "things/read things/write").at("1111", &[]);
    for method in ["POST", "PUT"] {
        theme
            .case(format!("a route of several: {method}"), method, things)
            .token(&machine("1111"))
            .permit("things-write", machine_of());
    }
    theme.case("PATCH of things", "PATCH", things).token(&machine("1111")).deny("method_not_allowed", 405, None);
    theme
        .case("DELETE of itself", "DELETE", "/machines/1111/self/1111")
        .token(&machine("1111"))
        .permit("things-self", machine_of());
    theme
        .case("HEAD of a route with DELETE", "HEAD", "/machines/1111/self/1111")
        .token(&machine("1111"))
        .permit("things-self", machine_of());
    theme
        .case("PATCH of me", "PATCH", "/me")
        .token(&machine("1111"))
        .permit("me", who("machines", "1111", "things/read things/write"));
    theme
        .case("PUT of a paper without a scope", "PUT", "/people/1111/papers/p1")
        .token(&person("editor").claim("scope", "papers/read"))
        .deny("scope_missing", 403, "papers-write");
    theme.case("OPTIONS that is a route", "OPTIONS", "/shop/special").permit_anyone("shop-options");
    theme.case("OPTIONS that is none", "OPTIONS", "/shop/other").deny("method_not_allowed", 405, None);
    theme
}
