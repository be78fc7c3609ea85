//! The digest of a request's body, as its caller declares it: `Content-Digest` (RFC 9530 §2) with `sha-256`, or
//! `X-Amz-Content-Sha256` (AWS Signature Version 4), which CloudFront wants for signed origins anyway.
//!
//! Reading the declaration is all that happens here; whoever holds the octets compares them with it.

use alloc::{string::String, vec::Vec};

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use crate::request::Request;

/// A SHA-256 digest.
pub type ContentDigest = [u8; 32];

/// The digest of an empty body, which most requests have: known, so that none of them computes it.
pub const OF_NOTHING: ContentDigest = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The digest of `body`.
#[must_use]
pub fn sha256(body: &[u8]) -> ContentDigest {
    Sha256::digest(body).into()
}

/// The one SHA-256 digest that the request declares; `None` when it declares none, one that cannot be read, or two
/// that differ.
pub(crate) fn declared(request: &Request<'_>) -> Option<ContentDigest> {
    let mut found: Option<ContentDigest> = None;
    let content = request.header_values("content-digest").flat_map(|line| line.split(',').map(content_digest));
    let amazon = request.header_values("x-amz-content-sha256").map(|value| Some(hex(value.trim())));
    for digest in content.chain(amazon).flatten() {
        let digest = digest?;
        if found.is_some_and(|other| other != digest) {
            return None;
        }
        found = Some(digest);
    }
    found
}

/// One member of the dictionary: `None` for another algorithm's, `Some(None)` for a broken one (RFC 9651 §3.2, §3.3.5).
fn content_digest(member: &str) -> Option<Option<ContentDigest>> {
    let (algorithm, value) = member.trim_matches([' ', '\t']).split_once('=')?;
    if algorithm != "sha-256" {
        return None;
    }
    let octets = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
    Some(octets.and_then(|text| Base64::decode_vec(text).ok()).and_then(|octets| octets.try_into().ok()))
}

fn hex(text: &str) -> Option<ContentDigest> {
    let octets: Option<Vec<u8>> = text
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let digits = core::str::from_utf8(pair).ok().filter(|digits| digits.len() == 2)?;
            // `from_str_radix` takes a sign too.
            digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
            u8::from_str_radix(digits, 16).ok()
        })
        .collect();
    octets?.try_into().ok()
}

/// The digest as `Content-Digest` writes it.
#[must_use]
pub fn content_digest_field(digest: &ContentDigest) -> String {
    alloc::format!("sha-256=:{}:", Base64::encode_string(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    const EMPTY_HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(headers: &[(&str, &str)]) -> Option<ContentDigest> {
        declared(&Request { method: "POST", target: "/", headers })
    }

    #[test]
    fn either_field_declares_a_digest() {
        assert_eq!(OF_NOTHING, sha256(b""));
        let empty = Some(OF_NOTHING);
        assert_eq!(content_digest_field(&OF_NOTHING), EMPTY);
        for headers in [
            &[("Content-Digest", EMPTY)][..],
            &[("x-amz-content-sha256", EMPTY_HEX)],
            &[("content-digest", EMPTY), ("X-Amz-Content-Sha256", EMPTY_HEX)],
            &[("content-digest", "md5=:AAAA:"), ("content-digest", EMPTY)],
            &[("content-digest", &alloc::format!("sha-512=:AAAA:, {EMPTY}"))],
        ] {
            assert_eq!(read(headers), empty, "{headers:?}");
        }
    }

    #[test]
    fn what_is_missing_broken_or_contradicts_itself_declares_none() {
        let other = content_digest_field(&sha256(b"x"));
        for headers in [
            &[][..],
            &[("content-digest", "sha-512=:AAAA:")],
            &[("content-digest", "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")],
            &[("content-digest", "sha-256=:AAAA:")],
            &[("content-digest", "SHA-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")],
            &[("content-digest", EMPTY), ("content-digest", &other)],
            &[("content-digest", &other), ("x-amz-content-sha256", EMPTY_HEX)],
            &[("content-digest", EMPTY), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")],
            &[("x-amz-content-sha256", "e3b0")],
            &[("x-amz-content-sha256", "+3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
        ] {
            assert_eq!(read(headers), None, "{headers:?}");
        }
    }
}
