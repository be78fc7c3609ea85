//! The events of a response: what a Worker does to an origin's answer as it passes it on.

use postern::{Answer, PublicCode, policy::Origin};

use super::container::Container;
use crate::{
    event::{self, Event, EventKind},
    log,
    web::runtime,
};

/// The response to go on with.
pub(super) fn answer(container: &Container, event: Event) -> String {
    let request = event.request();
    let fields = request.fields();
    let target = request.target();
    let as_core = postern::Request { method: request.method(), target: &target, headers: &fields };
    let set = container.policy().response_headers(&as_core);
    let is_head = request.is_head();
    let unavailable = || event::answer(&Answer::of(PublicCode::TemporarilyUnavailable), is_head);
    // Which origin it was only an event of its own response says.
    let origin = request.origin().and_then(|origin| origin.url());
    let policy = container.policy();
    let origin = origin.and_then(|url| policy.origins().iter().find(|own| own.url() == url));
    let rules = policy.answer_of(origin.map(Origin::name), policy.vary_of(&as_core));
    let answered = event.response().map(event::Response::fields).unwrap_or_default();
    let is_refusal =
        event.response().is_some_and(|own| rules.refuses_assertion(own.status(), answered.iter().copied()));
    // At the viewer's response a status is read-only, and there is none from 400 on.
    if event.kind() == EventKind::OriginResponse && is_refusal {
        // The caller's token is good; it is this edge that the origin does not believe.
        let id = log::request_id(event.request_id());
        let why = "the origin takes no assertion of ours";
        runtime::log(&log::failure("origin_refused_assertion", "cloudfront", why, id));
        let mut answer = Answer::of(PublicCode::BadGateway);
        answer.headers.push(("vary", policy.vary_of(&as_core).to_owned()));
        answer.headers.extend(set);
        return event.replaced(&answer).unwrap_or_else(unavailable);
    }
    let changed = rules.changed(answered.iter().copied());
    let changed: Vec<(String, String)> = changed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let changed = changed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let set: Vec<(&str, &str)> = changed.chain(set.iter().map(|(name, value)| (*name, value.as_str()))).collect();
    event.passed_on(|name| rules.withholds(name), &set).unwrap_or_else(unavailable)
}
