//! What is to be done with a request that was permitted: the same bytes, to the route's origin and nowhere else.
//!
//! Written here, done in `forward.mjs`, on the runtime's own request and with its own answer, both of which are streamed
//! and never looked at. The caller's `Authorization` goes along, to this origin alone: an origin may verify the token
//! itself.

use std::time::Duration;

use postern::{Answer, Permit, PublicCode, assertion, decision::ROUTE_HEADER, policy::Verifies};
use wasm_bindgen::JsValue;

use super::{Todo, body::RequestBody, isolate::Isolate, request::Incoming, runtime, signing};
use crate::{
    header::{CHALLENGES, fields, is_assertion_challenge, is_stripped, is_withheld},
    log,
    plan::{self, Body, Forward, Limits, Review},
    web::Incoming as _,
};

/// Time for an origin to begin its answer to a request without a body (API Gateway gives up after 30 s), and to one whose
/// body is streamed: as long as a Lambda may run.
const LIMITS: Limits = Limits { without_body: Duration::from_secs(60), with_body: Duration::from_secs(15 * 60) };

/// Of an answer with what no answer of ours can have.
const UNPASSABLE: &str = "the answer cannot be passed on";

/// Says how the request is to be sent on, or why it cannot be.
pub(super) async fn plan(
    isolate: &Isolate,
    incoming: &Incoming,
    #[cfg_attr(not(feature = "sigv4"), allow(unused_mut, reason = "read where it is hashed to be signed"))]
    mut body: RequestBody,
    permit: &Permit,
) -> Result<Todo, JsValue> {
    let origin = permit.origin();
    let refuse = |why: &str, answer: &Answer| {
        runtime::log(&log::failure("not_forwarded", origin.name(), why, incoming.id()));
        Ok(Todo::Answer(plan::answer(answer, incoming.is_head(), &[])))
    };
    let Some(kind) = sendable(&body, permit.method(), incoming) else {
        let answer = permit.refuse(PublicCode::InvalidRequest);
        return refuse("a GET or HEAD request has a body, or it was not read to its end", &answer);
    };
    #[cfg(not(feature = "sigv4"))]
    if origin.wants_signature() {
        return refuse("this build cannot sign", &permit.unavailable());
    }
    // Before the assertion is made, whose time is short: the body may still have to come.
    #[cfg(feature = "sigv4")]
    let payload = if origin.wants_signature() {
        match signing::payload(isolate, incoming, permit, &mut body).await {
            Ok(_) if permit.is_expired(runtime::now()) => {
                return refuse("the token ended while the body came", &permit.refuse(PublicCode::InvalidToken));
            }
            Ok(payload) => Some(payload),
            Err(code) => return refuse("the body cannot be hashed", &permit.refuse(code)),
        }
    } else {
        None
    };
    let connection = incoming.field("connection").unwrap_or_default();
    let policy = isolate.authorizer.policy();
    let is_deleted = |name: &str| is_stripped(name, connection) || policy.is_identity_field(name);
    let mut forward = Forward {
        method: permit.method(),
        url: [origin.url(), permit.target()].concat(),
        body: kind,
        limits: LIMITS,
        origin: origin.name(),
        request_id: incoming.id(),
        is_signed: origin.wants_signature(),
        deleted: incoming.fields_in_order().map(|(name, _)| name).filter(|name| is_deleted(name)).collect(),
        // What a caller says of itself here is not what the runtime knows, and some servers build URLs from it.
        set: vec![("x-forwarded-proto".into(), incoming.scheme().to_owned())],
        answer_fields: permit.response_headers().iter().map(|(name, value)| (*name, value.as_str())).collect(),
    };
    forward.set.extend(permit.handed_on().iter().map(|(name, value)| (name.into(), value.clone())));
    match (origin.verifies(), isolate.keys_of(origin.name())) {
        (Verifies::Token, _) => forward.set.push((ROUTE_HEADER.into(), permit.route().to_owned())),
        (Verifies::Assertion, None) => return refuse("the origin has no key", &permit.unavailable()),
        (Verifies::Assertion, Some(keys)) => {
            let assertion = permit.signed_assertion(policy.edge(), runtime::now(), runtime::random_id()?, keys);
            #[cfg(feature = "sigv4")]
            if let Some(payload) = &payload
                && !signing::sign(isolate, incoming, permit, &assertion, payload, &mut forward)
            {
                return refuse("the request cannot be signed", &permit.unavailable());
            }
            forward.set.push((assertion::HEADER.into(), assertion));
        }
    }
    match (forward.to_text(), body) {
        (None, _) => refuse("a field has a line break", &permit.unavailable()),
        (Some(text), RequestBody::Read(octets)) if kind == Body::Sent => Ok(Todo::ForwardRead(text, octets)),
        (Some(text), _) => Ok(Todo::Forward(text)),
    }
}

