//! `postern keys seal` and `postern keys check`: issuers' keys as they are now, for a build to begin with.
//!
//! What is printed says when it was fetched, counts against the issuer's hard maximum, and is refreshed at first use:
//! it spares a cold start the wait, and makes no key younger than it is.

use std::{fs, io::Read as _, path::Path, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use postern::{
    JwkSet, Policy,
    cache::{FetchedKeys, KeyAnswer, KeyCache, KeyFetch, KeyLookup, KeySeeds, KeyStep},
    policy::Issuer,
};
use reqwest::{blocking::Client, header, redirect};

use crate::now;

/// Time for one request. A person waits, so more than an edge would give.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Fetches the keys of every issuer of `policy` and prints them; progress goes to standard error.
pub(crate) fn seal(policy: &Policy) -> anyhow::Result<()> {
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .https_only(!policy.is_development())
        .timeout(TIMEOUT)
        .build()
        .context("no HTTP client can be built")?;
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
        seeds.insert(issuer, cache.store(issuer, fetched, now));
    }
    println!("{:#}", seeds.to_json());
    Ok(())
}

/// Checks a file of sealed keys against `policy`, and prints what each section's is worth now.
pub(crate) fn check(policy: &Policy, file: &Path) -> anyhow::Result<()> {
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
    for issuer in policy.issuers() {
        let Some(seed) = seeds.of(issuer) else {
            println!("{}: no keys; a cold start asks the issuer", issuer.name());
            continue;
        };
        seed.check(issuer, now).map_err(|error| anyhow!("{}: `{}`: {error}: {mend}", file.display(), issuer.name()))?;
        let age = now.saturating_since(seed.fetched_at());
        let left = issuer.jwks_max_stale().saturating_sub(age).as_secs() / 60;
        println!("{}: {}, usable for another {left} min", issuer.name(), counted(seed.keys()));
    }
    Ok(())
}

fn follow(client: &Client, issuer: &Issuer, mut fetch: KeyFetch) -> anyhow::Result<FetchedKeys> {
    loop {
        let url = fetch.url().to_owned();
        let at = || format!("`{url}`");
        let response = client.get(&url).header(header::ACCEPT, fetch.accept()).send();
        let response = response.map_err(|error| anyhow!("{}", causes(&error))).with_context(at)?;
        let field = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (cache_control, age) = (field(header::CACHE_CONTROL), field(header::AGE));
        let status = response.status().as_u16();
        let cap = u64::try_from(fetch.max_bytes())?.saturating_add(1);
        let mut body = Vec::new();
        response.take(cap).read_to_end(&mut body).with_context(at)?;
        let answer = KeyAnswer { status, cache_control: cache_control.as_deref(), age: age.as_deref(), body: &body };
        match fetch.answered(issuer, &answer).with_context(at)? {
            KeyStep::Next(next) => fetch = next,
            KeyStep::Fetched(fetched) => return Ok(fetched),
        }
    }
}

/// The client's message has the URL, which the context says already; its causes say what went wrong.
fn causes(error: &reqwest::Error) -> String {
    let mut text = "cannot be fetched".to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

fn counted(keys: &JwkSet) -> String {
    match keys.keys().count() {
        1 => "1 key".to_owned(),
        count => format!("{count} keys"),
    }
}
