//! The parts of a compact JWS: base64url without padding, in its one form (RFC 7515 §2, §7.1, RFC 4648 §5).
//!
//! Says nothing of what they decode to. What is of the alphabet, has unused bits at its end, or makes no whole octet, is for
//! the library to say.

use alloc::vec::Vec;

use base64::Engine as _;

use crate::{cut, token::TokenError};

/// One part, not empty.
#[derive(Clone, Copy)]
pub(crate) struct Part<'t>(&'t str);

impl<'t> Part<'t> {
    /// The three parts of a compact JWS, if it is one.
    pub(crate) fn three(compact: &'t str) -> Option<[Self; 3]> {
        let (header, rest) = cut::once(compact, b'.')?;
        // Any more dots stand in the payload, where they are foreign.
        let (payload, signature) = rest.rsplit_once('.')?;
        Some([Self::new(header)?, Self::new(payload)?, Self::new(signature)?])
    }

    fn new(text: &'t str) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// As it is written.
    pub(crate) const fn text(self) -> &'t str {
        self.0
    }

    /// Appends the octets that it stands for.
    pub(crate) fn decode(self, octets: &mut Vec<u8>) -> Result<(), TokenError> {
        engine().decode_vec(self.0, octets).map_err(|_| TokenError::Malformed)
    }
}

/// The library's decoder for this processor, which is asked once what it is able to do.
#[cfg(all(any(unix, windows), any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn engine() -> &'static base64::engine::Simd {
    use base64::engine::{Simd, general_purpose::NO_PAD};

    static ENGINE: spin::Once<Simd> = spin::Once::new();
    ENGINE.call_once(|| Simd::url_safe(NO_PAD))
}

/// The library's decoder for every processor.
#[cfg(not(all(any(unix, windows), any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) const fn engine() -> &'static base64::engine::GeneralPurpose {
    &base64::prelude::BASE64_URL_SAFE_NO_PAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::String};
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

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
        for text in ["", ".", "..", "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.", ".a.b.c"] {
            assert!(Part::three(text).is_none(), "{text}");
        }
        let texts = Part::three("a.bc.def").map(|parts| parts.map(|part| String::from(part.0)));
        assert_eq!(texts, Some(["a", "bc", "def"].map(String::from)));
        // A fourth is none of the alphabet of a second.
        let four = Part::three("AAAA.BBBB.CCCC.DDDD").unwrap();
        assert!(four.map(|part| decoded(part.0).is_some()) == [true, false, true]);
    }
}
