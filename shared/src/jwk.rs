//! One public key of an issuer (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
//!
//! A key that could not verify what it is meant for is refused when the set is read, with a reason:
//! hosts accept keys that nobody should (1024-bit RSA in WebCrypto), or fail late and vaguely.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::algorithm::Algorithm;

/// Smallest RSA modulus in bits (RFC 7518 §3.3).
pub const MIN_RSA_BITS: usize = 2048;
/// Largest RSA modulus in bits: each doubling costs four times the work, no issuer uses more, and every backend takes it.
pub const MAX_RSA_BITS: usize = 4096;

/// A public key that is fit to verify with. Made by [`JwkSet::parse`](crate::JwkSet::parse) alone.
#[derive(Clone, Debug)]
pub struct Jwk {
    key_id: Option<String>,
    algorithm: Algorithm,
    material: Material,
    thumbprint: [u8; 32],
    #[cfg(feature = "portable")]
    portable: crate::signature::PortableKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256 { x: Vec<u8>, y: Vec<u8> },
    Ed25519 { x: Vec<u8> },
}

/// Why a member of a JWK set's `keys` is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRefusal {
    /// Not an object, or a member named twice.
    Malformed,
    /// `kty` or `crv` that no algorithm here uses.
    UnsupportedType,
    /// `oct`: a secret has no place in a published set.
    Symmetric,
    /// A private member (`d`) is published with it.
    Private,
    /// `use` is not `sig`, or `key_ops` lacks `verify`.
    Purpose,
    /// `alg` does not go with the key's type.
    AlgorithmMismatch,
    /// A required member is missing, no base64url, or of the wrong length.
    Member,
    /// RSA modulus under [`MIN_RSA_BITS`] or over [`MAX_RSA_BITS`], even, or an exponent that is even or below 3.
    WeakRsa,
    /// The coordinates are no point of the curve.
    NotOnCurve,
}

impl Jwk {
    pub(crate) fn from_members(members: &Map<String, Value>) -> Result<Self, KeyRefusal> {
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(KeyRefusal::Malformed),
        };
        let key_type = text("kty")?.ok_or(KeyRefusal::Malformed)?;
        if key_type == "oct" {
            return Err(KeyRefusal::Symmetric);
        }
        if members.contains_key("d") {
            return Err(KeyRefusal::Private);
        }
        check_purpose(members, text("use")?)?;
        let octets = |name: &str| {
            let encoded = text(name)?.ok_or(KeyRefusal::Member)?;
            Base64UrlUnpadded::decode_vec(encoded).map_err(|_| KeyRefusal::Member)
        };
        let material = match (key_type, text("crv")?) {
            ("RSA", _) => rsa(octets("n")?, octets("e")?)?,
            ("EC", Some("P-256")) => Material::P256 { x: coordinate(octets("x")?)?, y: coordinate(octets("y")?)? },
            ("OKP", Some("Ed25519")) => Material::Ed25519 { x: coordinate(octets("x")?)? },
            _ => return Err(KeyRefusal::UnsupportedType),
        };
        let algorithm = material.algorithm();
        match text("alg")? {
            Some(name) if Algorithm::from_name(name) != Some(algorithm) => return Err(KeyRefusal::AlgorithmMismatch),
            _ => {}
        }
        Ok(Self {
            key_id: text("kid")?.map(ToOwned::to_owned),
            algorithm,
            thumbprint: Sha256::digest(material.thumbprint_input().as_bytes()).into(),
            #[cfg(feature = "portable")]
            portable: crate::signature::PortableKey::new(&material).ok_or(KeyRefusal::NotOnCurve)?,
            material,
        })
    }

    /// `kid`, when the key has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The one algorithm that this key verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's SHA-256 thumbprint (RFC 7638): equal for equal key material, whatever its `kid`.
    /// A host keeps its imported form of the key under this name.
    #[must_use]
    pub const fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// The key as the least JWK that hosts import: material only, since `alg`, `use` and `key_ops`
    /// have been judged here and hosts differ in what they make of them.
    #[must_use]
    pub fn to_public_jwk(&self) -> String {
        // RFC 7638 §3.2's required members are exactly those of a minimal public key.
        self.material.thumbprint_input()
    }

    /// The key with its name and the algorithm it is for.
    pub(crate) fn to_json(&self) -> Value {
        let mut jwk: Value = serde_json::from_str(&self.to_public_jwk()).unwrap_or_default();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("alg".into(), self.algorithm.name().into());
            if let Some(key_id) = &self.key_id {
                members.insert("kid".into(), key_id.as_str().into());
            }
        }
        jwk
    }

    #[cfg(feature = "portable")]
    pub(crate) const fn portable(&self) -> &crate::signature::PortableKey {
        &self.portable
    }
}

