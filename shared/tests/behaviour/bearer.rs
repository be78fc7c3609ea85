//! The credential's grammar (RFC 6750 §2.1), through whole decisions.

use postern::Reason;

use crate::support::{Call, Outcome, Token, World};

const ORDERS: &str = "/companies/1111/orders";

fn outcome(values: &[(&str, &str)]) -> Outcome {
    let token = Token::partner("1111").compact();
    let mut call = Call::get(ORDERS);
    for (name, value) in values {
        call = call.header(name, &value.replace("<token>", &token));
    }
    World::example().outcome(&call)
}

#[test]
fn the_scheme_and_the_field_are_read_in_any_case() {
    for (name, value) in [
        ("authorization", "Bearer <token>"),
        ("Authorization", "bearer <token>"),
        ("AUTHORIZATION", "BEARER <token>"),
        ("aUtHoRiZaTiOn", "bEaReR <token>"),
        ("authorization", "Bearer    <token>"),
    ] {
        assert_eq!(outcome(&[(name, value)]), Outcome::Permit, "{name}: {value}");
    }
}

#[test]
fn what_breaks_the_grammar_is_a_bad_request() {
    for value in [
        "Bearer",
        "Bearer ",
        "bearer",
        "Bearer\t<token>",
        "Bearer \t<token>",
        "Bearer <token> ",
        "Bearer <token>\t",
        " Bearer <token>",
        "Bearer <token> <token>",
        "Bearer <token>,<token>",
        "Bearer <token>, Bearer <token>",
        "Basic eDp5, Bearer <token>",
        "Bearer Bearer <token>",
        "Bearer: <token>",
        "Bearer=<token>",
        "Bearer \"<token>\"",
        "Bearer token=<token>",
        "Bearer\u{a0}<token>",
        "Bearer <token>\u{0}",
        "Bearer <token>\r\nx: y",
    ] {
        assert_eq!(outcome(&[("authorization", value)]), Outcome::Deny(400, Reason::CredentialMalformed), "{value:?}");
    }
}

#[test]
fn two_credentials_are_a_bad_request_even_when_alike() {
    for (first, second) in [
        ("Bearer <token>", "Bearer <token>"),
        ("Bearer <token>", "Basic eDp5"),
        ("Basic eDp5", "Bearer <token>"),
        ("Bearer <token>", ""),
    ] {
        let values = [("authorization", first), ("Authorization", second)];
        assert_eq!(outcome(&values), Outcome::Deny(400, Reason::CredentialMalformed), "{first} {second}");
    }
}

#[test]
fn another_scheme_is_no_credential() {
    for value in ["", "Basic eDp5", "DPoP <token>", "Digest x", "<token>", "Token <token>", "JWT <token>"] {
        assert_eq!(outcome(&[("authorization", value)]), Outcome::Deny(401, Reason::CredentialMissing), "{value}");
    }
}
