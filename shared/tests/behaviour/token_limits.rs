//! What an issuer section may ask of its tokens beyond the standards: required claims, a longest life, a greatest age.

use std::time::Duration;

use postern::{Reason, policy::from_toml};
use serde_json::{Value, json};

use crate::support::{Call, NOW, Outcome, Token, World, keys::PARTNERS_ED, policies::SMALL, token::PARTNERS_URL};

const URL: &str = "https://issuer.example";

fn world(rules: &str) -> World {
    let text = SMALL
        .replace("[permissions]\norigin = \"orders\"\n", "")
        .replace("permissions = \"service\"", &format!("permissions = \"subject\"\n{rules}"))
        .replace(URL, PARTNERS_URL);
    let mut world = World::new(from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}")));
    world.publish(PARTNERS_URL, &[&PARTNERS_ED]);
    world
}

fn token() -> Token {
    Token::partner("1111").claim("aud", json!("https://api.example"))
}

fn outcome(world: &mut World, token: &Token) -> Outcome {
    world.outcome(&Call::get("/companies/1111/orders").bearer(token.compact()))
}

fn denied(reason: Reason) -> Outcome {
    Outcome::Deny(401, reason)
}

#[test]
fn a_token_that_is_to_live_longer_than_allowed_is_refused() {
    for (lifetime, expected) in [
        (3600, Outcome::Permit),
        (1, Outcome::Permit),
        (3601, denied(Reason::LifetimeTooLong)),
        (100_000_000_000, denied(Reason::LifetimeTooLong)),
    ] {
        let token = token().claim("exp", json!(NOW + lifetime));
        assert_eq!(outcome(&mut world("max_lifetime = \"1h\""), &token), expected, "{lifetime}");
        assert_eq!(outcome(&mut world(""), &token), Outcome::Permit, "{lifetime}");
    }
}

#[test]
fn a_token_older_than_allowed_is_refused_and_one_remembered_ends_with_its_age() {
    for (age, expected) in [(0, Outcome::Permit), (59, Outcome::Permit), (60, denied(Reason::IssuedTooLongAgo))] {
        let token = token().claim("iat", json!(NOW - age));
        assert_eq!(outcome(&mut world("max_age = \"1m\""), &token), expected, "{age}");
    }
    let mut world = world("max_age = \"1m\"");
    assert_eq!(outcome(&mut world, &token()), Outcome::Permit);
    world.later(59);
    assert_eq!(outcome(&mut world, &token()), Outcome::Permit);
    assert_eq!(world.counts.signatures, 1, "it was not remembered");
    world.later(1);
    assert_eq!(outcome(&mut world, &token()), denied(Reason::IssuedTooLongAgo));
}

#[test]
fn a_fraction_of_iat_gives_a_token_no_more_time() {
    let issued = |seconds_ago: f64| token().claim("iat", json!(NOW as f64 - seconds_ago));
    // The whole second before it counts: these are 60 and 59 seconds old.
    assert_eq!(outcome(&mut world("max_age = \"1m\""), &issued(59.1)), denied(Reason::IssuedTooLongAgo));
    assert_eq!(outcome(&mut world("max_age = \"1m\""), &issued(58.1)), Outcome::Permit);
    let lasting = |seconds: u64| issued(0.5).claim("exp", json!(NOW - 1 + seconds));
    assert_eq!(outcome(&mut world("max_lifetime = \"1m\""), &lasting(60)), Outcome::Permit);
    assert_eq!(outcome(&mut world("max_lifetime = \"1m\""), &lasting(61)), denied(Reason::LifetimeTooLong));
}

#[test]
fn a_limit_needs_to_know_when_the_token_was_issued() {
    for rule in ["max_lifetime = \"1h\"", "max_age = \"1m\""] {
        let missing = outcome(&mut world(rule), &token().without("iat"));
        assert_eq!(missing, denied(Reason::IssuedAtMissing), "{rule}");
        let at_the_beginning_of_time = outcome(&mut world(rule), &token().claim("iat", json!(i64::MIN)));
        assert_ne!(at_the_beginning_of_time, Outcome::Permit, "{rule}");
    }
    assert_eq!(outcome(&mut world(""), &token().without("iat")), Outcome::Permit);
}

#[test]
fn leeway_forgives_a_clock_ahead_and_no_more() {
    let ahead = |seconds: u64| token().claim("iat", json!(NOW + seconds)).claim("nbf", json!(NOW + seconds));
    for (rule, seconds, expected) in [
        ("", 5, Outcome::Permit),
        ("", 6, denied(Reason::NotYetValid)),
        ("leeway = \"0s\"", 0, Outcome::Permit),
        ("leeway = \"0s\"", 1, denied(Reason::NotYetValid)),
        ("leeway = \"5m\"", 300, Outcome::Permit),
        ("leeway = \"5m\"", 301, denied(Reason::NotYetValid)),
    ] {
        assert_eq!(outcome(&mut world(rule), &ahead(seconds)), expected, "{rule} {seconds}");
    }
    // Never for `exp`.
    let mut world = world("leeway = \"5m\"");
    world.now = world.now.saturating_add(Duration::from_secs(3600));
    assert_eq!(outcome(&mut world, &token()), denied(Reason::Expired));
}

