//! Forwarding what was permitted: the same bytes, to the route's origin and nowhere else.
//!
//! The runtime's own request supplies the fields and the body, which is streamed both ways and never looked at.
//! The caller's `Authorization` goes along, to this origin alone: an origin may verify the token itself.

use std::time::Duration;

use js_sys::{Array, Uint8Array};
use postern::{Permit, PublicCode, assertion, decision::ROUTE_HEADER, policy::Verifies};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Headers, Request, Response};

use super::{
    answer,
    body::{RequestBody, UPLOAD_TIMEOUT},
    isolate::Isolate,
    request::Incoming,
    runtime, signing,
};
use crate::{
    header::{CHALLENGES, is_assertion_challenge, is_stripped, is_withheld},
    log,
    web::{
        Incoming as _,
        outgoing::{self, FetchError},
    },
};

/// Time for an origin to begin its answer to a request without a body. API Gateway gives up after 30 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Sends the request on and gives the origin's answer, or says why it cannot.
pub(super) async fn forward(
    isolate: &Isolate,
    request: &Request,
    incoming: &Incoming,
    body: RequestBody,
    permit: &Permit,
) -> Result<Response, JsValue> {
    let origin = permit.origin();
    let refuse = |what: &str, why: &str, answer: &postern::Answer| {
        runtime::log(&log::failure(what, origin.name(), why, incoming.id()));
        answer::response(answer, incoming.is_head())
    };
    #[cfg_attr(not(feature = "sigv4"), allow(unused_mut, reason = "read where it is hashed to be signed"))]
    let Ok(mut body) = sendable(body, permit.method(), incoming) else {
        let answer = permit.refuse(PublicCode::InvalidRequest);
        return refuse("not_forwarded", "a GET or HEAD request has a body", &answer);
    };
    #[cfg(not(feature = "sigv4"))]
    if origin.wants_signature() {
        return refuse("not_forwarded", "this build cannot sign", &permit.unavailable());
    }
    // Before the assertion is made, whose time is short: the body may still have to come.
    #[cfg(feature = "sigv4")]
    let payload = if origin.wants_signature() {
        match signing::payload(isolate, incoming, permit, &mut body).await {
            Ok(payload) => Some(payload),
            Err(code) => return refuse("not_forwarded", "the body cannot be hashed", &permit.refuse(code)),
        }
    } else {
        None
    };
    let Some(headers) = headers(isolate, request, incoming, permit)? else {
        return refuse("not_forwarded", "the origin has no key", &permit.unavailable());
    };
    #[cfg(feature = "sigv4")]
    if let Some(payload) = payload
        && !signing::sign(isolate, incoming, permit, &headers, &payload)?
    {
        return refuse("not_forwarded", "the request cannot be signed", &permit.unavailable());
    }
    let controller = AbortController::new()?;
    let init = outgoing::init(permit.method(), &headers);
    init.set_signal(Some(&controller.signal()));
    let has_body = match &body {
        RequestBody::None | RequestBody::Spent => false,
        RequestBody::Untouched(stream) => {
            init.set_body_opt_readable_stream(Some(stream));
            true
        }
        RequestBody::Read(octets) => {
            init.set_body(&Uint8Array::from(octets.as_slice()));
            true
        }
    };
    let url = format!("{}{}", origin.url(), permit.target());
    let outgoing = match outgoing::request(&url, &init) {
        Ok(outgoing) => outgoing,
        Err(error @ FetchError::Rewritten) => {
            let answer = permit.refuse(PublicCode::InvalidRequest);
            return refuse("not_forwarded", &error.to_string(), &answer);
        }
        Err(error) => return refuse("not_forwarded", &error.to_string(), &permit.unavailable()),
    };
    let limit = if has_body { UPLOAD_TIMEOUT } else { ANSWER_TIMEOUT };
    match runtime::within(limit, outgoing::send(&outgoing)).await {
        // The caller's token is good; it is this edge that the origin does not believe.
        Some(Ok(response)) if refuses_assertion(&response) => {
            refuse("origin_refused_assertion", "the origin takes no assertion of ours", &permit.unreachable())
        }
        Some(Ok(response)) if signing::was_refused(permit, &response) => {
            refuse("origin_refused_signature", "the origin takes no signature of ours", &permit.unreachable())
        }
        Some(Ok(response)) => match pass_on(&response, permit) {
            Ok(response) => Ok(response),
            // A status that no answer can have, such as 101.
            Err(_) => refuse("origin_failed", "the answer cannot be passed on", &permit.unreachable()),
        },
        Some(Err(error)) => refuse("origin_failed", &error.to_string(), &permit.unreachable()),
        None => {
            controller.abort();
            refuse("origin_failed", "no answer in time", &permit.unreachable())
        }
    }
}

