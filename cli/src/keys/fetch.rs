//! Fetching keys as an edge would, for a person who waits: no redirects, capped bodies, a time for all of it.

use std::{io::Read as _, time::Duration};

use anyhow::{Context as _, anyhow};
use postern::{
    cache::{FetchedKeys, KeyAnswer, KeyFetch, KeyStep},
    policy::Issuer,
};
use reqwest::{
    blocking::{Client, Response},
    header, redirect,
};

/// Time for one request. A person waits, so more than an edge would give.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The client; `http` URLs only where `allows_http`.
pub(crate) fn client(allows_http: bool) -> anyhow::Result<Client> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .https_only(!allows_http)
        .timeout(TIMEOUT)
        .build()
        .context("no HTTP client can be built")
}

/// GETs `url`.
pub(super) fn get(client: &Client, url: &str, accept: &str) -> anyhow::Result<Response> {
    client
        .get(url)
        .header(header::ACCEPT, accept)
        .send()
        .map_err(|error| anyhow!("{}", causes(&error, "cannot be fetched")))
}

/// The body, of which one octet more than `cap` is read at most.
pub(crate) fn body(response: Response, cap: usize) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    response.take(u64::try_from(cap)?.saturating_add(1)).read_to_end(&mut body)?;
    Ok(body)
}

/// Follows a fetch of an issuer's keys to its end.
pub(crate) fn follow(client: &Client, issuer: &Issuer, mut fetch: KeyFetch) -> anyhow::Result<FetchedKeys> {
    loop {
        let url = fetch.url().to_owned();
        let at = || format!("`{url}`");
        let response = get(client, &url, fetch.accept()).with_context(at)?;
        let field = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (cache_control, age) = (field(header::CACHE_CONTROL), field(header::AGE));
        let status = response.status().as_u16();
        let body = body(response, fetch.max_bytes()).with_context(at)?;
        let answer = KeyAnswer { status, cache_control: cache_control.as_deref(), age: age.as_deref(), body: &body };
        match fetch.answered(issuer, &answer).with_context(at)? {
            KeyStep::Next(next) => fetch = next,
            KeyStep::Fetched(fetched) => return Ok(fetched),
        }
    }
}

/// The client's message has the URL, which the context says already; its causes say what went wrong.
pub(crate) fn causes(error: &reqwest::Error, what: &str) -> String {
    let mut text = what.to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
