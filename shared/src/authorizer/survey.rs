//! All that a caller may do, for enforcement points that answer for more than one request: an authorizer whose answer
//! is cached, say.
//!
//! It is asked of the same rules as a decision. What depends on the request is left open, and said: which company of
//! several, and the caller's own subject where the path must name it.

use alloc::{borrow::ToOwned, format, string::String, sync::Arc, vec::Vec};
use core::{fmt, time::Duration};

use super::{Authorizer, Caller, Permissions, VerifiedToken, rules};
use crate::{
    permissions::PermissionsRecord,
    policy::{CompanyRule, Issuer, PermissionsSource, Route},
    reason::Reason,
    target::{CanonicalTarget, encode_segment},
    time::UnixTime,
};

/// A survey, finished or not.
#[derive(Debug)]
#[must_use = "a survey that lacks the record knows nothing"]
pub enum Survey<'a> {
    /// Done: the list, or the reason why there is none.
    Done(Result<Entitlements<'a>, Reason>),
    /// It lacks the caller's permissions.
    NeedsPermissions(NeedsRecord<'a>),
}

/// A survey that lacks the caller's permissions.
#[must_use = "a survey that lacks the record knows nothing"]
pub struct NeedsRecord<'a> {
    authorizer: &'a Authorizer,
    token: Arc<VerifiedToken>,
    issuer: &'a Issuer,
    max_age: Duration,
    stale_if_error: Duration,
}

/// The routes that a caller may use.
#[must_use]
pub struct Entitlements<'a> {
    subject: String,
    expires_at: UnixTime,
    max_age: Option<Duration>,
    list: Vec<Entitlement<'a>>,
}

/// One route, and for which companies.
#[derive(Clone)]
pub struct Entitlement<'a> {
    route: &'a Route,
    companies: Companies,
}

/// For which companies a route is open to a caller.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Companies {
    /// The route binds none, or the one that it binds is the caller itself.
    Unbound,
    /// A request must name one of these, where [`Route::company`] says. Never empty.
    Among(Vec<String>),
}

impl Authorizer {
    /// Begins to list all that `caller` may do. Public routes are among it.
    pub fn survey(&self, caller: &Caller, now: UnixTime) -> Survey<'_> {
        let Some((token, issuer)) = caller
            .token(&self.policy)
            .and_then(|token| Some((Arc::clone(&token), self.policy.issuers.get(token.issuer)?)))
        else {
            return Survey::Done(Err(Reason::IssuerUnknown));
        };
        if token.is_expired(now) {
            return Survey::Done(Err(Reason::Expired));
        }
        let asking = || {
            let bound = self.open_to(&token).filter(|route| route.company.binds());
            bound.filter(|_| issuer.permissions == PermissionsSource::Service)
        };
        match asking().map(|route| route.permissions_max_age).min() {
            None => {
                let record = token.permissions.clone();
                Survey::Done(Ok(self.list(&token, record.as_deref(), None)))
            }
            Some(max_age) => {
                let stale_if_error = asking().map(|route| route.permissions_stale_if_error).min().unwrap_or_default();
                Survey::NeedsPermissions(NeedsRecord { authorizer: self, token, issuer, max_age, stale_if_error })
            }
        }
    }

    /// The routes that decide and are open to who has this token, as far as that depends on the token alone.
    fn open_to<'s>(&'s self, token: &'s VerifiedToken) -> impl Iterator<Item = &'s Route> {
        self.policy.routes.iter().filter(|route| {
            let is_open = route.issuers.contains(&token.issuer) && rules::open_to(route, token).is_ok();
            !route.is_shadow && !route.is_public() && is_open
        })
    }

    fn list<'a>(
        &'a self,
        token: &VerifiedToken,
        record: Option<&PermissionsRecord>,
        max_age: Option<Duration>,
    ) -> Entitlements<'a> {
        let mut list = Vec::new();
        for route in self.policy.routes.iter().filter(|route| !route.is_shadow) {
            let companies = if route.is_public() {
                Some(Companies::Unbound)
            } else if route.issuers.contains(&token.issuer) && rules::open_to(route, token).is_ok() {
                companies(route, token, record)
            } else {
                None
            };
            if let Some(companies) = companies {
                list.push(Entitlement { route, companies });
            }
        }
        Entitlements { subject: token.subject.clone(), expires_at: token.expires_at, max_age, list }
    }
}

