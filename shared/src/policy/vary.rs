//! What `Vary` names on an answer (RFC 9110 §12.5.5): each field of the request that the decision reads, so that no cache
//! in front of the edge or behind it gives one caller's answer to another caller.
//!
//! Not named: the path and the query, which are in every cache key; `Connection` and the fields of a body's length, which
//! are valid for one hop; and other spellings of the company field, since a request with one is refused with 400 and
//! `no-store`.

use alloc::string::String;

use super::{BodyRule, CompanyRule, Cors, Origin, Policy, Route};
use crate::{request::Request, target::CanonicalTarget};

/// Octets of the usual list.
const ROOM: usize = 32;
const AUTHORIZATION: &str = "Authorization";
const ORIGIN: &str = "Origin";
/// The two fields that distinguish a preflight from other requests.
pub(crate) const PREFLIGHT: &str = "Origin, Access-Control-Request-Method";

/// The fields that decisions on the route read.
pub(super) fn of_route(route: &Route, origin: Option<&Origin>, cors: Option<&Cors>) -> String {
    let mut names = Names(String::with_capacity(ROOM));
    if !route.is_public() || route.forwards_token {
        names.push(AUTHORIZATION);
    }
    if let CompanyRule::Header(name) = &route.company {
        names.push(name);
    }
    if route.methods.iter().any(|method| !matches!(method.as_str(), "GET" | "HEAD")) {
        if route.body == BodyRule::Declared {
            names.push("Content-Digest");
        }
        if route.body == BodyRule::Declared || origin.is_some_and(Origin::wants_signature) {
            names.push("X-Amz-Content-Sha256");
        }
    }
    if cors.is_some() {
        names.push(if route.methods.iter().any(|method| method == "OPTIONS") { PREFLIGHT } else { ORIGIN });
    }
    names.0
}

/// Names with commas between.
struct Names(String);

impl Names {
    fn push(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push_str(name);
    }
}

impl Policy {
    /// The fields that a decision reads which ends before a route is found.
    pub(crate) fn vary_without_route(&self, method: &str) -> &'static str {
        match (&self.cors, method) {
            (None, _) => "",
            (Some(_), "OPTIONS") => PREFLIGHT,
            (Some(_), _) => ORIGIN,
        }
    }

    /// The fields that are read where only the caller is asked for, whatever the route.
    pub(crate) const fn vary_of_caller(&self) -> &'static str {
        if self.cors.is_some() { "Authorization, Origin" } else { AUTHORIZATION }
    }

    /// The fields that the decision on `request` reads, as [`Permit::vary`](crate::Permit::vary) says them: for a driver
    /// that meets an answer without the decision. Where no route has the request's path, the caller's token counts as read.
    #[must_use]
    pub fn vary_of(&self, request: &Request<'_>) -> &str {
        let target = CanonicalTarget::parse(request.target).ok();
        let found = target.map(|target| self.table.find(target.segments(), request.method));
        match found {
            Some(super::RouteMatch::Route(index)) => self.routes.get(index).map_or(AUTHORIZATION, |route| &route.vary),
            _ => self.vary_of_caller(),
        }
    }
}