/// What becomes of the body: `None` for a GET or HEAD with one, as far as is known here, and for one that was spent.
fn sendable(body: &RequestBody, method: &str, incoming: &Incoming) -> Option<Body> {
    let bodiless = matches!(method, "GET" | "HEAD");
    match body {
        RequestBody::Spent => None,
        RequestBody::None => Some(Body::Empty),
        _ if bodiless && incoming.field("content-length") == Some("0") => Some(Body::Empty),
        RequestBody::Untouched(_) if bodiless => Some(Body::Refused),
        RequestBody::Read(_) if bodiless => None,
        RequestBody::Untouched(_) | RequestBody::Read(_) => Some(Body::Sent),
    }
}

/// Why a plan could not be carried out: the log has it, and the answer to give comes back.
pub(super) fn refused(text: &str, why: &str) -> String {
    let Some(plan) = Forward::parse(text) else {
        return plan::answer(&Answer::of(PublicCode::TemporarilyUnavailable), false, &[]);
    };
    let (what, why, code) = match why {
        "body" => ("not_forwarded", "a GET or HEAD request has a body", PublicCode::InvalidRequest),
        "unsendable" => ("not_forwarded", "the runtime does not take the request", PublicCode::TemporarilyUnavailable),
        "unpassable" => ("origin_failed", UNPASSABLE, PublicCode::BadGateway),
        "late" => ("origin_failed", "no answer in time", PublicCode::BadGateway),
        _ => ("origin_failed", "no connection, or one that broke", PublicCode::BadGateway),
    };
    refuse(&plan, what, why, code)
}

/// What becomes of an origin's answer with this status and these fields, which are joined as the request's are.
pub(super) fn review(text: &str, status: u16, joined: &str) -> String {
    let Some(plan) = Forward::parse(text) else {
        return plan::answer(&Answer::of(PublicCode::TemporarilyUnavailable), false, &[]);
    };
    // The caller's token is good; it is this edge that the origin does not believe: keys or clocks differ.
    let is_refusal = |(name, value): (&str, &str)| CHALLENGES.contains(&name) && is_assertion_challenge(value);
    if status == 401 && fields(joined).any(is_refusal) {
        let why = "the origin takes no assertion of ours";
        return refuse(&plan, "origin_refused_assertion", why, PublicCode::BadGateway);
    }
    if plan.is_signed && signing::is_refusal(status, joined) {
        let why = "the origin takes no signature of ours";
        return refuse(&plan, "origin_refused_signature", why, PublicCode::BadGateway);
    }
    // Such as 101, which no answer can have.
    if !(200..=599).contains(&status) {
        return refuse(&plan, "origin_failed", UNPASSABLE, PublicCode::BadGateway);
    }
    let withheld: Vec<&str> = fields(joined).map(|(name, _)| name).filter(|name| is_withheld(name)).collect();
    match (withheld.is_empty(), status) {
        (false, _) => Review::Withhold(&withheld).to_text(),
        // Another time the challenge, or the error, may be one to us.
        (true, 401 | 403) => Review::PassOnce.to_text(),
        (true, _) => Review::Pass.to_text(),
    }
}

fn refuse(plan: &Forward<'_>, what: &str, why: &str, code: PublicCode) -> String {
    runtime::log(&log::failure(what, plan.origin, why, plan.request_id));
    plan.refuse(code)
}
