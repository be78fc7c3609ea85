//! Company, user and role in the example: every endpoint, and each rule of it broken alone.

use crate::make::{
    Theme, Token,
    callers::{ORDERS, partner, user},
    who,
};

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    partners(&mut theme);
    users(&mut theme);
    several_rules_broken(&mut theme);
    theme.get("health is anybody's", "/health").permit_anyone("health");
    theme
        .get("health with a token is nobody's in particular", "/health")
        .token(&partner("1111"))
        .permit_anyone("health");
    theme.get("health with a spoilt token", "/health").token(&partner("1111").claim("exp", 0)).permit_anyone("health");
    theme
}

fn partners(theme: &mut Theme) {
    for (method, target, route, scope) in [
        ("GET", "/companies/1111/orders", "external-orders-list", "orders/list.orders"),
        ("GET", "/companies/1111/orders/o-1", "external-orders-get", "orders/get.order"),
        ("POST", "/companies/1111/orders", "external-orders-create", "orders/create.order"),
    ] {
        let own = || who("partners", "1111", ORDERS).at("1111", &[]);
        let others: Vec<&str> = ORDERS.split(' ').filter(|other| *other != scope).collect();
        let theme = &mut *theme;
        theme.case(format!("{route}: its own"), method, target).token(&partner("1111")).permit(route, own());
        theme.case(format!("{route}: without a token"), method, target).deny("credential_missing", 401, route);
        theme.case(format!("{route}: another's"), method, target).token(&partner("2222")).deny(
            "company_mismatch",
            403,
            route,
        );
        theme
            .case(format!("{route}: with its scope alone"), method, target)
            .token(&partner("1111").claim("scope", scope))
            .permit(route, who("partners", "1111", scope).at("1111", &[]));
        theme
            .case(format!("{route}: with all scopes but its own"), method, target)
            .token(&partner("1111").claim("scope", others.join(" ")))
            .deny("scope_missing", 403, route);
        theme.case(format!("{route}: without scopes"), method, target).token(&partner("1111").without("scope")).deny(
            "scope_missing",
            403,
            route,
        );
        theme
            .case(format!("{route}: a scope that begins like its own"), method, target)
            .token(&partner("1111").claim("scope", format!("{scope}s x{scope} {}", scope.to_uppercase())))
            .deny("scope_missing", 403, route);
        theme.case(format!("{route}: a user's token"), method, target).token(&user("manager").of_unknown_key()).deny(
            "key_unknown",
            401,
            route,
        );
    }
}

