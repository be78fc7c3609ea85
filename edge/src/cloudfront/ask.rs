//! Questions over Node's own HTTP client: what `ask.js` does, in types.

use js_sys::{Array, JsString, Promise, Reflect, futures::JsFuture};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

use crate::{
    target::target_of,
    web::outgoing::{FetchError, Fetched, Question},
};

#[wasm_bindgen(raw_module = "./ask.js")]
extern "C" {
    #[wasm_bindgen(js_name = ask)]
    fn ask_node(
        method: &str,
        url: &str,
        target: &str,
        fields: &Array,
        body: &JsValue,
        limit_ms: u32,
        cap: usize,
    ) -> Promise;

    /// What it gives.
    type Answer;

    #[wasm_bindgen(method, getter)]
    fn status(this: &Answer) -> u16;

    #[wasm_bindgen(method, getter, js_name = cacheControl)]
    fn cache_control(this: &Answer) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn age(this: &Answer) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn etag(this: &Answer) -> Option<String>;

    #[wasm_bindgen(method, getter, js_name = retryAfter)]
    fn retry_after(this: &Answer) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn octets(this: &Answer) -> Vec<u8>;
}

/// Asks once.
pub(super) async fn ask(method: &str, body: Option<&str>, question: &Question<'_>) -> Result<Fetched, FetchError> {
    let Question { url, fields, limit, cap, .. } = *question;
    let target = target_of(url).ok_or(FetchError::Unsendable)?;
    let fields: Array =
        fields.iter().flat_map(|(name, value)| [JsString::from(*name), JsString::from(*value)]).collect();
    let body = body.map_or(JsValue::UNDEFINED, JsValue::from_str);
    let millis = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
    let answer = JsFuture::from(ask_node(method, url, target, &fields, &body, millis, cap)).await.map_err(failed)?;
    let answer: Answer = answer.unchecked_into();
    Ok(Fetched {
        status: answer.status(),
        cache_control: answer.cache_control(),
        age: answer.age(),
        etag: answer.etag(),
        retry_after: answer.retry_after(),
        body: answer.octets(),
    })
}

/// What `ask.js` throws, by its name.
fn failed(error: JsValue) -> FetchError {
    let name = Reflect::get(&error, &JsValue::from_str("name")).ok().and_then(|name| name.as_string());
    match name.as_deref() {
        Some("TimeoutError") => FetchError::TimedOut,
        Some("TooLarge") => FetchError::TooLarge,
        Some("Rewritten") => FetchError::Rewritten,
        Some("Unsendable") => FetchError::Unsendable,
        _ => FetchError::Unreachable,
    }
}
