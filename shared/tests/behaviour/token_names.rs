//! How many names a token may list and how large a claim may be, and what one over its cap matters to.

use postern::Reason;

use crate::support::{Call, Outcome, Token, World};

const STAFF: &str = r#"
[issuer.staff]
url = "https://auth.partners.ljg-sushi.example"
algorithms = ["EdDSA"]
audience = ["https://api.ljg-sushi.example"]
token_use = "access"
permissions = "claims"
claims.roles = "roles"

[origin.orders]
url = "https://orders.example"
key = "KEY_ORDERS"

[defaults]
issuer = "staff"
origin = "orders"

[[route]]
name = "scoped"
methods = ["GET"]
path = "/scoped"
scopes = ["list"]

[[route]]
name = "company"
methods = ["GET"]
path = "/company/{company}"
company = "{company}"

[[route]]
name = "role"
methods = ["GET"]
path = "/role/{company}"
company = "{company}"
roles = ["Manager"]

[[route]]
name = "any"
methods = ["GET"]
path = "/any"

[[route]]
name = "grouped"
methods = ["GET"]
path = "/grouped"
require.groups = ["g"]

[[route]]
name = "some-groups"
methods = ["GET"]
path = "/some-groups"
require.groups = true

[[route]]
name = "told"
methods = ["GET"]
path = "/told"
headers.x-groups = "groups"
headers.x-scope = "scope"

[[route]]
name = "with-scopes"
methods = ["GET"]
path = "/with-scopes"
require.scope = true
"#;

fn staff() -> World {
    let text = format!("roles = [\"Manager\"]\n{STAFF}");
    let mut world = World::new(postern::policy::from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}")));
    world.publish(crate::support::token::PARTNERS_URL, &[&crate::support::keys::PARTNERS_ED]);
    world
}

fn names(count: usize, last: &str) -> Vec<String> {
    (1..count).map(|number| format!("{number:x}")).chain([last.to_owned()]).collect()
}

#[test]
fn a_claim_over_its_cap_has_a_reason_of_its_own_and_matters_only_to_rules_that_look_at_it() {
    let most = postern::authorizer::MAX_TOKEN_SCOPES;
    assert_eq!(most, postern::authorizer::MAX_TOKEN_COMPANIES);
    assert_eq!(most, postern::authorizer::MAX_TOKEN_ROLES);
    let token = |counts: [usize; 3]| {
        let [scopes, companies, roles] = counts;
        Token::partner("c")
            .claim("scope", names(scopes, "list").join(" ").into())
            .claim("companies", names(companies, "one").into())
            .claim("roles", names(roles, "Manager").into())
            .compact()
    };
    let permitted = Outcome::Permit;
    let denied = |reason| Outcome::Deny(403, reason);
    for (counts, expected) in [
        ([most, 1, 1], [permitted.clone(), permitted.clone(), permitted.clone()]),
        ([1, most, 1], [permitted.clone(), permitted.clone(), permitted.clone()]),
        ([1, 1, most], [permitted.clone(), permitted.clone(), permitted.clone()]),
        ([most + 1, 1, 1], [denied(Reason::TooManyScopes), permitted.clone(), permitted.clone()]),
        ([1, most + 1, 1], [permitted.clone(), denied(Reason::TooManyCompanies), denied(Reason::TooManyCompanies)]),
        ([1, 1, most + 1], [permitted.clone(), permitted.clone(), denied(Reason::TooManyRoles)]),
    ] {
        let mut world = staff();
        let token = token(counts);
        // Cold, and from the cache.
        for _ in 0..2 {
            for (target, expected) in ["/scoped", "/company/one", "/role/one"].into_iter().zip(&expected) {
                assert_eq!(&world.outcome(&Call::get(target).bearer(&token)), expected, "{counts:?} {target}");
            }
            assert_eq!(world.outcome(&Call::get("/any").bearer(&token)), permitted, "{counts:?}");
        }
        assert_eq!(world.counts.signatures, 1);
    }
}

#[test]
fn a_caller_who_is_handed_on_is_judged_as_the_token_was() {
    let mut world = staff();
    let claims = serde_json::json!({
        "iss": crate::support::token::PARTNERS_URL, "aud": crate::support::token::AUDIENCE, "sub": "c",
        "token_use": "access", "exp": crate::support::NOW + 60, "scope": names(1_025, "list").join(" "),
        "companies": names(1_025, "one"), "roles": names(1_025, "Manager"),
    });
    let now = crate::support::at(0);
    let caller = world.authorizer.caller_of_claims(claims.as_object().unwrap(), now).unwrap();
    let text = caller.to_json();
    assert!(text.len() < 400, "{text}");
    let handed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected =
        serde_json::json!({"scopes": "too_many_scopes", "companies": "too_many_companies", "roles": "too_many_roles"});
    assert_eq!(handed["unread"], expected);
    let again = world.authorizer.caller_of_json(&text, now).unwrap();
    assert_eq!(World::outcome_of(&world.decide_as(&again, &Call::get("/any"))), Outcome::Permit);
    for (target, reason) in [("/scoped", Reason::TooManyScopes), ("/company/one", Reason::TooManyCompanies)] {
        assert_eq!(World::outcome_of(&world.decide_as(&again, &Call::get(target))), Outcome::Deny(403, reason));
    }
}

