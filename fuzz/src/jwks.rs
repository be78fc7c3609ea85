//! JWK sets: every entry is kept or refused, and what is kept says all that it was taken for.

use postern::{
    JwkSet,
    jwks::{JwksError, MAX_JWKS_BYTES, MAX_KEYS},
};
use serde_json::Value;

/// How far an input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It is no set.
    NoSet,
    /// It is a set of unusable keys.
    NoKey,
    /// It holds usable keys alone.
    Keys,
    /// It holds usable keys and others.
    Both,
}

/// Reads the input as a JWK set.
pub fn check(input: &[u8]) -> Reached {
    let entries = || serde_json::from_slice::<Value>(input).ok()?.get("keys")?.as_array().map(Vec::len);
    let set = match JwkSet::parse(input) {
        Ok(set) => set,
        Err(JwksError::NoUsableKey) => {
            assert!(entries().is_some(), "not a set, yet it is judged as one");
            return Reached::NoKey;
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Reached::NoSet;
        }
    };
    let entries = entries().expect("a set has entries");
    let refused = set.refused();
    assert_eq!(set.keys().count() + refused.len(), entries, "an entry is neither kept nor refused");
    assert!(input.len() <= MAX_JWKS_BYTES && entries <= MAX_KEYS, "past the caps");
    assert!(refused.is_sorted_by(|one, next| one.index < next.index), "refused out of order or twice");
    assert!(refused.iter().all(|key| key.index < entries && !key.reason.to_string().is_empty()));
    for key in set.keys() {
        let alone = format!(r#"{{"keys":[{}]}}"#, key.to_public_jwk());
        let again = JwkSet::parse(alone.as_bytes()).expect("a key that is kept is fit as it is written");
        let again: Vec<_> = again.keys().collect();
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].thumbprint(), key.thumbprint(), "a key changes when it is written");
        assert_eq!(again[0].to_public_jwk(), key.to_public_jwk());
        assert!(!key.to_public_jwk().contains("\"d\""), "a private member is written");
    }
    if refused.is_empty() { Reached::Keys } else { Reached::Both }
}
