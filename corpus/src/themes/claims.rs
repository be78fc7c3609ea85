//! Claims of a token whose signature holds: types, dates, subject, scopes (RFC 7519 §4, RFC 9068 §2.2).

use crate::make::{
    NOW, Theme, Token,
    callers::{ORDERS, machine, partner, staff, user},
    who,
};
use serde_json::{Value, json};

const LIST: &str = "/companies/1111/orders";
const ROUTE: &str = "external-orders-list";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    types(&mut theme);
    dates(&mut theme);
    audiences(&mut theme);
    subjects_and_scopes(&mut theme);
    theme.enter("rules");
    theme
        .get("`scope` is an array in a text, where no rule needs it", "/me")
        .token(&machine("1111").claim("scope", "[things/read]"))
        .permit("me", who("machines", "1111", ""));
    limits(&mut theme);
    many_names(&mut theme);
    theme
}

/// A token may list 1,024 names in a claim. More than that matters to the rules that look at the claim alone.
fn many_names(theme: &mut Theme) {
    let names = |count: usize, name: &str| {
        let mut names: Vec<String> = (1..count).map(|number| format!("{number:x}")).collect();
        names.push(name.to_owned());
        names
    };
    let access = |companies: Vec<String>, roles: Vec<String>| {
        staff("s1").claim("access", json!({"roles": roles, "tenants": companies}))
    };
    let few = || (vec!["1111".to_owned()], vec!["Auditor".to_owned()]);
    let (reports, route) = ("/staff/1111/reports", "staff-reports");
    for (name, token, reason) in [
        ("scopes", staff("s1").claim("permissions", names(1_025, "reports/read")), "too_many_scopes"),
        ("companies", access(names(1_025, "1111"), few().1), "too_many_companies"),
        ("roles", access(few().0, names(1_025, "Auditor")), "too_many_roles"),
    ] {
        theme.get(format!("1,025 {name}"), reports).attack("huge token").token(&token).deny(reason, 403, route);
        let scopes = if name == "scopes" { "" } else { "reports/read" };
        theme
            .get(format!("1,025 {name}, where no rule looks at them"), "/profiles/users/s1")
            .token(&token)
            .permit("staff-profile", who("staff", "s1", scopes));
    }
    let gold =
        |tiers: serde_json::Value| machine("1111").claim("tier", tiers).claim("verified", true).claim("plan", "pro");
    let tiers = |octets: usize| json!(["gold", "x".repeat(octets - r#"["gold",""]"#.len())]);
    theme
        .get("8,192 octets of tiers", "/conditions")
        .token(&gold(tiers(8_192)))
        .permit("conditions", who("machines", "1111", "things/read things/write"));
    theme.get("8,193 octets of tiers", "/conditions").attack("huge token").token(&gold(tiers(8_193))).deny(
        "claim_too_large",
        403,
        "conditions",
    );
    theme
        .get("8,193 octets of tiers, where no rule looks at them", "/me")
        .token(&gold(tiers(8_193)))
        .permit("me", who("machines", "1111", "things/read things/write"));
    for (name, token) in [
        ("companies", access(names(1_024, "1111"), few().1)),
        ("scopes", staff("s1").claim("permissions", names(1_024, "reports/read").join(" "))),
    ] {
        let scopes =
            if name == "companies" { "reports/read".to_owned() } else { names(1_024, "reports/read").join(" ") };
        theme
            .get(format!("1,024 {name}"), reports)
            .token(&token)
            .permit(route, who("staff", "s1", &scopes).at("1111", &["Auditor"]));
    }
}

fn deny(theme: &mut Theme, name: String, token: &Token, reason: &str, attack: &str) {
    theme.get(name, LIST).attack(attack).token(token).deny(reason, 401, ROUTE);
}

fn permit(theme: &mut Theme, name: String, token: &Token) {
    theme.get(name, LIST).token(token).permit(ROUTE, who("partners", "1111", ORDERS).at("1111", &[]));
}

fn types(theme: &mut Theme) {
    let wrong = "wrong-typed members";
    for (claim, value) in [
        ("iss", json!(7)),
        ("iss", json!(["https://auth.partners.ljg-sushi.example"])),
        ("iss", json!(null)),
        ("sub", json!(1111)),
        ("sub", json!(["1111"])),
        ("sub", json!(null)),
        ("sub", json!({"id": "1111"})),
        ("aud", json!(7)),
        ("aud", json!(null)),
        ("aud", json!({"a": "https://api.ljg-sushi.example"})),
        ("aud", json!(["https://api.ljg-sushi.example", 7])),
        ("exp", json!("1800003600")),
        ("exp", json!(true)),
        ("exp", json!([1_800_003_600])),
        ("exp", json!({})),
        ("exp", json!(null)),
        ("nbf", json!(null)),
        ("nbf", json!("0")),
        ("nbf", json!(false)),
        ("iat", json!("1800000000")),
        ("iat", json!([])),
        ("scope", json!(7)),
        ("scope", json!(["orders/list.orders", 7])),
        ("scope", json!({"orders/list.orders": true})),
        ("scope", json!(null)),
        ("token_use", json!(["access"])),
        ("token_use", json!(1)),
        ("client_id", json!(1111)),
    ] {
        deny(theme, format!("`{claim}` is {value}"), &partner("1111").claim(claim, value), "claims_malformed", wrong);
    }
    for (name, text) in [
        ("no JSON", "sub=1111"),
        ("an array", "[]"),
        ("a string", "\"1111\""),
        ("null", "null"),
        ("cut off", "{\"sub\":\"1111\""),
        ("with more behind it", "{} {}"),
    ] {
        let token = partner("1111").raw_claims(text);
        deny(theme, format!("the payload is {name}"), &token, "claims_malformed", wrong);
    }
    let twice = "duplicate JSON members";
    for (name, text) in [
        ("`sub`", r#""sub":"2222","#),
        ("`sub`, escaped", r#""\u0073ub":"2222","#),
        ("`exp`", r#""exp":9999999999,"#),
        ("`iss`", r#""iss":"https://auth.partners.ljg-sushi.example","#),
        ("`scope`", r#""scope":"admin","#),
        ("`aud`", r#""aud":"x","#),
        ("a claim that nobody reads", r#""x":1,"x":2,"#),
        ("a nested claim", r#""x":{"y":[{"z":1,"z":1}]},"#),
    ] {
        let token = partner("1111").with_raw_claims(text);
        deny(theme, format!("twice {name}"), &token, "claims_malformed", twice);
    }
    let deep = format!(r#""x":{}{},"#, "[".repeat(3000), "]".repeat(3000));
    deny(
        theme,
        "nested 3000 deep".to_owned(),
        &partner("1111").with_raw_claims(&deep),
        "claims_malformed",
        "deep nesting",
    );
    let wide = format!(r#""x":"{}","#, "a".repeat(9000));
    permit(theme, "a claim of 9000 octets".to_owned(), &partner("1111").with_raw_claims(&wide));
    permit(theme, "spaces and line breaks".to_owned(), &partner("1111").with_raw_claims("\r\n \t"));
    permit(theme, "claims that nobody reads".to_owned(), &partner("1111").claim("x", json!([1, null, {"y": 2.5}])));
    for (claim, reason) in [
        ("iss", "issuer_mismatch"),
        ("aud", "audience_mismatch"),
        ("token_use", "not_an_access_token"),
        ("exp", "expiration_missing"),
        ("sub", "subject_unusable"),
    ] {
        deny(theme, format!("no `{claim}`"), &partner("1111").without(claim), reason, "missing claims");
    }
    for claim in ["iat", "client_id", "nbf", "jti"] {
        permit(theme, format!("no `{claim}`"), &partner("1111").without(claim));
    }
    for issuer in [
        "https://auth.partners.ljg-sushi.example/",
        "https://AUTH.partners.ljg-sushi.example",
        "http://auth.partners.ljg-sushi.example",
        "auth.partners.ljg-sushi.example",
        "https://auth.partners.ljg-sushi.example.evil.example",
        "https://evil.example",
        "",
    ] {
        deny(
            theme,
            format!("`iss` is `{issuer}`"),
            &partner("1111").claim("iss", issuer),
            "issuer_mismatch",
            "foreign issuer",
        );
    }
    let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    for (name, value) in [
        ("a key's thumbprint (DPoP)", json!({"jkt": thumbprint})),
        ("a certificate's thumbprint (mTLS)", json!({"x5t#S256": thumbprint})),
        ("something unknown", json!({"other": 1})),
        ("nothing", json!({})),
        ("a text", json!("x")),
        ("null", json!(null)),
    ] {
        let token = partner("1111").claim("cnf", value);
        deny(theme, format!("`cnf` is {name}"), &token, "sender_constrained", "bound token");
    }
    permit(
        theme,
        "`cnf` in another claim".to_owned(),
        &partner("1111").claim("act", json!({"cnf": {"jkt": thumbprint}})),
    );
    for kind in ["id", "Access", "refresh", "access ", ""] {
        deny(
            theme,
            format!("`token_use` is `{kind}`"),
            &partner("1111").claim("token_use", kind),
            "not_an_access_token",
            "ID token",
        );
    }
}

fn dates(theme: &mut Theme) {
    let claim = |name: &str, value: Value| partner("1111").claim(name, value);
    for (name, value, reason) in [
        ("at its very second", json!(NOW), "expired"),
        ("a second ago", json!(NOW - 1), "expired"),
        ("a part of a second ahead, which is cut off", json!(1_800_000_000.9), "expired"),
        ("in 1970", json!(0), "expired"),
        ("before 1970", json!(-1), "expired"),
        ("long before 1970", json!(-1e12), "expired"),
        ("further back than any calendar", json!(i64::MIN), "claims_malformed"),
        ("further on than any calendar", json!(i64::MAX), "claims_malformed"),
        ("past 64 bits", json!(u64::MAX), "claims_malformed"),
        ("as large as a float can be", json!(1e308), "claims_malformed"),
    ] {
        deny(theme, format!("`exp` {name}"), &claim("exp", value), reason, "extreme dates");
    }
    for (name, value) in [
        ("a second ahead", json!(NOW + 1)),
        ("with a fraction", json!(1_800_000_001.5)),
        ("with an exponent", json!(1.9e9)),
        ("in the year 9999", json!(253_402_300_799_u64)),
    ] {
        permit(theme, format!("`exp` {name}"), &claim("exp", value));
    }
    // What is not a number in JSON at all.
    for text in ["1e999", "01800003600", "NaN", "Infinity", "0x6B49D200", "+1800003600"] {
        let token = partner("1111").without("exp").with_raw_claims(&format!("\"exp\":{text},"));
        deny(theme, format!("`exp` is `{text}`"), &token, "claims_malformed", "extreme dates");
    }
    for (name, value, reason) in [
        ("6 s ahead", json!(NOW + 6), "not_yet_valid"),
        ("a fraction more than 5 s ahead, which is rounded up", json!(1_800_000_005.000_001), "not_yet_valid"),
        ("an hour ahead", json!(NOW + 3600), "not_yet_valid"),
        ("in the year 9999", json!(253_402_300_799_u64), "not_yet_valid"),
        ("further on than any calendar", json!(i64::MAX), "claims_malformed"),
        ("further back than any calendar", json!(i64::MIN), "claims_malformed"),
    ] {
        deny(theme, format!("`nbf` {name}"), &claim("nbf", value), reason, "extreme dates");
    }
    for (name, value) in [
        ("now", json!(NOW)),
        ("5 s ahead, which is forgiven", json!(NOW + 5)),
        ("a fraction less than 5 s ahead", json!(1_800_000_004.999_999)),
        ("in 1970", json!(0)),
        ("before 1970", json!(-7)),
    ] {
        permit(theme, format!("`nbf` {name}"), &claim("nbf", value));
    }
    for (name, value) in [
        ("6 s ahead", json!(NOW + 6)),
        ("a fraction more than 5 s ahead, which is rounded up", json!(1_800_000_005.000_001)),
        ("a year ahead", json!(NOW + 31_536_000)),
    ] {
        deny(theme, format!("`iat` {name}"), &claim("iat", value), "issued_in_future", "extreme dates");
    }
    for (name, value) in [
        ("5 s ahead, which is forgiven", json!(NOW + 5)),
        ("years ago", json!(NOW - 100_000_000)),
        ("before 1970", json!(-1)),
    ] {
        permit(theme, format!("`iat` {name}"), &claim("iat", value));
    }
    deny(
        theme,
        "ended and not yet begun".to_owned(),
        &claim("exp", json!(NOW)).claim("nbf", NOW + 60),
        "expired",
        "extreme dates",
    );
}

fn audiences(theme: &mut Theme) {
    let api = "https://api.ljg-sushi.example";
    for (name, value) in [("alone", json!(api)), ("in a list", json!([api])), ("among others", json!(["x", api, "y"]))]
    {
        permit(theme, format!("`aud` {name}"), &partner("1111").claim("aud", value));
    }
    for (name, value) in [
        ("another's", json!("https://other.example")),
        ("others'", json!(["https://other.example", "x"])),
        ("an empty list", json!([])),
        ("empty", json!("")),
        ("with a slash behind", json!("https://api.ljg-sushi.example/")),
        ("in another case", json!("https://API.ljg-sushi.example")),
        ("two in one text", json!("https://api.ljg-sushi.example https://other.example")),
        ("a part of it", json!("https://api.ljg-sushi")),
    ] {
        deny(
            theme,
            format!("`aud` {name}"),
            &partner("1111").claim("aud", value),
            "audience_mismatch",
            "foreign audience",
        );
    }
    let own = "/companies/1111/users/manager/orders";
    for (name, value) in [
        ("another's", json!("another4client")),
        ("in another case", json!("P4IONDTOA9ALJEOULTESA4NVC")),
        ("empty", json!("")),
    ] {
        theme
            .get(format!("`client_id` {name}"), own)
            .attack("foreign audience")
            .token(&user("manager").claim("client_id", value))
            .deny("audience_mismatch", 401, "internal-orders-list");
    }
    theme
        .get("no `client_id` where it is asked for", own)
        .attack("foreign audience")
        .token(&user("manager").without("client_id"))
        .deny("audience_mismatch", 401, "internal-orders-list");
    theme
        .get("an ID token has the client in `aud`", own)
        .attack("ID token")
        .token(&user("manager").without("client_id").claim("aud", "p4iondtoa9aljeoultesa4nvc").claim("token_use", "id"))
        .deny("audience_mismatch", 401, "internal-orders-list");
    theme
        .get("an ID token with a `client_id` is one all the same", own)
        .attack("ID token")
        .token(&user("manager").claim("token_use", "id"))
        .deny("not_an_access_token", 401, "internal-orders-list");
}

fn subjects_and_scopes(theme: &mut Theme) {
    for (name, value) in [
        ("empty", String::new()),
        ("256 octets", "s".repeat(256)),
        ("128 two-octet letters", "\u{e9}".repeat(128)),
        ("with a line break", "1111\n".to_owned()),
        ("with a null", "1111\u{0}".to_owned()),
        ("with a control character of Latin-1", "1111\u{85}".to_owned()),
    ] {
        deny(
            theme,
            format!("`sub` is {name}"),
            &partner("1111").claim("sub", value),
            "subject_unusable",
            "unusable subject",
        );
    }
    let longest = "s".repeat(255);
    theme
        .get("`sub` of 255 octets", format!("/companies/{longest}/orders"))
        .token(&partner(&longest))
        .permit(ROUTE, who("partners", &longest, ORDERS).at(&longest, &[]));
    let list = "orders/list.orders";
    for (name, value, scopes) in [
        ("a list", json!([list, "x"]), "orders/list.orders x"),
        ("spaces around", json!("  orders/list.orders  x "), "orders/list.orders x"),
        ("twice", json!("orders/list.orders orders/list.orders"), "orders/list.orders orders/list.orders"),
        ("among many", json!("a b c orders/list.orders d"), "a b c orders/list.orders d"),
    ] {
        theme
            .get(format!("`scope`: {name}"), LIST)
            .token(&partner("1111").claim("scope", value))
            .permit(ROUTE, who("partners", "1111", scopes).at("1111", &[]));
    }
    for (name, value) in [
        ("empty", json!("")),
        ("an empty list", json!([])),
        ("commas", json!("orders/list.orders,x")),
        ("tabs", json!("x\torders/list.orders")),
        ("line breaks", json!("x\norders/list.orders")),
        ("another case", json!("Orders/List.Orders")),
        ("a wildcard", json!("orders/*")),
        ("all in one text of a list", json!(["x orders/list.orders"])),
        ("the resource server's name before it", json!("https://api.ljg-sushi.example/orders/list.orders")),
    ] {
        theme.get(format!("`scope` does not do: {name}"), LIST).token(&partner("1111").claim("scope", value)).deny(
            "scope_missing",
            403,
            ROUTE,
        );
    }
    for text in
        ["[orders/list.orders]", "[x orders/list.orders y]", "[\"orders/list.orders\"]", "\"orders/list.orders x\""]
    {
        theme
            .get(format!("`scope` is the text {text}"), LIST)
            .attack("one text, several names")
            .token(&partner("1111").claim("scope", text))
            .deny("scopes_ambiguous", 403, ROUTE);
    }
    theme
        .get("`scope`: what is no scope is not handed on", LIST)
        .token(&partner("1111").claim("scope", json!(["x admin", list, "", "t\tadmin", "q\"admin"])))
        .permit(ROUTE, who("partners", "1111", list).at("1111", &[]));
    theme
        .get("`scp` is not this issuer's name for scopes", LIST)
        .token(&partner("1111").without("scope").claim("scp", list))
        .deny("scope_missing", 403, ROUTE);
}

/// `staff` forgives 30 s, takes tokens of two hours at most, and none older than an hour.
fn limits(theme: &mut Theme) {
    let target = "/profiles/users/u1";
    let scopes = "reports/read";
    for (name, token, reason) in [
        ("a life of two hours and a second", staff("u1").claim("exp", NOW + 7201), "lifetime_too_long"),
        ("a life without end", staff("u1").claim("exp", 253_402_300_799_u64), "lifetime_too_long"),
        ("no `iat`", staff("u1").without("iat"), "issued_at_missing"),
        ("`iat` null", staff("u1").claim("iat", json!(null)), "claims_malformed"),
        ("exactly an hour old", staff("u1").claim("iat", NOW - 3600).claim("exp", NOW + 10), "issued_too_long_ago"),
        (
            "an hour old but for a fraction, which is rounded away",
            staff("u1").claim("iat", json!(1_799_996_400.5)).claim("exp", NOW + 10),
            "issued_too_long_ago",
        ),
        ("from before 1970", staff("u1").claim("iat", -1).claim("exp", NOW + 10), "lifetime_too_long"),
        ("31 s ahead", staff("u1").claim("iat", NOW + 31), "issued_in_future"),
        ("valid 31 s from now", staff("u1").claim("nbf", NOW + 31), "not_yet_valid"),
        ("ended a second ago, whatever is forgiven", staff("u1").claim("exp", NOW - 1), "expired"),
    ] {
        theme.get(format!("limits: {name}"), target).token(&token).deny(reason, 401, "staff-profile");
    }
    for (name, token) in [
        ("a life of two hours", staff("u1").claim("exp", NOW + 7200)),
        ("an hour old but for a second", staff("u1").claim("iat", NOW - 3599).claim("exp", NOW + 10)),
        ("30 s ahead", staff("u1").claim("iat", NOW + 30)),
        ("valid 30 s from now", staff("u1").claim("nbf", NOW + 30)),
    ] {
        theme.get(format!("limits: {name}"), target).token(&token).permit("staff-profile", who("staff", "u1", scopes));
    }
    let required = "required claims of an issuer";
    for (name, token, reason) in [
        ("no tier", staff("u1").without("tier"), "claim_mismatch"),
        ("another tier", staff("u1").claim("tier", "bronze"), "claim_mismatch"),
        ("a tier in another case", staff("u1").claim("tier", "Gold"), "claim_mismatch"),
        ("tiers, none of them right", staff("u1").claim("tier", json!(["bronze", "iron"])), "claim_mismatch"),
        ("a tier that is null", staff("u1").claim("tier", json!(null)), "claim_mismatch"),
        ("a tier that is true", staff("u1").claim("tier", true), "claim_mismatch"),
        ("no department", staff("u1").without("department"), "claim_mismatch"),
        ("a department that is null", staff("u1").claim("department", json!(null)), "claim_mismatch"),
        ("a department that is false", staff("u1").claim("department", false), "claim_mismatch"),
        ("a department that is false, in a word", staff("u1").claim("department", "False"), "claim_mismatch"),
    ] {
        theme.get(format!("{required}: {name}"), target).token(&token).deny(reason, 401, "staff-profile");
    }
    for (name, token) in [
        ("the other tier", staff("u1").claim("tier", "silver")),
        ("tiers, one of them right", staff("u1").claim("tier", json!(["bronze", "gold"]))),
        ("a department that is empty", staff("u1").claim("department", "")),
        ("a department that is a list", staff("u1").claim("department", json!([]))),
        ("a department that is zero", staff("u1").claim("department", 0)),
    ] {
        theme
            .get(format!("{required}: {name}"), target)
            .token(&token)
            .permit("staff-profile", who("staff", "u1", scopes));
    }
}
