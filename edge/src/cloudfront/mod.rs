//! The Lambda@Edge function at CloudFront: one handler for the events of a request and of its origin's response.
//!
//! ```text
//!  viewer-request   decide ─▶ denial: a generated response; permit: the request, with the assertion
//!  origin-request   the same, and the origin that CloudFront has chosen must be the route's
//!  origin-response  ▶ without what is said to origins alone, with the policy's CORS fields; a refused assertion is 502
//! ```
//!
//! `index.js` calls [`start`] with what was packed, then [`decide`] for a viewer's request and [`handle`] for every other
//! event, one at a time, and answers for it should it trap. Nothing goes on after the answer: Lambda freezes the
//! container. What a Worker does in the background is done before the answer here, within a time of its own. Caches live
//! as long as the container.

mod arrived;
mod ask;
mod container;
mod invocation;
mod request;
mod response;
mod secrets_manager;
mod text;
mod timer;

use std::{future::Future, task::Poll};

use js_sys::JSON;
use postern::{Answer, PublicCode};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    event::{self, Event, EventKind, ViewerRequest},
    log,
    web::{runtime, turn::Turn},
};
use arrived::Arrived;
use container::Container;
use invocation::Invocation;

/// Takes what was packed with the function.
///
/// # Errors
/// The stable name of what is wrong with it; `index.js` then answers 503 to each event.
#[wasm_bindgen]
pub fn start(config: &str) -> Result<(), JsValue> {
    runtime::quiet_panics("function");
    Container::start(config).map_err(|error| {
        runtime::log(&log::failure(error.code(), "function", &error.to_string(), None));
        JsValue::from_str(error.code())
    })
}

/// Answers one event: what CloudFront is to go on with, or a promise of it where something had to be asked for.
///
/// `remaining_ms` is what Lambda's context says of the time that is left.
///
/// # Errors
/// None that a caller could cause: whatever the event holds, there is an answer.
#[wasm_bindgen]
pub fn handle(event: &JsValue, remaining_ms: f64) -> Result<JsValue, JsValue> {
    // Of what is no JSON, such as `undefined`, there is no text; the parser says so.
    let text = JSON::stringify(event).ok().and_then(|text| JsValue::from(text).as_string()).unwrap_or_default();
    at_once(async move { JSON::parse(&answer_to(&text, remaining_ms).await) })
}

/// Answers a viewer's request, of which `text` has `count` lines and `length` characters as `event.js` writes them: a
/// generated response in JSON, or the changes to the request, or a promise of either. `undefined` is no answer: [`handle`]
/// then has one.
///
/// # Errors
/// As [`handle`].
#[wasm_bindgen]
pub fn decide(text: &JsValue, length: usize, count: usize, remaining_ms: f64) -> Result<JsValue, JsValue> {
    let Some(request) = text::read(text, length).and_then(|text| ViewerRequest::read(text, count)) else {
        return Ok(JsValue::UNDEFINED);
    };
    at_once(async move { Ok(text::written(&answer_to_viewer(request, remaining_ms).await)) })
}

async fn answer_to(text: &str, remaining_ms: f64) -> String {
    let event = match Event::parse(text) {
        Ok(event) => event,
        Err(error) => {
            runtime::log(&log::failure("event_unknown", error.code(), &error.to_string(), None));
            return event::answer(&Answer::of(PublicCode::TemporarilyUnavailable), false);
        }
    };
    let Some(container) = Container::running() else {
        return event::answer(&Answer::of(PublicCode::TemporarilyUnavailable), event.request().is_head());
    };
    match event.kind() {
        EventKind::ViewerRequest | EventKind::OriginRequest => {
            decided(container, Arrived::whole(event), Some(text), remaining_ms).await
        }
        EventKind::OriginResponse | EventKind::ViewerResponse => response::answer(container, event),
    }
}

async fn answer_to_viewer(request: ViewerRequest, remaining_ms: f64) -> String {
    let arrived = Arrived::Viewer(request);
    let Some(container) = Container::running() else {
        return event::answer(&Answer::of(PublicCode::TemporarilyUnavailable), arrived.is_head());
    };
    decided(container, arrived, None, remaining_ms).await
}

/// `text` is the whole event's, where that was read.
async fn decided(container: &'static Container, arrived: Arrived, text: Option<&str>, remaining_ms: f64) -> String {
    let invocation = Invocation::begin(container, remaining_ms).await;
    let answer = request::answer(&invocation, arrived, text).await;
    invocation.finish().await;
    answer
}

/// What `work` gives at once, or a promise of it.
fn at_once(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Result<JsValue, JsValue> {
    let mut turn = Turn::of(work);
    match turn.go_on() {
        Poll::Ready(done) => done,
        Poll::Pending => Ok(turn.into_promise()),
    }
}
