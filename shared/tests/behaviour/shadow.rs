//! Shadow routes: what a new rule would say, tried on real requests, and never what is said.

use postern::{Decision, Reason, policy::from_toml};

use crate::support::{Call, Outcome, Token, World, policies};

const LIST: &str = "/companies/1111/orders";

/// The example, where partners' lists would also take a tier; and a path that nothing but a shadow has.
fn world() -> World {
    let shadows = "
[[route]]
name = \"stricter\"
methods = [\"GET\"]
path = \"/companies/{company}/orders\"
origin = \"external-orders\"
issuer = \"partners\"
company = \"{company}\"
require.tier = \"gold\"
shadow = true

[[route]]
name = \"to-come\"
methods = [\"GET\"]
path = \"/to-come\"
origin = \"external-orders\"
public = true
shadow = true
";
    let mut world = World::example();
    let text = format!("{}{shadows}", policies::EXAMPLE);
    world.authorizer = postern::Authorizer::new(from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}")));
    world
}

fn reason(decision: Option<Decision>) -> Option<Reason> {
    match decision {
        Some(Decision::Deny(denial)) => Some(denial.reason()),
        _ => None,
    }
}

#[test]
fn a_shadow_route_decides_nothing() {
    let mut world = world();
    let call = Call::get(LIST).bearer(Token::partner("1111").compact());
    let permit = world.permit(&call);
    assert_eq!(permit.route(), "external-orders-list");
    assert_eq!(reason(world.shadow(&call)), Some(Reason::ConditionUnmet));

    let gold = Call::get(LIST).bearer(Token::partner("1111").claim("tier", "gold".into()).compact());
    assert_eq!(world.permit(&gold).route(), "external-orders-list");
    assert!(matches!(world.shadow(&gold), Some(Decision::Permit(permit)) if permit.route() == "stricter"));
}

#[test]
fn a_path_that_only_a_shadow_has_is_not_there() {
    let mut world = world();
    let call = Call::get("/to-come");
    assert_eq!(world.outcome(&call), Outcome::Deny(404, Reason::NoRoute));
    assert!(matches!(world.shadow(&call), Some(Decision::Permit(_))));
}

#[test]
fn where_no_shadow_lies_there_is_nothing_to_try() {
    let mut world = world();
    for call in [Call::get("/health"), Call::new("POST", LIST), Call::get("//to-come"), Call::get("/nowhere")] {
        assert!(world.shadow(&call).is_none(), "{call:?}");
    }
}

#[test]
fn what_a_shadow_would_hand_on_is_kept_from_nobody() {
    let shadow = "
[[route]]
name = \"tried\"
methods = [\"GET\"]
path = \"/companies/{company}/orders\"
origin = \"external-orders\"
issuer = \"partners\"
company = \"{company}\"
headers.x-tier = \"tier\"
shadow = true
";
    let text = format!("{}{shadow}", policies::EXAMPLE);
    let decides = from_toml(
        &text.replace("shadow = true\n", "").replace(
            "/orders\"\norigin = \"external-orders\"\nissuer = \"partners\"\ncompany = \"{company}\"\nheaders",
            "/tiers\"\norigin = \"external-orders\"\nissuer = \"partners\"\ncompany = \"{company}\"\nheaders",
        ),
        None,
    )
    .unwrap();
    assert!(decides.is_identity_field("x-tier"));
    assert!(!from_toml(&text, None).unwrap().is_identity_field("x-tier"));
}

#[test]
fn two_shadows_must_be_ordered_as_two_routes_must() {
    let twice = "
[[route]]
name = \"a\"
methods = [\"GET\"]
path = \"/{a}/x\"
origin = \"orders\"
public = true
shadow = true

[[route]]
name = \"b\"
methods = [\"GET\"]
path = \"/y/{b}\"
origin = \"orders\"
public = true
shadow = true
";
    let text = format!("{}{twice}", policies::SMALL);
    assert!(from_toml(&text, None).is_err());
    assert!(from_toml(&text.replacen("shadow = true\n", "", 1), None).is_ok());
}

#[test]
fn a_token_verified_for_a_shadow_is_no_better_elsewhere() {
    let mut world = world();
    let call = Call::get(LIST).bearer(Token::partner("2222").compact());
    assert_eq!(reason(world.shadow(&call)), Some(Reason::ConditionUnmet));
    assert_eq!(world.deny(&call).reason(), Reason::CompanyMismatch);
}

/// Its key may have been withdrawn since: what is only tried vouches for nothing.
#[test]
fn a_token_that_a_shadow_route_had_verified_is_verified_again_for_a_route_that_decides() {
    let mut world = world();
    let call = Call::get(LIST).bearer(Token::partner("1111").compact());
    for expected in [1, 1] {
        assert!(world.shadow(&call).is_some());
        assert_eq!(world.counts.signatures, expected);
    }
    world.permit(&call);
    assert_eq!(world.counts.signatures, 2);
}

/// An authorizer in front hands on what is kept, and refuses a caller that is too large to hand on.
#[test]
fn what_only_a_shadow_looks_at_is_not_kept_of_a_caller() {
    let claims = serde_json::json!({
        "iss": crate::support::token::PARTNERS_URL, "aud": crate::support::token::AUDIENCE, "sub": "1111",
        "token_use": "access", "exp": crate::support::NOW + 60, "tier": "x".repeat(20_000),
    });
    let caller = world().authorizer.caller_of_claims(claims.as_object().unwrap(), crate::support::at(0)).unwrap();
    assert!(caller.to_json().len() < 1_000);
}
