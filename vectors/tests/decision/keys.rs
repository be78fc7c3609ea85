//! The keys of the RFCs' appendices: which are fit to verify with, and their thumbprints (RFC 7638).

use base64ct::{Base64UrlUnpadded, Encoding};
use libtest_mimic::{Failed, Trial};
use postern::{JwkSet, jwk::KeyRefusal, jwks::JwksError};
use serde_json::{Value, json};

/// A name in the file, and what becomes of each key: usable, or refused for a reason.
const CASES: [(&str, &[Option<KeyRefusal>]); 8] = [
    ("PublicKeys_RFC7517_A1", &[Some(KeyRefusal::Purpose), None]),
    ("SymmetricKeys_RFC7517_A3", &[Some(KeyRefusal::Symmetric), Some(KeyRefusal::Symmetric)]),
    ("Useofx5c_RFC7517_B", &[None]),
    ("PublicKeys_EdDsa", &[None]),
    ("PublicKeys_secp256k1", &[Some(KeyRefusal::UnsupportedType), Some(KeyRefusal::UnsupportedType)]),
    (
        "PublicKeys_brainpool",
        &[Some(KeyRefusal::UnsupportedType), Some(KeyRefusal::UnsupportedType), Some(KeyRefusal::UnsupportedType)],
    ),
    ("ECPublicJWK", &[None]),
    ("X25519PublicJWK", &[Some(KeyRefusal::UnsupportedType)]),
];

/// A key that is always fit, so that a set of refused keys alone can be read for its reasons.
const FIT: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

pub(crate) fn trials(file: &Value) -> Vec<Trial> {
    let trial = |(name, expected): (&'static str, &'static [Option<KeyRefusal>])| {
        let entry = file[name].clone();
        Trial::test(format!("rfc-keys::{name}"), move || check(&entry, expected))
    };
    CASES.into_iter().map(trial).collect()
}

fn check(entry: &Value, expected: &[Option<KeyRefusal>]) -> Result<(), Failed> {
    let mut keys = entry["keys"].as_array().cloned().unwrap_or_else(|| vec![entry.clone()]);
    let alone = JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes());
    let none_fit = expected.iter().all(Option::is_some);
    if none_fit != matches!(alone, Err(JwksError::NoUsableKey)) {
        return Err(format!("the set alone: {alone:?}").into());
    }
    keys.push(serde_json::from_str(FIT)?);
    let set = JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes())?;
    let refused = |index: usize| set.refused().iter().find(|key| key.index == index).map(|key| key.reason);
    let outcome: Vec<Option<KeyRefusal>> = (0..expected.len()).map(refused).collect();
    if outcome != expected {
        return Err(format!("{outcome:?} instead of {expected:?}").into());
    }
    let thumbprints: Vec<String> = set.keys().map(|key| Base64UrlUnpadded::encode_string(key.thumbprint())).collect();
    // A refused key has none; those of the file are in its order.
    let wanted = entry["thumbprints"].as_array().into_iter().flatten().zip(expected);
    for (wanted, _) in wanted.filter(|(_, refusal)| refusal.is_none()) {
        if !thumbprints.iter().any(|own| wanted == own) {
            return Err(format!("no key has the thumbprint {wanted}").into());
        }
    }
    Ok(())
}
