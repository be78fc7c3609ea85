//! Writing a decoded path in its one canonical form.

use alloc::string::String;

use super::{TargetError, decode_segment};

const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];

/// Whether `octet` stands for itself in a path segment: `pchar` without `;`, which some servers
/// read as the start of path parameters.
pub(super) fn is_bare(octet: u8) -> bool {
    matches!(
        octet,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')'
            | b'*' | b'+' | b',' | b'=' | b':' | b'@'
    )
}

/// The octet of an escape whose two digits come next in `rest`.
pub(crate) fn escaped_octet(rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    octet(rest.next()?, rest.next()?)
}

/// The octet that two hexadecimal digits stand for.
pub(super) fn octet(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)?.wrapping_shl(4) | digit(low)?)
}

/// Escapes one segment, as a client puts an identifier into a path.
///
/// ```
/// assert_eq!(postern::target::encode_segment("auth0|a b"), "auth0%7Ca%20b");
/// ```
#[must_use]
pub fn encode_segment(decoded: &str) -> String {
    let mut encoded = String::with_capacity(decoded.len());
    for byte in decoded.bytes() {
        if is_bare(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for nibble in [byte.wrapping_shr(4), byte & 0x0F] {
                encoded.push(HEX.get(usize::from(nibble)).copied().unwrap_or('0'));
            }
        }
    }
    encoded
}

/// Writes a path that a platform handed over decoded (an HTTP API's `rawPath`) in canonical form.
///
/// A canonical segment never decodes to a text with `/` in it, so splitting at `/` is exact.
///
/// # Errors
/// [`TargetError`] when no canonical path decodes to `decoded`.
pub fn encode_path(decoded: &str) -> Result<String, TargetError> {
    let relative = decoded.strip_prefix('/').ok_or(TargetError::NotAbsolutePath)?;
    let mut encoded = String::with_capacity(decoded.len());
    for segment in relative.split('/') {
        let segment = encode_segment(segment);
        decode_segment(&segment)?;
        encoded.push('/');
        encoded.push_str(&segment);
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::CanonicalTarget;

    #[test]
    fn a_decoded_path_encodes_back_to_the_canonical_one() {
        for path in ["/", "/a/b", "/users/auth0%7Cabc", "/caf%C3%A9/a%20b", "/a/", "/a@b:c"] {
            let target = CanonicalTarget::parse(path).unwrap();
            let decoded = String::from("/") + &target.segments().collect::<alloc::vec::Vec<_>>().join("/");
            assert_eq!(encode_path(&decoded).unwrap(), path);
        }
    }

    #[test]
    fn what_no_canonical_path_decodes_to_is_refused() {
        for decoded in ["", "a", "/a?b", "/a%b", "/..", "/a/./b", "/a;b", "/a\\b", "/a\u{0}"] {
            assert!(encode_path(decoded).is_err(), "{decoded:?}");
        }
    }
}
