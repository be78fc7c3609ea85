//! The rules that the example does not use: companies elsewhere, scopes of which one will do, conditions on claims,
//! records that stand in, claims handed on, limits.

use crate::make::{
    NOW, Theme,
    callers::{machine, person, pool_partner, pool_user},
    who,
};
use serde_json::json;

const THINGS: &str = "things/read things/write";
const PAPERS: &str = "papers/read papers/write";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("rules");
    company_in_a_field(&mut theme);
    company_in_the_query(&mut theme);
    company_is_the_subject(&mut theme);
    companies_by_other_names(&mut theme);
    scopes(&mut theme);
    conditions(&mut theme);
    handed_on(&mut theme);
    limits(&mut theme);
    standing_in(&mut theme);
    theme
}

fn company_in_a_field(theme: &mut Theme) {
    let at = "/by/header";
    for (name, field) in [("lower case", "x-company"), ("mixed case", "X-Company"), ("upper case", "X-COMPANY")] {
        theme
            .get(format!("field in {name}"), at)
            .header(field, "1111")
            .token(&person("manager"))
            .permit("by-header", who("people", "manager", PAPERS).at("1111", &["Manager"]));
    }
    theme
        .case("field, by POST", "POST", at)
        .header("x-company", "2222")
        .token(&person("per-company"))
        .permit("by-header", who("people", "per-company", PAPERS).at("2222", &["Standard"]));
    theme
        .get("field, and another of a name that begins alike", at)
        .header("x-company", "1111")
        .header("x-company-id", "2222")
        .token(&person("manager"))
        .permit("by-header", who("people", "manager", PAPERS).at("1111", &["Manager"]));
    theme.get("field names another company", at).header("x-company", "2222").token(&person("manager")).deny(
        "company_mismatch",
        403,
        "by-header",
    );
    theme
        .get("field names a company where the role is another", at)
        .header("x-company", "1111")
        .token(&person("editor"))
        .deny("role_missing", 403, "by-header");
    for (name, fields) in [
        ("missing", &[][..]),
        ("empty", &[("x-company", "")]),
        ("twice", &[("x-company", "1111"), ("x-company", "2222")]),
        ("twice and alike", &[("x-company", "1111"), ("X-Company", "1111")]),
        ("a list", &[("x-company", "1111, 2222")]),
        ("a list without spaces", &[("x-company", "1111,2222")]),
        ("a list by semicolon", &[("x-company", "1111;2222")]),
        ("in quotes", &[("x-company", "\"1111\"")]),
        ("with a space", &[("x-company", "11 11")]),
        ("with a backslash", &[("x-company", "11\\11")]),
        ("under an underscore", &[("x_company", "1111")]),
        ("under both spellings", &[("x-company", "1111"), ("x_company", "2222")]),
    ] {
        let mut draft = theme.get(format!("field {name}"), at).attack("forged identity and forwarding fields");
        for (field, value) in fields {
            draft = draft.header(field, *value);
        }
        draft.token(&person("manager")).deny("company_unspecified", 400, "by-header");
    }
    theme
        .get("field of 255 octets is a company", at)
        .header("x-company", "c".repeat(255))
        .token(&person("manager"))
        .deny("company_mismatch", 403, "by-header");
    theme.get("field of 256 octets is none", at).header("x-company", "c".repeat(256)).token(&person("manager")).deny(
        "company_unspecified",
        400,
        "by-header",
    );
    theme.get("field missing, and no token", at).deny("credential_missing", 401, "by-header");
    theme.get("field missing, and an ended token", at).token(&person("manager").claim("exp", NOW)).deny(
        "expired",
        401,
        "by-header",
    );
    theme
        .get("a machine's field is its own company", "/by/header/machine")
        .header("x-company", "1111")
        .token(&machine("1111"))
        .permit("by-header-machine", who("machines", "1111", THINGS).at("1111", &[]));
    theme
        .get("a machine's field is another company", "/by/header/machine")
        .header("x-company", "2222")
        .token(&machine("1111"))
        .deny("company_mismatch", 403, "by-header-machine");
    theme
        .get("a path goes before a field that nobody asked for", "/machines/1111/things")
        .header("x-company", "2222")
        .token(&machine("1111"))
        .permit("things-list", who("machines", "1111", THINGS).at("1111", &[]));
}

