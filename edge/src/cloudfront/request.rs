//! The events of a request: what was decided, as CloudFront takes it.

use std::{borrow::Cow, rc::Rc};

use postern::{
    Answer, Decision, Permit, PublicCode, assertion,
    forward::{Forward, Seen, Vouched},
    policy::Verifies,
};

use super::{arrived::Arrived, invocation::Invocation};
use crate::{
    event, log,
    payload::{self, Payload, content_sha256},
    web::{Incoming as _, Platform as _, decide, runtime, shadow},
};

/// Decides on a request; `text` is the text of its event, where that was read whole.
pub(super) async fn answer(invocation: &Invocation, arrived: Arrived, text: Option<&str>) -> String {
    let (decision, observed) = decide::enforced(invocation, &arrived, &mut arrived.body()).await;
    shadow::try_rules(invocation, || arrived.again(text).map(Rc::new), &decision, observed.at);
    match decision {
        Decision::Permit(permit) => forward(invocation, arrived, &permit),
        Decision::Preflight(answer) => event::answer(&answer, arrived.is_head()),
        Decision::Deny(denial) => event::answer(denial.answer(), arrived.is_head()),
    }
}

/// The request as it came, without the fields that end here, and with the assertion; or why it cannot go on.
fn forward(invocation: &Invocation, arrived: Arrived, permit: &Permit) -> String {
    // CloudFront shows no `Connection` and sends one of its own.
    let rules = permit.forward(invocation.container().policy(), arrived.driver(), "");
    match fields_for(invocation, &arrived, permit, &rules) {
        Ok(fields) => {
            let set: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, value.as_str())).collect();
            let (id, is_head) = (arrived.id().map(ToOwned::to_owned), arrived.is_head());
            arrived.forwarded(|name| rules.removes(name), &set).unwrap_or_else(|| {
                let refusal =
                    Refusal::new("a field has a line break", permit.refuse(PublicCode::TemporarilyUnavailable));
                refuse(&refusal, permit, id.as_deref(), is_head)
            })
        }
        Err(refusal) => refuse(&refusal, permit, arrived.id(), arrived.is_head()),
    }
}

fn refuse(refusal: &Refusal, permit: &Permit, id: Option<&str>, is_head: bool) -> String {
    runtime::log(&log::failure(refusal.what, permit.origin().name(), refusal.why, id));
    event::answer(&refusal.answer, is_head)
}

/// Why a permitted request is not forwarded.
struct Refusal {
    what: &'static str,
    why: &'static str,
    answer: Answer,
}

impl Refusal {
    const fn new(why: &'static str, answer: Answer) -> Self {
        Self { what: "not_forwarded", why, answer }
    }
}

/// What is set on the request that goes on.
fn fields_for<'p>(
    invocation: &Invocation,
    arrived: &Arrived,
    permit: &'p Permit,
    rules: &Forward<'p>,
) -> Result<Vec<(Cow<'p, str>, String)>, Box<Refusal>> {
    let refuse = |why, code| Err(Box::new(Refusal::new(why, permit.refuse(code))));
    // At the viewer's request nobody knows yet where it goes: `postern check --cloudfront` looks at that beforehand.
    if !arrived.goes_to(permit.origin().url()) {
        return Err(Box::new(Refusal {
            what: "origin_mismatch",
            why: "CloudFront's behaviour sends this path to another origin",
            answer: permit.unreachable(),
        }));
    }
    let has_body = arrived.shown().is_some_and(|body| !body.is_empty()) || arrived.says_it_has_a_body();
    if rules.body(if has_body { Seen::Present } else { Seen::Absent }).is_none() {
        return refuse("a GET or HEAD request has a body", PublicCode::InvalidRequest);
    }
    let keys = invocation.secrets().ok().and_then(|secrets| secrets.of(permit.origin().name()));
    let verifies = permit.origin().verifies();
    if verifies == Verifies::Assertion && keys.is_none() {
        return refuse("the origin has no key", PublicCode::TemporarilyUnavailable);
    }
    let policy = invocation.container().policy();
    let mut fields = rules.fields(&Vouched { host: arrived.host(policy.edge_url()), ..Vouched::default() });
    // Origin access control signs these requests, and bodies with them.
    if permit.origin().wants_signature() && !matches!(permit.method(), "GET" | "HEAD" | "OPTIONS") {
        // What was bound was decoded and hashed for that already.
        let octets = if permit.content_sha256().is_none() { arrived.whole_body() } else { None };
        let seen = octets.as_deref().map_or(Payload::Unseen, Payload::Whole);
        let declared = arrived.sole_field(payload::HEADER);
        let Some(hash) = content_sha256(permit.content_sha256(), seen, declared) else {
            let why = "the body is longer than CloudFront shows, and `x-amz-content-sha256` does not say its SHA-256";
            return Err(Box::new(Refusal::new(why, permit.lacks_payload_hash())));
        };
        fields.push((payload::HEADER.into(), hash));
    }
    let (Verifies::Assertion, Some(keys)) = (verifies, keys) else {
        return Ok(fields);
    };
    let Ok(id) = runtime::random_id() else {
        return refuse("the runtime gives no random octets", PublicCode::TemporarilyUnavailable);
    };
    fields.push((assertion::HEADER.into(), permit.signed_assertion(policy.edge(), runtime::now(), id, keys)));
    Ok(fields)
}
