//! One signature to check.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::Algorithm;
use serde_json::{Value, json};

/// A key, a message, a signature, and what its source says of them.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it comes from; a unit of reporting.
    pub suite: String,
    /// Its name in the suite.
    pub number: String,
    /// What is special about it.
    pub comment: String,
    /// The public key as a JWK.
    pub jwk: Value,
    /// What to check with.
    pub algorithm: Algorithm,
    /// What was signed.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// What must come out.
    pub expected: Expected,
}

/// What must come out of a case, in every backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The signature holds.
    Valid,
    /// It does not, or the key is refused.
    Rejected,
    /// The same in all of them, whichever that is.
    Agreement,
}

impl Case {
    /// Its name among all.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{} {}", self.suite, self.number)
    }

    /// What crosses to a JavaScript host, on one line.
    #[must_use]
    pub fn to_line(&self) -> String {
        json!({
            "jwk": self.jwk.to_string(),
            "alg": self.algorithm.name(),
            "message": Base64UrlUnpadded::encode_string(&self.message),
            "signature": Base64UrlUnpadded::encode_string(&self.signature),
        })
        .to_string()
    }
}

impl fmt::Display for Case {
    /// All of it, so that a failure can be tried by hand.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}) {}", self.id(), self.comment, self.to_line())
    }
}

/// The JWK of an RSA key.
#[must_use]
pub fn rsa_jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    let encode = Base64UrlUnpadded::encode_string;
    json!({"kty": "RSA", "n": encode(modulus), "e": encode(exponent)})
}

/// The JWK of a point of a NIST curve.
#[must_use]
pub fn ec_jwk(curve: &str, x: &[u8], y: &[u8]) -> Value {
    let encode = Base64UrlUnpadded::encode_string;
    json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
}

/// The JWK of an Ed25519 key.
#[must_use]
pub fn ed25519_jwk(x: &[u8]) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": Base64UrlUnpadded::encode_string(x)})
}
