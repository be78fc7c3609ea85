//! Signature checks in pure Rust: the portable answer to [`NeedsSignature`] where the host has no cryptography of its
//! own. `jwt-compact`'s backends where it has them; P-384 and P-521 by the crates of the same family.

use alloc::vec::Vec;
use core::fmt;

use jwt_compact::{
    AlgorithmSignature,
    alg::{Ed25519, Es256, Rsa, RsaPublicKey},
    jwk::JsonWebKey,
};
use p384::ecdsa::signature::Verifier;

use super::is_well_formed;
use crate::{
    algorithm::{Algorithm, Curve, Hash, Scheme},
    authorizer::{NeedsSignature, Pursuit, SignatureCheck},
    jwk::{Jwk, Material},
};

/// A key in the form that its backend wants, made once when the set is read.
#[derive(Clone)]
pub(crate) enum PortableKey {
    Rsa(RsaPublicKey),
    P256(<Es256 as jwt_compact::Algorithm>::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(<Ed25519 as jwt_compact::Algorithm>::VerifyingKey),
}

impl PortableKey {
    /// `None` when the backend does not take the material. It is no judge of keys: those are refused alike with and
    /// without it.
    pub(crate) fn new(material: &Material) -> Option<Self> {
        match material {
            Material::Rsa { modulus, exponent } => {
                let jwk = JsonWebKey::Rsa {
                    modulus: modulus.as_slice().into(),
                    public_exponent: exponent.as_slice().into(),
                    private_parts: None,
                };
                RsaPublicKey::try_from(&jwk).ok().map(Self::Rsa)
            }
            Material::Ec { curve: Curve::P256, x, y } => {
                let (x, y) = (x.as_slice().into(), y.as_slice().into());
                let jwk = JsonWebKey::EllipticCurve { curve: "P-256".into(), x, y, secret: None };
                (&jwk).try_into().ok().map(Self::P256)
            }
            Material::Ec { curve: Curve::P384, x, y } => {
                p384::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed(x, y)).ok().map(Self::P384)
            }
            Material::Ec { curve: Curve::P521, x, y } => {
                p521::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed(x, y)).ok().map(Self::P521)
            }
            Material::Ed25519 { x } => {
                let jwk = JsonWebKey::KeyPair { curve: "Ed25519".into(), x: x.as_slice().into(), secret: None };
                (&jwk).try_into().ok().map(Self::Ed25519)
            }
        }
    }
}

/// A point as SEC 1 §2.3.3 writes it without compression.
fn uncompressed(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

impl fmt::Debug for PortableKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PortableKey")
    }
}

/// Answers `need` in pure Rust.
#[must_use]
pub fn check<'a, P: Pursuit>(need: &NeedsSignature<'a, P>) -> SignatureCheck {
    verify(need.algorithm(), need.key(), need.message(), need.signature())
}

/// Whether `signature` over `message` holds under `key`. A key that does not serve `algorithm` verifies nothing.
#[must_use]
pub fn verify(algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> SignatureCheck {
    if !is_well_formed(algorithm, key, signature) {
        return SignatureCheck::Invalid;
    }
    let Some(key) = key.portable() else {
        return SignatureCheck::Unavailable;
    };
    let holds = match (algorithm.scheme(), key) {
        (Scheme::RsaPkcs1(Hash::Sha256), PortableKey::Rsa(key)) => holds(&Rsa::rs256(), key, message, signature),
        (Scheme::RsaPkcs1(Hash::Sha384), PortableKey::Rsa(key)) => holds(&Rsa::rs384(), key, message, signature),
        (Scheme::RsaPkcs1(Hash::Sha512), PortableKey::Rsa(key)) => holds(&Rsa::rs512(), key, message, signature),
        (Scheme::RsaPss(Hash::Sha256), PortableKey::Rsa(key)) => holds(&Rsa::ps256(), key, message, signature),
        (Scheme::RsaPss(Hash::Sha384), PortableKey::Rsa(key)) => holds(&Rsa::ps384(), key, message, signature),
        (Scheme::RsaPss(Hash::Sha512), PortableKey::Rsa(key)) => holds(&Rsa::ps512(), key, message, signature),
        (Scheme::Ecdsa(Curve::P256, Hash::Sha256), PortableKey::P256(key)) => holds(&Es256, key, message, signature),
        // These two hash with SHA-384 and SHA-512, the digests that their curves are declared with.
        (Scheme::Ecdsa(Curve::P384, Hash::Sha384), PortableKey::P384(key)) => {
            p384::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
        }
        (Scheme::Ecdsa(Curve::P521, Hash::Sha512), PortableKey::P521(key)) => {
            p521::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
        }
        (Scheme::Ed25519, PortableKey::Ed25519(key)) => holds(&Ed25519, key, message, signature),
        // No row of the table.
        _ => return SignatureCheck::Unavailable,
    };
    if holds { SignatureCheck::Valid } else { SignatureCheck::Invalid }
}

fn holds<A: jwt_compact::Algorithm>(algorithm: &A, key: &A::VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    A::Signature::try_from_slice(signature).is_ok_and(|signature| algorithm.verify_signature(&signature, key, message))
}
