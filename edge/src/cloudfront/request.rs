//! The events of a request: what was decided, as CloudFront takes it.

use std::{rc::Rc, time::Duration};

use postern::{
    Answer, BodyDigest, Decision, Permit, PublicCode, assertion, decision::ROUTE_HEADER, digest::sha256,
    policy::Verifies,
};

use super::invocation::Invocation;
use crate::{
    event::{self, Event, EventKind, Request},
    header::is_stripped,
    log,
    payload::{self, Payload, content_sha256},
    sigv4::is_aws_field,
    web::{self, BodySource, Incoming as _, Platform as _, decide, runtime, shadow},
};

/// Decides on the request of `event`, of which `text` is the text.
pub(super) async fn answer(invocation: &Invocation, event: Event, text: &str) -> String {
    let arrived = Arrived::new(event);
    let (decision, observed) = decide::enforced(invocation, &arrived, &mut arrived.body()).await;
    let again = || Event::parse(text).ok().map(|event| Rc::new(Arrived::new(event)));
    shadow::try_rules(invocation, again, &decision, observed.at);
    match decision {
        Decision::Permit(permit) => forward(invocation, arrived, &permit),
        Decision::Preflight(answer) => event::answer(&answer, arrived.is_head()),
        Decision::Deny(denial) => event::answer(denial.answer(), arrived.is_head()),
    }
}

/// The request as it came, less the fields that are ours or end here, and with the assertion; or why it cannot go on.
fn forward(invocation: &Invocation, arrived: Arrived, permit: &Permit) -> String {
    match fields_for(invocation, &arrived, permit) {
        Ok(fields) => {
            let policy = invocation.container().policy();
            let set: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let is_signed = permit.origin().wants_signature();
            let is_removed = |name: &str| {
                // CloudFront shows no `Connection` and sends one of its own. `Host` is the origin's own by now, or left out
                // by the origin request policy.
                (name != "host" && is_stripped(name, ""))
                    || policy.is_identity_field(name)
                    // What a caller says to AWS would stand beside the signature.
                    || (is_signed && is_aws_field(name))
            };
            arrived.event.forwarded(is_removed, &set)
        }
        Err(refusal) => {
            let line = log::failure(refusal.what, permit.origin().name(), refusal.why, arrived.id());
            runtime::log(&line);
            event::answer(&refusal.answer, arrived.is_head())
        }
    }
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
fn fields_for(
    invocation: &Invocation,
    arrived: &Arrived,
    permit: &Permit,
) -> Result<Vec<(String, String)>, Box<Refusal>> {
    let request = arrived.event.request();
    let refuse = |why, code| Err(Box::new(Refusal::new(why, permit.refuse(code))));
    // At the viewer's request nobody knows yet where it goes: `postern check --cloudfront` looks at that beforehand.
    if arrived.event.kind() == EventKind::OriginRequest && !is_origin_of(request, permit) {
        return Err(Box::new(Refusal {
            what: "origin_mismatch",
            why: "CloudFront's behaviour sends this path to another origin",
            answer: permit.unreachable(),
        }));
    }
    let bodiless = matches!(permit.method(), "GET" | "HEAD");
    if bodiless && (request.body().is_some_and(|body| !body.is_empty()) || says_it_has_a_body(request)) {
        return refuse("a GET or HEAD request has a body", PublicCode::InvalidRequest);
    }
    let keys = invocation.secrets().ok().and_then(|secrets| secrets.of(permit.origin().name()));
    let verifies = permit.origin().verifies();
    if verifies == Verifies::Assertion && keys.is_none() {
        return refuse("the origin has no key", PublicCode::TemporarilyUnavailable);
    }
    let mut fields = permit.handed_on().to_vec();
    // Origin access control signs these requests, and bodies with them.
    if permit.origin().wants_signature() && !matches!(permit.method(), "GET" | "HEAD" | "OPTIONS") {
        // What was bound was decoded and hashed for that already.
        let octets = if permit.content_sha256().is_none() { arrived.whole_body() } else { None };
        let seen = octets.as_deref().map_or(Payload::Unseen, Payload::Whole);
        let declared = request.sole_field(payload::HEADER);
        let Some(hash) = content_sha256(permit.content_sha256(), seen, declared) else {
            let why = "the body is longer than CloudFront shows, and `x-amz-content-sha256` does not say its SHA-256";
            return Err(Box::new(Refusal::new(why, permit.lacks_payload_hash())));
        };
        fields.push((payload::HEADER.to_owned(), hash));
    }
    let (Verifies::Assertion, Some(keys)) = (verifies, keys) else {
        fields.push((ROUTE_HEADER.to_owned(), permit.route().to_owned()));
        return Ok(fields);
    };
    let Ok(id) = runtime::random_id() else {
        return refuse("the runtime gives no random octets", PublicCode::TemporarilyUnavailable);
    };
    let edge = invocation.container().policy().edge();
    fields.push((assertion::HEADER.to_owned(), permit.assertion(edge, runtime::now(), id).sign(keys)));
    Ok(fields)
}

/// Whether the fields of a request announce a body.
fn says_it_has_a_body(request: &Request) -> bool {
    request.field("content-length").is_some_and(|length| length != "0") || request.field("transfer-encoding").is_some()
}

/// Whether the event's origin is the one that the route names.
fn is_origin_of(request: &Request, permit: &Permit) -> bool {
    request.origin().and_then(|origin| origin.url()).is_some_and(|url| url == permit.origin().url())
}

/// A request in an event.
struct Arrived {
    event: Event,
    target: String,
}

impl Arrived {
    fn new(event: Event) -> Self {
        let target = event.request().target();
        Self { event, target }
    }

    fn is_head(&self) -> bool {
        self.event.request().is_head()
    }

    /// The whole body, if the event shows it or says that there is none.
    fn whole_body(&self) -> Option<Vec<u8>> {
        let request = self.event.request();
        match request.body() {
            Some(body) if body.is_truncated() => None,
            Some(body) => body.octets().ok(),
            // A behaviour that includes bodies includes empty ones. In HTTP/2 no field need announce one.
            None if request.field("content-length") == Some("0") => Some(Vec::new()),
            None if matches!(request.method(), "GET" | "HEAD" | "OPTIONS") && !says_it_has_a_body(request) => {
                Some(Vec::new())
            }
            None => None,
        }
    }

    fn body(&self) -> ShownBody<'_> {
        ShownBody(self)
    }
}

impl web::Incoming for Arrived {
    fn fields(&self) -> Vec<(&str, &str)> {
        self.event.request().fields()
    }

    fn as_core<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> postern::Request<'a> {
        postern::Request { method: self.event.request().method(), target: &self.target, headers }
    }

    fn id(&self) -> Option<&str> {
        log::request_id(self.event.request_id())
    }
}

/// The body as far as the event shows it.
struct ShownBody<'a>(&'a Arrived);

impl BodySource for ShownBody<'_> {
    async fn read(&mut self, limit: usize, _: Duration) -> BodyDigest {
        let is_truncated = self.0.event.request().body().is_some_and(event::EventBody::is_truncated);
        match self.0.whole_body() {
            Some(octets) if octets.len() <= limit => BodyDigest::Sha256(sha256(&octets)),
            Some(_) => BodyDigest::TooLarge,
            None if is_truncated => BodyDigest::TooLarge,
            None => {
                let why = "the behaviour does not include bodies";
                runtime::log(&log::failure("body_not_shown", "cloudfront", why, self.0.id()));
                BodyDigest::Unreadable
            }
        }
    }
}
