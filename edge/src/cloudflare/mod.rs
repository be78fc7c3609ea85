//! The Cloudflare Worker: the `fetch` entry.
//!
//! `worker.mjs` calls [`fetch`] and answers for it should it throw. Each request owns its promises and timers:
//! in a Worker one request cannot await another's, so what requests share is plain state in the isolate, looked
//! at and never awaited. No borrow of that state lives across an `await`.

mod answer;
mod body;
mod decide;
mod forward;
mod isolate;
mod keys;
mod outgoing;
mod permissions;
#[cfg(feature = "planted-panic")]
mod planted;
mod request;
mod runtime;
mod second_layer;
mod shadow;
pub mod signature;

use std::rc::Rc;

use postern::{Answer, Decision, PublicCode};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::Response;
use worker::{Env, worker_sys::Context};

use crate::log;
use body::RequestBody;
use isolate::Isolate;
use request::Incoming;

/// Answers one request.
///
/// # Errors
/// What the runtime throws where nothing can be answered any more; `worker.mjs` then says 503.
#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
pub async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<Response, JsValue> {
    runtime::quiet_panics();
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
    let (decision, observed) = decide::enforced(isolate, &incoming, &mut body, &context).await;
    shadow::try_rules(isolate, &incoming, &decision, observed.at, &context);
    match decision {
        Decision::Permit(permit) => forward::forward(isolate, &request, &incoming, body, &permit).await,
        Decision::Preflight(answer) => answer::response(&answer, incoming.is_head()),
        Decision::Deny(denial) => answer::response(denial.answer(), incoming.is_head()),
    }
}
