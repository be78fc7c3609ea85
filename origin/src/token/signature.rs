//! Answers `NeedsSignature` with aws-lc: the library that the AWS SDK's TLS brings anyway, and AWS's own FIPS one.
//!
//! The core has judged key and algorithm; here only the mathematics is asked for. PSS takes a salt of the hash's
//! length and no other, which is what aws-lc's parameters of these names say.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};
use postern::{
    Algorithm, Jwk, SignatureCheck,
    algorithm::{Curve, Hash, Scheme},
    authorizer::{NeedsSignature, Pursuit},
    cache::ImportedKeys,
    jwk::PublicKey,
    signature::is_well_formed,
};

static PARSED: Mutex<ImportedKeys<Arc<ParsedPublicKey>>> = Mutex::new(ImportedKeys::new());

/// Answers `need`.
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
    let Some(key) = parsed(algorithm, key) else {
        return SignatureCheck::Unavailable;
    };
    match key.verify_sig(message, signature) {
        Ok(()) => SignatureCheck::Valid,
        Err(_) => SignatureCheck::Invalid,
    }
}

fn parsed(algorithm: Algorithm, key: &Jwk) -> Option<Arc<ParsedPublicKey>> {
    // Whoever panicked with it left a map of whole entries.
    let lock = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = lock().of(key, algorithm);
    if kept.is_some() {
        return kept;
    }
    let parsed = Arc::new(parse(algorithm, key)?);
    lock().keep(key, algorithm, Arc::clone(&parsed));
    Some(parsed)
}

/// `None` when the library does not take the key.
fn parse(algorithm: Algorithm, key: &Jwk) -> Option<ParsedPublicKey> {
    match (algorithm.scheme(), key.public_key()) {
        (Scheme::RsaPkcs1(hash), PublicKey::Rsa { modulus, exponent }) => rsa(
            modulus,
            exponent,
            match hash {
                Hash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
                Hash::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
                Hash::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
            },
        ),
        (Scheme::RsaPss(hash), PublicKey::Rsa { modulus, exponent }) => rsa(
            modulus,
            exponent,
            match hash {
                Hash::Sha256 => &RSA_PSS_2048_8192_SHA256,
                Hash::Sha384 => &RSA_PSS_2048_8192_SHA384,
                Hash::Sha512 => &RSA_PSS_2048_8192_SHA512,
            },
        ),
        (Scheme::Ecdsa(curve, hash), PublicKey::Ec { x, y, .. }) => {
            let verification = match (curve, hash) {
                (Curve::P256, Hash::Sha256) => &ECDSA_P256_SHA256_FIXED,
                (Curve::P384, Hash::Sha384) => &ECDSA_P384_SHA384_FIXED,
                (Curve::P521, Hash::Sha512) => &ECDSA_P521_SHA512_FIXED,
                // No row of the table.
                _ => return None,
            };
            // A point as SEC 1 §2.3.3 writes it without compression.
            ParsedPublicKey::new(verification, [&[4], x, y].concat()).ok()
        }
        (Scheme::Ed25519, PublicKey::Ed25519 { x }) => ParsedPublicKey::new(&ED25519, x).ok(),
        _ => None,
    }
}

fn rsa(modulus: &[u8], exponent: &[u8], parameters: &'static RsaParameters) -> Option<ParsedPublicKey> {
    RsaPublicKeyComponents { n: modulus, e: exponent }.to_parsed_public_key(parameters).ok()
}
