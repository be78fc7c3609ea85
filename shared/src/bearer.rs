//! The bearer credential of a request (RFC 6750 §2.1, RFC 9110 §11.4).
//!
//! Exactly one `Authorization` field, `Bearer` in any case, one or more spaces, one `b64token`.
//! The forms of RFC 6750 §2.2 and §2.3 (token in the body or the query) are not accepted.

use crate::{cut, request::Request};

/// Longest access token that is looked at, in octets. Real tokens stay under 4 KiB and API Gateway
/// takes 10 KiB of headers in all; everything after this point costs time linear in the length.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What a request carries in the way of a bearer credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bearer<'a> {
    /// No `Authorization` field, or one of another scheme: the caller has not tried to show a token.
    Missing,
    /// More than one credential, or what is none by its first word.
    Malformed,
    /// A token longer than [`MAX_TOKEN_BYTES`].
    TooLarge,
    /// What stands in the place of one token: whether it [has the form](is_b64token) is still to be seen.
    Token(&'a str),
}

/// Reads the one bearer credential of `request`.
pub(crate) fn bearer<'a>(request: &Request<'a>) -> Bearer<'a> {
    let mut fields = request.header_values("authorization");
    let Some(value) = fields.next() else {
        return Bearer::Missing;
    };
    if fields.next().is_some() {
        return Bearer::Malformed;
    }
    let (scheme, credentials) = match cut::once(value, b' ') {
        Some((scheme, rest)) => (scheme, rest.trim_start_matches(' ')),
        None => (value, ""),
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        // `Bearer\tx` and `Basic a, Bearer b` name no scheme we know, yet plainly mean one: say so.
        let means_bearer = value.as_bytes().windows(BEARER.len()).any(|window| window.eq_ignore_ascii_case(BEARER));
        return if means_bearer { Bearer::Malformed } else { Bearer::Missing };
    }
    if credentials.len() > MAX_TOKEN_BYTES {
        return Bearer::TooLarge;
    }
    Bearer::Token(credentials)
}

const BEARER: &[u8] = b"bearer";

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
pub(crate) fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_of_token =
        |byte: u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-'..=b'/' | b'_' | b'~' | b'+');
    !body.is_empty() && body.bytes().all(is_of_token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::String, vec::Vec};

    fn read<'a>(headers: &'a [(&'a str, &'a str)]) -> Bearer<'a> {
        match bearer(&Request { method: "GET", target: "/", headers }) {
            Bearer::Token(text) if !is_b64token(text) => Bearer::Malformed,
            other => other,
        }
    }

    #[test]
    fn one_well_formed_credential_is_read() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "bEaReR   a.b.c"] {
            assert_eq!(read(&[("Authorization", value)]), Bearer::Token("a.b.c"), "{value}");
        }
        assert_eq!(read(&[("AUTHORIZATION", "Bearer x==")]), Bearer::Token("x=="));
    }

    #[test]
    fn other_schemes_and_no_field_mean_no_credential() {
        assert_eq!(read(&[]), Bearer::Missing);
        for value in ["Basic dXNlcjpwYXNz", "Digest x", "", "DPoP abc"] {
            assert_eq!(read(&[("authorization", value)]), Bearer::Missing, "{value}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_malformed() {
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer\ta.b.c",
            "Bearer a.b.c ",
            "Bearer a b",
            "Bearer a,b",
            "Bearer a.b.c, Bearer d.e.f",
            "Basic x, Bearer y",
            "Bearer =",
            "Bearer \u{e9}",
            "Bearer a=b",
            " Bearer a.b.c",
            "Bearer a.b.c\t",
        ] {
            assert_eq!(read(&[("authorization", value)]), Bearer::Malformed, "{value:?}");
        }
    }

    #[test]
    fn two_fields_are_malformed_even_when_alike_or_spelt_with_an_underscore() {
        assert_eq!(read(&[("authorization", "Bearer a"), ("Authorization", "Bearer a")]), Bearer::Malformed);
    }

    #[test]
    fn the_cap_is_on_the_token() {
        let fits: String = core::iter::repeat_n('a', MAX_TOKEN_BYTES).collect();
        let exceeds = fits.clone() + "a";
        let values: Vec<String> = [&fits, &exceeds].map(|t| String::from("Bearer ") + t).into();
        assert_eq!(read(&[("authorization", &values[0])]), Bearer::Token(&fits));
        assert_eq!(read(&[("authorization", &values[1])]), Bearer::TooLarge);
    }
}
