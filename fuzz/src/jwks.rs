//! What an issuer publishes, and what is kept of it: JWK sets, metadata, snapshots of keys.
//!
//! Every entry of a set is kept or refused, and what is kept says all that it was taken for. Metadata leads to a URL of
//! the policy's kind or nowhere. A snapshot makes no key younger than it is.

use std::collections::BTreeSet;

use postern::{
    JwkSet, UnixTime,
    cache::{KeyAnswer, KeyCache, KeyLookup, KeySnapshot, KeyStep},
    jwks::{JwksError, MAX_JWKS_BYTES, MAX_KEYS},
    policy::Issuer,
};
use serde::{Deserialize, de::IgnoredAny};

use crate::world::{CHECKED, NOW};

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// None of these.
    Nothing,
    /// An issuer's metadata.
    Metadata,
    /// A snapshot that may not be used.
    OldSnapshot,
    /// A snapshot that may be used.
    Snapshot,
    /// A set of unusable keys.
    NoKey,
    /// A set of usable keys alone.
    Keys,
    /// A set of usable keys and others.
    Both,
}

/// Reads the input as each of them.
pub fn check(input: &[u8]) -> Reached {
    let issuer = CHECKED.issuers().iter().find(|issuer| issuer.name() == "partners").expect("an issuer");
    if leads_on(issuer, input) {
        return Reached::Metadata;
    }
    if let Ok(snapshot) = KeySnapshot::parse(input) {
        return kept(issuer, snapshot);
    }
    set(input)
}

/// How many entries a lenient reader finds.
fn entries(input: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<IgnoredAny>,
    }
    serde_json::from_slice::<Set>(input).ok().map(|set| set.keys.len())
}

fn set(input: &[u8]) -> Reached {
    let set = match JwkSet::parse(input) {
        Ok(set) => set,
        Err(JwksError::NoUsableKey) => {
            assert!(entries(input).is_some(), "not a set, yet it is judged as one");
            return Reached::NoKey;
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Reached::Nothing;
        }
    };
    let entries = entries(input).expect("a set has entries");
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
    assert_same(&set, &JwkSet::parse(set.to_json().to_string().as_bytes()).expect("what is kept is a set"));
    if refused.is_empty() { Reached::Keys } else { Reached::Both }
}

/// The same keys under the same names.
fn assert_same(one: &JwkSet, other: &JwkSet) {
    let of = |set: &JwkSet| set.keys().map(|key| (*key.thumbprint(), key.key_id().map(str::to_owned))).collect();
    let (one, other): (BTreeSet<_>, BTreeSet<_>) = (of(one), of(other));
    assert_eq!(one, other, "a set changes when it is written");
}

/// Whether the input, as the issuer's metadata, says where its keys are.
fn leads_on(issuer: &Issuer, input: &[u8]) -> bool {
    let lookup = KeyCache::new().look_up(issuer, None, UnixTime::from_secs(NOW));
    let KeyLookup::Fetch(fetch) = lookup else { panic!("an empty cache has {lookup:?}") };
    let answer = KeyAnswer { status: 200, cache_control: None, age: None, body: input };
    match fetch.answered(issuer, &answer) {
        Ok(KeyStep::Next(next)) => {
            assert!(next.url().starts_with("https://"), "keys are to be fetched from `{}`", next.url());
            true
        }
        Ok(KeyStep::Fetched(_)) => panic!("metadata is taken for keys"),
        Err(error) => {
            assert!(!error.code().is_empty() && !error.to_string().is_empty());
            false
        }
    }
}

fn kept(issuer: &Issuer, snapshot: KeySnapshot) -> Reached {
    let written = snapshot.to_json().to_string();
    let again = KeySnapshot::parse(written.as_bytes()).expect("a snapshot is read as it is written");
    assert_eq!(again.fetched_at(), snapshot.fetched_at(), "keys become younger");
    assert_same(snapshot.keys(), again.keys());
    let now = UnixTime::from_secs(NOW);
    let age = now.saturating_since(snapshot.fetched_at());
    let may_be_used = snapshot.check(issuer, now).is_ok();
    assert!(!may_be_used || snapshot.fetched_at() <= now && age < issuer.jwks_max_stale(), "keys of {age:?} are used");
    let mut cache = KeyCache::new();
    assert_eq!(cache.restore(issuer, Some(snapshot), now).is_ok(), may_be_used);
    let used = !matches!(cache.look_up(issuer, None, now), KeyLookup::Fetch(_));
    assert_eq!(used, may_be_used, "a snapshot is used that may not be, or the other way about");
    if may_be_used { Reached::Snapshot } else { Reached::OldSnapshot }
}
