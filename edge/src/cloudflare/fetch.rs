//! Questions by the runtime's `fetch`, and its streams read up to a cap.

use js_sys::{Reflect, Uint8Array, futures::JsFuture};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortSignal, Headers, ReadableStream, ReadableStreamDefaultReader, Request, RequestCache, RequestInit,
    RequestRedirect, Response,
};

use super::runtime;
use crate::{
    target::target_of,
    web::outgoing::{FetchError, Fetched, Question},
};

/// An `init` for `method` with the two settings that every request of ours has.
fn init(method: &str, headers: &Headers) -> RequestInit {
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
fn request(url: &str, init: &RequestInit) -> Result<Request, FetchError> {
    let request = Request::new_with_str_and_init(url, init).map_err(|_| FetchError::Unsendable)?;
    if target_of(&request.url()) == target_of(url) { Ok(request) } else { Err(FetchError::Rewritten) }
}

/// Sends a request; the answer's body is still to come.
async fn send(request: &Request) -> Result<Response, FetchError> {
    let answer = JsFuture::from(runtime::global().fetch_with_request(request)).await;
    answer.and_then(JsCast::dyn_into).map_err(broken)
}

/// What a rejected fetch or read means. Its message is not kept: it may quote the URL.
fn broken(error: JsValue) -> FetchError {
    let name = Reflect::get(&error, &JsValue::from_str("name")).ok().and_then(|name| name.as_string());
    // The reason that `AbortSignal.timeout` gives (DOM §3.2).
    if name.as_deref() == Some("TimeoutError") { FetchError::TimedOut } else { FetchError::Unreachable }
}

/// Asks once, with `fetch`.
pub(super) async fn ask(method: &str, body: Option<&str>, question: &Question<'_>) -> Result<Fetched, FetchError> {
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
        retry_after: field("retry-after"),
        body,
    })
}

fn headers(fields: &[(&str, &str)]) -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in fields {
        headers.set(name, value)?;
    }
    Ok(headers)
}

/// Counts decoded octets, so that a small compressed body cannot grow past the cap.
pub(super) async fn read(stream: &ReadableStream, cap: usize) -> Result<Vec<u8>, FetchError> {
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
