//! What a public key consists of, whatever it is named (RFC 7518 §6, RFC 8037 §2), and its RFC 7638 form.

use alloc::{format, string::String, vec::Vec};

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::algorithm::{Curve, KeyKind};

/// The public key, owned. Integers and coordinates are big-endian; RSA's have no leading zero octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ec { curve: Curve, x: Vec<u8>, y: Vec<u8> },
    Ed25519 { x: Vec<u8> },
}

/// A key's material as hosts take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey<'k> {
    /// RSA: both are big-endian integers without leading zero octets.
    Rsa {
        /// `n`.
        modulus: &'k [u8],
        /// `e`.
        exponent: &'k [u8],
    },
    /// A point of a NIST curve: big-endian coordinates in full length.
    Ec {
        /// `crv`.
        curve: Curve,
        /// `x`.
        x: &'k [u8],
        /// `y`.
        y: &'k [u8],
    },
    /// Ed25519: 32 octets as RFC 8032 §5.1.2 encodes a point.
    Ed25519 {
        /// `x`.
        x: &'k [u8],
    },
}

impl Material {
    pub(crate) const fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa { .. } => KeyKind::Rsa,
            Self::Ec { curve: Curve::P256, .. } => KeyKind::P256,
            Self::Ec { curve: Curve::P384, .. } => KeyKind::P384,
            Self::Ec { curve: Curve::P521, .. } => KeyKind::P521,
            Self::Ed25519 { .. } => KeyKind::Ed25519,
        }
    }

    pub(crate) fn as_public_key(&self) -> PublicKey<'_> {
        match self {
            Self::Rsa { modulus, exponent } => PublicKey::Rsa { modulus, exponent },
            Self::Ec { curve, x, y } => PublicKey::Ec { curve: *curve, x, y },
            Self::Ed25519 { x } => PublicKey::Ed25519 { x },
        }
    }

    /// The JSON that RFC 7638 §3 hashes: required members in lexicographic order, no space.
    pub(crate) fn thumbprint_input(&self) -> String {
        let encode = Base64UrlUnpadded::encode_string;
        match self {
            Self::Rsa { modulus, exponent } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(exponent), encode(modulus))
            }
            Self::Ec { curve, x, y } => {
                format!(r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#, curve.name(), encode(x), encode(y))
            }
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
        }
    }
}