fn company_in_the_query(theme: &mut Theme) {
    let permitted = || who("machines", "1111", THINGS).at("1111", &[]);
    for query in [
        "company=1111",
        "page=2&company=1111",
        "company=1111&page=2",
        "company=1111&company2=2222&a.company=2222&company_=2222",
        "a&b=&company=1111",
        "company=1111&x=1,2&y=/:@!",
    ] {
        theme
            .get(format!("query {query}"), format!("/by/query?{query}"))
            .token(&machine("1111"))
            .permit("by-query", permitted());
    }
    theme
        .get("query with an escaped company", "/by/query?company=auth0%7Cx")
        .token(&machine("auth0|x"))
        .permit("by-query", who("machines", "auth0|x", THINGS).at("auth0|x", &[]));
    theme
        .get("query of a person", "/by/query?company=2222")
        .token(&person("per-company"))
        .permit("by-query", who("people", "per-company", PAPERS).at("2222", &["Standard"]));
    theme.get("query of another company", "/by/query?company=2222").token(&machine("1111")).deny(
        "company_mismatch",
        403,
        "by-query",
    );
    theme.get("query of another company, by a person", "/by/query?company=2222").token(&person("manager")).deny(
        "company_mismatch",
        403,
        "by-query",
    );
    for (query, reason) in [
        ("company", "query_empty_value"),
        ("company=", "query_empty_value"),
        ("Company=1111", "query_ambiguous"),
        ("company=1111&company=1111", "query_ambiguous"),
        ("company=1111&company=2222", "query_ambiguous"),
        ("company=2222&company=1111", "query_ambiguous"),
        ("company=1111&company", "query_ambiguous"),
        ("company=1111&Company=2222", "query_ambiguous"),
        ("company=1111&company.id=2222", "query_ambiguous"),
        ("%63ompany=1111", "query_name"),
        ("company=1111&%63ompany=2222", "query_name"),
        ("company[]=1111", "query_name"),
        ("company=1111&company[]=2222", "query_name"),
        ("company=1111&company%5B0%5D=2222", "query_name"),
        ("company=1111&[company]=2222", "query_name"),
        ("company=1111&%5Bcompany%5D=2222", "query_name"),
        ("company=1111&[[company]]=2222", "query_name"),
        ("company=1111&company]=2222", "query_name"),
        ("company=1111&+company=2222", "query_name"),
        ("company=1111&company%00x=2222", "query_name"),
        ("company=1111&ids[]=1", "query_name"),
        ("company=1111&filter[x]=1", "query_name"),
        ("company=1111&", "query_name"),
        ("company=1111&%FF=x", "query_name"),
        ("company=1111;company=2222", "query_semicolon"),
        ("x=1;company=2222&company=1111", "query_semicolon"),
        ("?company=2222&company=1111", "query_question_mark"),
        ("x=?company=2222&company=1111", "query_question_mark"),
        ("company=1111,2222", "query_value"),
        ("company=11+11", "query_value"),
        ("company=%31111", "query_value"),
        ("company=a@b", "query_value"),
        ("company=a]=1111", "query_value"),
        ("company=%FF", "query_not_utf8"),
        ("company=1111&x=%FF", "query_not_utf8"),
        ("page=2", "company_unspecified"),
        ("company=1111%2C2222", "company_unspecified"),
        ("company=11%2011", "company_unspecified"),
        ("company=1111%00", "company_unspecified"),
        ("company=caf%C3%A9", "company_unspecified"),
        ("company=%22x%22", "company_unspecified"),
    ] {
        theme
            .get(format!("query {query} names none"), format!("/by/query?{query}"))
            .attack("parameter pollution")
            .token(&machine("1111"))
            .deny(reason, 400, "by-query");
    }
    for (count, reason) in [(100, None), (101, Some("query_too_many_parameters"))] {
        let target = format!("/by/query?{}company=1111", "a=1&".repeat(count - 1));
        let case = theme.get(format!("query of {count} parameters"), target).token(&machine("1111"));
        match reason {
            None => case.permit("by-query", permitted()),
            Some(reason) => case.deny(reason, 400, "by-query"),
        };
    }
    method_in_the_query(theme);
    theme.get("no query names none", "/by/query").token(&machine("1111")).deny("company_unspecified", 400, "by-query");
    theme.get("no query, and no token", "/by/query").deny("credential_missing", 401, "by-query");
    theme.get("a field is no parameter", "/by/query").header("company", "1111").token(&machine("1111")).deny(
        "company_unspecified",
        400,
        "by-query",
    );
}

