//! Answers `NeedsSignature` with the runtime's WebCrypto (W3C Web Cryptography §14.3, RFC 8037 for Ed25519).
//!
//! The core has judged key and algorithm; here only the mathematics is asked for. Not `node:crypto`, whose
//! one-shot `verify` in workerd takes an RS256 signature for PS256.

use std::{cell::RefCell, collections::BTreeMap};

use js_sys::{Array, JSON, Object, Reflect, futures::JsFuture};
use postern::{Algorithm, Progress, SignatureCheck, authorizer::NeedsSignature};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::CryptoKey;

use super::runtime;

/// Imported keys that are kept. Issuers have two or three keys each; past this all are imported anew.
const MAX_IMPORTED: usize = 64;

thread_local! {
    /// By RFC 7638 thumbprint. A key's material fixes its algorithm, so one entry serves one algorithm.
    static IMPORTED: RefCell<BTreeMap<[u8; 32], CryptoKey>> = const { RefCell::new(BTreeMap::new()) };
}

/// Goes on with the outcome of the check. What the runtime cannot do is `Unavailable`, never `Invalid`.
pub(super) async fn check(need: NeedsSignature<'static>) -> Progress<'static> {
    let outcome = match verify(&need).await {
        Ok(true) => SignatureCheck::Valid,
        Ok(false) => SignatureCheck::Invalid,
        Err(_) => SignatureCheck::Unavailable,
    };
    need.resume(outcome, runtime::now())
}

async fn verify(need: &NeedsSignature<'static>) -> Result<bool, JsValue> {
    let key = imported(need).await?;
    let parameters = parameters(need.algorithm())?;
    let promise = runtime::subtle()?.verify_with_object_and_u8_array_and_u8_array(
        &parameters,
        &key,
        need.signature(),
        need.message(),
    )?;
    let outcome = JsFuture::from(promise).await?;
    outcome.as_bool().ok_or(JsValue::UNDEFINED)
}

async fn imported(need: &NeedsSignature<'static>) -> Result<CryptoKey, JsValue> {
    let thumbprint = need.key().thumbprint();
    if let Some(key) = IMPORTED.with_borrow(|kept| kept.get(thumbprint).cloned()) {
        return Ok(key);
    }
    let jwk: Object = JSON::parse(&need.key().to_public_jwk())?.dyn_into()?;
    let usages = Array::of1(&JsValue::from_str("verify"));
    let parameters = parameters(need.algorithm())?;
    let promise = runtime::subtle()?.import_key_with_object("jwk", &jwk, &parameters, false, &usages)?;
    let key: CryptoKey = JsFuture::from(promise).await?.dyn_into()?;
    IMPORTED.with_borrow_mut(|kept| {
        if kept.len() >= MAX_IMPORTED {
            kept.clear();
        }
        kept.insert(*thumbprint, key.clone());
    });
    Ok(key)
}

/// One object for import and check: each call reads the members it knows.
fn parameters(algorithm: Algorithm) -> Result<Object, JsValue> {
    let members: &[(&str, &str)] = match algorithm {
        Algorithm::Rs256 => &[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")],
        Algorithm::Es256 => &[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")],
        Algorithm::EdDsa => &[("name", "Ed25519")],
        // An algorithm that the core learned and this driver did not.
        _ => return Err(JsValue::UNDEFINED),
    };
    let parameters = Object::new();
    for (name, value) in members {
        Reflect::set(&parameters, &JsValue::from_str(name), &JsValue::from_str(value))?;
    }
    Ok(parameters)
}
