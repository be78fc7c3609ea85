//! The issuers' key pairs, from `keys.json`, and what they sign: the same octets each time.

use std::{collections::BTreeMap, sync::LazyLock};

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{
    Algorithm as _, AlgorithmSignature as _,
    alg::{Ed25519, Es256, Hs256, Hs256Key, SigningKey},
};
use p384::ecdsa::signature::Signer as _;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};
use rsa::{
    BigUint, RsaPrivateKey, pkcs1v15, pss,
    signature::{RandomizedSigner as _, SignatureEncoding as _},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::write::in_order;

const TEXT: &str = include_str!("../../keys.json");

#[derive(Deserialize)]
struct File {
    keys: BTreeMap<String, BTreeMap<String, String>>,
}

static FILE: LazyLock<File> = LazyLock::new(|| serde_json::from_str(TEXT).expect("`keys.json` holds keys"));

/// One key pair, by its name in `keys.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub &'static str);

impl Pair {
    fn member(self, name: &str) -> &'static str {
        let key = FILE.keys.get(self.0).unwrap_or_else(|| panic!("`keys.json` has no `{}`", self.0));
        key.get(name).unwrap_or_else(|| panic!("`{}` has no `{name}`", self.0))
    }

    fn octets(self, name: &str) -> Vec<u8> {
        Base64UrlUnpadded::decode_vec(self.member(name)).expect("keys are base64url")
    }

    /// What it signs with unless told otherwise.
    pub fn algorithm(self) -> &'static str {
        match self.member("kty") {
            "RSA" => "RS256",
            "OKP" => "EdDSA",
            _ => match self.member("crv") {
                "P-256" => "ES256",
                "P-384" => "ES384",
                _ => "ES512",
            },
        }
    }

    /// The public half under the name `kid`, without `use` and `alg`.
    pub fn public(self, kid: &str) -> Value {
        let members: &[&str] = match self.member("kty") {
            "RSA" => &["kty", "n", "e"],
            "OKP" => &["kty", "crv", "x"],
            _ => &["kty", "crv", "x", "y"],
        };
        let mut jwk: Value = members.iter().map(|name| ((*name).to_owned(), Value::from(self.member(name)))).collect();
        jwk["kid"] = json!(kid);
        jwk
    }

    /// The whole pair as a JWK: what nobody should publish.
    pub fn private(self, kid: &str) -> Value {
        let mut jwk = self.public(kid);
        jwk["d"] = json!(self.member("d"));
        jwk
    }

    /// The signature of `message` by `algorithm`.
    ///
    /// # Panics
    /// When the key is of another kind.
    pub fn sign(self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match algorithm {
            "ES256" => Es256.sign(&ec256(&self.octets("d")), message).as_bytes().into_owned(),
            "ES384" => {
                let key = p384::ecdsa::SigningKey::from_slice(&self.octets("d")).expect("a P-384 key");
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            "ES512" => {
                let key = p521::ecdsa::SigningKey::from_slice(&self.octets("d")).expect("a P-521 key");
                let signature: p521::ecdsa::Signature = key.sign_with_rng(&mut chance(message), message);
                signature.to_bytes().to_vec()
            }
            "EdDSA" | "Ed25519" => {
                let key = SigningKey::<Ed25519>::from_slice(&self.octets("d")).expect("an Ed25519 key");
                Ed25519.sign(&key, message).as_bytes().into_owned()
            }
            "HS256" => {
                // The public key as a secret, in the form in which issuers publish it.
                let secret = Hs256Key::new(in_order(&self.public("")).as_bytes());
                Hs256.sign(&secret, message).as_bytes().into_owned()
            }
            rsa => self.sign_rsa(rsa, message),
        }
    }

    fn sign_rsa(self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let number = |name| BigUint::from_bytes_be(&self.octets(name));
        let primes = vec![number("p"), number("q")];
        let key = RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes).expect("an RSA key");
        let mut salt = chance(message);
        match algorithm {
            "RS256" => pkcs1v15::SigningKey::<Sha256>::new(key).sign(message).to_vec(),
            "RS384" => pkcs1v15::SigningKey::<Sha384>::new(key).sign(message).to_vec(),
            "RS512" => pkcs1v15::SigningKey::<Sha512>::new(key).sign(message).to_vec(),
            "PS256" => pss::SigningKey::<Sha256>::new(key).sign_with_rng(&mut salt, message).to_vec(),
            "PS384" => pss::SigningKey::<Sha384>::new(key).sign_with_rng(&mut salt, message).to_vec(),
            "PS512" => pss::SigningKey::<Sha512>::new(key).sign_with_rng(&mut salt, message).to_vec(),
            other => panic!("nothing here signs with `{other}`"),
        }
    }
}

/// Randomness that depends on what is signed and on nothing else, where a signer wants some.
fn chance(message: &[u8]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(Sha256::digest(message).into())
}

fn ec256(secret: &[u8]) -> <Es256 as jwt_compact::Algorithm>::SigningKey {
    SigningKey::<Es256>::from_slice(secret).expect("a P-256 key")
}
