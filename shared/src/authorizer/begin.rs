//! From a request to the first need: target, preflight, route, credential.

use alloc::{
    borrow::{Cow, ToOwned},
    string::String,
    sync::Arc,
    vec::Vec,
};
use core::fmt;

use super::{Authorizer, Caller, Company, NeedsKeys, Progress, VerifiedToken, company, credential::Candidates, rules};
use crate::{
    answer::{Answer, Extra},
    bearer::{Bearer, bearer, is_b64token},
    decision::{Decision, Denial, Principal},
    digest::{self, ContentDigest},
    forward::UnusualNames,
    policy::{BodyRule, Policy, Route, RouteMatch},
    purpose::Purpose,
    query::{self, QueryError},
    reason::Reason,
    request::Request,
    target::{CanonicalTarget, TargetError},
    time::UnixTime,
    token::{TokenError, UnverifiedToken},
};

/// A request whose route is known, on its way to a decision. Owns all it needs.
#[derive(Clone)]
pub struct Pending<'a> {
    pub(super) authorizer: &'a Authorizer,
    pub(super) route: &'a Route,
    pub(super) method: Cow<'static, str>,
    pub(super) target: CanonicalTarget,
    /// The company that the request names, where the route's rule looks for one in it, or why it names none.
    pub(super) company: Result<Option<Company>, Reason>,
    /// The digest of the body, where the route has it declared.
    pub(super) declared: Option<ContentDigest>,
    /// The request's `Origin`.
    pub(super) origin: Option<String>,
    /// How many of its fields do not reach the route's origin because of their names.
    pub(super) unusual_names: UnusualNames,
}

/// The target names people and companies.
impl fmt::Debug for Pending<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pending").field("route", &self.route.name).finish_non_exhaustive()
    }
}

impl<'a> Pending<'a> {
    fn new(authorizer: &'a Authorizer, route: &'a Route, request: &Request<'_>, target: CanonicalTarget) -> Self {
        Self {
            authorizer,
            route,
            method: method(request.method),
            company: company::named(&route.company, request, &target),
            declared: if route.body == BodyRule::Declared { digest::declared(request) } else { None },
            target,
            origin: request.sole_header("origin").map(ToOwned::to_owned),
            unusual_names: authorizer
                .policy
                .origin_of(route)
                .map(|origin| UnusualNames::removed(request.headers, origin))
                .unwrap_or_default(),
        }
    }

    pub(super) const fn purpose(&self) -> Purpose {
        self.authorizer.purpose_on(self.route)
    }

    pub(super) fn deny(&self, reason: Reason) -> Progress<'a> {
        self.refuse(reason, None)
    }

    /// A denial of a caller who is known.
    pub(super) fn deny_caller(&self, reason: Reason, token: &Arc<VerifiedToken>) -> Progress<'a> {
        self.deny_whoever(reason, Some(token))
    }

    /// A denial of a caller who is known where there is a token: on all but public routes.
    pub(super) fn deny_whoever(&self, reason: Reason, token: Option<&Arc<VerifiedToken>>) -> Progress<'a> {
        self.refuse(reason, token.and_then(|token| self.principal(token)))
    }

    /// Who calls, by the section's name.
    pub(super) fn principal(&self, token: &Arc<VerifiedToken>) -> Option<Principal> {
        let issuer = self.authorizer.policy.issuers.get(token.issuer)?;
        Some(Principal { issuer: Arc::clone(&issuer.name), token: Arc::clone(token) })
    }

    fn refuse(&self, reason: Reason, caller: Option<Principal>) -> Progress<'a> {
        let scopes = if reason == Reason::ScopeMissing { self.route.scopes.challenge() } else { Vec::new() };
        let extra = match reason {
            Reason::Query(error) => Extra::Query(error),
            _ if scopes.is_empty() => Extra::Nothing,
            _ => Extra::Scopes(&scopes),
        };
        let (origin, is_head) = (self.origin.as_deref(), self.method == "HEAD");
        let context = self.authorizer.policy.context(origin, is_head, &self.route.vary);
        let denial = Denial::new(reason, Some(&self.route.name), extra, context);
        let company = self.company.as_ref().ok().and_then(|company| company.as_ref()?.name(&self.target, None));
        Progress::Decided(Decision::Deny(denial.about(caller, company.map(ToOwned::to_owned))))
    }
}

/// The method, which is nearly always one of these.
fn method(text: &str) -> Cow<'static, str> {
    const USUAL: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    match USUAL.into_iter().find(|usual| *usual == text) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(text.to_owned()),
    }
}

/// Whether the method may change something (RFC 9110 §9.2.1).
fn is_unsafe(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// Whose request it is to be.
#[derive(Clone, Copy)]
enum Credential<'c> {
    /// Whose token it carries.
    Bearer,
    /// This caller's.
    Caller(&'c Caller),
}

/// What stands in a token's place in a request; whether it has the form of one is seen unless it is remembered.
pub(super) fn credential<'r>(found: Bearer<'r>, policy: &Policy) -> Result<&'r str, Reason> {
    match found {
        Bearer::Missing => Err(Reason::CredentialMissing),
        Bearer::Malformed => Err(Reason::CredentialMalformed),
        Bearer::TooLarge => Err(Reason::Token(TokenError::TooLarge)),
        Bearer::Token(compact) if compact.len() > policy.limits.token => Err(Reason::Token(TokenError::TooLarge)),
        Bearer::Token(compact) => Ok(compact),
    }
}

