//! Attacks that take more than one request to show: the same token, one thing changed. Cases that share a token stand
//! side by side, so that whatever is remembered of one is shown to the next.

use crate::make::{
    NOW, Pair, Theme,
    callers::{ORDERS, machine, partner, person, user},
    who,
};

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    one_token(&mut theme);
    nearly_one_token(&mut theme);
    round_the_edge(&mut theme);
    theme
}

/// The fault of the system that Postern answers: a decision for one company was kept for all.
fn one_token(theme: &mut Theme) {
    let cache = "cache bypass";
    let token = user("per-company");
    let of = |company: &str, rest: &str| format!("/companies/{company}/users/per-company/{rest}");
    let here = || who("users", "per-company", ORDERS).at("1111", &["Manager"]);
    for turn in ["first", "again"] {
        for (method, company, rest, route) in [
            ("GET", "1111", "orders", "internal-orders-list"),
            ("GET", "1111", "orders/o-1", "internal-orders-get"),
            ("POST", "1111", "orders", "internal-orders-create"),
            ("GET", "1111", "vouchers/v-1", "vouchers-validate"),
        ] {
            theme
                .case(format!("one token, {turn}: {method} {rest}"), method, of(company, rest))
                .attack(cache)
                .token(&token)
                .permit(route, here().binding_nothing_if(route == "internal-orders-create"));
            theme
                .case(format!("one token, {turn}: {method} {rest} where it has another role"), method, of("2222", rest))
                .attack(cache)
                .token(&token)
                .deny("role_missing", 403, route);
            theme
                .case(format!("one token, {turn}: {method} {rest} where it has none"), method, of("3333", rest))
                .attack(cache)
                .token(&token)
                .deny("company_mismatch", 403, route);
        }
    }
    let narrow = partner("1111").claim("scope", "orders/list.orders");
    for (method, target, route, permitted) in [
        ("GET", "/companies/1111/orders", "external-orders-list", true),
        ("POST", "/companies/1111/orders", "external-orders-create", false),
        ("GET", "/companies/1111/orders/o-1", "external-orders-get", false),
        ("HEAD", "/companies/1111/orders", "external-orders-list", true),
    ] {
        let draft = theme.case(format!("one scope: {method} {target}"), method, target).attack(cache).token(&narrow);
        if permitted {
            draft.permit(route, who("partners", "1111", "orders/list.orders").at("1111", &[]));
        } else {
            draft.deny("scope_missing", 403, route);
        }
    }
    theme
        .get("one token at another issuer's route", "/companies/1111/users/1111/orders")
        .attack("verified-token cache confusion")
        .token(&narrow)
        .deny("algorithm_not_allowed", 401, "internal-orders-list");
}

