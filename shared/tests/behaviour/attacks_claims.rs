//! Attacks by claims, in tokens whose signature holds: types, duplicates, dates, audiences, subjects.

use postern::{MAX_SUBJECT_BYTES, Reason};
use serde_json::{Value, json};

use crate::support::{Call, NOW, Outcome, Token, World, at, token::AUDIENCE};

const ORDERS: &str = "/companies/1111/orders";

fn outcome(token: &Token) -> Outcome {
    World::example().outcome(&Call::get(ORDERS).bearer(token.compact()))
}

fn denied(reason: Reason) -> Outcome {
    Outcome::Deny(401, reason)
}

/// The valid claims with `text` put before them.
fn with_member(text: &str) -> Token {
    let token = Token::partner("1111");
    let claims = token.claims_text().replacen('{', &format!("{{{text},"), 1);
    token.raw_claims(claims)
}

#[test]
fn claims_of_the_wrong_type_are_refused() {
    let wrong = [json!(null), json!(true), json!({}), json!([[]])];
    for name in ["exp", "nbf", "iat", "aud", "scope", "iss", "sub", "client_id", "azp", "token_use"] {
        for value in &wrong {
            let token = Token::partner("1111").without("client_id").claim(name, value.clone());
            assert_eq!(outcome(&token), denied(Reason::ClaimsMalformed), "{name} {value}");
        }
    }
    for (name, value) in [
        ("exp", json!((NOW + 60).to_string())),
        ("nbf", json!(NOW.to_string())),
        ("iat", json!("now")),
        ("exp", json!([NOW + 60])),
        ("aud", json!(7)),
        ("aud", json!([AUDIENCE, 7])),
        ("aud", json!({ AUDIENCE: true })),
        ("scope", json!(7)),
        ("scope", json!(["orders/list.orders", 7])),
        ("iss", json!(["https://auth.partners.ljg-sushi.example"])),
        ("sub", json!(1111)),
        ("sub", json!(["1111"])),
        ("client_id", json!(1111)),
        ("token_use", json!(["access"])),
    ] {
        let token = Token::partner("1111").claim(name, value.clone());
        assert_eq!(outcome(&token), denied(Reason::ClaimsMalformed), "{name} {value}");
    }
}

#[test]
fn claims_that_must_be_there_are_missed() {
    for (name, reason) in [
        ("exp", Reason::ExpirationMissing),
        ("iss", Reason::IssuerMismatch),
        ("aud", Reason::AudienceMismatch),
        ("token_use", Reason::NotAnAccessToken),
        ("sub", Reason::SubjectUnusable),
    ] {
        assert_eq!(outcome(&Token::partner("1111").without(name)), denied(reason), "{name}");
    }
    for name in ["iat", "jti", "client_id"] {
        assert_eq!(outcome(&Token::partner("1111").without(name)), Outcome::Permit, "{name}");
    }
}

