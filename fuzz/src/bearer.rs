//! Bearer credentials: what is taken stands in the one `Authorization` field, whole, and the caller is told apart who
//! showed none, who showed one badly, and who showed too much.
//!
//! Each line of the payload is a header field. The outcome is compared with a second reading of RFC 6750 §2.1, made
//! here in another way.

use postern::{Decision, Reason, Request, bearer::MAX_TOKEN_BYTES, token::TokenError};

use crate::{Script, world};

/// What an input was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// No credential.
    Missing,
    /// A credential against the grammar, or more than one.
    Malformed,
    /// A credential past the cap.
    TooLarge,
    /// A credential that is no token worth a signature check.
    Credential,
    /// A token whose signature would be checked.
    Token,
}

/// Decides a request with the input's header fields.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let Ok(text) = std::str::from_utf8(payload) else { return Reached::Missing };
    // A server hands over no field with a line feed in it.
    let headers: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(':')).collect();
    let request = Request { method: "GET", target: "/companies/c1/orders", headers: &headers };
    let (decision, trail) = world::decide(&world::authorizer(), &request, &mut script);
    let expected = read(&headers);
    if let Some(token) = &trail.credential {
        assert_eq!(expected, Ok(token.as_str()), "another credential is taken than was sent");
        return Reached::Token;
    }
    let Decision::Deny(denial) = decision else { panic!("permitted without a signature") };
    let reached = match denial.reason() {
        Reason::CredentialMissing => Err(Reached::Missing),
        Reason::CredentialMalformed => Err(Reached::Malformed),
        Reason::Token(TokenError::TooLarge) => Err(Reached::TooLarge),
        // By a clock that cannot be right nothing is read.
        Reason::Unconfigured => return expected.err().unwrap_or(Reached::Credential),
        _ => Ok(()),
    };
    assert_eq!(reached, expected.map(drop), "{headers:?}: {:?}", denial.reason());
    reached.err().unwrap_or(Reached::Credential)
}

/// The credential by the letter of RFC 6750 and RFC 9110 §11.4: `"Bearer" 1*SP b64token`, once.
fn read<'a>(headers: &[(&'a str, &'a str)]) -> Result<&'a str, Reached> {
    let fields: Vec<&str> = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        .map(|(_, value)| *value)
        .collect();
    let value = match fields[..] {
        [] => return Err(Reached::Missing),
        [value] => value,
        _ => return Err(Reached::Malformed),
    };
    let lower = value.to_ascii_lowercase();
    if !lower.contains("bearer") {
        return Err(Reached::Missing);
    }
    if lower != "bearer" && !lower.starts_with("bearer ") {
        return Err(Reached::Malformed);
    }
    let credential = value["bearer".len()..].trim_start_matches(' ');
    if credential.len() > MAX_TOKEN_BYTES {
        return Err(Reached::TooLarge);
    }
    let padding = credential.find('=').unwrap_or(credential.len());
    let (body, padding) = credential.split_at(padding);
    let of_the_grammar = |char: char| char.is_ascii_alphanumeric() || "-._~+/".contains(char);
    let holds = !body.is_empty() && body.chars().all(of_the_grammar) && padding.chars().all(|char| char == '=');
    if holds { Ok(credential) } else { Err(Reached::Malformed) }
}
