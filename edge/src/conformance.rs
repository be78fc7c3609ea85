//! For vectors, never deployed: each host's signature check by itself, on keys, messages and signatures from outside.
//!
//! `cargo xtask test --only vectors` builds it into folders of its own and runs it in real workerd and in real Node.

use postern::{Algorithm, Jwk, JwkSet, SignatureCheck};
use wasm_bindgen::prelude::wasm_bindgen;

/// Checks with WebCrypto. Says `valid`, `invalid` or `unavailable`, or `refused` of a key or an algorithm.
#[cfg(feature = "cloudflare")]
#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
pub async fn verify_with_webcrypto(jwk: String, algorithm: String, message: Vec<u8>, signature: Vec<u8>) -> String {
    let answer = match subject(&jwk, &algorithm) {
        Some((key, algorithm)) => {
            word(crate::cloudflare::signature::verify(algorithm, &key, &message, &signature).await)
        }
        None => "refused",
    };
    answer.to_owned()
}

/// The same with `node:crypto`.
#[cfg(feature = "node")]
#[wasm_bindgen]
pub fn verify_with_node(jwk: &str, algorithm: &str, message: &[u8], signature: &[u8]) -> String {
    let answer = match subject(jwk, algorithm) {
        Some((key, algorithm)) => word(crate::node::signature::verify(algorithm, &key, message, signature)),
        None => "refused",
    };
    answer.to_owned()
}

fn subject(jwk: &str, algorithm: &str) -> Option<(Jwk, Algorithm)> {
    let set = JwkSet::parse(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()).ok()?;
    Some((set.keys().next()?.clone(), Algorithm::from_name(algorithm)?))
}

const fn word(check: SignatureCheck) -> &'static str {
    match check {
        SignatureCheck::Valid => "valid",
        SignatureCheck::Invalid => "invalid",
        SignatureCheck::Unavailable => "unavailable",
    }
}
