//! Signatures: which are worth a host's check, and, with the feature `portable`, the check in pure Rust.
//!
//! A driver answers [`NeedsSignature`](crate::authorizer::NeedsSignature) with its host's cryptography, or with
//! [`check`]. What hosts are known to judge differently is judged here, before any of them is asked.

#[cfg(feature = "portable")]
mod portable;

#[cfg(feature = "portable")]
pub use portable::{check, verify};

#[cfg(feature = "portable")]
pub(crate) use portable::PortableKey;

use crate::{
    algorithm::{Algorithm, Scheme},
    jwk::{Jwk, PublicKey, is_of_small_order},
};

/// The order of Ed25519's base point, big-endian (RFC 8032 §5.1).
const ED25519_ORDER: [u8; 32] = [
    0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0xDE, 0xF9,
    0xDE, 0xA2, 0xF7, 0x9C, 0xD6, 0x58, 0x12, 0x63, 0x1A, 0x5C, 0xF5, 0xD3, 0xED,
];

/// Whether a host's answer on this signature counts: key and algorithm go together, and it has the one form that
/// its standard allows. A decision asks no host about others, and a backend that is called by itself refuses them.
///
/// RSA: as long as the modulus (RFC 8017 §8.1.2, §8.2.2) and below it (§5.2.2), which the `rsa` crate's PSS leaves out,
/// so that one signature would have two forms. ECDSA: `r ‖ s` in full length. Ed25519: `S` below the group's order
/// (RFC 8032 §5.1.7), and `R` not of small order, which no signer makes, OpenSSL refuses and the others take.
#[must_use]
pub fn is_well_formed(algorithm: Algorithm, key: &Jwk, signature: &[u8]) -> bool {
    if !key.allows(algorithm) {
        return false;
    }
    match (algorithm.scheme(), key.public_key()) {
        // Of equal length, big-endian octets compare as the integers they are.
        (Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), PublicKey::Rsa { modulus, .. }) => {
            signature.len() == modulus.len() && signature < modulus
        }
        (Scheme::Ecdsa(..), PublicKey::Ec { .. }) => algorithm.signature_len() == Some(signature.len()),
        (Scheme::Ed25519, PublicKey::Ed25519 { .. }) => {
            let (point, scalar) = signature.split_at_checked(32).unwrap_or_default();
            scalar.len() == 32 && scalar.iter().rev().lt(ED25519_ORDER.iter()) && !is_of_small_order(point)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JwkSet;
    use alloc::{format, vec, vec::Vec};
    use base64ct::{Base64UrlUnpadded, Encoding};

    fn key(members: &str) -> Jwk {
        let set = JwkSet::parse(format!(r#"{{"keys":[{{{members}}}]}}"#).as_bytes()).unwrap();
        set.keys().next().unwrap().clone()
    }

    #[test]
    fn an_rsa_signature_is_as_long_as_the_modulus_and_below_it() {
        let mut modulus = vec![0xA5; 256];
        modulus[255] = 1;
        let encoded = Base64UrlUnpadded::encode_string(&modulus);
        let key = key(&format!(r#""kty":"RSA","n":"{encoded}","e":"AQAB","alg":"PS256""#));
        let well_formed = |octets: &[u8]| is_well_formed(Algorithm::Ps256, &key, octets);
        let mut below = modulus.clone();
        below[255] = 0;
        assert!(well_formed(&below));
        assert!(well_formed(&[0; 256]));
        assert!(!well_formed(&modulus));
        assert!(!well_formed(&[0xFF; 256]));
        assert!(!well_formed(&below[1..]));
        assert!(!well_formed(&[&[0], below.as_slice()].concat()));
        assert!(!well_formed(&[]));
        // The key's `alg` is part of it.
        assert!(!is_well_formed(Algorithm::Rs256, &key, &below));
        assert!(!is_well_formed(Algorithm::Es256, &key, &below[..64]));
    }

    #[test]
    fn an_ed25519_signature_has_its_scalar_below_the_groups_order() {
        let key = key(r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#);
        let signature = |scalar: &[u8]| [vec![7; 32], scalar.iter().rev().copied().collect()].concat();
        let well_formed = |octets: &[u8]| is_well_formed(Algorithm::EdDsa, &key, octets);
        let mut below: Vec<u8> = ED25519_ORDER.to_vec();
        below[31] -= 1;
        assert!(well_formed(&signature(&below)));
        assert!(!well_formed(&signature(&ED25519_ORDER)));
        assert!(!well_formed(&signature(&[0xFF; 32])));
        // `R` the identity, the point of order 2, one of order 4, with either sign.
        for (first, between, last) in [(1, 0, 0), (0xEC, 0xFF, 0x7F), (0, 0, 0)] {
            for sign in [0, 0x80] {
                let mut small_order = [between; 64];
                small_order[0] = first;
                small_order[31] = last | sign;
                small_order[32..].fill(0);
                assert!(!well_formed(&small_order));
            }
        }
        let low = signature(&[0; 32]);
        assert!(well_formed(&low));
        assert!(!well_formed(&low[..63]));
        assert!(!well_formed(&[low.as_slice(), &[0]].concat()));
        assert!(!well_formed(&[]));
    }
}