/// `/by/query/{thing}` allows it and names its company by `company_id`.
fn method_in_the_query(theme: &mut Theme) {
    let permitted = || who("machines", "1111", THINGS).at("1111", &[]);
    for query in ["_method=GET", "x=1&_method=GET", "%5fMethod=GET", "_method[]=GET", "X-HTTP-Method-Override=GET"] {
        theme
            .case(format!("POST that says {query}"), "POST", format!("/machines/1111/things?{query}"))
            .attack("method override")
            .token(&machine("1111"))
            .deny("query_method_override", 400, "things-write");
        theme
            .case(format!("GET that says {query}"), "GET", format!("/machines/1111/things?{query}"))
            .token(&machine("1111"))
            .permit("things-list", permitted());
    }
    theme.case("a public POST that says _method", "POST", "/shop/a?_method=DELETE").attack("method override").deny(
        "query_method_override",
        400,
        "shop-any",
    );
    theme
        .case("POST that says method", "POST", "/machines/1111/things?method=card&payment_method=x")
        .token(&machine("1111"))
        .permit("things-write", permitted());
    for path in ["a&company_id=2222", "a&company_id=2222&b", "&company_id"] {
        theme
            .case(format!("a path with {path}"), "POST", format!("/by/query/{path}?x=1&company_id=1111"))
            .attack("parameter pollution")
            .token(&machine("1111"))
            .deny("query_in_path", 400, "by-query-override");
    }
    for (query, reason) in [
        ("_method=DELETE&company_id=1111", None),
        ("company_id=1111&_HttpMethod=GET", None),
        ("company_id=1111&%5Fmethod=GET", Some("query_name")),
        ("company_id=1111&company.id=2222", Some("query_ambiguous")),
        ("company_id=1111&Company-ID=2222", Some("query_ambiguous")),
        ("x=1", Some("company_unspecified")),
    ] {
        let case = theme
            .case(format!("an allowed override: {query}"), "POST", format!("/by/query/override?{query}"))
            .token(&machine("1111"));
        match reason {
            None => case.permit("by-query-override", permitted()),
            Some(reason) => case.deny(reason, 400, "by-query-override"),
        };
    }
}

fn company_is_the_subject(theme: &mut Theme) {
    for company in ["1111", "2222", "a b"] {
        theme
            .get(format!("the subject {company} is its company"), "/by/subject")
            .token(&machine(company))
            .permit("by-subject", who("machines", company, THINGS).at(company, &[]));
    }
    theme
        .get("the subject of a pool's partner", "/by/subject")
        .token(&pool_partner("1111"))
        .permit("by-subject", who("pool-partners", "1111", "").at("1111", &[]));
    theme
        .get("the subject of a pool's user is no company", "/by/subject")
        .attack("one pool, two sections")
        .token(&pool_user("1111"))
        .deny("audience_mismatch", 401, "by-subject");
    theme
        .get("the subject, and a company that somebody claims beside", "/by/subject?company=2222")
        .header("x-company", "2222")
        .token(&machine("1111"))
        .permit("by-subject", who("machines", "1111", THINGS).at("1111", &[]));
}