/// For which companies the route is open; `None` where it is for none.
fn companies(route: &Route, token: &VerifiedToken, record: Option<&PermissionsRecord>) -> Option<Companies> {
    match &route.company {
        CompanyRule::None | CompanyRule::Any => Some(Companies::Unbound),
        CompanyRule::Subject => {
            rules::held_in(route, record?, &token.subject).ok()?;
            Some(Companies::Unbound)
        }
        CompanyRule::Parameter(..) | CompanyRule::Header(_) | CompanyRule::Query(_) => {
            let record = record?;
            let open: Vec<String> = record
                .companies()
                .filter(|(company, _)| rules::held_in(route, record, company).is_ok())
                .map(|(company, _)| company.to_owned())
                .collect();
            (!open.is_empty()).then_some(Companies::Among(open))
        }
    }
}

impl<'a> NeedsRecord<'a> {
    /// The issuer section that the caller belongs to.
    #[must_use]
    pub const fn issuer(&self) -> &'a Issuer {
        self.issuer
    }

    /// Whose permissions are needed. Personal data: not for logs.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.token.subject
    }

    /// How old the record may be: the least of what the routes allow whose answer depends on it.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        self.max_age
    }

    /// How much older it may be if the service cannot tell: the least of what those routes allow.
    #[must_use]
    pub const fn stale_if_error(&self) -> Duration {
        self.stale_if_error
    }

    /// The canonical target of the record at the permissions service, or `None` for a subject that no canonical path
    /// can hold.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        record_target(self.subject())
    }

    /// Goes on with the permissions.
    ///
    /// # Errors
    /// The [`Reason`] why there is no list. Where the service has no record there is one, of what needs none.
    pub fn resume(self, permissions: Permissions<'_>, now: UnixTime) -> Result<Entitlements<'a>, Reason> {
        if self.token.is_expired(now) {
            return Err(Reason::Expired);
        }
        let record = match permissions {
            // A record about someone else is no answer to this question.
            Permissions::Found(record) if record.id() == self.token.subject => Some(record),
            Permissions::Absent => None,
            Permissions::Found(_) | Permissions::Unavailable => return Err(Reason::PermissionsUnavailable),
        };
        Ok(self.authorizer.list(&self.token, record, Some(self.max_age)))
    }
}

/// `/users/{subject}` at the permissions service.
pub(super) fn record_target(subject: &str) -> Option<String> {
    let target = format!("/users/{}", encode_segment(subject));
    CanonicalTarget::parse(&target).is_ok().then_some(target)
}

impl<'a> Entitlements<'a> {
    /// Each route that is open to the caller, once, in the order of the policy.
    #[must_use]
    pub fn list(&self) -> &[Entitlement<'a>] {
        &self.list
    }

    /// Whom a path must name where a route binds its subject. Personal data: not for logs.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// For how long the list may be held to: the least `permissions_max_age` of the routes whose answer, either way,
    /// depends on the caller's record; `None` where none does.
    #[must_use]
    pub const fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The moment from which the caller's token is no longer good, and the list with it.
    #[must_use]
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }
}

impl<'a> Entitlement<'a> {
    /// The route.
    #[must_use]
    pub const fn route(&self) -> &'a Route {
        self.route
    }

    /// For which companies.
    #[must_use]
    pub const fn companies(&self) -> &Companies {
        &self.companies
    }
}

// Who calls, and for whom, stays out of debug output: it ends in logs.
impl fmt::Debug for NeedsRecord<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NeedsRecord").field("issuer", &self.issuer.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Entitlements<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Entitlements").field("routes", &self.list).finish_non_exhaustive()
    }
}

impl fmt::Debug for Entitlement<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Entitlement").field("route", &self.route.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Companies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbound => formatter.write_str("Unbound"),
            Self::Among(companies) => formatter.debug_tuple("Among").field(&companies.len()).finish(),
        }
    }
}
