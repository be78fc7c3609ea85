//! Raw request targets: one canonical form, everything else is a bad request with its reason.

use crate::make::{
    Theme,
    callers::{ORDERS, partner, user},
    who,
};

const ESCAPES: &str = "path tricks";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    refused(&mut theme);
    refused_queries(&mut theme);
    lengths(&mut theme);
    taken(&mut theme);
    of_another_company(&mut theme);
    theme
}

fn refused(theme: &mut Theme) {
    for (target, reason) in [
        ("", "target_not_absolute_path"),
        ("*", "target_not_absolute_path"),
        ("health", "target_not_absolute_path"),
        ("?x=1", "target_not_absolute_path"),
        ("https://evil.example/health", "target_not_absolute_path"),
        ("evil.example:443", "target_not_absolute_path"),
        ("\\health", "target_not_absolute_path"),
        ("//", "target_empty_segment"),
        ("//health", "target_empty_segment"),
        ("//evil.example/health", "target_empty_segment"),
        ("/health//", "target_empty_segment"),
        ("/companies//orders", "target_empty_segment"),
        ("/companies/1111//orders", "target_empty_segment"),
        ("/.", "target_dot_segment"),
        ("/..", "target_dot_segment"),
        ("/./health", "target_dot_segment"),
        ("/../health", "target_dot_segment"),
        ("/health/.", "target_dot_segment"),
        ("/health/..", "target_dot_segment"),
        ("/companies/2222/../1111/orders", "target_dot_segment"),
        ("/companies/2222/%2e%2e/1111/orders", "target_dot_segment"),
        ("/companies/2222/%2E%2E/1111/orders", "target_dot_segment"),
        ("/companies/2222/.%2e/1111/orders", "target_dot_segment"),
        ("/companies/2222/%2e./1111/orders", "target_dot_segment"),
        ("/companies/%2e/1111/orders", "target_dot_segment"),
        ("/health.", "target_dot_segment"),
        ("/companies/1111./orders", "target_dot_segment"),
        ("/companies/.../orders", "target_dot_segment"),
        ("/health%2E", "target_dot_segment"),
        ("/companies/1111/..;/2222/orders", "target_forbidden_character"),
        ("/companies/1111;x=1/orders", "target_forbidden_character"),
        ("/health;", "target_forbidden_character"),
        ("/companies/1111/orders;jsessionid=1", "target_forbidden_character"),
        ("/companies\\1111\\orders", "target_forbidden_character"),
        ("/companies/1111\\..\\2222/orders", "target_forbidden_character"),
        ("/companies/{company}/orders", "target_forbidden_character"),
        ("/companies/<1111>/orders", "target_forbidden_character"),
        ("/companies/\"1111\"/orders", "target_forbidden_character"),
        ("/companies/1111|2222/orders", "target_forbidden_character"),
        ("/companies/1^1/orders", "target_forbidden_character"),
        ("/companies/`id`/orders", "target_forbidden_character"),
        ("/companies/[1111]/orders", "target_forbidden_character"),
        ("/health#fragment", "target_forbidden_character"),
        ("/health#", "target_forbidden_character"),
        ("/companies/caf\u{e9}/orders", "target_forbidden_character"),
        ("/companies/1111\u{ff0f}orders", "target_forbidden_character"),
        ("/health ", "target_forbidden_character"),
        ("/companies/a b/orders", "target_forbidden_character"),
        ("/companies/a\tb/orders", "target_forbidden_character"),
        ("/health%", "target_broken_escape"),
        ("/health%4", "target_broken_escape"),
        ("/health%zz", "target_broken_escape"),
        ("/companies/%u002e/orders", "target_broken_escape"),
        ("/companies/%%32%65/orders", "target_broken_escape"),
        ("/companies/1%+1/orders", "target_broken_escape"),
        ("/%68ealth", "target_needless_escape"),
        ("/companies/%31111/orders", "target_needless_escape"),
        ("/companies/a%40b/orders", "target_needless_escape"),
        ("/companies/a%3Ab/orders", "target_needless_escape"),
        ("/companies/a%7Eb/orders", "target_needless_escape"),
        ("/companies/auth0%7cpipe/orders", "target_needless_escape"),
        ("/companies/caf%c3%a9/orders", "target_needless_escape"),
        ("/companies/caf%C3%a9/orders", "target_needless_escape"),
        ("/companies/1111%2Forders", "target_forbidden_escape"),
        ("/companies/1111%2forders", "target_forbidden_escape"),
        ("/companies%2F1111%2Forders", "target_forbidden_escape"),
        ("/companies/..%2F1111/orders", "target_forbidden_escape"),
        ("/companies/1111%5Corders", "target_forbidden_escape"),
        ("/companies/1111%5corders", "target_forbidden_escape"),
        ("/companies/1111%00/orders", "target_forbidden_escape"),
        ("/health%00", "target_forbidden_escape"),
        ("/health%0A", "target_forbidden_escape"),
        ("/health%0D%0AX-Company:%202222", "target_forbidden_escape"),
        ("/companies/1111%23/orders", "target_forbidden_escape"),
        ("/companies/1111%3Fx=1/orders", "target_forbidden_escape"),
        ("/companies/1111%3Bx=1/orders", "target_forbidden_escape"),
        ("/companies/%252e%252e/orders", "target_forbidden_escape"),
        ("/companies/%252F/orders", "target_forbidden_escape"),
        ("/companies/1%25/orders", "target_forbidden_escape"),
        ("/companies/1111%7F/orders", "target_forbidden_escape"),
        ("/companies/1111%C2%85/orders", "target_forbidden_escape"),
        ("/companies/%C0%AE%C0%AE/orders", "target_not_utf8"),
        ("/companies/%C0%AF/orders", "target_not_utf8"),
        ("/companies/%E0%80%AF/orders", "target_not_utf8"),
        ("/companies/%F0%80%80%AF/orders", "target_not_utf8"),
        ("/companies/%FF/orders", "target_not_utf8"),
        ("/companies/%C3/orders", "target_not_utf8"),
        ("/companies/%ED%A0%80/orders", "target_not_utf8"),
    ] {
        theme.get(format!("refused: {}", target.escape_default()), target).attack(ESCAPES).deny(reason, 400, None);
    }
}

