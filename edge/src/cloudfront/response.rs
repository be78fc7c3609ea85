//! The events of a response: what a Worker does to an origin's answer as it passes it on.

use postern::{Answer, PublicCode};

use super::container::Container;
use crate::{
    event::{self, Event, EventKind},
    header::{CHALLENGES, is_assertion_challenge, is_withheld},
    log,
    web::runtime,
};

/// The response to go on with.
pub(super) fn answer(container: &Container, event: Event) -> String {
    let request = event.request();
    let fields = request.fields();
    let as_core = postern::Request { method: request.method(), target: "", headers: &fields };
    let set = container.policy().response_headers(&as_core);
    let is_head = request.is_head();
    let unavailable = || event::answer(&Answer::of(PublicCode::TemporarilyUnavailable), is_head);
    // At the viewer's response a status is read-only, and there is none from 400 on.
    if event.kind() == EventKind::OriginResponse && event.response().is_some_and(refuses_assertion) {
        // The caller's token is good; it is this edge that the origin does not believe.
        let id = log::request_id(event.request_id());
        let why = "the origin takes no assertion of ours";
        runtime::log(&log::failure("origin_refused_assertion", "cloudfront", why, id));
        let mut answer = Answer::of(PublicCode::BadGateway);
        answer.headers.extend(set);
        return event.replaced(&answer).unwrap_or_else(unavailable);
    }
    let set: Vec<(&str, &str)> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
    event.passed_on(is_withheld, &set).unwrap_or_else(unavailable)
}

/// Whether the origin's layer has refused what we vouched for: keys or clocks differ.
fn refuses_assertion(response: &event::Response) -> bool {
    let mut challenges = CHALLENGES.iter().flat_map(|name| response.values(name));
    response.status() == 401 && challenges.any(is_assertion_challenge)
}