/// The body, unless the method can have none: `Err` for a GET or HEAD with one, which Fetch cannot send (Fetch §5.4)
/// and whose octets some server on the way would read as the next request; and for one that was spent.
fn sendable(body: RequestBody, method: &str, incoming: &Incoming) -> Result<RequestBody, ()> {
    let bodiless = matches!(method, "GET" | "HEAD");
    match body {
        RequestBody::Spent => Err(()),
        RequestBody::None => Ok(RequestBody::None),
        _ if bodiless && incoming.field("content-length") == Some("0") => Ok(RequestBody::None),
        _ if bodiless => Err(()),
        body => Ok(body),
    }
}

/// The caller's fields without those that are ours or end here, and the assertion; or, for an origin that verifies the
/// token itself, the route's name. `None` without a key for an assertion.
fn headers(
    isolate: &Isolate,
    request: &Request,
    incoming: &Incoming,
    permit: &Permit,
) -> Result<Option<Headers>, JsValue> {
    let keys = match permit.origin().verifies() {
        Verifies::Token => None,
        Verifies::Assertion => match isolate.keys_of(permit.origin().name()) {
            Some(keys) => Some(keys),
            None => return Ok(None),
        },
    };
    let headers = Headers::new_with_headers(&request.headers())?;
    let connection = incoming.field("connection").unwrap_or_default();
    let policy = isolate.authorizer.policy();
    for (name, _) in incoming.fields() {
        if is_stripped(name, connection) || policy.is_identity_field(name) {
            headers.delete(name)?;
        }
    }
    // What a caller says of itself here is not what the runtime knows, and some servers build URLs from it.
    headers.set("x-forwarded-proto", incoming.scheme())?;
    for (name, value) in permit.handed_on() {
        headers.set(name, value)?;
    }
    let (name, value) = match keys {
        Some(keys) => {
            let assertion = permit.assertion(policy.edge(), runtime::now(), runtime::random_id()?);
            (assertion::HEADER, &*assertion.sign(keys))
        }
        None => (ROUTE_HEADER, permit.route()),
    };
    headers.set(name, value)?;
    Ok(Some(headers))
}

/// Whether the origin's layer has refused what we vouched for: keys or clocks differ.
fn refuses_assertion(response: &Response) -> bool {
    let asks = |field: &&str| {
        response.headers().get(field).ok().flatten().is_some_and(|challenge| is_assertion_challenge(&challenge))
    };
    response.status() == 401 && CHALLENGES.iter().any(asks)
}

/// The origin's answer as it is, but for the fields that the policy decides.
fn pass_on(response: &Response, permit: &Permit) -> Result<Response, JsValue> {
    // A response is a `ResponseInit` too: status, status text and fields are copied, repeated ones each.
    let answer = Response::new_with_opt_readable_stream_and_init(response.body().as_ref(), response.unchecked_ref())?;
    let headers = answer.headers();
    let names = String::from(Array::from(&headers.keys()).join("\n"));
    for name in names.split('\n').filter(|name| is_withheld(name)) {
        headers.delete(name)?;
    }
    for (name, value) in permit.response_headers() {
        // What else the origin's answer varies by still holds.
        if *name == "vary" { headers.append(name, value)? } else { headers.set(name, value)? }
    }
    Ok(answer)
}