/// Two tokens that differ in one thing are two tokens.
fn nearly_one_token(theme: &mut Theme) {
    let confusion = "verified-token cache confusion";
    let good = partner("1111");
    let list = "/companies/1111/orders";
    let route = "external-orders-list";
    let own = || who("partners", "1111", ORDERS).at("1111", &[]);
    let compact = good.compact();
    let other = partner("2222").compact();
    let part = |token: &str, place: usize| token.split('.').nth(place).unwrap_or_default().to_owned();
    theme.get("the good token", list).attack(confusion).token(&good).permit(route, own());
    for (name, token, target) in [
        (
            "the other's claims under this signature",
            format!("{}.{}.{}", part(&compact, 0), part(&other, 1), part(&compact, 2)),
            "/companies/2222/orders",
        ),
        (
            "this one's claims under the other's signature",
            format!("{}.{}.{}", part(&compact, 0), part(&compact, 1), part(&other, 2)),
            list,
        ),
    ] {
        theme
            .get(name, target)
            .attack(confusion)
            .header("authorization", format!("Bearer {token}"))
            .facts(crate::case::Facts { signature: crate::case::Signature::Broken, ..Default::default() })
            .deny("signature_invalid", 401, route);
    }
    theme
        .get("the good token with the name of its key in another case", list)
        .attack(confusion)
        .token(&good.clone().header("kid", "Partners-Ed").of_unknown_key())
        .deny("key_unknown", 401, route);
    theme
        .get("the good token in lower case", list)
        .attack(confusion)
        .header("authorization", format!("Bearer {}", compact.to_lowercase()))
        .deny("token_malformed", 401, route);
    theme.get("the good token once more", list).attack(confusion).token(&good).permit(route, own());
    theme
        .get("the good token a second before its end", list)
        .attack(confusion)
        .token(&partner("1111").claim("exp", NOW + 1))
        .permit(route, own());
    theme
        .get("the good token at its end", list)
        .attack(confusion)
        .token(&partner("1111").claim("exp", NOW))
        .deny("expired", 401, route);
    theme
        .get("somebody else's good token, by the same key", "/companies/2222/orders")
        .attack(confusion)
        .token(&partner("2222"))
        .permit(route, who("partners", "2222", ORDERS).at("2222", &[]));
    theme.get("a token for all companies is for none", "/companies/1111/orders").token(&partner("*")).deny(
        "company_mismatch",
        403,
        route,
    );
    theme
        .get("a company called * is one", "/companies/*/orders")
        .token(&partner("*"))
        .permit(route, who("partners", "*", ORDERS).at("*", &[]));

    theme.enter("rules");
    let shared = machine("manager");
    theme
        .get("a machine's token at people's route", "/people/1111/papers")
        .attack(confusion)
        .token(&shared.clone().of_unknown_key())
        .deny("key_unknown", 401, "papers-list");
    theme
        .get("a machine's token at its own", "/me")
        .attack(confusion)
        .token(&shared)
        .permit("me", who("machines", "manager", "things/read things/write"));
    theme
        .get("a machine's token at people's route, now that it is known", "/people/1111/papers")
        .attack(confusion)
        .token(&shared.of_unknown_key())
        .deny("key_unknown", 401, "papers-list");
    theme
        .get("a person's token at a machine's route", "/machines/1111/things")
        .attack(confusion)
        .token(&person("1111").of_unknown_key())
        .deny("key_unknown", 401, "things-list");
    theme
        .get("a person's token at a machine's route, under a machine's key's name", "/machines/1111/things")
        .attack("kid of another issuer")
        .token(&person("1111").header("kid", "m-ed-ops"))
        .deny("issuer_mismatch", 401, "things-list");
    theme
        .get("a stranger's token, signed with the issuer's key", "/machines/1111/things")
        .attack("foreign issuer")
        .token(&machine("1111").claim("iss", "https://evil.example"))
        .deny("issuer_mismatch", 401, "things-list");
    theme
        .get("a forged token after a good one", "/machines/1111/things")
        .attack("forged token")
        .token(&machine("1111").forged_by(Pair("stranger-ed")))
        .deny("signature_invalid", 401, "things-list");
    theme.enter("example");
}

/// What an origin believes is no credential at the edge, and the permissions API is nobody's.
fn round_the_edge(theme: &mut Theme) {
    let round = "going round the edge";
    let assertion =
        "eyJhbGciOiJIUzI1NiIsImtpZCI6ImEiLCJ0eXAiOiJwb3N0ZXJuLWFzc2VydGlvbitqd3QifQ.eyJpc3MiOiJlZGdlIn0.AAAA";
    theme
        .get("an assertion is no token", "/companies/1111/orders")
        .attack(round)
        .header("authorization", format!("Bearer {assertion}"))
        .deny("token_algorithm", 401, "external-orders-list");
    for (method, target) in [
        ("GET", "/users/manager"),
        ("PUT", "/users/manager"),
        ("DELETE", "/users/manager"),
        ("GET", "/users"),
        ("GET", "/permissions"),
    ] {
        theme
            .case(format!("permissions are not served here: {method} {target}"), method, target)
            .attack(round)
            .deny("no_route", 404, None);
        theme
            .case(format!("permissions are not served here, to a manager neither: {method} {target}"), method, target)
            .attack(round)
            .token(&user("manager"))
            .deny("no_route", 404, None);
    }
    theme
        .get("vouchers: the fault of comparing no user", "/companies/1111/users/standard/vouchers/v-1")
        .attack("cache bypass")
        .token(&user("manager"))
        .deny("subject_mismatch", 403, "vouchers-validate");
}
