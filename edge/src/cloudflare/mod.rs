//! The Cloudflare Worker, as far as it is not the runtime's own objects: those stay in JavaScript.
//!
//! `worker.mjs` calls [`decide`] with a request as text, and gets text back: an answer, or a plan of what to forward. Where
//! caches have all that a decision takes, that is one call and no promise. `forward.mjs` carries the plan out, and asks
//! [`refused`] and [`review`] where something comes of it that only rules can judge.
//!
//! Each request owns its promises and timers: in a Worker one request cannot await another's, so what requests share is
//! plain state in the isolate, looked at and never awaited. No borrow of that state lives across an `await`.

mod body;
mod fetch;
mod forward;
mod isolate;
mod paused;
#[cfg(feature = "planted-panic")]
mod planted;
mod request;
mod runtime;
mod second_layer;
pub mod signature;
mod signing;

use std::rc::Rc;

use js_sys::{Array, JsString, Uint8Array};
use postern::{Answer, Decision, PublicCode};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::Request;
use worker::{Env, worker_sys::Context};

use crate::{
    log, plan, policy,
    web::{Incoming as _, decide, shadow},
};
use body::RequestBody;
use isolate::{Isolate, Worker};
use request::Incoming;

/// What is to be done with a request, as text.
enum Todo {
    /// Answer it.
    Answer(String),
    /// Send it on.
    Forward(String),
    /// Send it on with this body, which was read.
    ForwardRead(String, Vec<u8>),
}

impl From<Todo> for JsValue {
    fn from(todo: Todo) -> Self {
        match todo {
            Todo::Answer(text) | Todo::Forward(text) => text.into(),
            Todo::ForwardRead(text, octets) => Array::of2(&text.into(), &Uint8Array::from(octets.as_slice())).into(),
        }
    }
}

/// Makes room for a configuration and returns its address: see [`policy::room`]. The Worker's build calls this and then
/// [`prepare`], keeps what the memory holds afterwards, and takes both out of the module with all that nothing else calls.
#[must_use]
#[wasm_bindgen]
pub fn room(length: usize) -> usize {
    policy::room(length)
}

/// Reads the configuration that was written to [`room`] and returns whether it can be used. Asks the runtime for nothing.
#[must_use]
#[wasm_bindgen]
pub fn prepare() -> bool {
    policy::prepare()
}

/// Says what is to be done with one request. Where a check of the runtime's is waited for, gives its promise: what that
/// is fulfilled with is what [`resume`] goes on with. Where anything else had to be asked for, gives an array with a
/// promise of what is to be done.
///
/// `text` is the request's: the method on one line, the URL on the next, then its fields as
/// [`header::fields`](crate::header::fields) reads them. No two requests that are being decided have the same `ticket`.
///
/// # Errors
/// What the runtime throws where nothing can be answered any more; `worker.mjs` then says 503.
#[wasm_bindgen]
pub fn decide(text: &JsString, request: Request, env: Env, context: Context, ticket: u32) -> Result<JsValue, JsValue> {
    runtime::quiet_panics("worker");
    // Shared with what goes on after the answer: rules that are only tried.
    let incoming = Rc::new(Incoming::read(text));
    paused::begin(ticket, async move { answer_to(incoming, request, &env, &context).await.map(JsValue::from) })
}

/// Goes on with the request of that ticket, and gives what [`decide`] does. `outcome` is `undefined` where the check's
/// promise was rejected. `undefined` comes back for a ticket that is unknown.
///
/// # Errors
/// As [`decide`].
#[wasm_bindgen]
pub fn resume(ticket: u32, outcome: JsValue) -> Result<JsValue, JsValue> {
    paused::resume(ticket, outcome)
}

/// Says what to answer where a plan that [`decide`] gave could not be carried out.
#[must_use]
#[wasm_bindgen]
pub fn refused(plan: &str, why: &str) -> String {
    forward::refused(plan, why)
}

/// Says what becomes of the answer of the origin that a plan named.
#[must_use]
#[wasm_bindgen]
pub fn review(plan: &str, status: u16, fields: &str) -> String {
    forward::review(plan, status, fields)
}

async fn answer_to(incoming: Rc<Incoming>, request: Request, env: &Env, context: &Context) -> Result<Todo, JsValue> {
    #[cfg(feature = "planted-panic")]
    planted::trap(&incoming, context).await;
    let Some(isolate) = Isolate::of(env) else {
        let why = "the policy was not read as the module was built: build it with `cargo xtask build worker`";
        runtime::log(&log::failure("policy_unusable", "worker", why, incoming.id()));
        return Ok(answer(&Answer::of(PublicCode::TemporarilyUnavailable), &incoming));
    };
    let mut body = RequestBody::Untouched(request);
    let worker = Worker::new(isolate, context);
    let (decision, observed) = decide::enforced(&worker, &*incoming, &mut body).await;
    shadow::try_rules(&worker, || Some(Rc::clone(&incoming)), &decision, observed.at);
    match decision {
        Decision::Permit(permit) => forward::plan(isolate, &incoming, body, &permit).await,
        Decision::Preflight(preflight) => Ok(answer(&preflight, &incoming)),
        Decision::Deny(denial) => Ok(answer(denial.answer(), &incoming)),
    }
}

fn answer(answer: &Answer, incoming: &Incoming) -> Todo {
    Todo::Answer(plan::answer(answer, incoming.is_head(), &[]))
}