fn users(theme: &mut Theme) {
    for (method, rest, route, scope) in [
        ("GET", "orders", "internal-orders-list", Some("orders/list.orders")),
        ("GET", "orders/o-1", "internal-orders-get", Some("orders/get.order")),
        ("POST", "orders", "internal-orders-create", Some("orders/create.order")),
        ("GET", "vouchers/v-1", "vouchers-validate", None),
    ] {
        let of = |company: &str, user: &str| format!("/companies/{company}/users/{user}/{rest}");
        let theme = &mut *theme;
        let binds = route == "internal-orders-create";
        let manager = |subject: &str| who("users", subject, ORDERS).binding_nothing_if(binds);
        theme
            .case(format!("{route}: a manager's own"), method, of("1111", "manager"))
            .token(&user("manager"))
            .permit(route, manager("manager").at("1111", &["Manager"]));
        theme.case(format!("{route}: without a token"), method, of("1111", "manager")).deny(
            "credential_missing",
            401,
            route,
        );
        theme.case(format!("{route}: another user's"), method, of("1111", "standard")).token(&user("manager")).deny(
            "subject_mismatch",
            403,
            route,
        );
        theme.case(format!("{route}: another company's"), method, of("2222", "manager")).token(&user("manager")).deny(
            "company_mismatch",
            403,
            route,
        );
        theme.case(format!("{route}: no manager"), method, of("1111", "standard")).token(&user("standard")).deny(
            "role_missing",
            403,
            route,
        );
        theme
            .case(format!("{route}: a member without a role"), method, of("1111", "without-role"))
            .token(&user("without-role"))
            .deny("role_missing", 403, route);
        theme
            .case(format!("{route}: a manager of no company"), method, of("1111", "of-none"))
            .token(&user("of-none"))
            .deny("company_mismatch", 403, route);
        theme
            .case(format!("{route}: whom the service does not know"), method, of("1111", "unknown"))
            .token(&user("unknown"))
            .deny("company_mismatch", 403, route);
        theme
            .case(format!("{route}: a manager here"), method, of("1111", "per-company"))
            .token(&user("per-company"))
            .permit(route, manager("per-company").at("1111", &["Manager"]));
        theme
            .case(format!("{route}: a manager elsewhere, not here"), method, of("2222", "per-company"))
            .token(&user("per-company"))
            .deny("role_missing", 403, route);
        theme
            .case(format!("{route}: a manager of both"), method, of("2222", "of-both"))
            .token(&user("of-both"))
            .permit(route, manager("of-both").at("2222", &["Manager"]));
        theme
            .case(format!("{route}: one role of many"), method, of("1111", "of-many-roles"))
            .token(&user("of-many-roles"))
            .permit(route, manager("of-many-roles").at("1111", &["Standard", "Editor", "Manager"]));
        theme
            .case(format!("{route}: roles that look like it"), method, of("1111", "of-strange-role"))
            .token(&user("of-strange-role"))
            .deny("role_missing", 403, route);
        theme.case(format!("{route}: a company's token"), method, of("1111", "1111")).token(&partner("1111")).deny(
            "algorithm_not_allowed",
            401,
            route,
        );
        if let Some(scope) = scope {
            theme
                .case(format!("{route}: its scope alone"), method, of("1111", "manager"))
                .token(&user("manager").claim("scope", scope))
                .permit(route, who("users", "manager", scope).at("1111", &["Manager"]).binding_nothing_if(binds));
        }
        let scopeless = user("manager").without("scope");
        let draft = theme.case(format!("{route}: without scopes"), method, of("1111", "manager")).token(&scopeless);
        match scope {
            Some(_) => draft.deny("scope_missing", 403, route),
            None => draft.permit(route, who("users", "manager", "").at("1111", &["Manager"])),
        }
    }
    for (subject, segment) in [("auth0|pipe", "auth0%7Cpipe"), ("user@corpus.example", "user@corpus.example")] {
        theme
            .get(format!("the user is compared decoded: {subject}"), format!("/companies/1111/users/{segment}/orders"))
            .token(&user(subject))
            .permit("internal-orders-list", who("users", subject, ORDERS).at("1111", &["Manager"]));
    }
    for (subject, segment) in
        [("manager", "Manager"), ("manager", "manager%20"), ("auth0|pipe", "auth0"), ("manager", "managers")]
    {
        theme
            .get(format!("`{segment}` is not the user `{subject}`"), format!("/companies/1111/users/{segment}/orders"))
            .token(&user(subject))
            .deny("subject_mismatch", 403, "internal-orders-list");
    }
    // A user who is called like a company, and whose companies are others.
    theme.get("a user called like a company is none", "/companies/1111/users/1111/orders").token(&user("1111")).deny(
        "company_mismatch",
        403,
        "internal-orders-list",
    );
    theme
        .get("a user called like a company is what the record says", "/companies/2222/users/1111/orders")
        .token(&user("1111"))
        .permit("internal-orders-list", who("users", "1111", ORDERS).at("2222", &["Manager"]));
    theme
        .get("`username` is not the subject", "/companies/1111/users/manager/orders")
        .token(&user("standard").claim("username", "manager"))
        .deny("subject_mismatch", 403, "internal-orders-list");
    theme
        .get("roles in claims are not asked where the service is", "/companies/1111/users/standard/orders")
        .token(&user("standard").claim("role", "Manager").claim("cognito:groups", vec!["Manager"]))
        .deny("role_missing", 403, "internal-orders-list");
    theme
        .get("companies in claims are not asked where the service is", "/companies/2222/users/manager/orders")
        .token(&user("manager").claim("companies", vec!["2222"]))
        .deny("company_mismatch", 403, "internal-orders-list");
}

/// Which is told first: scope, subject, company, role.
fn several_rules_broken(theme: &mut Theme) {
    let target = |company: &str, user: &str| format!("/companies/{company}/users/{user}/orders");
    let scopeless = |subject: &str| -> Token { user(subject).claim("scope", "openid") };
    for (name, target, token, reason) in [
        ("scope, subject, company and role", target("2222", "manager"), scopeless("standard"), "scope_missing"),
        ("subject, company and role", target("2222", "manager"), user("standard"), "subject_mismatch"),
        ("company and role", target("2222", "standard"), user("standard"), "company_mismatch"),
        ("role", target("1111", "standard"), user("standard"), "role_missing"),
    ] {
        theme.get(format!("broken: {name}"), target).token(&token).deny(reason, 403, "internal-orders-list");
    }
    theme
        .get("broken: everything, and the token has ended", "/companies/2222/users/manager/orders")
        .token(&scopeless("standard").claim("exp", 1))
        .deny("expired", 401, "internal-orders-list");
}