#[test]
fn a_claim_named_twice_is_refused() {
    for member in [
        r#""exp":9999999999"#,
        r#""iss":"https://auth.partners.ljg-sushi.example""#,
        r#""sub":"2222""#,
        r#""aud":"https://api.ljg-sushi.example""#,
        r#""scope":"orders/list.orders""#,
        r#""token_use":"access""#,
        r#""iat":1"#,
        r#""nbf":1,"nbf":1"#,
        r#""\u0073ub":"2222""#,
        r#""other":1,"other":1"#,
        r#""nested":{"a":1,"a":2}"#,
        r#""nested":[{"a":1,"a":2}]"#,
    ] {
        assert_eq!(outcome(&with_member(member)), denied(Reason::ClaimsMalformed), "{member}");
    }
    assert_eq!(outcome(&with_member(r#""other":1"#)), Outcome::Permit);
}

#[test]
fn claims_that_are_no_object_are_refused() {
    for claims in ["null", "[]", "\"x\"", "7", "{", "{} {}", "{}\u{0}", "\u{feff}{}", "{\"exp\":}", "not json"] {
        let token = Token::partner("1111").raw_claims(claims);
        assert_eq!(outcome(&token), denied(Reason::ClaimsMalformed), "{claims:?}");
    }
}

#[test]
fn a_token_ends_at_the_very_second_of_exp() {
    let token = Token::partner("1111").claim("exp", json!(NOW + 10)).compact();
    let mut world = World::example();
    for (millis, expected) in [(9_999, Outcome::Permit), (10_000, denied(Reason::Expired))] {
        world.now = postern::UnixTime::from_millis(NOW * 1000 + millis);
        assert_eq!(world.outcome(&Call::get(ORDERS).bearer(&token)), expected, "{millis}");
    }
    // No leeway on `exp`, and none is given back by a fraction.
    assert_eq!(
        outcome(&Token::partner("1111").raw_claims(with_number("exp", &format!("{NOW}.9")))),
        denied(Reason::Expired)
    );
}

#[test]
fn a_fraction_of_nbf_or_iat_is_waited_for() {
    for (name, reason) in [("nbf", Reason::NotYetValid), ("iat", Reason::IssuedInFuture)] {
        // The example's leeway is 5 s.
        let at = |fraction: &str| {
            outcome(&Token::partner("1111").raw_claims(with_number(name, &format!("{}{fraction}", NOW + 5))))
        };
        assert_eq!(at(""), Outcome::Permit, "{name}");
        assert_eq!(at(".0"), Outcome::Permit, "{name}");
        assert_eq!(at(".001"), denied(reason), "{name}");
        assert_eq!(at(".9"), denied(reason), "{name}");
    }
}

#[test]
fn an_expired_token_is_told_as_expired_whatever_else_is_wrong_with_it() {
    for exp in [NOW, NOW - 1, 0] {
        let expired = Token::partner("1111").claim("exp", json!(exp));
        for token in [
            expired.clone().claim("nbf", json!(NOW + 60)),
            expired.clone().claim("iat", json!(NOW + 60)),
            expired.clone().without("sub"),
            expired.without("scope"),
        ] {
            assert_eq!(outcome(&token), denied(Reason::Expired), "{exp}");
        }
    }
}

/// The valid claims with `name` set to a number that only a text can hold.
fn with_number(name: &str, number: &str) -> String {
    let marker = json!("the number").to_string();
    Token::partner("1111").claim(name, json!("the number")).claims_text().replace(&marker, number)
}

#[test]
fn extreme_dates_are_judged_without_harm() {
    let malformed = || denied(Reason::ClaimsMalformed);
    let numbers = [
        // The number, and what comes of it as `exp`, as `nbf` and as `iat`.
        ("9223372036854775807", malformed(), malformed(), malformed()),
        ("-9223372036854775808", malformed(), malformed(), malformed()),
        ("9223372036854775808", malformed(), malformed(), malformed()),
        ("18446744073709551616", malformed(), malformed(), malformed()),
        ("1e300", malformed(), malformed(), malformed()),
        ("-1e300", malformed(), malformed(), malformed()),
        ("1e400", malformed(), malformed(), malformed()),
        ("8210266876799", Outcome::Permit, denied(Reason::NotYetValid), denied(Reason::IssuedInFuture)),
        ("-8334601228800", denied(Reason::Expired), Outcome::Permit, Outcome::Permit),
        ("-1", denied(Reason::Expired), Outcome::Permit, Outcome::Permit),
        ("0", denied(Reason::Expired), Outcome::Permit, Outcome::Permit),
        ("-0.0", denied(Reason::Expired), Outcome::Permit, Outcome::Permit),
        ("1e-300", denied(Reason::Expired), Outcome::Permit, Outcome::Permit),
    ];
    for (number, as_exp, as_nbf, as_iat) in numbers {
        for (name, expected) in [("exp", as_exp), ("nbf", as_nbf), ("iat", as_iat)] {
            let token = Token::partner("1111").raw_claims(with_number(name, number));
            assert_eq!(outcome(&token), expected, "{name} {number}");
        }
    }
}

#[test]
fn extreme_clocks_are_survived() {
    let token = Token::partner("1111").compact();
    let mut world = World::example();
    for (now, expected) in [
        (postern::UnixTime::from_millis(u64::MAX), denied(Reason::Expired)),
        (postern::UnixTime::from_millis(0), Outcome::Deny(503, Reason::Unconfigured)),
        (at(0), Outcome::Permit),
    ] {
        world.now = now;
        assert_eq!(world.outcome(&Call::get(ORDERS).bearer(&token)), expected, "{now:?}");
    }
}

#[test]
fn a_clock_that_runs_ahead_is_forgiven_for_five_seconds() {
    for (name, reason) in [("nbf", Reason::NotYetValid), ("iat", Reason::IssuedInFuture)] {
        let ahead = |seconds: u64| Token::partner("1111").claim(name, json!(NOW + seconds));
        assert_eq!(outcome(&ahead(5)), Outcome::Permit, "{name}");
        assert_eq!(outcome(&ahead(6)), denied(reason), "{name}");
    }
}

#[test]
fn an_audience_may_be_one_of_several() {
    for (aud, expected) in [
        (json!([AUDIENCE]), Outcome::Permit),
        (json!(["https://other.example", AUDIENCE]), Outcome::Permit),
        (json!(["https://other.example"]), denied(Reason::AudienceMismatch)),
        (json!([]), denied(Reason::AudienceMismatch)),
        (json!(""), denied(Reason::AudienceMismatch)),
        (json!(format!("{AUDIENCE} https://other.example")), denied(Reason::AudienceMismatch)),
        (json!(AUDIENCE.to_uppercase()), denied(Reason::AudienceMismatch)),
        (json!([format!("{AUDIENCE}.evil.example")]), denied(Reason::AudienceMismatch)),
    ] {
        assert_eq!(outcome(&Token::partner("1111").claim("aud", aud.clone())), expected, "{aud}");
    }
}

#[test]
fn azp_stands_in_for_a_missing_client_id_only() {
    let manager = "/companies/1111/users/user-manager/orders";
    let client = crate::support::token::CLIENT;
    let user = || Token::user("user-manager");
    // Without a preset, which would name the one claim that its provider has.
    let policy = crate::support::policies::example_with(
        "preset = \"cognito\"",
        "algorithms = [\"RS256\"]\ntoken_use = \"access\"\naudience = \"any\"",
    );
    let mut world = World::example();
    world.authorizer = postern::Authorizer::new(postern::policy::from_toml(&policy, None).unwrap());
    for (token, expected) in [
        (user().without("client_id").claim("azp", json!(client)), Outcome::Permit),
        (user().claim("azp", json!("another")), Outcome::Permit),
        (user().claim("client_id", json!("another")).claim("azp", json!(client)), denied(Reason::AudienceMismatch)),
        (user().without("client_id").claim("azp", json!("another")), denied(Reason::AudienceMismatch)),
    ] {
        assert_eq!(world.outcome(&Call::get(manager).bearer(token.compact())), expected);
    }
}

#[test]
fn an_unusable_subject_is_refused() {
    for sub in ["", "a\u{0}", "a\nb", "\u{7f}", "\u{85}", &"x".repeat(MAX_SUBJECT_BYTES + 1)] {
        assert_eq!(
            outcome(&Token::partner("1111").claim("sub", json!(sub))),
            denied(Reason::SubjectUnusable),
            "{sub:?}"
        );
    }
    let longest = "x".repeat(MAX_SUBJECT_BYTES);
    let call = Call::get(&format!("/companies/{longest}/orders")).bearer(Token::partner(&longest).compact());
    assert_eq!(World::example().outcome(&call), Outcome::Permit);
}

#[test]
fn a_subject_is_compared_exactly() {
    for (sub, path) in [("1111", "01111"), ("abc", "ABC"), ("1111", "1111,2222"), ("caf\u{e9}", "cafe%CC%81")] {
        let call = Call::get(&format!("/companies/{path}/orders")).bearer(Token::partner(sub).compact());
        assert_eq!(World::example().outcome(&call), Outcome::Deny(403, Reason::CompanyMismatch), "{sub} {path}");
    }
    let call = Call::get("/companies/caf%C3%A9/orders").bearer(Token::partner("caf\u{e9}").compact());
    assert_eq!(World::example().outcome(&call), Outcome::Permit);
}

#[test]
fn claims_that_name_companies_and_roles_are_no_permissions_where_the_service_decides() {
    let claims: [(&str, Value); 4] = [
        ("companies", json!(["3333"])),
        ("role", json!("Manager")),
        ("id", json!("user-manager")),
        ("username", json!("user-manager")),
    ];
    let mut token = Token::user("user-standard");
    for (name, value) in claims {
        token = token.claim(name, value);
    }
    let mut world = World::example();
    for (path, reason) in [
        ("/companies/1111/users/user-standard/orders", Reason::RoleMissing),
        ("/companies/3333/users/user-standard/orders", Reason::CompanyMismatch),
        ("/companies/1111/users/user-manager/orders", Reason::SubjectMismatch),
    ] {
        let call = Call::get(path).bearer(token.compact());
        assert_eq!(world.outcome(&call), Outcome::Deny(403, reason), "{path}");
    }
}

#[test]
fn typ_tells_access_tokens_from_id_tokens_where_the_issuer_says_so() {
    let policy = crate::support::policies::example_with("token_use = \"access\"", "token_type = \"at+jwt\"");
    let mut world = World::example();
    world.authorizer = postern::Authorizer::new(postern::policy::from_toml(&policy, None).unwrap());
    let token = || Token::partner("1111").without("token_use");
    for (typ, expected) in [
        // RFC 7515 §4.1.9: a media type, in any case, `application/` left out or not.
        ("at+jwt", Outcome::Permit),
        ("AT+JWT", Outcome::Permit),
        ("application/at+jwt", Outcome::Permit),
        ("Application/AT+JWT", Outcome::Permit),
        ("JWT", denied(Reason::NotAnAccessToken)),
        ("id+jwt", denied(Reason::NotAnAccessToken)),
        ("at+jwt ", denied(Reason::NotAnAccessToken)),
        ("text/at+jwt", denied(Reason::NotAnAccessToken)),
        ("", denied(Reason::NotAnAccessToken)),
    ] {
        let call = Call::get(ORDERS).bearer(token().header("typ", json!(typ)).compact());
        assert_eq!(world.outcome(&call), expected, "{typ}");
    }
    // A value with a `/` is written out in full already: nothing is put before it, and nothing is taken off.
    for (wanted, typ, expected) in [
        ("application/at+jwt", "at+jwt", Outcome::Permit),
        ("text/at+jwt", "Text/AT+JWT", Outcome::Permit),
        ("text/at+jwt", "application/text/at+jwt", denied(Reason::NotAnAccessToken)),
        ("application/text/at+jwt", "text/at+jwt", denied(Reason::NotAnAccessToken)),
        ("at+jwt", "application/application/at+jwt", denied(Reason::NotAnAccessToken)),
    ] {
        let policy =
            crate::support::policies::example_with("token_use = \"access\"", &format!("token_type = \"{wanted}\""));
        let mut world = World::example();
        world.authorizer = postern::Authorizer::new(postern::policy::from_toml(&policy, None).unwrap());
        let call = Call::get(ORDERS).bearer(token().header("typ", json!(typ)).compact());
        assert_eq!(world.outcome(&call), expected, "{wanted}: {typ}");
    }
    let none = Call::get(ORDERS).bearer(token().without_header("typ").compact());
    assert_eq!(world.outcome(&none), denied(Reason::NotAnAccessToken));
    // `token_use` does not stand in for it.
    let id = Call::get(ORDERS).bearer(Token::partner("1111").header("typ", json!("JWT")).compact());
    assert_eq!(world.outcome(&id), denied(Reason::NotAnAccessToken));
}

#[test]
fn a_token_bound_to_its_sender_is_no_bearer_token_whatever_its_binding_says() {
    let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    for binding in
        [json!({"jkt": thumbprint}), json!({"x5t#S256": thumbprint}), json!({}), json!(null), json!(false), json!("")]
    {
        let token = Token::partner("1111").claim("cnf", binding.clone());
        assert_eq!(outcome(&token), denied(Reason::SenderConstrained), "{binding}");
    }
    // A confirmation about somebody else binds nothing here.
    let token = Token::partner("1111").claim("act", json!({"cnf": {"jkt": thumbprint}}));
    assert_eq!(outcome(&token), Outcome::Permit);
}
