//! Writing out the core's answers.

use postern::Answer;
use wasm_bindgen::JsValue;
use web_sys::{Headers, Response, ResponseInit};

/// The answer as the runtime's object. An answer to HEAD has no body, whatever the answer holds.
pub(super) fn response(answer: &Answer, head: bool) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers_headers(&headers);
    let body = Some(answer.body.as_str()).filter(|body| !head && !body.is_empty());
    Response::new_with_opt_str_and_init(body, &init)
}
