//! Key pairs made from seeds: the same in every run, and none of them lies in the repository.

use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{
    Algorithm, AlgorithmSignature,
    alg::{Ed25519, Es256, ModulusBits, Rsa, RsaPrivateKey, SigningKey},
    jwk::JsonWebKey,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::{Value, json};

/// One issuer's key pair.
pub(crate) struct TestKey {
    pub(crate) key_id: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa(RsaPrivateKey),
    P256(<Es256 as Algorithm>::SigningKey),
    Ed25519(<Ed25519 as Algorithm>::SigningKey),
}

/// The users' issuer signs with this.
pub(crate) static USERS: LazyLock<TestKey> = LazyLock::new(|| rsa("users-1", 16));
/// The partners' issuer signs with these three.
pub(crate) static PARTNERS_RSA: LazyLock<TestKey> = LazyLock::new(|| rsa("partners-rsa", 25));
pub(crate) static PARTNERS_EC: LazyLock<TestKey> = LazyLock::new(|| p256("partners-ec", 1));
pub(crate) static PARTNERS_ED: LazyLock<TestKey> = LazyLock::new(|| ed25519("partners-ed", 2));
/// The partners' issuer rotates to this.
pub(crate) static PARTNERS_NEXT: LazyLock<TestKey> = LazyLock::new(|| p256("partners-next", 3));
/// No issuer publishes these, whatever their names say.
pub(crate) static STRANGER_RSA: LazyLock<TestKey> = LazyLock::new(|| rsa("users-1", 2));
pub(crate) static STRANGER_EC: LazyLock<TestKey> = LazyLock::new(|| p256("partners-ec", 4));
pub(crate) static STRANGER_ED: LazyLock<TestKey> = LazyLock::new(|| ed25519("partners-ed", 5));

/// The seeds are those that find their primes soon.
fn rsa(key_id: &'static str, seed: u64) -> TestKey {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (key, _) = Rsa::generate(&mut random, ModulusBits::TwoKibibytes).unwrap();
    TestKey { key_id, pair: Pair::Rsa(key.into_inner()) }
}

fn p256(key_id: &'static str, seed: u8) -> TestKey {
    TestKey { key_id, pair: Pair::P256(SigningKey::<Es256>::from_slice(&[seed; 32]).unwrap()) }
}

fn ed25519(key_id: &'static str, seed: u8) -> TestKey {
    TestKey { key_id, pair: Pair::Ed25519(SigningKey::<Ed25519>::from_slice(&[seed; 32]).unwrap()) }
}

impl TestKey {
    /// The `alg` of what it signs.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(key) => Rsa::rs256().sign(key, message).as_bytes().into_owned(),
            Pair::P256(key) => Es256.sign(key, message).as_bytes().into_owned(),
            Pair::Ed25519(key) => Ed25519.sign(key, message).as_bytes().into_owned(),
        }
    }

    /// The public half, as an issuer publishes it.
    pub(crate) fn jwk(&self) -> Value {
        let encode = |octets: &[u8]| Base64UrlUnpadded::encode_string(octets);
        let material = match &self.pair {
            Pair::Rsa(key) => match JsonWebKey::from(&key.to_public_key()) {
                JsonWebKey::Rsa { modulus, public_exponent, .. } => {
                    json!({"kty": "RSA", "n": encode(&modulus), "e": encode(&public_exponent)})
                }
                _ => unreachable!("an RSA key is written as one"),
            },
            Pair::P256(key) => match JsonWebKey::from(key.verifying_key()) {
                JsonWebKey::EllipticCurve { x, y, .. } => {
                    json!({"kty": "EC", "crv": "P-256", "x": encode(&x), "y": encode(&y)})
                }
                _ => unreachable!("a P-256 key is written as one"),
            },
            Pair::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.verifying_key().as_bytes())})
            }
        };
        let mut jwk = material;
        jwk["kid"] = json!(self.key_id);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm());
        jwk
    }
}

/// The JWK set of `keys`, as an issuer publishes it.
pub(crate) fn jwks(keys: &[&TestKey]) -> String {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}).to_string()
}