#[test]
fn required_claims_must_be_there_and_say_what_is_asked() {
    let absent: Option<Value> = None;
    for (rule, value, permitted) in [
        ("require.tier = true", Some(json!("gold")), true),
        ("require.tier = true", Some(json!(0)), true),
        ("require.tier = true", Some(json!(null)), false),
        ("require.tier = true", absent.clone(), false),
        ("require.tier = \"gold\"", Some(json!("gold")), true),
        ("require.tier = \"gold\"", Some(json!(["silver", "gold"])), true),
        ("require.tier = \"gold\"", Some(json!("Gold")), false),
        ("require.tier = \"gold\"", Some(json!("gold silver")), false),
        ("require.tier = \"gold\"", Some(json!(["silver"])), false),
        ("require.tier = \"gold\"", Some(json!({"gold": true})), false),
        ("require.tier = \"gold\"", Some(json!(true)), false),
        ("require.tier = \"gold\"", absent.clone(), false),
        ("require.tier = [\"gold\", \"silver\"]", Some(json!("silver")), true),
        ("require.tier = [\"gold\", \"silver\"]", Some(json!("bronze")), false),
        ("require.\"https://a.example/tier\" = \"gold\"", Some(json!("gold")), false),
    ] {
        let token = match &value {
            Some(value) => token().claim("tier", value.clone()),
            None => token(),
        };
        let expected = if permitted { Outcome::Permit } else { denied(Reason::ClaimMismatch) };
        assert_eq!(outcome(&mut world(rule), &token), expected, "{rule} {value:?}");
    }
    let named = token().claim("https://a.example/tier", json!("gold"));
    let mut world = world("require.\"https://a.example/tier\" = \"gold\"");
    assert_eq!(outcome(&mut world, &named), Outcome::Permit);
}

#[test]
fn claims_are_read_where_the_section_says() {
    let text = SMALL.replace("permissions = \"service\"", "permissions = \"claims\"").replace(URL, PARTNERS_URL).replace(
        "token_use = \"access\"",
        "token_use = \"access\"\nclaims = { subject = \"uid\", client = [\"app\", \"id\"], scopes = [\"grant\", \"for\"], \
         roles = [\"access\", \"a.b\", \"roles\"], companies = \"https://x.example/companies\" }\nclients = [\"c\"]",
    );
    let text = text.replace("[permissions]\norigin = \"orders\"\n", "");
    let text =
        text.replace("company = \"{company}\"", "company = \"{company}\"\nroles = [\"Manager\"]\nscopes = [\"s\"]");
    let mut world = World::new(from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}")));
    world.publish(PARTNERS_URL, &[&PARTNERS_ED]);
    let full = || {
        token()
            .claim("uid", json!("jane"))
            .claim("app", json!({"id": "c"}))
            .claim("grant", json!({"for": ["s"]}))
            .claim("access", json!({"a.b": {"roles": ["Manager"]}}))
            .claim("https://x.example/companies", json!(["1111"]))
    };
    let permit = world.permit(&Call::get("/companies/1111/orders").bearer(full().compact()));
    assert_eq!((permit.subject(), permit.company()), (Some("jane"), Some("1111")));
    for (token, expected) in [
        (full().without("uid"), denied(Reason::SubjectUnusable)),
        (full().claim("uid", json!(7)), denied(Reason::ClaimsMalformed)),
        (full().claim("app", json!({"id": "d"})), denied(Reason::AudienceMismatch)),
        (full().claim("app", json!("c")), denied(Reason::AudienceMismatch)),
        (full().claim("app", json!({"id": ["c"]})), denied(Reason::ClaimsMalformed)),
        (full().claim("grant", json!({})), Outcome::Deny(403, Reason::ScopeMissing)),
        (full().claim("grant", json!({"for": 7})), denied(Reason::ClaimsMalformed)),
        (full().claim("access", json!({"a": {"b": {"roles": ["Manager"]}}})), Outcome::Deny(403, Reason::RoleMissing)),
        (full().without("https://x.example/companies"), Outcome::Deny(403, Reason::CompanyMismatch)),
    ] {
        assert_eq!(outcome(&mut world, &token), expected);
    }
    // The claims that other issuers use mean nothing here.
    assert_eq!(
        outcome(&mut world, &full().without("app").claim("client_id", json!("c"))),
        denied(Reason::AudienceMismatch)
    );
    assert_eq!(
        outcome(&mut world, &full().without("grant").claim("scope", json!("s"))),
        Outcome::Deny(403, Reason::ScopeMissing)
    );
}
