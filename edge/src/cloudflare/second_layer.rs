//! The second layer of the key cache: the data centre's own cache, which outlives isolates, so that a new one need
//! not go to the issuer (Service Workers §5.4, Cloudflare's Cache API).
//!
//! A named cache, which no request from outside reaches. Whatever comes out of it is read as strictly as what an
//! issuer sends, and is used only for the issuer, the place and the age that it says. Where there is no such cache,
//! or it does not answer at once, the issuer is asked: nothing depends on it.

use std::time::Duration;

use js_sys::{encode_uri_component, futures::JsFuture};
use postern::{
    cache::{KeySnapshot, MAX_SNAPSHOT_BYTES},
    policy::{Issuer, JwksLocation},
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Cache, Headers, Response, ResponseInit};

use super::{fetch, runtime};

/// Changes with the form of what is kept.
const NAME: &str = "postern-keys-1";
/// A cache that takes longer is slower than most issuers.
const TIMEOUT: Duration = Duration::from_millis(500);

/// What the cache holds of the issuer's keys, if anything usable.
pub(super) async fn recall(issuer: &Issuer) -> Option<KeySnapshot> {
    let body = runtime::within(TIMEOUT, read(issuer)).await?.ok()??;
    KeySnapshot::parse(&body).ok()
}

/// Keeps keys that have just been fetched, as long as they may be used. A failure costs the next isolate a fetch.
pub(super) async fn keep(issuer: &Issuer, snapshot: &KeySnapshot) {
    let _ = runtime::within(TIMEOUT, write(issuer, snapshot)).await;
}

async fn read(issuer: &Issuer) -> Result<Option<Vec<u8>>, JsValue> {
    let found = JsFuture::from(open().await?.match_with_str(&key(issuer))).await?;
    // `undefined`: nothing is kept under that key.
    let Some(response) = found.dyn_ref::<Response>() else { return Ok(None) };
    match response.body() {
        Some(stream) => Ok(fetch::read(&stream, MAX_SNAPSHOT_BYTES).await.ok()),
        None => Ok(None),
    }
}

async fn write(issuer: &Issuer, snapshot: &KeySnapshot) -> Result<(), JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", &format!("max-age={}", issuer.jwks_max_stale().as_secs()))?;
    let init = ResponseInit::new();
    init.set_headers_headers(&headers);
    let response = Response::new_with_opt_str_and_init(Some(&snapshot.to_json().to_string()), &init)?;
    JsFuture::from(open().await?.put_with_str(&key(issuer), &response)).await?;
    Ok(())
}

async fn open() -> Result<Cache, JsValue> {
    JsFuture::from(runtime::global().caches()?.open(NAME)).await?.dyn_into()
}

/// Caches are keyed by URL. The name is reserved (RFC 2606 §2), so that nothing is ever fetched from there.
fn key(issuer: &Issuer) -> String {
    let (JwksLocation::Url(place) | JwksLocation::Discovery(place)) = issuer.jwks();
    let encode = |text: &str| String::from(encode_uri_component(text));
    format!(
        "https://postern.invalid/keys?section={}&issuer={}&place={}",
        encode(issuer.name()),
        encode(issuer.url()),
        encode(place)
    )
}
