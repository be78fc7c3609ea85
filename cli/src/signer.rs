//! A key pair that lives as long as the command, of any algorithm of the table.
//!
//! With it, commands that try a policy out show the authoriser tokens that are really signed, and pass over nothing of
//! what a token goes through in production. It is written nowhere.

use anyhow::{Context as _, anyhow};
use aws_lc_rs::{
    encoding::AsBigEndian as _,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding,
    },
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::{
    Algorithm,
    algorithm::{Curve, Hash, Scheme},
};
use serde_json::{Map, Value, json};

/// Which algorithm to take where there is a choice: those whose keys are made fastest come first.
pub(crate) const PREFERENCE: [Algorithm; 10] = [
    Algorithm::EdDsa,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Rs256,
    Algorithm::Ps256,
    Algorithm::Rs384,
    Algorithm::Ps384,
    Algorithm::Rs512,
    Algorithm::Ps512,
];

/// A private key and what is published of it.
pub(crate) struct Signer {
    key_id: String,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(rsa::KeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// A fresh key for `algorithm`.
    pub(crate) fn generate(algorithm: Algorithm, key_id: &str) -> anyhow::Result<Self> {
        let pair = match algorithm.scheme() {
            Scheme::RsaPkcs1(_) | Scheme::RsaPss(_) => rsa::KeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
            Scheme::Ecdsa(curve, _) => EcdsaKeyPair::generate(signing(curve)).map(Pair::Ecdsa),
            Scheme::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        let pair = pair.map_err(|_| anyhow!("no key for {algorithm} can be made", algorithm = algorithm.name()))?;
        Ok(Self { key_id: key_id.to_owned(), algorithm, pair })
    }

    /// What it signs with.
    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key, as an issuer publishes it.
    pub(crate) fn jwk(&self) -> anyhow::Result<Value> {
        let encode = Base64UrlUnpadded::encode_string;
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                json!({
                    "kty": "RSA",
                    "n": encode(n.big_endian_without_leading_zero()),
                    "e": encode(e.big_endian_without_leading_zero()),
                })
            }
            Pair::Ecdsa(pair) => {
                let Scheme::Ecdsa(curve, _) = self.algorithm.scheme() else {
                    unreachable!("the pair is of the scheme")
                };
                let encoded: aws_lc_rs::encoding::EcPublicKeyUncompressedBin<'_> =
                    pair.public_key().as_be_bytes().map_err(|_| anyhow!("the public key cannot be written"))?;
                // SEC 1 §2.3.3: a 4, then both coordinates in full length.
                let (x, y) = encoded
                    .as_ref()
                    .get(1..)
                    .and_then(|coordinates| coordinates.split_at_checked(curve.coordinate_len()))
                    .context("the public key has an unknown form")?;
                json!({"kty": "EC", "crv": curve.name(), "x": encode(x), "y": encode(y)})
            }
            Pair::Ed25519(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())}),
        };
        jwk["kid"] = self.key_id.as_str().into();
        jwk["alg"] = self.algorithm.name().into();
        Ok(jwk)
    }

    /// A compact JWS with these claims and, beside `alg` and `kid`, these header members.
    pub(crate) fn token(&self, header: &Map<String, Value>, claims: &Map<String, Value>) -> anyhow::Result<String> {
        let mut header = header.clone();
        header.entry("alg").or_insert_with(|| self.algorithm.name().into());
        header.entry("kid").or_insert_with(|| self.key_id.as_str().into());
        let encode = |members: Map<String, Value>| {
            Base64UrlUnpadded::encode_string(Value::Object(members).to_string().as_bytes())
        };
        let message = format!("{}.{}", encode(header), encode(claims.clone()));
        let signature = self.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature)))
    }

    fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let random = SystemRandom::new();
        let signed = match (&self.pair, self.algorithm.scheme()) {
            (Pair::Rsa(pair), Scheme::RsaPkcs1(hash)) => rsa_signature(pair, pkcs1(hash), &random, message),
            (Pair::Rsa(pair), Scheme::RsaPss(hash)) => rsa_signature(pair, pss(hash), &random, message),
            (Pair::Ecdsa(pair), _) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            (Pair::Ed25519(pair), _) => Ok(pair.sign(message).as_ref().to_vec()),
            (Pair::Rsa(_), _) => unreachable!("the pair is of the scheme"),
        };
        signed.map_err(|_| anyhow!("the key does not sign"))
    }
}

fn rsa_signature(
    pair: &rsa::KeyPair,
    encoding: &'static dyn RsaEncoding,
    random: &SystemRandom,
    message: &[u8],
) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, random, message, &mut signature)?;
    Ok(signature)
}

const fn signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
    }
}

fn pkcs1(hash: Hash) -> &'static dyn RsaEncoding {
    match hash {
        Hash::Sha256 => &signature::RSA_PKCS1_SHA256,
        Hash::Sha384 => &signature::RSA_PKCS1_SHA384,
        Hash::Sha512 => &signature::RSA_PKCS1_SHA512,
    }
}

fn pss(hash: Hash) -> &'static dyn RsaEncoding {
    match hash {
        Hash::Sha256 => &signature::RSA_PSS_SHA256,
        Hash::Sha384 => &signature::RSA_PSS_SHA384,
        Hash::Sha512 => &signature::RSA_PSS_SHA512,
    }
}