fn refused_queries(theme: &mut Theme) {
    for (target, reason) in [
        ("/health?", "target_empty_query"),
        ("/?", "target_empty_query"),
        ("/health?a=b#c", "target_forbidden_character"),
        ("/health?a=b c", "target_forbidden_character"),
        ("/health?a='b'", "target_forbidden_character"),
        ("/health?a=\"b\"", "target_forbidden_character"),
        ("/health?a=<b>", "target_forbidden_character"),
        ("/health?a=b\\c", "target_forbidden_character"),
        ("/health?a={b}", "target_forbidden_character"),
        ("/health?a=b|c", "target_forbidden_character"),
        ("/health?a=\u{e9}", "target_forbidden_character"),
        ("/health?a=%", "target_broken_escape"),
        ("/health?a=%4", "target_broken_escape"),
        ("/health?a=%zz", "target_broken_escape"),
    ] {
        theme.get(format!("refused: {}", target.escape_default()), target).attack(ESCAPES).deny(reason, 400, None);
    }
}

fn lengths(theme: &mut Theme) {
    let of = |length: usize| format!("/health?{}", "a".repeat(length - "/health?".len()));
    theme.get("8192 octets are not too long", of(8192)).permit_anyone("health");
    theme.get("8193 octets are too long", of(8193)).deny("target_too_long", 400, None);
    theme.get("64 segments are not too many", "/a".repeat(64)).deny("no_route", 404, None);
    theme.get("65 segments are too many", "/a".repeat(65)).deny("target_too_long", 400, None);
}

