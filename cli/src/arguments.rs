//! What is looked at in the arguments before anything is made of them: no token may stand there.
//!
//! Shells keep what is typed, and process lists show it to everyone on the machine. A token that was given as an
//! argument is refused without being repeated, which clap's own messages would do.

use std::ffi::OsString;

use base64ct::{Base64UrlUnpadded, Encoding as _};

/// What to say when an argument is refused.
pub(crate) const REFUSAL: &str = "an argument holds a credential, which is not repeated here: shells keep arguments and \
                                  process lists show them; give the token on standard input or with `--token-file`, \
                                  and have this one replaced";

/// Whether some argument holds a token, or a header field that carries credentials.
pub(crate) fn hold_a_credential(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| {
        let text = argument.to_string_lossy();
        holds_token(&text) || is_credential_field(&text)
    })
}

/// Whether the text has something in it that a JWS begins like: base64url of a JSON object, a dot, more base64url.
fn holds_token(text: &str) -> bool {
    let runs = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    runs.filter(|run| run.contains('.')).any(|run| {
        let parts: Vec<&str> = run.split('.').collect();
        parts.windows(2).any(|pair| is_object(pair[0]) && !pair[1].is_empty())
    })
}

fn is_object(encoded: &str) -> bool {
    // Whole groups alone: a cut-off token is a token too.
    let whole = &encoded[..encoded.len() / 4 * 4];
    let bytes = Base64UrlUnpadded::decode_vec(whole).unwrap_or_default();
    let mut visible = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    visible.next() == Some(&b'{') && visible.next() == Some(&b'"')
}

/// `-H 'authorization: …'`: whatever is in it, it is what must not stand here.
fn is_credential_field(text: &str) -> bool {
    let name = text.split(':').next().unwrap_or_default().trim_start_matches("--header=").trim_start_matches("-H");
    let credential = ["authorization", "proxy-authorization", "cookie"];
    text.contains(':') && credential.iter().any(|field| name.trim().eq_ignore_ascii_case(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(argument: &str) -> bool {
        hold_a_credential(&[argument.into()])
    }

    #[test]
    fn tokens_are_seen_wherever_they_stand() {
        let header = Base64UrlUnpadded::encode_string(br#"{"alg":"RS256"}"#);
        let spaced = Base64UrlUnpadded::encode_string(b"{ \"alg\": \"RS256\" }");
        for argument in [
            format!("{header}.e30.c2ln"),
            format!("Bearer {header}.e30.c2ln"),
            format!("/orders?access_token={header}.e30.c2ln"),
            format!("--token={spaced}.e30.c2ln"),
            format!("{header}.e30"),
            "authorization: x".to_owned(),
            "-HAuthorization: Basic dXNlcg".to_owned(),
            "Cookie: session=1".to_owned(),
        ] {
            assert!(refused(&argument), "{argument}");
        }
    }

    #[test]
    fn what_is_no_token_passes() {
        for argument in [
            "postern.toml",
            "/companies/1111/orders",
            "https://issuer.example/.well-known/jwks.json",
            "users=jwks.json",
            "x-company: 1111",
            "2026.11.22",
            "eyJ.x",
        ] {
            assert!(!refused(argument), "{argument}");
        }
    }
}
