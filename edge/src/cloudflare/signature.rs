//! Answers `NeedsSignature` with the runtime's WebCrypto (W3C Web Cryptography §14.3, RFC 8037 for Ed25519).
//!
//! The core has judged key and algorithm; here only the mathematics is asked for. Not `node:crypto`, whose
//! one-shot `verify` in workerd takes an RS256 signature for PS256.

use std::cell::RefCell;

use js_sys::{Array, JSON, Object, Reflect, futures::JsFuture};
use postern::{
    Algorithm, Jwk, Progress, SignatureCheck,
    algorithm::{Hash, Scheme},
    authorizer::NeedsSignature,
    cache::ImportedKeys,
    signature::is_well_formed,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::CryptoKey;

use super::{paused, runtime};

thread_local! {
    static IMPORTED: RefCell<ImportedKeys<CryptoKey>> = const { RefCell::new(ImportedKeys::new()) };
    /// Each algorithm's parameters, once made: objects of the runtime's are made member by member, a call each.
    static PARAMETERS: RefCell<Vec<(Algorithm, Object)>> = const { RefCell::new(Vec::new()) };
}

/// Goes on with the outcome of the check.
pub(super) async fn check(need: NeedsSignature<'static>) -> Progress<'static> {
    let outcome = verify(need.algorithm(), need.key(), need.message(), need.signature()).await;
    need.resume(outcome, runtime::now())
}

/// Whether `signature` over `message` holds under `key`. What the runtime cannot do is `Unavailable`, never `Invalid`.
pub async fn verify(algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> SignatureCheck {
    if !is_well_formed(algorithm, key, signature) {
        return SignatureCheck::Invalid;
    }
    match holds(algorithm, key, message, signature).await {
        Ok(true) => SignatureCheck::Valid,
        Ok(false) => SignatureCheck::Invalid,
        Err(_) => SignatureCheck::Unavailable,
    }
}

async fn holds(algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> Result<bool, JsValue> {
    let key = imported(algorithm, key).await?;
    let parameters = parameters(algorithm)?;
    let promise =
        runtime::subtle()?.verify_with_object_and_u8_array_and_u8_array(&parameters, &key, signature, message)?;
    paused::holds(promise).await.ok_or(JsValue::UNDEFINED)
}

async fn imported(algorithm: Algorithm, key: &Jwk) -> Result<CryptoKey, JsValue> {
    if let Some(imported) = IMPORTED.with_borrow(|kept| kept.of(key, algorithm)) {
        return Ok(imported);
    }
    let jwk: Object = JSON::parse(&key.to_public_jwk())?.dyn_into()?;
    let usages = Array::of1(&JsValue::from_str("verify"));
    let parameters = parameters(algorithm)?;
    let promise = runtime::subtle()?.import_key_with_object("jwk", &jwk, &parameters, false, &usages)?;
    let imported: CryptoKey = JsFuture::from(promise).await?.dyn_into()?;
    IMPORTED.with_borrow_mut(|kept| kept.keep(key, algorithm, imported.clone()));
    Ok(imported)
}

/// One object for import and check: each call reads the members it knows.
fn parameters(algorithm: Algorithm) -> Result<Object, JsValue> {
    let kept = |made: &Vec<(Algorithm, Object)>| {
        made.iter().find(|(other, _)| *other == algorithm).map(|(_, parameters)| parameters.clone())
    };
    if let Some(parameters) = PARAMETERS.with_borrow(kept) {
        return Ok(parameters);
    }
    let parameters = make_parameters(algorithm)?;
    PARAMETERS.with_borrow_mut(|made| made.push((algorithm, parameters.clone())));
    Ok(parameters)
}

fn make_parameters(algorithm: Algorithm) -> Result<Object, JsValue> {
    let parameters = Object::new();
    let set = |name: &str, value: JsValue| Reflect::set(&parameters, &JsValue::from_str(name), &value);
    let hash = |hash: Hash| {
        set(
            "hash",
            JsValue::from_str(match hash {
                Hash::Sha256 => "SHA-256",
                Hash::Sha384 => "SHA-384",
                Hash::Sha512 => "SHA-512",
            }),
        )
    };
    match algorithm.scheme() {
        Scheme::RsaPkcs1(digest) => {
            set("name", "RSASSA-PKCS1-v1_5".into())?;
            hash(digest)?;
        }
        Scheme::RsaPss(digest) => {
            set("name", "RSA-PSS".into())?;
            hash(digest)?;
            set("saltLength", u32::try_from(digest.digest_len()).unwrap_or(u32::MAX).into())?;
        }
        Scheme::Ecdsa(curve, digest) => {
            set("name", "ECDSA".into())?;
            set("namedCurve", curve.name().into())?;
            hash(digest)?;
        }
        Scheme::Ed25519 => {
            set("name", "Ed25519".into())?;
        }
    }
    Ok(parameters)
}
