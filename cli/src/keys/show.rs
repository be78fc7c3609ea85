//! `postern keys URL|FILE`: what a JWK set offers, which algorithms each key could check, which keys are refused.

use std::{fmt::Write as _, fs};

use anyhow::{Context as _, anyhow, bail, ensure};
use postern::{
    Algorithm, Jwk, JwkSet,
    algorithm::KeyKind,
    jwk::PublicKey,
    jwks::{MAX_JWKS_BYTES, RefusedKey},
};
use serde_json::{Value, json};

use super::fetch;
use crate::{
    exit::Outcome,
    output::{self, Format, counted, shown, table},
};

/// Shows the set.
pub(super) fn show(source: &str, insecure_loopback: bool, format: Format) -> anyhow::Result<Outcome> {
    let body = if source.contains("://") {
        fetched(source, insecure_loopback)?
    } else {
        fs::read(source).with_context(|| format!("cannot read `{source}`"))?
    };
    let set = JwkSet::survey(&body).map_err(|error| anyhow!("`{source}`: {error}{}", hint(&body)))?;
    let count = set.keys().count();
    match format {
        Format::Json => output::print_json(&to_json(source, &set))?,
        Format::Text => output::print(&to_text(source, &set))?,
    }
    Ok(if count == 0 { Outcome::No } else { Outcome::Done })
}

fn fetched(url: &str, insecure_loopback: bool) -> anyhow::Result<Vec<u8>> {
    let is_http = checked_scheme(url, insecure_loopback, "keys are fetched")?;
    let at = || format!("`{url}`");
    let client = fetch::client(is_http)?;
    let response = fetch::get(&client, url, "application/jwk-set+json, application/json").with_context(at)?;
    let status = response.status();
    ensure!(status.as_u16() == 200, "`{url}`: the status is {}, and only 200 brings keys", status.as_u16());
    fetch::body(response, MAX_JWKS_BYTES).with_context(at)
}

/// Whether `url` is plain http, which it may be on this machine where one says so; `what` is done with it.
pub(crate) fn checked_scheme(url: &str, insecure_loopback: bool, what: &str) -> anyhow::Result<bool> {
    let is_http = url.starts_with("http://");
    if is_http && !insecure_loopback {
        bail!("`{url}`: {what} by `https://` alone; for a server on this machine add `--insecure-loopback`");
    }
    ensure!(!is_http || is_loopback(url), "`{url}`: `--insecure-loopback` is for 127.0.0.1, [::1] and localhost alone");
    ensure!(is_http || url.starts_with("https://"), "`{url}`: {what} by `https://` alone");
    Ok(is_http)
}

fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// What people give instead of a JWK set: the issuer's metadata.
fn hint(body: &[u8]) -> String {
    let metadata: Option<Value> = serde_json::from_slice(body).ok();
    match metadata.as_ref().and_then(|metadata| metadata["jwks_uri"].as_str()) {
        Some(url) => format!("; it is an issuer's metadata, whose keys are at `{}`", shown(url)),
        None => String::new(),
    }
}

fn to_text(source: &str, set: &JwkSet) -> String {
    let mut rows: Vec<(usize, [String; 4])> = placed(set)
        .map(|(index, key)| {
            let names: Vec<&str> = algorithms(key).map(Algorithm::name).collect();
            (index, [index.to_string(), name(key.key_id()), kind(key), names.join(" ")])
        })
        .collect();
    let usable = counted(rows.len(), "usable key");
    rows.extend(set.refused().iter().map(|RefusedKey { index, key_id, reason }| {
        (*index, [index.to_string(), name(key_id.as_deref()), "refused".to_owned(), reason.to_string()])
    }));
    rows.sort_by_key(|(index, _)| *index);
    let rows: Vec<[String; 4]> = rows.into_iter().map(|(_, row)| row).collect();
    let mut text = table(["#", "KID", "KEY", "CAN CHECK"], &rows);
    let _ = writeln!(text, "{}: {usable}, {} refused", shown(source), set.refused().len());
    text
}

fn to_json(source: &str, set: &JwkSet) -> Value {
    let keys: Vec<Value> = placed(set)
        .map(|(index, key)| {
            let (key_type, curve, bits) = parts(key);
            json!({
                "index": index, "kid": key.key_id(), "kty": key_type, "crv": curve, "bits": bits,
                "algorithms": algorithms(key).map(Algorithm::name).collect::<Vec<_>>(),
            })
        })
        .collect();
    let refused: Vec<Value> = set
        .refused()
        .iter()
        .map(|key| json!({"index": key.index, "kid": key.key_id, "reason": key.reason.to_string()}))
        .collect();
    json!({"source": source, "keys": keys, "refused": refused})
}

/// The usable keys, each with its place in the set: the places that no refused key has.
fn placed(set: &JwkSet) -> impl Iterator<Item = (usize, &Jwk)> {
    let free = (0..).filter(|index| set.refused().iter().all(|refused| refused.index != *index));
    free.zip(set.keys())
}

fn algorithms(key: &Jwk) -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| key.allows(*algorithm))
}

fn name(key_id: Option<&str>) -> String {
    key_id.map_or_else(|| "-".to_owned(), shown)
}

fn kind(key: &Jwk) -> String {
    match parts(key) {
        (key_type, Some(curve), _) => format!("{key_type} {curve}"),
        (key_type, None, bits) => format!("{key_type} {bits}"),
    }
}

/// `kty`, `crv`, and how many bits the key has.
fn parts(key: &Jwk) -> (&'static str, Option<&'static str>, usize) {
    let modulus_bits = match key.public_key() {
        PublicKey::Rsa { modulus, .. } => {
            let leading = modulus.first().map_or(0, |octet| octet.leading_zeros());
            (modulus.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or(0))
        }
        _ => 0,
    };
    match key.kind() {
        KeyKind::P256 => ("EC", Some("P-256"), 256),
        KeyKind::P384 => ("EC", Some("P-384"), 384),
        KeyKind::P521 => ("EC", Some("P-521"), 521),
        KeyKind::Ed25519 => ("OKP", Some("Ed25519"), 256),
        _ => ("RSA", None, modulus_bits),
    }
}
