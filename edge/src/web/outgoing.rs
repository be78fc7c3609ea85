//! Requests that an edge makes: one way to build them, and a bounded GET for keys and permissions.
//!
//! No redirect is followed, no cache is asked, and what leaves is the target that was asked for. Bodies are
//! read up to a cap and within a time.

use std::{fmt, time::Duration};

#[cfg(feature = "cloudflare")]
use js_sys::{Reflect, Uint8Array, futures::JsFuture};
#[cfg(feature = "cloudflare")]
use wasm_bindgen::{JsCast, JsValue};
#[cfg(feature = "cloudflare")]
use web_sys::{
    AbortSignal, Headers, ReadableStream, ReadableStreamDefaultReader, Request, RequestCache, RequestInit,
    RequestRedirect, Response,
};

use super::{Platform, runtime};
#[cfg(feature = "cloudflare")]
use crate::target::target_of;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    pub(crate) cache_control: Option<String>,
    pub(crate) age: Option<String>,
    pub(crate) etag: Option<String>,
    /// Empty unless the status is 200.
    pub(crate) body: Vec<u8>,
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

/// An `init` for `method` with the two settings that every request of ours has.
#[cfg(feature = "cloudflare")]
pub(crate) fn init(method: &str, headers: &Headers) -> RequestInit {
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers_headers(headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_cache(RequestCache::NoStore);
    init
}

/// Builds a request, unless the runtime's URL parser would change its target.
///
/// What a constructed request shows as its URL is what it sends; canonical targets pass unchanged, and this
/// is what makes sure of it.
#[cfg(feature = "cloudflare")]
pub(crate) fn request(url: &str, init: &RequestInit) -> Result<Request, FetchError> {
    let request = Request::new_with_str_and_init(url, init).map_err(|_| FetchError::Unsendable)?;
    if target_of(&request.url()) == target_of(url) { Ok(request) } else { Err(FetchError::Rewritten) }
}

/// Sends a request; the answer's body is still to come.
#[cfg(feature = "cloudflare")]
pub(crate) async fn send(request: &Request) -> Result<Response, FetchError> {
    let answer = JsFuture::from(runtime::global().fetch_with_request(request)).await;
    answer.and_then(JsCast::dyn_into).map_err(broken)
}

/// What a rejected fetch or read means. Its message is not kept: it may quote the URL.
#[cfg(feature = "cloudflare")]
fn broken(error: JsValue) -> FetchError {
    let name = Reflect::get(&error, &JsValue::from_str("name")).ok().and_then(|name| name.as_string());
    // The reason that `AbortSignal.timeout` gives (DOM §3.2).
    if name.as_deref() == Some("TimeoutError") { FetchError::TimedOut } else { FetchError::Unreachable }
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

/// Asks once, with `fetch`.
#[cfg(feature = "cloudflare")]
pub(crate) async fn fetch(method: &str, body: Option<&str>, question: &Question<'_>) -> Result<Fetched, FetchError> {
    let Question { url, fields, limit, cap, .. } = *question;
    let init = init(method, &headers(fields).map_err(|_| FetchError::Unsendable)?);
    if let Some(body) = body {
        init.set_body(&JsValue::from_str(body));
    }
    init.set_signal(Some(&AbortSignal::timeout_with_u32(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX))));
    let response = send(&request(url, &init)?).await?;
    let field = |name: &str| response.headers().get(name).ok().flatten();
    let body = if response.status() == 200 {
        match response.body() {
            Some(stream) => read(&stream, cap).await?,
            None => Vec::new(),
        }
    } else {
        // A body that nobody reads would hold its connection.
        if let Some(body) = response.body() {
            let _ = JsFuture::from(body.cancel()).await;
        }
        Vec::new()
    };
    Ok(Fetched {
        status: response.status(),
        cache_control: field("cache-control"),
        age: field("age"),
        etag: field("etag"),
        body,
    })
}

#[cfg(feature = "cloudflare")]
fn headers(fields: &[(&str, &str)]) -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in fields {
        headers.set(name, value)?;
    }
    Ok(headers)
}

/// Counts decoded octets, so that a small compressed body cannot grow past the cap.
#[cfg(feature = "cloudflare")]
pub(crate) async fn read(stream: &ReadableStream, cap: usize) -> Result<Vec<u8>, FetchError> {
    let reader = ReadableStreamDefaultReader::new(stream).map_err(|_| FetchError::Unreachable)?;
    let mut body = Vec::new();
    loop {
        let step = JsFuture::from(reader.read()).await.map_err(broken)?;
        let member = |name: &str| Reflect::get(&step, &JsValue::from_str(name)).map_err(|_| FetchError::Unreachable);
        if member("done")?.is_truthy() {
            return Ok(body);
        }
        let chunk: Uint8Array = member("value")?.dyn_into().map_err(|_| FetchError::Unreachable)?;
        let length = usize::try_from(chunk.length()).unwrap_or(usize::MAX);
        if body.len().saturating_add(length) > cap {
            let _ = JsFuture::from(reader.cancel()).await;
            return Err(FetchError::TooLarge);
        }
        body.extend(chunk.to_vec());
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