impl Authorizer {
    /// Begins a decision on `request` at the time `now`.
    pub fn begin(&self, request: &Request<'_>, now: UnixTime) -> Progress<'_> {
        self.begin_by(Credential::Bearer, request, now)
    }

    /// Begins a decision on `request` as one of `caller`'s, whatever credential it carries itself: for a driver that has
    /// the caller from [`Authorizer::identify`], or from whom it was configured to believe.
    pub fn begin_as(&self, caller: &Caller, request: &Request<'_>, now: UnixTime) -> Progress<'_> {
        self.begin_by(Credential::Caller(caller), request, now)
    }

    fn begin_by(&self, credential: Credential<'_>, request: &Request<'_>, now: UnixTime) -> Progress<'_> {
        if self.check_clock(now).is_err() {
            return Progress::Decided(self.unfit(request));
        }
        let deny = |reason, extra: Extra<'_>| {
            let vary = self.policy.vary_without_route(request.method);
            let context = self.policy.context(request.sole_header("origin"), request.method == "HEAD", vary);
            Progress::Decided(Decision::Deny(Denial::new(reason, None, extra, context)))
        };
        let target = match self.target(request) {
            Ok(target) => target,
            Err(error) => return deny(Reason::Target(error), Extra::Target(error)),
        };
        if let Some(answer) = self.preflight(request, &target) {
            return Progress::Decided(Decision::Preflight(answer));
        }
        let route = match self.policy.table.find(target.segments(), request.method) {
            RouteMatch::Route(index) => self.policy.routes.get(index).map(|route| (index, route)),
            RouteMatch::OtherMethods(methods) => return deny(Reason::MethodNotAllowed, Extra::Methods(&methods)),
            RouteMatch::NoRoute => None,
        };
        match route {
            Some((index, route)) if self.policy.spellings.is_ambiguous(index, &target, &self.policy.routes) => {
                Pending::new(self, route, request, target).deny(Reason::PathAmbiguous)
            }
            Some((_, route)) => self.on_route(route, credential, request, target, now),
            None => deny(Reason::NoRoute, Extra::Nothing),
        }
    }

    /// Begins what the policy's shadow route for `request` would decide, where it has one. It is for writing down
    /// beside the decision: nothing is ever forwarded or answered by it.
    pub fn begin_shadow(&self, request: &Request<'_>, now: UnixTime) -> Option<Progress<'_>> {
        let target = self.target(request).ok()?;
        let RouteMatch::Route(index) = self.policy.shadow_table.find(target.segments(), request.method) else {
            return None;
        };
        Some(self.on_route(self.policy.routes.get(index)?, Credential::Bearer, request, target, now))
    }

    fn target(&self, request: &Request<'_>) -> Result<CanonicalTarget, TargetError> {
        if request.target.len() > self.policy.limits.target {
            return Err(TargetError::TooLong);
        }
        CanonicalTarget::parse(request.target)
    }

    fn on_route<'a>(
        &'a self,
        route: &'a Route,
        by: Credential<'_>,
        request: &Request<'_>,
        target: CanonicalTarget,
        now: UnixTime,
    ) -> Progress<'a> {
        let pending = Pending::new(self, route, request, target);
        if let Err(reason) = self.check_clock(now) {
            return pending.deny(reason);
        }
        if is_unsafe(request.method)
            && !route.query_method_override
            && pending.target.query().is_some_and(query::overrides_method)
        {
            return pending.deny(Reason::Query(QueryError::MethodOverride));
        }
        if route.is_public() {
            return rules::permit_public(pending, now);
        }
        match by {
            Credential::Bearer => match credential(bearer(request), &self.policy) {
                Ok(compact) => self.with_token(pending, compact, now),
                Err(reason) => pending.deny(reason),
            },
            Credential::Caller(caller) => match caller.token(&self.policy) {
                Some(token) if route.issuers.contains(&token.issuer) => rules::judge(pending, token, now),
                _ => pending.deny(Reason::IssuerUnknown),
            },
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
        // Whoever is answered so may have been found unfit after the caller was looked at.
        let vary = self.policy.vary_of(request);
        let context = self.policy.context(request.sole_header("origin"), request.method == "HEAD", vary);
        Decision::Deny(Denial::new(Reason::Unconfigured, None, Extra::Nothing, context))
    }

    /// The token in what stands in a token's place and nobody remembers.
    pub(super) fn unverified(&self, compact: &str, purpose: Purpose) -> Result<UnverifiedToken, Reason> {
        let legacy = self.tokens_for(purpose).lock().legacy();
        match UnverifiedToken::parse(compact, legacy) {
            // What no credential may be made of, no token is made of.
            Err(TokenError::Malformed) if !is_b64token(compact) => Err(Reason::CredentialMalformed),
            parsed => parsed.map_err(Reason::Token),
        }
    }

    fn with_token<'a>(&'a self, pending: Pending<'a>, compact: &str, now: UnixTime) -> Progress<'a> {
        // A token that was good once has its form already, and is compared whole.
        let purpose = pending.purpose();
        let remembered = self.tokens_for(purpose).lock().get(compact, now);
        if let Some(token) = remembered.filter(|token| pending.route.issuers.contains(&token.issuer)) {
            return rules::judge(pending, token, now);
        }
        let token = match self.unverified(compact, purpose) {
            Ok(token) => token,
            Err(reason) => return pending.deny(reason),
        };
        match Candidates::of(&self.policy, Some(&pending.route.issuers), &token) {
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
                let mut all: Vec<String> =
                    self.policy.routes.iter().filter(|r| !r.is_shadow).flat_map(|r| r.methods.clone()).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
        };
        Some(Answer::preflight(cors, origin, &methods))
    }
}
