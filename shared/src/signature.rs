//! Signature checks in pure Rust, by `jwt-compact`'s backends: the portable answer to
//! [`NeedsSignature`] where the host has no cryptography of its own.

use core::fmt;

use jwt_compact::{
    AlgorithmSignature,
    alg::{Ed25519, Es256, Rsa, RsaPublicKey},
    jwk::JsonWebKey,
};

use crate::{
    authorizer::{NeedsSignature, SignatureCheck},
    jwk::Material,
};

/// A key in the form that its backend wants, made once when the set is read.
#[derive(Clone)]
pub(crate) enum PortableKey {
    Rsa(RsaPublicKey),
    P256(<Es256 as jwt_compact::Algorithm>::VerifyingKey),
    Ed25519(<Ed25519 as jwt_compact::Algorithm>::VerifyingKey),
}

impl PortableKey {
    /// `None` when the material is no key of its kind: a point off the curve.
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
            Material::P256 { x, y } => {
                let (x, y) = (x.as_slice().into(), y.as_slice().into());
                let jwk = JsonWebKey::EllipticCurve { curve: "P-256".into(), x, y, secret: None };
                (&jwk).try_into().ok().map(Self::P256)
            }
            Material::Ed25519 { x } => {
                let jwk = JsonWebKey::KeyPair { curve: "Ed25519".into(), x: x.as_slice().into(), secret: None };
                (&jwk).try_into().ok().map(Self::Ed25519)
            }
        }
    }
}

impl fmt::Debug for PortableKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PortableKey")
    }
}

/// Answers `need` in pure Rust.
#[must_use]
pub fn check(need: &NeedsSignature<'_>) -> SignatureCheck {
    let holds = match need.key().portable() {
        PortableKey::Rsa(key) => holds(&Rsa::rs256(), key, need),
        PortableKey::P256(key) => holds(&Es256, key, need),
        PortableKey::Ed25519(key) => holds(&Ed25519, key, need),
    };
    if holds { SignatureCheck::Valid } else { SignatureCheck::Invalid }
}

fn holds<A: jwt_compact::Algorithm>(algorithm: &A, key: &A::VerifyingKey, need: &NeedsSignature<'_>) -> bool {
    A::Signature::try_from_slice(need.signature())
        .is_ok_and(|signature| algorithm.verify_signature(&signature, key, need.message()))
}
