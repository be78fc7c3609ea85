//! The Cloudflare Worker: the `fetch` entry.
//!
//! `worker.mjs` calls [`fetch`] and answers for it should it throw. Each request owns its promises and timers:
//! in a Worker one request cannot await another's, so what requests share is plain state in the isolate, looked
//! at and never awaited. No borrow of that state lives across an `await`.

mod answer;
mod body;
mod forward;
mod isolate;
#[cfg(feature = "planted-panic")]
mod planted;
mod request;
mod runtime;
mod second_layer;
pub mod signature;
mod signing;

use std::rc::Rc;

use postern::{Answer, Decision, PublicCode};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::Response;
use worker::{Env, worker_sys::Context};

use crate::{
    log,
    web::{Incoming as _, decide, shadow},
};
use body::RequestBody;
use isolate::{Isolate, Worker};
use request::Incoming;

/// Answers one request.
///
/// # Errors
/// What the runtime throws where nothing can be answered any more; `worker.mjs` then says 503.
#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
pub async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<Response, JsValue> {
    runtime::quiet_panics("worker");
    // Shared with what goes on after the answer: rules that are only tried.
    let incoming = Rc::new(Incoming::read(&request));
    #[cfg(feature = "planted-panic")]
    planted::trap(&incoming, &context).await;
    let isolate = match Isolate::of(&env) {
        Ok(isolate) => isolate,
        Err(errors) => {
            let why = format!("the embedded policy does not load: {errors}");
            runtime::log(&log::failure("policy_unusable", "worker", &why, incoming.id()));
            return answer::response(&Answer::of(PublicCode::TemporarilyUnavailable), incoming.is_head());
        }
    };
    let mut body = RequestBody::of(&request);
    let worker = Worker::new(isolate, &context);
    let (decision, observed) = decide::enforced(&worker, &*incoming, &mut body).await;
    shadow::try_rules(&worker, || Some(Rc::clone(&incoming)), &decision, observed.at);
    match decision {
        Decision::Permit(permit) => forward::forward(isolate, &request, &incoming, body, &permit).await,
        Decision::Preflight(answer) => answer::response(&answer, incoming.is_head()),
        Decision::Deny(denial) => answer::response(denial.answer(), incoming.is_head()),
    }
}
