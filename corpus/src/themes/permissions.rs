//! What the permissions service says, and what is decided when it says nothing or nonsense.

use crate::make::{
    Theme,
    callers::{ORDERS, partner, person, user},
    who,
};

const PAPERS: &str = "papers/read papers/write";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    let target = |user: &str| format!("/companies/1111/users/{user}/orders");
    for (subject, roles) in [
        ("manager", &["Manager"][..]),
        ("per-company", &["Manager"]),
        ("of-many-roles", &["Standard", "Editor", "Manager"]),
        ("with-more", &["Manager"]),
    ] {
        theme
            .get(format!("a record of `{subject}`"), target(subject))
            .token(&user(subject))
            .permit("internal-orders-list", who("users", subject, ORDERS).at("1111", roles));
    }
    theme.get("a record with no roles for the company", target("of-no-roles")).token(&user("of-no-roles")).deny(
        "role_missing",
        403,
        "internal-orders-list",
    );
    for (segment, company) in [("a%20b", "a b"), ("caf%C3%A9", "caf\u{e9}"), ("1111%20", "1111 ")] {
        theme
            .get(
                format!("a company is compared decoded: {segment}"),
                format!("/companies/{segment}/users/of-odd-names/orders"),
            )
            .token(&user("of-odd-names"))
            .permit("internal-orders-list", who("users", "of-odd-names", ORDERS).at(company, &["Manager"]));
    }
    theme
        .get("a company is not trimmed", "/companies/1111/users/of-odd-names/orders")
        .token(&user("of-odd-names"))
        .deny("company_mismatch", 403, "internal-orders-list");

    theme.enter("example-permissions-silent");
    for (method, rest, route) in [
        ("GET", "orders", "internal-orders-list"),
        ("GET", "orders/o-1", "internal-orders-get"),
        ("POST", "orders", "internal-orders-create"),
        ("GET", "vouchers/v-1", "vouchers-validate"),
    ] {
        theme
            .case(format!("silent: {route}"), method, format!("/companies/1111/users/manager/{rest}"))
            .attack("permissions service down")
            .token(&user("manager"))
            .deny("permissions_unavailable", 503, route);
    }
    theme.get("silent, and another user's", target("standard")).token(&user("manager")).deny(
        "subject_mismatch",
        403,
        "internal-orders-list",
    );
    theme.get("silent, and no scope", target("manager")).token(&user("manager").without("scope")).deny(
        "scope_missing",
        403,
        "internal-orders-list",
    );
    theme.get("silent, and an ended token", target("manager")).token(&user("manager").claim("exp", 1)).deny(
        "expired",
        401,
        "internal-orders-list",
    );
    theme.get("silent, and no token", target("manager")).deny("credential_missing", 401, "internal-orders-list");
    theme
        .get("silent, and nobody asks it about companies that are their own callers", "/companies/1111/orders")
        .token(&partner("1111"))
        .permit("external-orders-list", who("partners", "1111", ORDERS).at("1111", &[]));
    theme
        .get("silent, and another company is refused all the same", "/companies/2222/orders")
        .token(&partner("1111"))
        .deny("company_mismatch", 403, "external-orders-list");
    theme.get("silent, and health", "/health").permit_anyone("health");

    theme.enter("example-nonsense");
    for subject in [
        "companies-text",
        "companies-missing",
        "companies-number",
        "companies-unnamed",
        "roles-text",
        "role-list",
        "role-empty",
        "role-twice",
        "version-text",
        "version-negative",
        "id-missing",
        "id-anothers",
        "id-number",
    ] {
        theme
            .get(format!("nonsense: {subject}"), target(subject))
            .attack("permissions service down")
            .token(&user(subject))
            .deny("permissions_unavailable", 503, "internal-orders-list");
    }
    theme
        .get("nonsense about others harms nobody", target("manager"))
        .token(&user("manager"))
        .permit("internal-orders-list", who("users", "manager", ORDERS).at("1111", &["Manager"]));

    theme.enter("rules-permissions-silent");
    theme.get("silent: a company without a role", "/people/1111/papers").token(&person("manager")).deny(
        "permissions_unavailable",
        503,
        "papers-list",
    );
    theme
        .get("silent: where no company is asked", "/me")
        .token(&person("manager"))
        .permit("me", who("people", "manager", PAPERS));
    theme
}
