//! From a request to the first need: target, preflight, route, credential.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{Authorizer, NeedsKeys, Progress, credential, rules};
use crate::{
    answer::{Answer, Extra},
    bearer::{Bearer, bearer},
    decision::{Decision, Denial},
    policy::{Route, RouteMatch},
    reason::Reason,
    request::Request,
    target::CanonicalTarget,
    time::UnixTime,
    token::{TokenError, UnverifiedToken},
};

/// A request whose route is known, on its way to a decision. Owns all it needs.
#[derive(Clone)]
pub(super) struct Pending<'a> {
    pub(super) authorizer: &'a Authorizer,
    pub(super) route: &'a Route,
    pub(super) method: String,
    pub(super) target: CanonicalTarget,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
}

impl<'a> Pending<'a> {
    pub(super) fn deny(&self, reason: Reason) -> Progress<'a> {
        let extra = match reason {
            Reason::ScopeMissing => Extra::Scopes(&self.route.scopes),
            _ => Extra::Nothing,
        };
        let context = self.authorizer.policy.context(self.origin.as_deref(), self.method == "HEAD");
        Progress::Decided(Decision::Deny(Denial::new(reason, Some(&self.route.name), extra, context)))
    }
}

impl Authorizer {
    /// Begins a decision on `request` at the time `now`.
    pub fn begin(&self, request: &Request<'_>, now: UnixTime) -> Progress<'_> {
        let origin = request.sole_header("origin");
        let head = request.method == "HEAD";
        let deny = |reason, extra: Extra<'_>| {
            let context = self.policy.context(origin, head);
            Progress::Decided(Decision::Deny(Denial::new(reason, None, extra, context)))
        };
        let target = match CanonicalTarget::parse(request.target) {
            Ok(target) => target,
            Err(error) => return deny(Reason::Target(error), Extra::Target(error)),
        };
        if let Some(answer) = self.preflight(request, &target) {
            return Progress::Decided(Decision::Preflight(answer));
        }
        let route = match self.policy.table.find(target.segments(), request.method) {
            RouteMatch::Route(index) => self.policy.routes.get(index),
            RouteMatch::OtherMethods(methods) => return deny(Reason::MethodNotAllowed, Extra::Methods(&methods)),
            RouteMatch::NoRoute => None,
        };
        let Some(route) = route else {
            return deny(Reason::NoRoute, Extra::Nothing);
        };
        let pending = Pending {
            authorizer: self,
            route,
            method: request.method.to_owned(),
            target,
            origin: origin.map(ToOwned::to_owned),
        };
        if route.is_public() {
            return rules::permit_public(pending);
        }
        match bearer(request) {
            Bearer::Missing => pending.deny(Reason::CredentialMissing),
            Bearer::Malformed => pending.deny(Reason::CredentialMalformed),
            Bearer::TooLarge => pending.deny(Reason::Token(TokenError::TooLarge)),
            Bearer::Token(compact) => self.with_token(pending, compact, now),
        }
    }

    /// The answer to `request` while the driver itself is not fit to serve: its secrets are missing, say.
    ///
    /// A preflight is answered as ever, so that a page can read the 503.
    pub fn unfit(&self, request: &Request<'_>) -> Decision {
        let preflight = CanonicalTarget::parse(request.target).ok().and_then(|target| self.preflight(request, &target));
        if let Some(answer) = preflight {
            return Decision::Preflight(answer);
        }
        let context = self.policy.context(request.sole_header("origin"), request.method == "HEAD");
        Decision::Deny(Denial::new(Reason::Unconfigured, None, Extra::Nothing, context))
    }

    fn with_token<'a>(&'a self, pending: Pending<'a>, compact: &str, now: UnixTime) -> Progress<'a> {
        let remembered = self.tokens.lock().get(compact, now);
        if let Some(token) = remembered.filter(|token| pending.route.issuers.contains(&token.issuer)) {
            return rules::judge(pending, token, now);
        }
        let token = match UnverifiedToken::parse(compact) {
            Ok(token) => token,
            Err(error) => return pending.deny(Reason::Token(error)),
        };
        match credential::candidates(&self.policy, pending.route, &token) {
            Ok((issuer, candidates)) => Progress::NeedsKeys(NeedsKeys::new(pending, token, issuer, candidates)),
            Err(reason) => pending.deny(reason),
        }
    }

    /// The answer when `request` is a CORS preflight and the policy has CORS: `OPTIONS` with both fields
    /// (WHATWG Fetch §3.2.2). For an unknown path it lists every method, so that the page can read the 404.
    fn preflight(&self, request: &Request<'_>, target: &CanonicalTarget) -> Option<Answer> {
        let cors = self.policy.cors.as_ref().filter(|_| request.method == "OPTIONS")?;
        let origin = request.sole_header("origin")?;
        request.sole_header("access-control-request-method")?;
        let methods = match self.policy.table.find(target.segments(), "") {
            RouteMatch::OtherMethods(methods) => methods,
            RouteMatch::Route(_) | RouteMatch::NoRoute => {
                let mut all: Vec<String> = self.policy.routes.iter().flat_map(|route| route.methods.clone()).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
        };
        Some(Answer::preflight(cors, origin, &methods))
    }
}
