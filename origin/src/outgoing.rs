//! Questions over HTTP, to issuers and to the permissions service: the client, and how much of an answer is taken.
//!
//! No redirect is followed, plain http leaves only where a development overlay has put it into the policy, and bodies
//! are read up to a cap and within a time. What a failure says holds nothing of the answer.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use postern::cache::is_public_address;
use reqwest::{
    Client, ClientBuilder, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

/// Time for one question, metadata included. Shorter than the leases that the core gives whoever leads
/// (`KEY_FETCH_LEASE`, `PERMISSIONS_FETCH_LEASE`).
pub(crate) const QUESTION_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the HTTP client cannot be had: the platform's trusted certificates cannot be read, say.
#[derive(Debug)]
pub struct ClientError(reqwest::Error);

/// A client for questions of ours.
pub(crate) fn client(plain_http: bool) -> Result<Client, ClientError> {
    builder(plain_http).build().map_err(ClientError)
}

/// A client for URLs that nobody has configured: it connects to public addresses only, whatever a name resolves to.
///
/// No proxy is used, since a proxy would resolve the name itself.
pub(crate) fn public_client() -> Result<Client, ClientError> {
    builder(false).no_proxy().dns_resolver(Arc::new(PublicOnly)).build().map_err(ClientError)
}

fn builder(plain_http: bool) -> ClientBuilder {
    Client::builder().redirect(redirect::Policy::none()).https_only(!plain_http).timeout(QUESTION_TIMEOUT)
}

/// The platform's resolver without the addresses that are not public.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|found| is_public_address(found.ip())).collect();
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// A host has no address that may be connected to.
#[derive(Debug)]
struct NoPublicAddress;

impl fmt::Display for NoPublicAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the host has no public address")
    }
}

impl std::error::Error for NoPublicAddress {}

/// Whether it failed because of that.
fn is_not_public(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.into_iter().any(|cause| cause.is::<NoPublicAddress>())
}

/// At most `cap` octets, and no more taken from the connection than that takes.
pub(crate) async fn read(mut response: Response, cap: usize) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Broken)? {
        if body.len().saturating_add(chunk.len()) > cap {
            return Err(ReadError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The connection broke, or the time ended.
    Broken(reqwest::Error),
    /// It is larger than the cap.
    TooLarge,
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => formatter.write_str(&kind(error)),
            Self::TooLarge => formatter.write_str("the body is larger than the cap"),
        }
    }
}

/// What kind of failure it is, in words that hold nothing of the answer.
pub(crate) fn kind(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "no answer in time"
    } else if is_not_public(error) {
        "a host without a public address, which the policy does not name"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        "the client does not take the request"
    } else {
        "a connection that broke"
    };
    kind.to_owned()
}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no HTTP client can be built: {}", self.0)
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_into_the_own_network_is_not_resolved() {
        for name in ["localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"] {
            let resolved = PublicOnly.resolve(name.parse().unwrap()).await;
            let error = resolved.err().unwrap_or_else(|| panic!("{name} was resolved"));
            assert!(error.is::<NoPublicAddress>(), "{name}: {error}");
        }
        let resolved: Vec<SocketAddr> = PublicOnly.resolve("1.1.1.1".parse().unwrap()).await.unwrap().collect();
        assert_eq!(resolved, ["1.1.1.1:0".parse().unwrap()]);
    }
}
