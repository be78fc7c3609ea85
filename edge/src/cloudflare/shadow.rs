//! Shadow rules: tried on real requests after the answer is under way, written down where they would have decided
//! otherwise, and never heard by any caller or origin.

use std::rc::Rc;

use postern::{
    Authorizer, Decision, UnixTime,
    decision_log::{self, Observed},
};
use wasm_bindgen::{JsCast, JsValue};
use worker::worker_sys::Context;

use super::{
    decide::{self, Body},
    isolate::Isolate,
    request::Incoming,
    runtime,
};

/// Tries what there is to try: the policy's shadow routes, and the second policy whole.
pub(super) fn try_rules(
    isolate: &'static Isolate,
    incoming: &Rc<Incoming>,
    enforced: &Decision,
    at: UnixTime,
    context: &Context,
) {
    let policy = isolate.authorizer.policy();
    let has_any = policy.has_shadow() || isolate.shadow.is_some();
    if !has_any || isolate.unfit().is_some() || !policy.log().tries_shadow(runtime::random_bits) {
        return;
    }
    let (incoming, enforced) = (Rc::clone(incoming), enforced.clone());
    let own: Context = JsValue::from(context).unchecked_into();
    let work = async move {
        if policy.has_shadow() {
            try_one(isolate, &isolate.authorizer, &incoming, &enforced, at, &own).await;
        }
        if let Some(second) = &isolate.shadow {
            try_one(isolate, second, &incoming, &enforced, at, &own).await;
        }
    };
    drop(runtime::detach(context, work));
}

async fn try_one(
    isolate: &'static Isolate,
    authorizer: &'static Authorizer,
    incoming: &Incoming,
    enforced: &Decision,
    at: UnixTime,
    context: &Context,
) {
    let fields = incoming.fields();
    let request = incoming.as_core(&fields);
    let is_whole = !std::ptr::eq(authorizer, &raw const isolate.authorizer);
    let begun = if is_whole { Some(authorizer.begin(&request, at)) } else { authorizer.begin_shadow(&request, at) };
    let Some(begun) = begun else { return };
    let mut observed = Observed { at, request_id: incoming.id(), ..Observed::default() };
    let shadow = decide::finish(isolate, authorizer, begun, Body::Untouched, &mut observed, context).await;
    let version = authorizer.policy().version();
    if let Some(line) = decision_log::difference(enforced, &shadow, version, isolate.subject_key(), &observed) {
        runtime::log(&line);
    }
}
