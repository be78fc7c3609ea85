//! Answers `NeedsSignature` with Node's own cryptography: `crypto.verify`, which is synchronous, and at a quarter of
//! what WebCrypto costs there.
//!
//! The core has judged key and algorithm; here only the mathematics is asked for.

use std::cell::RefCell;

use js_sys::{JSON, Object, Reflect};
use postern::{
    Algorithm, Jwk, SignatureCheck,
    algorithm::{Hash, Scheme},
    authorizer::NeedsSignature,
    cache::ImportedKeys,
    signature::is_well_formed,
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// `crypto.constants.RSA_PKCS1_PSS_PADDING`: OpenSSL's number, which no release can change.
const PSS_PADDING: u32 = 6;

#[wasm_bindgen(module = "node:crypto")]
extern "C" {
    #[wasm_bindgen(js_name = createPublicKey, catch)]
    fn create_public_key(key: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = verify, catch)]
    fn crypto_verify(hash: &JsValue, message: &[u8], key: &JsValue, signature: &[u8]) -> Result<JsValue, JsValue>;
}

thread_local! {
    static SHA256: JsValue = JsValue::from_str("sha256");
    static SHA384: JsValue = JsValue::from_str("sha384");
    static SHA512: JsValue = JsValue::from_str("sha512");
    static IMPORTED: RefCell<ImportedKeys<JsValue>> = const { RefCell::new(ImportedKeys::new()) };
}

/// Answers `need`.
#[must_use]
pub fn check(need: &NeedsSignature<'_>) -> SignatureCheck {
    verify(need.algorithm(), need.key(), need.message(), need.signature())
}

/// Whether `signature` over `message` holds under `key`. What the runtime cannot do is `Unavailable`, never `Invalid`.
#[must_use]
pub fn verify(algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> SignatureCheck {
    if !is_well_formed(algorithm, key, signature) {
        return SignatureCheck::Invalid;
    }
    match holds(algorithm, key, message, signature) {
        Ok(true) => SignatureCheck::Valid,
        Ok(false) => SignatureCheck::Invalid,
        Err(_) => SignatureCheck::Unavailable,
    }
}

fn holds(algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> Result<bool, JsValue> {
    let imported = imported(algorithm, key)?;
    let outcome = match algorithm.scheme() {
        Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash) | Scheme::Ecdsa(_, hash) => {
            let name = match hash {
                Hash::Sha256 => &SHA256,
                Hash::Sha384 => &SHA384,
                Hash::Sha512 => &SHA512,
            };
            name.with(|name| crypto_verify(name, message, &imported, signature))
        }
        // Ed25519 brings its own.
        Scheme::Ed25519 => crypto_verify(&JsValue::NULL, message, &imported, signature),
    };
    outcome?.as_bool().ok_or(JsValue::UNDEFINED)
}

/// The key with the way to use it, as `crypto.verify` takes both: the key alone where its own default is that way. Of an
/// object Node 24 first tries whether it is a key itself, by two exceptions, which cost as much as the signature.
fn imported(algorithm: Algorithm, key: &Jwk) -> Result<JsValue, JsValue> {
    if let Some(imported) = IMPORTED.with_borrow(|kept| kept.of(key, algorithm)) {
        return Ok(imported);
    }
    let public = create_public_key(&object(&[("key", JSON::parse(&key.to_public_jwk())?), ("format", "jwk".into())])?)?;
    let imported = match algorithm.scheme() {
        // "`crypto.constants.RSA_PKCS1_PADDING` (default)"; a JWK never makes a key of the type `rsa-pss`, which has another.
        Scheme::RsaPkcs1(_) | Scheme::Ed25519 => public,
        Scheme::RsaPss(hash) => {
            let salt = u32::try_from(hash.digest_len()).unwrap_or(u32::MAX);
            object(&[("key", public), ("padding", PSS_PADDING.into()), ("saltLength", salt.into())])?
        }
        // `r ‖ s`; without it OpenSSL's DER.
        Scheme::Ecdsa(..) => object(&[("key", public), ("dsaEncoding", "ieee-p1363".into())])?,
    };
    IMPORTED.with_borrow_mut(|kept| kept.keep(key, algorithm, imported.clone()));
    Ok(imported)
}

fn object(members: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &JsValue::from_str(name), value)?;
    }
    Ok(object.into())
}