#[test]
fn a_large_claim_matters_only_to_routes_that_require_it() {
    let most = postern::authorizer::MAX_CLAIM_BYTES;
    let text = |octets: usize| serde_json::Value::from("x".repeat(octets));
    let list = |octets: usize| serde_json::json!(["g", "x".repeat(octets - r#"["g",""]"#.len())]);
    let object = |octets: usize| serde_json::json!({"g": "x".repeat(octets - r#"{"g":""}"#.len())});
    let too_large = Outcome::Deny(403, Reason::ClaimTooLarge);
    let unmet = Outcome::Deny(403, Reason::ConditionUnmet);
    for (claim, grouped, some_groups) in [
        (text(most), &unmet, &Outcome::Permit),
        (text(most + 1), &too_large, &too_large),
        (list(most), &Outcome::Permit, &Outcome::Permit),
        (list(most + 1), &too_large, &too_large),
        (object(most), &unmet, &Outcome::Permit),
        (object(most + 1), &too_large, &too_large),
    ] {
        let token = Token::partner("c").claim("groups", claim).compact();
        let mut world = staff();
        for _ in 0..2 {
            assert_eq!(&world.outcome(&Call::get("/grouped").bearer(&token)), grouped);
            assert_eq!(&world.outcome(&Call::get("/some-groups").bearer(&token)), some_groups);
            assert_eq!(world.outcome(&Call::get("/any").bearer(&token)), Outcome::Permit);
            let told = world.permit(&Call::get("/told").bearer(&token));
            assert!(!told.handed_on().iter().any(|(name, _)| name == "x-groups"));
        }
    }
}

#[test]
fn a_list_over_its_cap_is_over_it_for_require_and_headers_too() {
    let mut world = staff();
    let scope = |count: usize| Token::partner("c").claim("scope", vec!["a"; count].join(" ").into()).compact();
    let is_told = |world: &mut World, token: &str| {
        let told = world.permit(&Call::get("/told").bearer(token));
        told.handed_on().iter().any(|(name, _)| name == "x-scope")
    };
    let token = scope(100);
    assert_eq!(world.outcome(&Call::get("/with-scopes").bearer(&token)), Outcome::Permit);
    assert!(is_told(&mut world, &token));
    // 2,049 octets: as a claim by itself it would be small enough.
    let token = scope(postern::authorizer::MAX_TOKEN_SCOPES + 1);
    assert_eq!(world.outcome(&Call::get("/with-scopes").bearer(&token)), Outcome::Deny(403, Reason::ClaimTooLarge));
    assert!(!is_told(&mut world, &token));
    assert_eq!(world.outcome(&Call::get("/any").bearer(&token)), Outcome::Permit);
}

#[test]
fn a_large_claim_of_a_caller_who_is_handed_on_is_judged_as_the_tokens() {
    let mut world = staff();
    let claims = serde_json::json!({
        "iss": crate::support::token::PARTNERS_URL, "aud": crate::support::token::AUDIENCE, "sub": "c",
        "token_use": "access", "exp": crate::support::NOW + 60, "groups": "x".repeat(9_000),
    });
    let now = crate::support::at(0);
    let caller = world.authorizer.caller_of_claims(claims.as_object().unwrap(), now).unwrap();
    let text = caller.to_json();
    assert!(text.len() < 400, "{text}");
    let again = world.authorizer.caller_of_json(&text, now).unwrap();
    for (target, expected) in [
        ("/some-groups", Outcome::Deny(403, Reason::ClaimTooLarge)),
        ("/told", Outcome::Permit),
        ("/any", Outcome::Permit),
    ] {
        assert_eq!(World::outcome_of(&world.decide_as(&again, &Call::get(target))), expected, "{target}");
    }
    for other in ["\"too_large\":false", "\"too_large\":1", "\"large\":true", "\"too_large\":true,\"value\":1"] {
        let other = text.replace("\"too_large\":true", other);
        assert_ne!(other, text);
        assert_eq!(world.authorizer.caller_of_json(&other, now).unwrap_err(), Reason::ClaimsMalformed, "{other}");
    }
}
