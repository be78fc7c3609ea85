//! One public key of an issuer (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
//!
//! A key that could not verify what it is meant for is refused when the set is read, with a reason:
//! hosts accept keys that nobody should (1024-bit RSA in WebCrypto), or fail late and vaguely.

mod material;
mod point;
mod refusal;
mod rsa;

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use material::PublicKey;
pub use refusal::KeyRefusal;
pub use rsa::{MAX_RSA_BITS, MAX_RSA_EXPONENT, MIN_RSA_BITS};

pub(crate) use material::Material;
pub(crate) use point::is_of_small_order;

use crate::{
    algorithm::{Algorithm, Curve, KeyKind},
    json::{Json, Object},
};

/// Members that only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2 and §6.4.1, RFC 8037 §2).
///
/// A key that is published with one is no longer its issuer's alone. A `null` publishes nothing: some libraries write it for
/// members that they do not have.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key that is fit to verify with. Made by [`JwkSet::parse`](crate::JwkSet::parse) alone.
#[derive(Clone, Debug)]
pub struct Jwk {
    key_id: Option<String>,
    /// `alg`: the only algorithm, where the key says so.
    algorithm: Option<Algorithm>,
    material: Material,
    thumbprint: [u8; 32],
    #[cfg(feature = "portable")]
    portable: Option<crate::signature::PortableKey>,
}

impl Jwk {
    pub(crate) fn from_members(members: &Object<'_>) -> Result<Self, KeyRefusal> {
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(&**text)),
            Some(_) => Err(KeyRefusal::Malformed),
        };
        let key_type = text("kty")?.ok_or(KeyRefusal::Malformed)?;
        if key_type == "oct" {
            return Err(KeyRefusal::Symmetric);
        }
        if PRIVATE_MEMBERS.iter().any(|name| members.get(name).is_some_and(|value| *value != Json::Null)) {
            return Err(KeyRefusal::Private);
        }
        check_purpose(members, text("use")?)?;
        let octets = |name: &str| {
            let encoded = text(name)?.ok_or(KeyRefusal::Member)?;
            Base64UrlUnpadded::decode_vec(encoded).map_err(|_| KeyRefusal::Member)
        };
        let material = match (key_type, text("crv")?) {
            ("RSA", _) => rsa::judge(octets("n")?, octets("e")?)?,
            ("EC", Some(name)) => {
                let curve = Curve::from_name(name).ok_or(KeyRefusal::UnsupportedType)?;
                let coordinate = |name| exactly(curve.coordinate_len(), octets(name)?);
                let (x, y) = (coordinate("x")?, coordinate("y")?);
                let on_curve = point::is_on_curve(curve, &x, &y);
                if on_curve { Material::Ec { curve, x, y } } else { return Err(KeyRefusal::NotOnCurve) }
            }
            // RFC 8037 §2.
            ("OKP", Some("Ed25519")) => {
                let x = exactly(32, octets("x")?)?;
                if point::is_fit_for_ed25519(&x) {
                    Material::Ed25519 { x }
                } else {
                    return Err(KeyRefusal::NotOnCurve);
                }
            }
            _ => return Err(KeyRefusal::UnsupportedType),
        };
        let algorithm = match text("alg")? {
            None => None,
            Some(name) => Some(Algorithm::from_name(name).ok_or(KeyRefusal::ForeignAlgorithm)?),
        };
        if algorithm.is_some_and(|algorithm| algorithm.key_kind() != material.kind()) {
            return Err(KeyRefusal::AlgorithmMismatch);
        }
        Ok(Self {
            key_id: text("kid")?.map(ToOwned::to_owned),
            algorithm,
            thumbprint: Sha256::digest(material.thumbprint_input().as_bytes()).into(),
            #[cfg(feature = "portable")]
            portable: crate::signature::PortableKey::new(&material),
            material,
        })
    }

    /// `kid`, when the key has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// What kind of key it is.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.material.kind()
    }

    /// Whether the key may verify signatures of `algorithm`: one of its kind, and the one its `alg` names if it has one.
    ///
    /// An RSA key without `alg` serves all six RSA algorithms; which of them count is the issuer section's to say.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        algorithm.key_kind() == self.kind() && self.algorithm.is_none_or(|only| only == algorithm)
    }

    /// The key's material, for hosts that import it piece by piece.
    #[must_use]
    pub fn public_key(&self) -> PublicKey<'_> {
        self.material.as_public_key()
    }

    /// The key's SHA-256 thumbprint (RFC 7638): equal for equal key material, whatever its `kid` and `alg`.
    /// A host whose imported form is bound to an algorithm keeps it under this *and* the algorithm.
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

    /// The key with its name and the algorithm it is for, if it says so.
    pub(crate) fn to_json(&self) -> Value {
        let mut jwk: Value = serde_json::from_str(&self.to_public_jwk()).unwrap_or_default();
        if let Some(members) = jwk.as_object_mut() {
            let named = [("alg", self.algorithm.map(Algorithm::name)), ("kid", self.key_id())];
            members.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
        }
        jwk
    }

    #[cfg(feature = "portable")]
    pub(crate) const fn portable(&self) -> Option<&crate::signature::PortableKey> {
        self.portable.as_ref()
    }
}

fn check_purpose(members: &Object<'_>, usage: Option<&str>) -> Result<(), KeyRefusal> {
    if usage.is_some_and(|usage| usage != "sig") {
        return Err(KeyRefusal::Purpose);
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Json::Array(operations)) if operations.iter().any(|operation| operation.as_str() == Some("verify")) => {
            Ok(())
        }
        Some(_) => Err(KeyRefusal::Purpose),
    }
}

/// Coordinates are written in full length, leading zeros included (RFC 7518 §6.2.1.2).
fn exactly(len: usize, octets: Vec<u8>) -> Result<Vec<u8>, KeyRefusal> {
    if octets.len() == len { Ok(octets) } else { Err(KeyRefusal::Member) }
}