impl Material {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::P256 { .. } => Algorithm::Es256,
            Self::Ed25519 { .. } => Algorithm::EdDsa,
        }
    }

    /// The JSON that RFC 7638 §3 hashes: required members in lexicographic order, no space.
    fn thumbprint_input(&self) -> String {
        let encode = Base64UrlUnpadded::encode_string;
        match self {
            Self::Rsa { modulus, exponent } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(exponent), encode(modulus))
            }
            Self::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
            }
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
        }
    }
}

fn check_purpose(members: &Map<String, Value>, usage: Option<&str>) -> Result<(), KeyRefusal> {
    if usage.is_some_and(|usage| usage != "sig") {
        return Err(KeyRefusal::Purpose);
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => Ok(()),
        Some(_) => Err(KeyRefusal::Purpose),
    }
}

/// Both coordinates of P-256 and the key of Ed25519 take exactly 32 octets (RFC 7518 §6.2.1.2, RFC 8037 §2).
fn coordinate(octets: Vec<u8>) -> Result<Vec<u8>, KeyRefusal> {
    if octets.len() == 32 { Ok(octets) } else { Err(KeyRefusal::Member) }
}

fn rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Material, KeyRefusal> {
    let modulus = without_leading_zeros(modulus);
    let exponent = without_leading_zeros(exponent);
    let bits = match modulus.first() {
        Some(first) => {
            let leading = usize::try_from(first.leading_zeros()).unwrap_or(8);
            modulus.len().saturating_mul(8).saturating_sub(leading)
        }
        None => 0,
    };
    let odd = |octets: &[u8]| octets.last().is_some_and(|last| last & 1 == 1);
    // An exponent over four octets is legal, used by nobody, and makes each check as slow as the caller likes.
    let exponent_fits = exponent.len() <= 4 && odd(&exponent) && exponent != [1];
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || !odd(&modulus) || !exponent_fits {
        return Err(KeyRefusal::WeakRsa);
    }
    Ok(Material::Rsa { modulus, exponent })
}

/// RFC 7518 §6.3.1.1 allows no leading zero octets, yet some libraries write the sign octet of ASN.1.
fn without_leading_zeros(octets: Vec<u8>) -> Vec<u8> {
    octets.into_iter().skip_while(|octet| *octet == 0).collect()
}

impl fmt::Display for KeyRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the key is not a well-formed JWK",
            Self::UnsupportedType => "`kty` or `crv` is none that an algorithm here uses",
            Self::Symmetric => "`kty` is `oct`: a secret has no place in a published set",
            Self::Private => "a private member (`d`) is published with the key",
            Self::Purpose => "`use` is not `sig`, or `key_ops` lacks `verify`",
            Self::AlgorithmMismatch => "`alg` does not go with the key's type",
            Self::Member => "a required member is missing, not base64url, or of the wrong length",
            Self::WeakRsa => "the RSA modulus or exponent is outside what is safe",
            Self::NotOnCurve => "the coordinates are no point of the curve",
        })
    }
}

impl core::error::Error for KeyRefusal {}
