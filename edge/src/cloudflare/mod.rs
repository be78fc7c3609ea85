//! The Cloudflare Worker: the `fetch` entry and the loop over what a decision needs.
//!
//! `worker.mjs` calls [`fetch`] and answers for it should it throw. Each request owns its promises and timers:
//! in a Worker one request cannot await another's, so what requests share is plain state in the isolate, looked
//! at and never awaited. No borrow of that state lives across an `await`.

mod answer;
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
pub mod signature;

use postern::{Answer, Decision, Progress, PublicCode};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::Response;
use worker::{Env, worker_sys::Context};

use crate::log;
use isolate::Isolate;
use request::Incoming;

/// Answers one request.
///
/// # Errors
/// What the runtime throws where nothing can be answered any more; `worker.mjs` then says 503.
#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
pub async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<Response, JsValue> {
    runtime::quiet_panics();
    let incoming = Incoming::read(&request);
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
    match decide(isolate, &incoming, &context).await {
        Decision::Permit(permit) => forward::forward(isolate, &request, &incoming, &permit).await,
        Decision::Preflight(answer) => answer::response(&answer, incoming.is_head()),
        Decision::Deny(denial) => {
            let answer = denial.answer();
            runtime::log(&log::denial(denial.reason().code(), answer.status, denial.route(), incoming.id()));
            answer::response(answer, incoming.is_head())
        }
    }
}

/// Gives the decision what it lacks until it is finished.
async fn decide(isolate: &'static Isolate, incoming: &Incoming, context: &Context) -> Decision {
    let fields = incoming.fields();
    let request = incoming.as_core(&fields);
    if let Some(unfit) = isolate.unfit() {
        runtime::log(&log::failure(unfit.code(), "worker", &unfit.to_string(), incoming.id()));
        return isolate.authorizer.unfit(&request);
    }
    let mut progress = isolate.authorizer.begin(&request, runtime::now());
    loop {
        progress = match progress {
            Progress::Decided(decision) => return decision,
            Progress::NeedsKeys(need) => keys::provide(isolate, need, context).await,
            Progress::NeedsSignature(need) => signature::check(need).await,
            Progress::NeedsPermissions(need) => permissions::provide(isolate, need, context).await,
        };
    }
}
