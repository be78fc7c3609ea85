//! Companies in fields, bodies that are declared, claims that are handed on.

use sha2::{Digest as _, Sha256};

use super::{json::Json, token};
use crate::case::Request;

const LONGEST_COMPANY: usize = 255;
const LONGEST_FIELD: usize = 2048;

/// What every reader takes for one company: visible ASCII, and nothing that separates values.
pub(super) fn company(text: &str) -> Option<String> {
    let clear = |c: char| ('!'..='~').contains(&c) && !",;\"\\".contains(c);
    let fits = (1..=LONGEST_COMPANY).contains(&text.len()) && text.chars().all(clear);
    fits.then(|| text.to_owned())
}

/// The company in the one field `name`; none if there is another that some server would fold to it, or if `Connection`
/// says that it goes no further.
pub(super) fn in_header(request: &Request, name: &str) -> Option<String> {
    let fold = |name: &str| name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    if token::values(request, "connection")
        .into_iter()
        .any(|line| line.split(',').any(|own| fold(own.trim()) == fold(name)))
    {
        return None;
    }
    let folded = request.headers.iter().filter(|(own, _)| fold(own) == fold(name)).count();
    match token::values(request, name)[..] {
        [one] if folded == 1 => company(one),
        _ => None,
    }
}

/// SHA-256 in hex.
pub(super) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Base64 with its padding: 32 octets take 43 characters and one `=`.
fn base64(text: &str) -> Option<Vec<u8>> {
    let bare = text.strip_suffix('=')?;
    let in_alphabet = !bare.contains(['-', '_', '=']);
    token::base64url(&bare.replace('+', "-").replace('/', "_")).filter(|_| in_alphabet)
}

/// The one digest that a request declares, in hex.
pub(super) fn declared(request: &Request) -> Option<String> {
    let mut found: Vec<Option<String>> = Vec::new();
    for line in token::values(request, "content-digest") {
        for member in line.split(',').map(|member| member.trim_matches([' ', '\t'])) {
            if let Some(value) = member.strip_prefix("sha-256=") {
                let octets = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
                let octets = octets.and_then(base64);
                found.push(octets.filter(|octets| octets.len() == 32).map(|octets| hex(&octets)));
            }
        }
    }
    for value in token::values(request, "x-amz-content-sha256").into_iter().map(str::trim) {
        let is_hex = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        found.push(is_hex.then(|| value.to_ascii_lowercase()));
    }
    let first = found.first()?.clone()?;
    found.iter().all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// A claim as a field's value.
pub(super) fn field_value(claim: &Json) -> Option<String> {
    let text = match claim {
        Json::Null => return None,
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let escape = |octet: u8| match octet {
        b'!'..=b'~' if octet != b'%' => char::from(octet).to_string(),
        _ => format!("%{octet:02X}"),
    };
    let value: String = text.bytes().map(escape).collect();
    (value.len() <= LONGEST_FIELD).then_some(value)
}