/// `{tenantId}` and `{merchant_id}` bind like `{company}`; a free parameter binds nobody.
fn companies_by_other_names(theme: &mut Theme) {
    let of = |company: &str| format!("/v1/tenants/{company}/invoices/7");
    theme
        .get("a tenant's own invoice", of("1111"))
        .token(&machine("1111"))
        .permit("tenant-invoices", who("machines", "1111", THINGS).at("1111", &[]));
    theme.get("another tenant's invoice", of("2222")).token(&machine("1111")).deny(
        "company_mismatch",
        403,
        "tenant-invoices",
    );
    theme.get("a tenant's invoice without a token", of("1111")).deny("credential_missing", 401, "tenant-invoices");
    let of = |merchant: &str, customer: &str| format!("/v1/merchants/{merchant}/customers/{customer}");
    for customer in ["c7", "2222", "manager"] {
        theme
            .get(format!("customer {customer} of the caller's merchant"), of("1111", customer))
            .token(&person("manager"))
            .permit("merchant-customers", who("people", "manager", PAPERS).at("1111", &["Manager"]));
    }
    theme
        .get("a customer called like the caller's company, of another merchant", of("2222", "1111"))
        .token(&person("manager"))
        .deny("company_mismatch", 403, "merchant-customers");
    theme
        .get("another account, where any may be read", "/v1/accounts/2222")
        .token(&machine("1111"))
        .permit("accounts-any", who("machines", "1111", THINGS));
    theme.get("an account without a token", "/v1/accounts/2222").deny("credential_missing", 401, "accounts-any");
    let of = |org: &str, member: &str| format!("/v1/orgs/{org}/members/{member}");
    theme
        .get("another member of the caller's organisation", of("1111", "somebody"))
        .token(&person("manager"))
        .permit("members-any", who("people", "manager", PAPERS).at("1111", &["Manager"]));
    theme.get("the caller as a member of another organisation", of("2222", "manager")).token(&person("manager")).deny(
        "company_mismatch",
        403,
        "members-any",
    );
}

fn scopes(theme: &mut Theme) {
    for (path, route, scopes, permitted) in [
        ("/scopes/any", "scopes-any", "a", true),
        ("/scopes/any", "scopes-any", "x b", true),
        ("/scopes/any", "scopes-any", "a b", true),
        ("/scopes/any", "scopes-any", "ab", false),
        ("/scopes/any", "scopes-any", "c", false),
        ("/scopes/any", "scopes-any", "", false),
        ("/scopes/both", "scopes-both", "a d b", true),
        ("/scopes/both", "scopes-both", "c d a", true),
        ("/scopes/both", "scopes-both", "a b c d", true),
        ("/scopes/both", "scopes-both", "a d", false),
        ("/scopes/both", "scopes-both", "a b", false),
        ("/scopes/both", "scopes-both", "d c", false),
        ("/scopes/both", "scopes-both", "b c", false),
        ("/scopes/both", "scopes-both", "", false),
    ] {
        let draft = theme.get(format!("{path} with `{scopes}`"), path).token(&machine("1111").claim("scope", scopes));
        if permitted {
            draft.permit(route, who("machines", "1111", scopes));
        } else {
            draft.deny("scope_missing", 403, route);
        }
    }
}