fn taken(theme: &mut Theme) {
    for target in [
        "/health?a=1&b=2",
        "/health?a=%2F..%2f%00",
        "/health?next=/a/../b;c?d",
        "/health?ids[]=1",
        "/health?=",
        "/health?access_token=a.b.c",
        "/health?a=caf%C3%A9",
        "/health?a%5Bb%5D=1",
    ] {
        theme.get(format!("taken: {target}"), target).permit_anyone("health");
    }
    for (target, company) in [
        ("/companies/auth0%7Cpipe/orders", "auth0|pipe"),
        ("/companies/caf%C3%A9/orders", "caf\u{e9}"),
        ("/companies/a%20b/orders", "a b"),
        ("/companies/user@corpus.example/orders", "user@corpus.example"),
        ("/companies/a:b!c$d&e'f(g)h*i+j,k=l/orders", "a:b!c$d&e'f(g)h*i+j,k=l"),
        ("/companies/.hidden/orders", ".hidden"),
        ("/companies/..a/orders", "..a"),
        ("/companies/-._~/orders", "-._~"),
        ("/companies/%F0%9F%8D%A3/orders", "\u{1f363}"),
        ("/companies/%5B1%5D/orders", "[1]"),
        ("/companies/%22q%22/orders", "\"q\""),
    ] {
        theme
            .get(format!("taken, and decoded once: {target}"), target)
            .token(&partner(company))
            .permit("external-orders-list", who("partners", company, ORDERS).at(company, &[]));
    }
    theme
        .get("taken, and bound in two places: %7C", "/companies/1111/users/auth0%7Cpipe/orders")
        .token(&user("auth0|pipe"))
        .permit("internal-orders-list", who("users", "auth0|pipe", ORDERS).at("1111", &["Manager"]));
    theme
        .get("taken, and bound in two places: UTF-8 and a space", "/companies/1111/users/zo%C3%AB%20b/orders")
        .token(&user("zo\u{eb} b"))
        .permit("internal-orders-list", who("users", "zo\u{eb} b", ORDERS).at("1111", &["Manager"]));
}

/// Each is somebody's reading of `/companies/2222/orders`, asked by company 1111, or the other way round.
fn of_another_company(theme: &mut Theme) {
    for (target, reason, status, route) in [
        ("/companies/2222/orders", "company_mismatch", 403, Some("external-orders-list")),
        ("/Companies/1111/orders", "no_route", 404, None),
        ("/companies/1111/Orders", "no_route", 404, None),
        ("/companies/1111/orders/", "no_route", 404, None),
        ("/companies/1111/", "no_route", 404, None),
        ("/companies/1111", "no_route", 404, None),
        ("/companies/1111%20/orders", "company_mismatch", 403, Some("external-orders-list")),
        ("/companies/%201111/orders", "company_mismatch", 403, Some("external-orders-list")),
        ("/companies/1111,2222/orders", "company_mismatch", 403, Some("external-orders-list")),
        ("/companies/01111/orders", "company_mismatch", 403, Some("external-orders-list")),
        ("/companies/1111%EF%BC%8F/orders", "company_mismatch", 403, Some("external-orders-list")),
        ("/companies/%EF%BC%91111/orders", "company_mismatch", 403, Some("external-orders-list")),
        ("/companies/1111&company=2222/orders", "company_mismatch", 403, Some("external-orders-list")),
    ] {
        theme.get(format!("of 1111: {target}"), target).token(&partner("1111")).deny(reason, status, route);
    }
    for target in ["/companies/1111/orders?company=2222", "/companies/1111/orders?path=/companies/2222/orders"] {
        theme
            .get(format!("of 1111: {target}"), target)
            .token(&partner("1111"))
            .permit("external-orders-list", who("partners", "1111", ORDERS).at("1111", &[]));
    }
    theme.get("companies are compared with their case", "/companies/acme/orders").token(&partner("ACME")).deny(
        "company_mismatch",
        403,
        "external-orders-list",
    );
}
