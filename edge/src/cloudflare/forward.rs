//! What is to be done with a request that was permitted: the same bytes, to the route's origin and nowhere else.
//!
//! Written here, done in `forward.mjs`, on the runtime's own request and with its own answer, both of which are streamed
//! and never looked at. Which fields go along is the core's to say ([`postern::forward`]).

use std::time::Duration;

use postern::{
    Answer, Permit, PublicCode, assertion,
    forward::{Body, Driver, Seen},
    policy::Verifies,
};
use wasm_bindgen::JsValue;

use super::{Todo, body::RequestBody, isolate::Isolate, request::Incoming, runtime, signing};
use crate::{
    header::fields,
    log,
    plan::{self, Forward, Limits, Review},
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
    let policy = isolate.authorizer.policy();
    let rules = permit.forward(policy, Driver::Worker, incoming.field("connection").unwrap_or_default());
    let Some(kind) = rules.body(seen(&body, incoming)) else {
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
    let mut forward = Forward {
        method: permit.method(),
        url: [origin.url(), permit.target()].concat(),
        body: kind,
        limits: LIMITS,
        origin: origin.name(),
        request_id: incoming.id(),
        is_signed: origin.wants_signature(),
        deleted: incoming.fields_in_order().map(|(name, _)| name).filter(|name| rules.removes(name)).collect(),
        set: rules.fields(&incoming.vouched(isolate.is_at_cloudflare)),
        vary: permit.vary(),
        answer_fields: permit.response_headers().iter().map(|(name, value)| (*name, value.as_str())).collect(),
    };
    match (origin.verifies(), isolate.keys_of(origin.name())) {
        (Verifies::Token, _) => {}
        (Verifies::Assertion, None) => return refuse("the origin has no key", &permit.unavailable()),
        (Verifies::Assertion, Some(keys)) => {
            let assertion = permit.signed_assertion(policy.edge(), runtime::now(), runtime::random_id()?, keys);
            #[cfg(feature = "sigv4")]
            if let Some(payload) = &payload
                && !signing::sign(isolate, permit, &assertion, payload, &mut forward)
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

/// What is known of the body here.
fn seen(body: &RequestBody, incoming: &Incoming) -> Seen {
    match body {
        RequestBody::Spent => Seen::Spent,
        RequestBody::None => Seen::Absent,
        _ if matches!(incoming.method(), "GET" | "HEAD") && incoming.field("content-length") == Some("0") => {
            Seen::Absent
        }
        RequestBody::Untouched(_) => Seen::Unread,
        RequestBody::Read(_) => Seen::Present,
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
    let unavailable = || plan::answer(&Answer::of(PublicCode::TemporarilyUnavailable), false, &[]);
    let (Some(plan), Some(isolate)) = (Forward::parse(text), Isolate::running()) else { return unavailable() };
    let rules = isolate.authorizer.policy().answer_of(Some(plan.origin), plan.vary);
    if rules.refuses_assertion(status, fields(joined)) {
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
    let withheld: Vec<&str> = fields(joined).map(|(name, _)| name).filter(|name| rules.withholds(name)).collect();
    let set = rules.changed(fields(joined));
    // Another time the challenge, or the error, may be one to us, and the location one of the origin's.
    let is_once = matches!(status, 401 | 403) || fields(joined).any(|(name, _)| rules.looks_at(name));
    let review = Review { is_once, withheld: &withheld, set: &set };
    review.to_text().unwrap_or_else(|| refuse(&plan, "origin_failed", UNPASSABLE, PublicCode::BadGateway))
}

fn refuse(plan: &Forward<'_>, what: &str, why: &str, code: PublicCode) -> String {
    runtime::log(&log::failure(what, plan.origin, why, plan.request_id));
    plan.refuse(code)
}
