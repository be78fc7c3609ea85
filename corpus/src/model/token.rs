//! The credential of a request (RFC 6750 §2.1) and the token's form (RFC 7515 §7.1), without its signature.

use super::json::{self, Json};
use crate::case::Request;

/// Longest token, unless the policy allows less.
pub const LONGEST: usize = 16 * 1024;
const LONGEST_KEY_ID: usize = 256;
/// Algorithm and the length of its signatures, where it has one.
const ALGORITHMS: [(&str, Option<usize>); 11] = [
    ("RS256", None),
    ("RS384", None),
    ("RS512", None),
    ("PS256", None),
    ("PS384", None),
    ("PS512", None),
    ("ES256", Some(64)),
    ("ES384", Some(96)),
    ("ES512", Some(132)),
    ("EdDSA", Some(64)),
    ("Ed25519", Some(64)),
];

/// A token of the right form.
#[derive(Clone, Debug)]
pub struct Token {
    /// `alg`, `Ed25519` under its older name.
    pub algorithm: String,
    /// `typ`.
    pub kind: Option<String>,
    /// The payload; `None` when it is no JSON object or names a member twice.
    pub claims: Option<Json>,
    /// The payload's text.
    pub payload: Vec<u8>,
}

/// The values of the field `name`.
pub fn values<'r>(request: &'r Request, name: &str) -> Vec<&'r str> {
    request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
}

/// The one credential of a request, or the reason why there is none.
pub fn credential(request: &Request, longest: usize) -> Result<&str, &'static str> {
    let fields = values(request, "authorization");
    let value = match fields[..] {
        [] => return Err("credential_missing"),
        [one] => one,
        _ => return Err("credential_malformed"),
    };
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        let means_bearer = value.to_ascii_lowercase().contains("bearer");
        return Err(if means_bearer { "credential_malformed" } else { "credential_missing" });
    }
    let token = rest.trim_start_matches(' ');
    if token.len() > longest {
        return Err("token_too_large");
    }
    let body = token.trim_end_matches('=');
    let fits = !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
    if fits { Ok(token) } else { Err("credential_malformed") }
}

/// Reads a compact JWS.
pub fn parse(compact: &str) -> Result<Token, &'static str> {
    let parts: Vec<&str> = compact.split('.').collect();
    let [header, payload, signature] = parts[..] else { return Err("token_malformed") };
    let decode = |part: &str| base64url(part).filter(|octets| !octets.is_empty()).ok_or("token_malformed");
    let in_alphabet = |part: &&str| part.bytes().all(|byte| letter(byte).is_some());
    if !parts.iter().all(in_alphabet) || parts.iter().any(|part| part.is_empty()) {
        return Err("token_malformed");
    }
    let header = object(&decode(header)?).ok_or("token_malformed")?;
    if header.get("crit").is_some() || header.get("b64").is_some() {
        return Err("token_critical");
    }
    if header.get("cty").is_some() {
        return Err("token_content_type");
    }
    let text = |name: &str| match header.get(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err("token_malformed"),
    };
    let name = text("alg")?.ok_or("token_malformed")?;
    let (_, length) = ALGORITHMS.iter().find(|(own, _)| *own == name).ok_or("token_algorithm")?;
    if text("kid")?.is_some_and(|kid| kid.len() > LONGEST_KEY_ID) {
        return Err("token_key_id");
    }
    let kind = text("typ")?;
    let payload = decode(payload)?;
    let signature = decode(signature)?;
    if length.is_some_and(|length| length != signature.len()) {
        return Err("token_malformed");
    }
    let algorithm = if name == "Ed25519" { "EdDSA".to_owned() } else { name };
    Ok(Token { algorithm, kind, claims: object(&payload), payload })
}

fn object(octets: &[u8]) -> Option<Json> {
    let value = json::parse(std::str::from_utf8(octets).ok()?)?;
    matches!(value, Json::Object(_)).then_some(value)
}

fn letter(byte: u8) -> Option<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    alphabet.iter().position(|own| *own == byte).map(|place| place as u8)
}

/// Base64url without padding, in its one form (RFC 7515 §2): bits left over are zero.
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    let bits: Vec<bool> = text
        .bytes()
        .map(letter)
        .collect::<Option<Vec<u8>>>()?
        .iter()
        .flat_map(|six| (0..6).rev().map(move |bit| six >> bit & 1 == 1))
        .collect();
    let left = bits.len() % 8;
    let over = bits[bits.len() - left..].iter().any(|bit| *bit);
    if left >= 6 || over {
        return None;
    }
    Some(bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |octet, bit| octet << 1 | u8::from(*bit))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_has_one_form() {
        assert_eq!(base64url("Zm9vYg"), Some(b"foob".to_vec()));
        for text in ["Zm9vYh", "Z", "Zm9vYg==", "Zm9v+g"] {
            assert_eq!(base64url(text), None, "{text}");
        }
    }
}