fn conditions(theme: &mut Theme) {
    let good = || machine("1111").claim("tier", "gold").claim("verified", true).claim("plan", "pro");
    let caller = || who("machines", "1111", THINGS);
    for (name, token) in [
        ("all met", good()),
        ("the other tier", good().claim("tier", "silver")),
        ("tiers, one of them right", good().claim("tier", json!(["bronze", "silver"]))),
        ("verified by a word", good().claim("verified", "yes")),
        ("verified by zero, which is there", good().claim("verified", 0)),
        ("verified by nothing, which is there", good().claim("verified", "")),
        ("plans, one of them right", good().claim("plan", json!(["free", "pro"]))),
    ] {
        theme.get(format!("conditions: {name}"), "/conditions").token(&token).permit("conditions", caller());
    }
    for (name, token) in [
        ("none met", machine("1111")),
        ("no tier", good().without("tier")),
        ("another tier", good().claim("tier", "bronze")),
        ("a tier in another case", good().claim("tier", "GOLD")),
        ("a tier that holds it", good().claim("tier", "golden")),
        ("tiers, none of them right", good().claim("tier", json!(["bronze"]))),
        ("no tiers", good().claim("tier", json!([]))),
        ("a tier that is true", good().claim("tier", true)),
        ("a tier that is null", good().claim("tier", json!(null))),
        ("a tier within an object", good().claim("tier", json!({"gold": true}))),
        ("not verified", good().claim("verified", false)),
        ("not verified, in a word", good().claim("verified", "false")),
        ("verified by null, in a word", good().claim("verified", "null")),
        ("verified by null", good().claim("verified", json!(null))),
        ("nothing verified", good().without("verified")),
        ("another plan", good().claim("plan", "free")),
        ("a plan that is a number", good().claim("plan", 1)),
    ] {
        theme.get(format!("conditions: {name}"), "/conditions").token(&token).deny(
            "condition_unmet",
            403,
            "conditions",
        );
    }
    theme
        .get("conditions: of the other issuer", "/conditions")
        .token(&person("manager").claim("tier", "gold").claim("verified", true).claim("plan", "pro"))
        .permit("conditions", who("people", "manager", PAPERS));
    theme.get("conditions: of the other issuer, unmet", "/conditions").token(&person("manager")).deny(
        "condition_unmet",
        403,
        "conditions",
    );

    let path = |company: &str, user: &str| format!("/conditions/{company}/{user}");
    let gold = |subject: &str| person(subject).claim("tier", "gold");
    theme
        .get("conditions among other rules: all met", path("1111", "manager"))
        .token(&gold("manager"))
        .permit("conditions-and-more", who("people", "manager", PAPERS).at("1111", &["Manager"]));
    for (name, target, token, reason) in [
        ("scope first", path("2222", "standard"), person("manager").without("scope"), "scope_missing"),
        ("then the condition", path("2222", "standard"), person("manager"), "condition_unmet"),
        ("then the subject", path("2222", "standard"), gold("manager"), "subject_mismatch"),
        ("then the company", path("2222", "standard"), gold("standard"), "company_mismatch"),
        ("then the role", path("1111", "standard"), gold("standard"), "role_missing"),
    ] {
        theme.get(format!("conditions among other rules: {name}"), target).token(&token).deny(
            reason,
            403,
            "conditions-and-more",
        );
    }
}

