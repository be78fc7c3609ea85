//! Several issuer sections: on one URL, on several, and subjects of one name under each.

use postern::{Reason, policy::from_toml};
use serde_json::{Value, json};

use crate::support::{
    Call, Outcome, Token, World,
    keys::{PARTNERS_ED, PARTNERS_NEXT, STRANGER_ED},
    token::PARTNERS_URL,
};

/// Two sections on one URL, told apart by `told_apart`, a third on another URL, and a route for each and for all.
fn policy(machines: &str, people: &str) -> String {
    let route = |name: &str, issuer: &str| {
        format!(
            "[[route]]\nname = \"{name}\"\nmethods = [\"GET\"]\npath = \"/{name}/{{company}}\"\norigin = \"o\"\n\
             issuer = {issuer}\ncompany = \"{{company}}\"\n"
        )
    };
    let issuer = |name: &str, url: &str, rule: &str, permissions: &str| {
        format!(
            "[issuer.{name}]\nurl = \"{url}\"\nalgorithms = [\"EdDSA\", \"ES256\"]\n{rule}\ntoken_use = \"access\"\n\
             permissions = \"{permissions}\"\n"
        )
    };
    [
        "[permissions]\norigin = \"o\"\n".to_owned(),
        issuer("machines", PARTNERS_URL, machines, "subject"),
        issuer("people", PARTNERS_URL, people, "service"),
        issuer("others", "https://others.example", "audience = [\"api\"]", "service"),
        "[origin.o]\nurl = \"https://o.example\"\nkey = \"KEY\"\n".to_owned(),
        route("machines", "\"machines\""),
        route("people", "\"people\""),
        route("either", "[\"machines\", \"people\"]"),
        route("all", "[\"machines\", \"people\", \"others\"]"),
    ]
    .concat()
}

