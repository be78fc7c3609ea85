//! Fetching keys as an edge would, for a person who waits: no redirects, capped bodies, a time for all of it.

use std::{
    io::Read as _,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use postern::{
    cache::{FetchedKeys, KeyAnswer, KeyFetch, KeyStep, is_public_address},
    policy::Issuer,
};
use reqwest::{
    blocking::{Client, ClientBuilder, Response},
    dns::{Addrs, Name, Resolve, Resolving},
    header, redirect,
};

/// Time for one request. A person waits, so more than an edge would give.
const TIMEOUT: Duration = Duration::from_secs(15);
const NO_CLIENT: &str = "no HTTP client can be built";

/// The client; `http` URLs only where `allows_http`.
pub(crate) fn client(allows_http: bool) -> anyhow::Result<Client> {
    builder(allows_http).build().context(NO_CLIENT)
}

/// The client for places that only an issuer's metadata names: it connects to public addresses only. No proxy is used,
/// since a proxy would resolve the name itself.
fn public_client() -> anyhow::Result<Client> {
    builder(false).no_proxy().dns_resolver(Arc::new(PublicOnly)).build().context(NO_CLIENT)
}

fn builder(allows_http: bool) -> ClientBuilder {
    Client::builder().redirect(redirect::Policy::none()).https_only(!allows_http).timeout(TIMEOUT)
}

/// The platform's resolver without the addresses that are not public.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = (name.as_str(), 0).to_socket_addrs()?;
            let public: Vec<SocketAddr> = found.filter(|found| is_public_address(found.ip())).collect();
            if public.is_empty() {
                return Err(
                    "the host has no public address; to use it all the same, name it in the policy (`jwks_url`)".into(),
                );
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
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
        let response = if fetch.wants_public_address() {
            get(&public_client()?, &url, fetch.accept())
        } else {
            get(client, &url, fetch.accept())
        };
        let response = response.with_context(at)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_into_the_own_network_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://localhost:{}/jwks.json", listener.local_addr().unwrap().port());
        let error = get(&public_client().unwrap(), &url, "*/*").unwrap_err().to_string();
        assert!(error.contains("the host has no public address"), "{error}");
        assert!(listener.accept().is_err(), "somebody connected");
        // Nobody speaks TLS there, but the other client connects.
        listener.set_nonblocking(false).unwrap();
        let connected = std::thread::spawn(move || listener.accept().map(drop));
        assert!(get(&client(false).unwrap(), &url, "*/*").is_err());
        connected.join().unwrap().unwrap();
    }
}
