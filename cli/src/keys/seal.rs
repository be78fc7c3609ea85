//! `postern keys seal` and `postern keys check`: issuers' keys as they are now, for a build to begin with.
//!
//! What is printed says when it was fetched, counts against the issuer's hard maximum, and is refreshed at first use:
//! it spares a cold start the wait, and makes no key younger than it is.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow, bail};
use postern::{
    JwkSet, Policy,
    cache::{KeyCache, KeyLookup, KeySeeds},
};
use serde_json::json;

use super::fetch::{client, follow};
use crate::{
    exit::Outcome,
    now,
    output::{self, Format},
};

/// Fetches the keys of every issuer of `policy` and prints them; progress goes to standard error.
pub(super) fn seal(policy: &Policy) -> anyhow::Result<Outcome> {
    let client = client(policy.is_development())?;
    let mut seeds = KeySeeds::default();
    for issuer in policy.issuers() {
        let now = now();
        let mut cache = KeyCache::new();
        let KeyLookup::Fetch(fetch) = cache.look_up(issuer, None, now) else {
            bail!("issuer `{}`: an empty cache asked for no fetch", issuer.name());
        };
        let fetched = follow(&client, issuer, fetch).with_context(|| format!("issuer `{}`", issuer.name()))?;
        let count = fetched.keys().keys().count();
        eprintln!("{}: {count} key{} from {}", issuer.name(), if count == 1 { "" } else { "s" }, fetched.jwks_url());
        for refused in fetched.keys().refused() {
            eprintln!("{}: key {} of the set is not used: {}", issuer.name(), refused.index, refused.reason);
        }
        if let Some(snapshot) = cache.store(issuer, fetched, now) {
            seeds.insert(issuer, snapshot);
        }
    }
    output::print_json(&seeds.to_json())?;
    Ok(Outcome::Done)
}

/// Checks a file of sealed keys against `policy`, and prints what each section's is worth now.
pub(super) fn check(policy: &Policy, file: &Path, format: Format) -> anyhow::Result<Outcome> {
    let text = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let mend = "write it anew with `postern keys seal`";
    let seeds = KeySeeds::parse(&text).map_err(|(section, error)| {
        let section = if section.is_empty() { section } else { format!("`{section}`: ") };
        anyhow!("{}: {section}{error}: {mend}", file.display())
    })?;
    if let Some(stranger) = seeds.stranger_to(policy) {
        bail!("{}: the policy has no issuer `{stranger}`: {mend}", file.display());
    }
    let now = now();
    let mut sections = serde_json::Map::new();
    let mut text = String::new();
    for issuer in policy.issuers() {
        let Some(seed) = seeds.of(issuer) else {
            text += &format!("{}: no keys; a cold start asks the issuer\n", issuer.name());
            sections.insert(issuer.name().to_owned(), serde_json::Value::Null);
            continue;
        };
        seed.check(issuer, now).map_err(|error| anyhow!("{}: `{}`: {error}: {mend}", file.display(), issuer.name()))?;
        let age = now.saturating_since(seed.fetched_at());
        let left = issuer.jwks_max_stale().saturating_sub(age).as_secs();
        text += &format!("{}: {}, usable for another {} min\n", issuer.name(), counted(seed.keys()), left / 60);
        let told = json!({"keys": seed.keys().keys().count(), "usable_seconds": left});
        sections.insert(issuer.name().to_owned(), told);
    }
    match format {
        Format::Json => output::print_json(&json!({"file": file.display().to_string(), "issuers": sections}))?,
        Format::Text => output::print(&text)?,
    }
    Ok(Outcome::Done)
}

fn counted(keys: &JwkSet) -> String {
    match keys.keys().count() {
        1 => "1 key".to_owned(),
        count => format!("{count} keys"),
    }
}
