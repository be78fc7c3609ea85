//! The parts of a compact JWS: base64url without padding, in its one form (RFC 7515 §2, §7.1, RFC 4648 §5).
//!
//! Says nothing of what they decode to. Whether the last characters have unused bits, or make no whole octet, is for the
//! library to say.

use alloc::vec::Vec;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::token::TokenError;

/// One part: not empty, and of the alphabet alone.
#[derive(Clone, Copy)]
pub(crate) struct Part<'t>(&'t str);

impl<'t> Part<'t> {
    /// The three parts of a compact JWS, if it is one.
    pub(crate) fn three(compact: &'t str) -> Option<[Self; 3]> {
        let (header, rest) = compact.split_once('.')?;
        // Any more dots stand in the payload, where they are foreign.
        let (payload, signature) = rest.rsplit_once('.')?;
        Some([Self::new(header)?, Self::new(payload)?, Self::new(signature)?])
    }

    fn new(text: &'t str) -> Option<Self> {
        (!text.is_empty() && is_of_alphabet(text)).then_some(Self(text))
    }

    pub(crate) const fn len(self) -> usize {
        self.0.len()
    }

    /// Appends the octets that it stands for.
    pub(crate) fn decode(self, octets: &mut Vec<u8>) -> Result<(), TokenError> {
        BASE64_URL_SAFE_NO_PAD.decode_vec(self.0, octets).map_err(|_| TokenError::Malformed)
    }
}

/// Whether there is nothing but characters of base64url. Looks at all of them without a branch, so that compilers take
/// many at a time.
fn is_of_alphabet(text: &str) -> bool {
    let is_foreign = |byte: u8| {
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let is_digit = byte.wrapping_sub(b'0') < 10;
        !(is_letter | is_digit | (byte == b'-') | (byte == b'_'))
    };
    !text.bytes().fold(false, |found, byte| found | is_foreign(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::String};

    fn decoded(text: &str) -> Option<Vec<u8>> {
        let mut octets = Vec::from(*b"before");
        Part::new(text)?.decode(&mut octets).ok()?;
        octets.strip_prefix(b"before").map(Vec::from)
    }

    #[test]
    fn every_length_and_every_octet_is_read_and_appended() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).chain([0; 7]).chain([255; 40]).collect();
        for length in 1..all.len() {
            let octets = &all[all.len() - length..];
            let text = BASE64_URL_SAFE_NO_PAD.encode(octets);
            assert_eq!(decoded(&text).as_deref(), Some(octets), "{length}");
        }
    }

    #[test]
    fn a_foreign_character_is_refused_wherever_it_stands() {
        let sound = "A".repeat(100);
        let is_own = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        for place in 0..sound.len() {
            for byte in (0..128).filter(|byte| !is_own(*byte)) {
                let text = format!("{}{}{}", &sound[..place], char::from(byte), &sound[place + 1..]);
                assert_eq!(decoded(&text), None, "{byte} at {place}");
            }
        }
        assert_eq!(decoded(&(sound.clone() + "\u{e9}")), None);
        assert!(decoded(&sound).is_some());
    }

    #[test]
    fn the_last_character_has_no_bits_to_spare() {
        for blocks in 0..3 {
            let sound = "A".repeat(32 * blocks);
            for (end, is_sound) in [("AA", true), ("AB", false), ("AAA", true), ("AAB", false), ("A", false)] {
                assert_eq!(decoded(&(sound.clone() + end)).is_some(), is_sound, "{end} after {blocks}");
            }
        }
    }

    #[test]
    fn a_token_has_three_parts_and_none_is_empty() {
        for text in ["", ".", "..", "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", "a.b.c.", ".a.b.c", "a. .c"] {
            assert!(Part::three(text).is_none(), "{text}");
        }
        let texts = Part::three("a.bc.def").map(|parts| parts.map(|part| String::from(part.0)));
        assert_eq!(texts, Some(["a", "bc", "def"].map(String::from)));
    }
}
