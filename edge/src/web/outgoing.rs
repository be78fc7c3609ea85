//! What an edge itself asks for: issuers' keys, permissions, secrets. How a question goes out is its [`Platform`]'s.
//!
//! No redirect is followed, no cache is asked, and what leaves is the target that was asked for. Bodies are
//! read up to a cap and within a time.

use std::{fmt, time::Duration};

use super::{Platform, runtime};

/// An answer, read whole.
pub(crate) struct Fetched {
    pub(crate) status: u16,
    pub(crate) cache_control: Option<String>,
    pub(crate) age: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) retry_after: Option<String>,
    /// Empty unless the status is 200.
    pub(crate) body: Vec<u8>,
}

/// The body may be keys, or somebody's record: it stays out of debug output, which ends in logs.
impl fmt::Debug for Fetched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Fetched")
            .field("status", &self.status)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchError {
    /// Plain http without the development profile.
    Insecure,
    /// The runtime would send another target than the one asked for.
    Rewritten,
    /// The runtime does not take the request.
    Unsendable,
    /// No connection, or one that broke.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The body is larger than the cap.
    TooLarge,
}

/// Time for one question to an issuer, metadata included, or to the permissions service. Shorter than the leases that the
/// core gives whoever leads (`KEY_FETCH_LEASE`, `PERMISSIONS_FETCH_LEASE`).
pub(crate) const QUESTION_TIMEOUT: Duration = Duration::from_secs(3);

/// What is asked for, and how much of it is taken.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) url: &'a str,
    pub(crate) fields: &'a [(&'a str, &'a str)],
    /// Whether plain http will do: in development.
    pub(crate) plain_http: bool,
    /// Time for all of it.
    pub(crate) limit: Duration,
    /// Most octets of a 200's body.
    pub(crate) cap: usize,
}

/// GETs.
pub(crate) async fn get<P: Platform>(question: &Question<'_>) -> Result<Fetched, FetchError> {
    ask::<P>("GET", None, question).await
}

/// POSTs a text whose asking twice does no harm.
#[cfg(feature = "cloudfront")]
pub(crate) async fn post<P: Platform>(body: &str, question: &Question<'_>) -> Result<Fetched, FetchError> {
    ask::<P>("POST", Some(body), question).await
}

async fn ask<P: Platform>(method: &str, body: Option<&str>, question: &Question<'_>) -> Result<Fetched, FetchError> {
    if !question.url.starts_with("https://") && !question.plain_http {
        return Err(FetchError::Insecure);
    }
    let begun = runtime::now();
    match P::ask(method, body, question).await {
        Err(FetchError::Unreachable) if P::RETRIES => {
            // Together they take no longer than one may.
            let limit = question.limit.saturating_sub(runtime::now().saturating_since(begun));
            P::ask(method, body, &Question { limit, ..*question }).await
        }
        asked => asked,
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Insecure => "the URL is not https",
            Self::Rewritten => "the runtime would send another target",
            Self::Unsendable => "the runtime does not take the request",
            Self::Unreachable => "no connection, or one that broke",
            Self::TimedOut => "no answer in time",
            Self::TooLarge => "the body is larger than the cap",
        })
    }
}
