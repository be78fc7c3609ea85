//! Several issuer sections: on one route, and of one URL. Exactly one section must accept a token.

use crate::make::{
    Pair, Theme,
    callers::{machine, person, pool_partner, pool_user, shared, staff},
    who,
};
use serde_json::json;

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("rules");
    two_urls(&mut theme);
    one_pool(&mut theme);
    one_url_two_audiences(&mut theme);
    staffs_own_claims(&mut theme);
    theme
}

fn two_urls(theme: &mut Theme) {
    let either = "/either/1111";
    theme
        .get("either: a machine of the company", either)
        .token(&machine("1111").claim("scope", "papers/read"))
        .permit("either", who("machines", "1111", "papers/read").at("1111", &[]));
    theme
        .get("either: a person of the company", either)
        .token(&person("standard"))
        .permit("either", who("people", "standard", "papers/read papers/write").at("1111", &["Standard"]));
    theme
        .get("either: a machine of another company", either)
        .token(&machine("2222").claim("scope", "papers/read"))
        .deny("company_mismatch", 403, "either");
    theme.get("either: a person of another company", "/either/2222").token(&person("standard")).deny(
        "company_mismatch",
        403,
        "either",
    );
    // Machines are told by their subject, people by their record: one name, two callers.
    theme
        .get("either: a machine called 1111 is the company 1111", either)
        .attack("subjects of two issuers")
        .token(&machine("1111").claim("scope", "papers/read"))
        .permit("either", who("machines", "1111", "papers/read").at("1111", &[]));
    theme
        .get("either: a person called 1111 is not the company 1111", either)
        .attack("subjects of two issuers")
        .token(&person("1111"))
        .deny("company_mismatch", 403, "either");
    theme
        .get("either: a person called 1111 has what the record says", "/either/2222")
        .attack("subjects of two issuers")
        .token(&person("1111"))
        .permit("either", who("people", "1111", "papers/read papers/write").at("2222", &["Manager"]));
    theme
        .get("either: a machine called manager has no record", either)
        .attack("subjects of two issuers")
        .token(&machine("manager").claim("scope", "papers/read"))
        .deny("company_mismatch", 403, "either");
    for (name, issuer) in
        [("a stranger", "https://evil.example"), ("staff", "https://staff.corpus.example/tenants/one")]
    {
        theme
            .get(format!("either: {name}'s token"), either)
            .attack("foreign issuer")
            .token(&machine("1111").claim("iss", issuer))
            .deny("issuer_unknown", 401, "either");
    }
    theme
        .get("either: people's token under a machine's algorithm", either)
        .attack("alg trusted from the header")
        .token(&person("standard").signed_by(Pair("ec"), "m-ec"))
        .deny("algorithm_not_allowed", 401, "either");
    theme
        .get("either: a machine's claims, signed by people's key", either)
        .attack("kid of another issuer")
        .token(&machine("1111").signed_by(Pair("ed-next"), "people-ed").of_unknown_key())
        .deny("key_unknown", 401, "either");
    for (name, text) in [
        ("twice", r#""iss":"https://people.corpus.example","#),
        ("twice, alike", r#""iss":"https://machines.corpus.example","#),
    ] {
        theme
            .get(format!("either: `iss` {name}"), either)
            .attack("duplicate JSON members")
            .token(&machine("1111").with_raw_claims(text))
            .deny("token_malformed", 401, "either");
    }
    for (name, token) in [
        ("missing", machine("1111").without("iss")),
        ("a number", machine("1111").claim("iss", 7)),
        ("null", machine("1111").claim("iss", json!(null))),
        ("in a payload that is no JSON", machine("1111").raw_claims("iss=https://machines.corpus.example")),
    ] {
        theme.get(format!("either: `iss` {name}"), either).token(&token).deny("token_malformed", 401, "either");
    }
    theme
        .get("either: another claim twice is found once the signature holds", either)
        .attack("duplicate JSON members")
        .token(&machine("1111").with_raw_claims(r#""sub":"2222","#))
        .deny("claims_malformed", 401, "either");
    theme
        .get("people: `typ` tells access tokens", "/me")
        .attack("ID token")
        .token(&person("manager").header("typ", "JWT"))
        .deny("not_an_access_token", 401, "me");
    theme.get("people: no `typ`", "/me").attack("ID token").token(&person("manager").without_header("typ")).deny(
        "not_an_access_token",
        401,
        "me",
    );
    for kind in ["AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        theme
            .get(format!("people: `typ` {kind}"), "/me")
            .token(&person("manager").header("typ", kind))
            .permit("me", who("people", "manager", "papers/read papers/write"));
    }
    for kind in ["application/application/at+jwt", "text/at+jwt", "/at+jwt", "at+jwt/"] {
        theme
            .get(format!("people: `typ` {kind}"), "/me")
            .attack("ID token")
            .token(&person("manager").header("typ", kind))
            .deny("not_an_access_token", 401, "me");
    }
    for audience in [json!("https://legacy.corpus.example"), json!(["x", "https://legacy.corpus.example"])] {
        theme
            .get(format!("people: the other audience, {audience}"), "/me")
            .token(&person("manager").claim("aud", audience))
            .permit("me", who("people", "manager", "papers/read papers/write"));
    }
    theme
        .get("machines: `token_use` and not `typ`", "/me")
        .token(&machine("1111").header("typ", "JWT"))
        .permit("me", who("machines", "1111", "things/read things/write"));
}

fn one_pool(theme: &mut Theme) {
    let (users, partners, both) = ("/pool/1111/users", "/pool/1111/partners", "/pool/1111/both");
    theme
        .get("pool: a user", users)
        .token(&pool_user("u1"))
        .permit("pool-users", who("pool-users", "u1", "openid").at("1111", &["Manager"]));
    theme
        .get("pool: a partner", partners)
        .token(&pool_partner("1111"))
        .permit("pool-partners", who("pool-partners", "1111", "").at("1111", &[]));
    theme
        .get("pool: a partner of the other client", partners)
        .token(&pool_partner("1111").claim("client_id", "8second8partner8client888"))
        .permit("pool-partners", who("pool-partners", "1111", "").at("1111", &[]));
    let other = "one pool, two sections";
    theme.get("pool: a partner at the users'", users).attack(other).token(&pool_partner("1111")).deny(
        "audience_mismatch",
        401,
        "pool-users",
    );
    theme.get("pool: a user at the partners'", partners).attack(other).token(&pool_user("1111")).deny(
        "audience_mismatch",
        401,
        "pool-partners",
    );
    theme.get("pool: a stranger's client", both).token(&pool_user("u1").claim("client_id", "9stranger9")).deny(
        "audience_mismatch",
        401,
        "pool-both",
    );
    theme
        .get("pool: both, a user", both)
        .token(&pool_user("u1"))
        .permit("pool-both", who("pool-users", "u1", "openid").at("1111", &["Manager"]));
    theme
        .get("pool: both, a partner", both)
        .token(&pool_partner("1111"))
        .permit("pool-both", who("pool-partners", "1111", "").at("1111", &[]));
    theme
        .get("pool: both, a user called like a company", both)
        .attack("subjects of two issuers")
        .token(&pool_user("1111").claim("companies", "[\"2222\"]"))
        .deny("company_mismatch", 403, "pool-both");
    theme.get("pool: both, another company's partner", both).token(&pool_partner("2222")).deny(
        "company_mismatch",
        403,
        "pool-both",
    );
    theme
        .get("pool: the other key of the pool", users)
        .token(&pool_user("u1").signed_by(Pair("other-rsa"), "pool-2"))
        .permit("pool-users", who("pool-users", "u1", "openid").at("1111", &["Manager"]));
    for (name, companies, company, permitted) in [
        ("a list in a text", json!("[\"1111\", \"2222\"]"), "2222", true),
        ("a list in a text, another's", json!("[\"1111\"]"), "2222", false),
        ("a single name", json!("2222"), "2222", true),
        ("a list", json!(["2222"]), "2222", true),
        ("a part of a name", json!("22222"), "2222", false),
        ("nothing", json!(""), "2222", false),
        ("an empty list in a text", json!("[]"), "2222", false),
    ] {
        let draft = theme
            .get(format!("pool: companies as {name}"), format!("/pool/{company}/users"))
            .token(&pool_user("u1").claim("companies", companies));
        if permitted {
            draft.permit("pool-users", who("pool-users", "u1", "openid").at(company, &["Manager"]));
        } else {
            draft.deny("company_mismatch", 403, "pool-users");
        }
    }
    for (name, companies) in [
        ("a text that is cut off", "[\"1111\""),
        ("names with spaces", "1111 2222"),
        ("names with commas", "1111,2222"),
        ("an object in a text", "{\"1111\":[]}"),
        ("a quoted name", "\"1111\""),
        ("numbers in a text", "[1111]"),
        ("names in brackets, as API Gateway writes a list", "[2222 1111 3333]"),
    ] {
        theme
            .get(format!("pool: companies as {name} are not read"), users)
            .attack("one text, several names")
            .token(&pool_user("u1").claim("companies", companies))
            .deny("companies_ambiguous", 403, "pool-users");
    }
    for (name, companies) in
        [("a number", json!(1111)), ("numbers", json!([1111])), ("null", json!(null)), ("an empty name", json!([""]))]
    {
        theme
            .get(format!("pool: companies as {name} are refused"), users)
            .token(&pool_user("u1").claim("companies", companies))
            .deny("claims_malformed", 401, "pool-users");
    }
    for (name, groups, reason) in
        [("none", json!([]), "role_missing"), ("others", json!(["Standard", "manager"]), "role_missing")]
    {
        theme.get(format!("pool: groups, {name}"), users).token(&pool_user("u1").claim("cognito:groups", groups)).deny(
            reason,
            403,
            "pool-users",
        );
    }
    theme
        .get("pool: groups in one text, where no role is asked for", both)
        .token(&pool_user("u1").claim("cognito:groups", "Manager,Standard"))
        .permit("pool-both", who("pool-users", "u1", "openid").at("1111", &[]));
    theme
        .get("pool: groups in one text", users)
        .attack("one text, several names")
        .token(&pool_user("u1").claim("cognito:groups", "Manager,Standard"))
        .deny("roles_ambiguous", 403, "pool-users");
    theme.get("pool: no groups", users).token(&pool_user("u1").without("cognito:groups")).deny(
        "role_missing",
        403,
        "pool-users",
    );
    theme.get("pool: no companies", users).token(&pool_user("u1").without("companies")).deny(
        "company_mismatch",
        403,
        "pool-users",
    );
    for groups in [json!([1]), json!({"Manager": true}), json!(""), json!(7)] {
        theme
            .get(format!("pool: groups that are {groups}"), users)
            .token(&pool_user("u1").claim("cognito:groups", groups))
            .deny("claims_malformed", 401, "pool-users");
    }
}

fn one_url_two_audiences(theme: &mut Theme) {
    let (a, b) = ("https://a.corpus.example", "https://b.corpus.example");
    theme.get("shared: a at a", "/shared/a").token(&shared(a)).permit("shared-a", who("shared-a", "s1", ""));
    theme.get("shared: b at b", "/shared/b").token(&shared(b)).permit("shared-b", who("shared-b", "s1", ""));
    let other = "one URL, two audiences";
    theme.get("shared: a at b", "/shared/b").attack(other).token(&shared(a)).deny("audience_mismatch", 401, "shared-b");
    theme.get("shared: b at a", "/shared/a").attack(other).token(&shared(b)).deny("audience_mismatch", 401, "shared-a");
    theme.get("shared: a at both", "/shared/both").token(&shared(a)).permit("shared-both", who("shared-a", "s1", ""));
    theme.get("shared: b at both", "/shared/both").token(&shared(b)).permit("shared-both", who("shared-b", "s1", ""));
    for (name, target, route) in
        [("a", "/shared/a", "shared-a"), ("b", "/shared/b", "shared-b"), ("both", "/shared/both", "shared-both")]
    {
        theme
            .get(format!("shared: a token for both belongs to neither, at {name}"), target)
            .attack(other)
            .token(&shared(json!([a, b])))
            .deny("issuer_ambiguous", 401, route);
    }
    let by_ec = |audience: &str| shared(audience).signed_by(Pair("ec"), "shared-ec");
    theme.get("shared: ES256 is a's", "/shared/a").token(&by_ec(a)).permit("shared-a", who("shared-a", "s1", ""));
    theme.get("shared: ES256 is not b's", "/shared/b").token(&by_ec(b)).deny("algorithm_not_allowed", 401, "shared-b");
    theme.get("shared: ES256 for b at both is nobody's", "/shared/both").token(&by_ec(b)).deny(
        "audience_mismatch",
        401,
        "shared-both",
    );
    theme
        .get("shared: ES256 for both is a's alone", "/shared/both")
        .token(&shared(json!([a, b])).signed_by(Pair("ec"), "shared-ec"))
        .permit("shared-both", who("shared-a", "s1", ""));
}

/// Of `staff`, companies have a form and roles have none.
fn texts_of_staff(theme: &mut Theme) {
    let attack = "one text, several names";
    let reports = "/staff/1111/reports";
    for roles in ["Auditor Manager", "Auditor,Manager", " Auditor", "[\"Auditor\"]", "[x Auditor y]", "\"Auditor\""] {
        let token = || staff("u1").claim("access", json!({"roles": roles, "tenants": ["1111"]}));
        theme.get(format!("staff: the roles `{roles}`"), reports).attack(attack).token(&token()).deny(
            "roles_ambiguous",
            403,
            "staff-reports",
        );
        theme
            .get(format!("staff: the roles `{roles}`, of another company"), "/staff/2222/reports")
            .token(&token())
            .deny("company_mismatch", 403, "staff-reports");
        theme
            .get(format!("staff: the roles `{roles}` where no rule needs them"), "/profiles/users/u1")
            .token(&token())
            .permit("staff-profile", who("staff", "u1", "reports/read"));
    }
    for tenants in ["[x 1111 y]", "{x 1111 y}", "\"x 1111 y\"", " [1111]", "[\"1111\"]"] {
        let token = || staff("u1").claim("access", json!({"roles": ["Auditor"], "tenants": tenants}));
        theme.get(format!("staff: the tenants `{tenants}`"), reports).attack(attack).token(&token()).deny(
            "companies_ambiguous",
            403,
            "staff-reports",
        );
        theme
            .get(format!("staff: the tenants `{tenants}` where no rule needs them"), "/profiles/users/u1")
            .token(&token())
            .permit("staff-profile", who("staff", "u1", "reports/read"));
    }
}

fn staffs_own_claims(theme: &mut Theme) {
    let reports = "/staff/1111/reports";
    let read = || who("staff", "u1", "reports/read");
    theme
        .get("staff: subject, scopes, roles and companies in claims of their own", reports)
        .token(&staff("u1"))
        .permit("staff-reports", read().at("1111", &["Auditor"]));
    theme
        .get("staff: the other company", "/staff/2222/reports")
        .token(&staff("u1"))
        .permit("staff-reports", read().at("2222", &["Auditor"]));
    theme.get("staff: a third company", "/staff/3333/reports").token(&staff("u1")).deny(
        "company_mismatch",
        403,
        "staff-reports",
    );
    theme.get("staff: `sub` is not their subject", "/profiles/users/not-this").token(&staff("u1")).deny(
        "subject_mismatch",
        403,
        "staff-profile",
    );
    theme.get("staff: `uid` is", "/profiles/users/u1").token(&staff("u1")).permit("staff-profile", read());
    theme.get("staff: no `uid`", "/profiles/users/u1").token(&staff("u1").without("uid")).deny(
        "subject_unusable",
        401,
        "staff-profile",
    );
    theme
        .get("staff: `scope` is not their scopes", reports)
        .token(&staff("u1").without("permissions").claim("scope", "reports/read"))
        .deny("scope_missing", 403, "staff-reports");
    for (name, access, reason, status) in [
        ("other roles", json!({"roles": ["Editor"], "tenants": ["1111"]}), "role_missing", 403),
        ("no roles", json!({"tenants": ["1111"]}), "role_missing", 403),
        ("no tenants", json!({"roles": ["Auditor"]}), "company_mismatch", 403),
        ("nothing", json!({}), "company_mismatch", 403),
        ("a text for all of it", json!("Auditor"), "company_mismatch", 403),
        ("tenants that are numbers", json!({"roles": ["Auditor"], "tenants": [1111]}), "claims_malformed", 401),
        ("roles that are an object", json!({"roles": {"Auditor": 1}, "tenants": ["1111"]}), "claims_malformed", 401),
        (
            "roles by company and beside",
            json!({"roles": ["Auditor"], "tenants": {"1111": ["Auditor"]}}),
            "claims_malformed",
            401,
        ),
    ] {
        theme.get(format!("staff: {name}"), reports).token(&staff("u1").claim("access", access)).deny(
            reason,
            status,
            "staff-reports",
        );
    }
    for (name, access, roles) in [
        ("one role as text", json!({"roles": "Manager", "tenants": ["1111"]}), &["Manager"][..]),
        ("roles by company", json!({"tenants": {"1111": ["Manager", "Editor"], "2222": []}}), &["Manager", "Editor"]),
        ("tenants as organisations", json!({"roles": ["Auditor"], "tenants": {"1111": {"id": "x"}}}), &["Auditor"]),
        ("tenants as text", json!({"roles": ["Auditor"], "tenants": "2222 1111"}), &["Auditor"]),
        ("one tenant as text", json!({"roles": "Auditor", "tenants": "1111"}), &["Auditor"]),
    ] {
        theme
            .get(format!("staff: {name}"), reports)
            .token(&staff("u1").claim("access", access))
            .permit("staff-reports", read().at("1111", roles));
    }
    texts_of_staff(theme);
    for audience in [json!("https://other.example"), json!(["a", "b"]), json!([])] {
        theme
            .get(format!("staff: for any API, as for {audience}"), "/profiles/users/u1")
            .token(&staff("u1").claim("aud", audience))
            .permit("staff-profile", read());
    }
    for client in ["staff-app", "staff-cli"] {
        theme
            .get(format!("staff: the client {client}"), "/profiles/users/u1")
            .token(&staff("u1").claim("client_id", client))
            .permit("staff-profile", read());
    }
    theme
        .get("staff: the client in `azp`, which is the older name", "/profiles/users/u1")
        .token(&staff("u1").without("client_id").claim("azp", "staff-cli"))
        .permit("staff-profile", read());
    theme
        .get("staff: `client_id` goes before `azp`", "/profiles/users/u1")
        .token(&staff("u1").claim("client_id", "other").claim("azp", "staff-cli"))
        .deny("audience_mismatch", 401, "staff-profile");
    theme.get("staff: another client", "/profiles/users/u1").token(&staff("u1").claim("client_id", "other")).deny(
        "audience_mismatch",
        401,
        "staff-profile",
    );
}