fn world(machines: &str, people: &str) -> World {
    let mut world = World::new(from_toml(&policy(machines, people), None).unwrap());
    world.publish(PARTNERS_URL, &[&PARTNERS_ED]);
    world.publish("https://others.example", &[&PARTNERS_NEXT]);
    world.record("people", "1111", r#"{"id":"1111","companies":["3333"]}"#);
    world.record("others", "1111", r#"{"id":"1111","companies":["4444"]}"#);
    world
}

fn by_client() -> World {
    world("audience = \"any\"\nclients = [\"m2m\"]", "audience = \"any\"\nclients = [\"web\", \"app\"]")
}

fn by_audience() -> World {
    world("audience = [\"machines-api\"]", "audience = [\"people-api\"]")
}

fn token(name: &str, value: Value) -> String {
    Token::partner("1111").without("client_id").without("aud").claim(name, value).compact()
}

fn other() -> String {
    let token = Token::partner("1111").signed_by(&PARTNERS_NEXT);
    token.claim("iss", json!("https://others.example")).claim("aud", json!("api")).compact()
}

#[test]
fn the_client_tells_which_section_a_token_belongs_to() {
    for (client, path, expected) in [
        ("m2m", "/machines/1111", Ok("machines")),
        ("m2m", "/either/1111", Ok("machines")),
        ("m2m", "/all/1111", Ok("machines")),
        ("m2m", "/people/3333", Err((401, Reason::AudienceMismatch))),
        ("web", "/people/3333", Ok("people")),
        ("app", "/either/3333", Ok("people")),
        ("app", "/all/3333", Ok("people")),
        ("web", "/machines/1111", Err((401, Reason::AudienceMismatch))),
        ("evil", "/either/1111", Err((401, Reason::AudienceMismatch))),
    ] {
        let call = Call::get(path).bearer(token("client_id", json!(client)));
        match expected {
            Ok(section) => assert_eq!(by_client().permit(&call).issuer(), Some(section), "{client} {path}"),
            Err((status, reason)) => {
                assert_eq!(by_client().outcome(&call), Outcome::Deny(status, reason), "{client} {path}");
            }
        }
    }
}

#[test]
fn a_section_says_outright_that_it_accepts_tokens_for_every_api() {
    let client = || Token::partner("1111").claim("client_id", json!("m2m"));
    for aud in [json!("https://other.example"), json!(["a", "b"]), json!([])] {
        let call = Call::get("/machines/1111").bearer(client().claim("aud", aud.clone()).compact());
        assert_eq!(by_client().permit(&call).issuer(), Some("machines"), "{aud}");
    }
    let call = Call::get("/machines/1111").bearer(client().claim("aud", json!(7)).compact());
    assert_eq!(by_client().outcome(&call), Outcome::Deny(401, Reason::ClaimsMalformed));
}

#[test]
fn a_token_for_two_sections_belongs_to_neither() {
    let both = token("aud", json!(["machines-api", "people-api"]));
    for path in ["/either/1111", "/all/1111", "/machines/1111", "/people/3333"] {
        let outcome = by_audience().outcome(&Call::get(path).bearer(&both));
        assert_eq!(outcome, Outcome::Deny(401, Reason::IssuerAmbiguous), "{path}");
    }
}

#[test]
fn what_one_route_accepted_does_not_sway_the_next() {
    for aud in [json!("machines-api"), json!("people-api"), json!(["machines-api", "people-api"])] {
        let token = token("aud", aud.clone());
        let mut warm = by_audience();
        for path in ["/machines/1111", "/either/1111", "/people/3333", "/either/3333", "/machines/1111", "/all/1111"] {
            let call = Call::get(path).bearer(&token);
            assert_eq!(warm.outcome(&call), by_audience().outcome(&call), "{aud} {path}");
        }
    }
}

#[test]
fn iss_tells_which_urls_keys_to_use() {
    let mut world = by_client();
    assert_eq!(world.permit(&Call::get("/all/4444").bearer(other())).issuer(), Some("others"));
    assert_eq!(world.outcome(&Call::get("/either/4444").bearer(other())), Outcome::Deny(401, Reason::KeyUnknown));
    // The other issuer's token in this one's name.
    let forged = Token::partner("1111").signed_by(&PARTNERS_NEXT).header("kid", json!("partners-ed"));
    let outcome = world.outcome(&Call::get("/all/1111").bearer(forged.compact()));
    assert_eq!(outcome, Outcome::Deny(401, Reason::KeyUnknown));
    let stranger = Token::partner("1111").signed_by(&STRANGER_ED).compact();
    assert_eq!(world.outcome(&Call::get("/all/1111").bearer(stranger)), Outcome::Deny(401, Reason::SignatureInvalid));
}

#[test]
fn an_issuer_that_the_route_does_not_have_is_unknown_before_keys_are_asked_for() {
    let mut world = by_client();
    for iss in [json!("https://evil.example"), json!("https://others.example/"), json!("")] {
        let token = Token::partner("1111").claim("iss", iss).compact();
        let outcome = world.outcome(&Call::get("/all/1111").bearer(token));
        assert_eq!(outcome, Outcome::Deny(401, Reason::IssuerUnknown));
    }
    assert_eq!(world.counts.keys, 0);
}

#[test]
fn the_one_look_at_iss_is_strict() {
    let mut world = by_client();
    let token = |claims: &str| Token::partner("1111").raw_claims(claims).compact();
    for claims in [
        "",
        "{}",
        "[]",
        r#"{"iss":7}"#,
        r#"{"iss":null}"#,
        r#"{"iss":["https://others.example"]}"#,
        r#"{"iss":"https://others.example","iss":"https://others.example"}"#,
        r#"{"iss":"https://others.example","\u0069ss":"https://evil.example"}"#,
        r#"{"iss":"https://others.example"} x"#,
    ] {
        let outcome = world.outcome(&Call::get("/all/1111").bearer(token(claims)));
        let expected = Outcome::Deny(401, Reason::Token(postern::token::TokenError::Malformed));
        assert_eq!(outcome, expected, "{claims}");
    }
    assert_eq!(world.counts.keys, 0);
}

#[test]
fn subjects_of_one_name_are_kept_apart() {
    let mut world = by_client();
    let person = token("client_id", json!("web"));
    for _ in 0..2 {
        for (token, company, expected) in [
            (&person, "3333", Outcome::Permit),
            (&person, "4444", Outcome::Deny(403, Reason::CompanyMismatch)),
            (&person, "1111", Outcome::Deny(403, Reason::CompanyMismatch)),
            (&other(), "4444", Outcome::Permit),
            (&other(), "3333", Outcome::Deny(403, Reason::CompanyMismatch)),
            (&token("client_id", json!("m2m")), "1111", Outcome::Permit),
            (&token("client_id", json!("m2m")), "3333", Outcome::Deny(403, Reason::CompanyMismatch)),
        ] {
            let call = Call::get(&format!("/all/{company}")).bearer(token);
            assert_eq!(world.outcome(&call), expected, "{company}");
        }
    }
}

#[test]
fn permissions_in_claims_are_read_in_each_form() {
    let text = policy("audience = \"any\"\nclients = [\"m2m\"]", "audience = \"any\"\nclients = [\"web\"]")
        .replace("permissions = \"subject\"", "permissions = \"claims\"")
        .replace("path = \"/machines/{company}\"", "path = \"/machines/{company}\"\nroles = [\"Manager\"]");
    let mut world = World::new(from_toml(&format!("roles = [\"Manager\"]\n{text}"), None).unwrap());
    world.publish(PARTNERS_URL, &[&PARTNERS_ED]);
    let claims = |companies: Value, role: Option<Value>| {
        let token = Token::partner("u").claim("client_id", json!("m2m")).without("aud").claim("companies", companies);
        match role {
            Some(role) => token.claim("role", role).compact(),
            None => token.compact(),
        }
    };
    let manager = || Some(json!("Manager"));
    let ambiguous = || Outcome::Deny(403, Reason::CompaniesAmbiguous);
    for (token, expected) in [
        (claims(json!(["1111"]), manager()), Outcome::Permit),
        (claims(json!("1111"), manager()), Outcome::Permit),
        (claims(json!("[\"1111\"]"), manager()), ambiguous()),
        (claims(json!("1111 2222"), manager()), ambiguous()),
        (claims(json!({"1111": ["Manager"]}), None), Outcome::Permit),
        (claims(json!({"1111": ["Standard"]}), None), Outcome::Deny(403, Reason::RoleMissing)),
        (claims(json!(["1111"]), Some(json!("Standard"))), Outcome::Deny(403, Reason::RoleMissing)),
        (claims(json!(["1111"]), None), Outcome::Deny(403, Reason::RoleMissing)),
        (claims(json!(["2222"]), manager()), Outcome::Deny(403, Reason::CompanyMismatch)),
        (claims(json!([]), manager()), Outcome::Deny(403, Reason::CompanyMismatch)),
        (claims(json!("1111,2222"), manager()), ambiguous()),
        (claims(json!("[\"1111\""), manager()), ambiguous()),
        (claims(json!("{\"1111\":[]}"), manager()), ambiguous()),
        (claims(json!([1111]), manager()), Outcome::Deny(401, Reason::ClaimsMalformed)),
        (claims(json!(1111), manager()), Outcome::Deny(401, Reason::ClaimsMalformed)),
        (claims(json!({"1111": ["Manager"]}), manager()), Outcome::Deny(401, Reason::ClaimsMalformed)),
        (claims(json!(["1111"]), Some(json!(["Standard", "Manager"]))), Outcome::Permit),
        (claims(json!({"1111": {"id": "x"}}), Some(json!(["Manager"]))), Outcome::Permit),
        (claims(json!({"1111": {"id": "x"}}), manager()), Outcome::Permit),
        (claims(json!(["1111"]), Some(json!([]))), Outcome::Deny(403, Reason::RoleMissing)),
        (claims(json!([""]), Some(json!(["Manager"]))), Outcome::Deny(401, Reason::ClaimsMalformed)),
        (claims(json!([1111]), Some(json!(["Manager"]))), Outcome::Deny(401, Reason::ClaimsMalformed)),
        (claims(json!(["1111"]), Some(json!(["Manager", 7]))), Outcome::Deny(401, Reason::ClaimsMalformed)),
        (claims(json!(["1111"]), Some(json!({"Manager": true}))), Outcome::Deny(401, Reason::ClaimsMalformed)),
        (claims(json!({"1111": ["Manager"]}), Some(json!(["Manager"]))), Outcome::Deny(401, Reason::ClaimsMalformed)),
    ] {
        assert_eq!(world.outcome(&Call::get("/machines/1111").bearer(token)), expected);
    }
    assert_eq!(world.counts.permissions, 0);
}