fn handed_on(theme: &mut Theme) {
    let caller = || who("machines", "1111", THINGS);
    theme.get("handed on: to nobody", "/handed").deny("credential_missing", 401, "handed");
    theme.get("handed on: nothing to hand", "/handed").token(&machine("1111")).permit("handed", caller());
    for (name, email, value) in [
        ("as it is", json!("ann@corpus.example"), "ann@corpus.example"),
        ("escaped", json!("Zo\u{eb} 100%"), "Zo%C3%AB%20100%25"),
        ("unable to break out", json!("a\r\nx-plan: pro"), "a%0D%0Ax-plan:%20pro"),
        ("a number", json!(7), "7"),
        ("true", json!(true), "true"),
        ("a list", json!(["a", "b"]), "[\"a\",\"b\"]"),
        ("empty", json!(""), ""),
        ("2048 octets", json!("e".repeat(2048)), &"e".repeat(2048)),
    ] {
        theme
            .get(format!("handed on: {name}"), "/handed")
            .attack("claims that break out of their field")
            .token(&machine("1111").claim("email", email))
            .permit("handed", caller().handing("x-user-email", value));
    }
    for (name, email) in
        [("null", json!(null)), ("2049 octets", json!("e".repeat(2049))), ("683 spaces", json!(" ".repeat(683)))]
    {
        theme
            .get(format!("not handed on: {name}"), "/handed")
            .token(&machine("1111").claim("email", email))
            .permit("handed", caller());
    }
    theme
        .get("handed on: what stands within", "/handed")
        .token(&machine("1111").claim("billing", json!({"plan": "pro", "seats": 3})))
        .permit("handed", caller().handing("x-plan", "pro").handing("x-everything", r#"{"plan":"pro","seats":3}"#));
    theme
        .get("handed on: what the caller says of itself is not", "/handed")
        .attack("forged identity and forwarding fields")
        .header("x-user-email", "boss@corpus.example")
        .header("X_Plan", "pro")
        .token(&machine("1111"))
        .permit("handed", caller());
    theme
        .get("handed on: of the other issuer", "/handed")
        .token(&person("manager").claim("email", "m@corpus.example"))
        .permit("handed", who("people", "manager", PAPERS).handing("x-user-email", "m@corpus.example"));
}

fn limits(theme: &mut Theme) {
    let of = |length: usize| format!("/shop/x?{}", "a".repeat(length - "/shop/x?".len()));
    theme.get("limits: a target of 4096 octets", of(4096)).permit_anyone("shop-any");
    theme.get("limits: a target of 4097 octets", of(4097)).deny("target_too_long", 400, None);
    theme
        .get("limits: 12000 octets are looked at", "/me")
        .header("authorization", format!("Bearer {}", "a".repeat(12_000)))
        .deny("token_malformed", 401, "me");
    theme
        .get("limits: 12001 octets are not", "/me")
        .attack("huge token")
        .header("authorization", format!("Bearer {}", "a".repeat(12_001)))
        .deny("token_too_large", 401, "me");
    let padded = |length: usize| machine("1111").with_raw_claims(&format!(r#""x":"{}","#, "a".repeat(length)));
    theme.get("limits: a good token below", "/me").token(&padded(8000)).permit("me", who("machines", "1111", THINGS));
    theme.get("limits: a good token beyond", "/me").attack("huge token").token(&padded(9000)).deny(
        "token_too_large",
        401,
        "me",
    );
}

/// How long a record is used while the service cannot tell: `max_age` and `stale_if_error` together, where both are.
fn standing_in(theme: &mut Theme) {
    let of = |rest: &str| format!("/stale/1111/{rest}");
    let routes =
        [("defaults", "stale-defaults"), ("longer", "stale-longer"), ("never", "stale-never"), ("anew", "stale-anew")];
    for (world, stands_in) in [
        // 20 s + 40 s, 30 s + 5 min, 30 s, never.
        ("rules-permissions-25s", [true, true, true, false]),
        // One failure is no outage: what is young enough decides, and nothing else.
        ("rules-permissions-25s-unnoticed", [false, true, true, false]),
        ("rules-permissions-60s", [false, true, false, false]),
        ("rules-permissions-6m", [false, false, false, false]),
        ("rules-permissions-silent", [false, false, false, false]),
        ("rules", [true, true, true, true]),
    ] {
        theme.enter(world);
        for ((rest, route), stands_in) in routes.into_iter().zip(stands_in) {
            let draft = theme
                .get(format!("{world}: {rest}"), of(rest))
                .attack("permissions service down")
                .token(&person("manager"));
            if stands_in {
                draft.permit(route, who("people", "manager", PAPERS).at("1111", &["Manager"]));
            } else {
                draft.deny("permissions_unavailable", 503, route);
            }
            let reason = if stands_in { ("company_mismatch", 403) } else { ("permissions_unavailable", 503) };
            theme
                .get(format!("{world}: {rest}, another company"), format!("/stale/2222/{rest}"))
                .token(&person("manager"))
                .deny(reason.0, reason.1, route);
            theme
                .get(format!("{world}: {rest}, whom the service did not know"), of(rest))
                .token(&person("unknown"))
                .deny(reason.0, reason.1, route);
        }
    }
}
