//! Questions over HTTP, to issuers and to the permissions service: the client, and how much of an answer is taken.
//!
//! No redirect is followed, plain http leaves only where a development overlay has put it into the policy, and bodies
//! are read up to a cap and within a time. What a failure says holds nothing of the answer.

use std::{fmt, time::Duration};

use reqwest::{Client, Response, redirect};

/// Time for one question, metadata included. Shorter than the leases that the core gives whoever leads
/// (`KEY_FETCH_LEASE`, `PERMISSIONS_FETCH_LEASE`).
pub(crate) const QUESTION_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the HTTP client cannot be had: the platform's trusted certificates cannot be read, say.
#[derive(Debug)]
pub struct ClientError(reqwest::Error);

/// A client for questions of ours.
pub(crate) fn client(plain_http: bool) -> Result<Client, ClientError> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .https_only(!plain_http)
        .timeout(QUESTION_TIMEOUT)
        .build()
        .map_err(ClientError)
}

/// At most `cap` octets, and no more taken from the connection than that takes.
pub(crate) async fn read(mut response: Response, cap: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| kind(&error))? {
        if body.len().saturating_add(chunk.len()) > cap {
            return Err("the body is larger than the cap".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What kind of failure it is, in words that hold nothing of the answer.
pub(crate) fn kind(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "no answer in time"
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
