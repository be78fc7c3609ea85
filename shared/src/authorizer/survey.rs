//! All that a caller may do, for enforcement points that answer for more than one request: an authorizer whose answer
//! is cached, or one that is asked about many fields at once.
//!
//! It is asked of the same rules as a decision. What depends on the request is left open, and said: which company of
//! several, and the caller's own subject where the request must name it.

use alloc::{borrow::ToOwned, format, string::String, sync::Arc, vec::Vec};
use core::{fmt, time::Duration};

use super::{Authorizer, Caller, Permissions, VerifiedToken, rules};
use crate::{
    permissions::PermissionsRecord,
    policy::{CompanyRule, Field, Issuer, PermissionsSource, Route},
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
    surveyor: Surveyor<'a>,
    issuer: &'a Issuer,
    max_age: Duration,
    stale_if_error: Duration,
}

/// What a caller may do.
#[must_use]
pub struct Entitlements<'a> {
    token: Arc<VerifiedToken>,
    max_age: Option<Duration>,
    routes: Vec<Entitlement<'a>>,
    fields: Vec<FieldEntitlement<'a>>,
}

/// One route, and for which companies.
#[derive(Clone)]
pub struct Entitlement<'a> {
    route: &'a Route,
    companies: Companies,
}

/// One field, and for which companies a caller may select it, if for any.
#[derive(Clone)]
pub struct FieldEntitlement<'a> {
    field: &'a Field,
    subject: Arc<str>,
    companies: Result<Companies, Reason>,
}

/// For which companies something is open to a caller.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Companies {
    /// The rule binds none, or the one that it binds is the caller itself.
    Unbound,
    /// A request must name one of these, where the rule says. Never empty.
    Among(Vec<String>),
}

/// Who is looked at, and over what.
struct Surveyor<'a> {
    authorizer: &'a Authorizer,
    token: Arc<VerifiedToken>,
    over: Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Routes,
    Fields,
}

impl Authorizer {
    /// Begins to list the routes that `caller` may use; public ones are among them.
    pub fn survey(&self, caller: &Caller, now: UnixTime) -> Survey<'_> {
        self.survey_over(Over::Routes, caller, now)
    }

    /// Begins to look at each of the policy's GraphQL fields, whether `caller` may select it.
    pub fn survey_fields(&self, caller: &Caller, now: UnixTime) -> Survey<'_> {
        self.survey_over(Over::Fields, caller, now)
    }

    fn survey_over(&self, over: Over, caller: &Caller, now: UnixTime) -> Survey<'_> {
        let Some(token) = caller.token(&self.policy) else { return Survey::Done(Err(Reason::IssuerUnknown)) };
        let Some(issuer) = self.policy.issuers.get(token.issuer) else {
            return Survey::Done(Err(Reason::IssuerUnknown));
        };
        if let Err(reason) = self.check_validity(&token, now) {
            return Survey::Done(Err(reason));
        }
        let surveyor = Surveyor { authorizer: self, token, over };
        let ages = if issuer.permissions == PermissionsSource::Service { surveyor.ages() } else { Vec::new() };
        // What was asked for one rule decides others too: it must be as young as the strictest of them asks.
        let Some(max_age) = ages.iter().map(|(max_age, _)| *max_age).min() else {
            let token = Arc::clone(&surveyor.token);
            return Survey::Done(Ok(surveyor.list(token.permissions.as_ref(), None)));
        };
        let stale_if_error = ages.iter().map(|(_, stale)| *stale).min().unwrap_or_default();
        Survey::NeedsPermissions(NeedsRecord { surveyor, issuer, max_age, stale_if_error })
    }
}

impl<'a> Surveyor<'a> {
    /// `permissions_max_age` and `permissions_stale_if_error` of each rule whose answer depends on the caller's record.
    fn ages(&self) -> Vec<(Duration, Duration)> {
        let (policy, token) = (&self.authorizer.policy, &self.token);
        let is_asked = |company: &CompanyRule, open: Result<(), Reason>| company.binds() && open.is_ok();
        match self.over {
            Over::Routes => (policy.routes.iter())
                .filter(|route| self.has_section(route) && is_asked(&route.company, open_route(route, token)))
                .map(|route| (route.permissions_max_age, route.permissions_stale_if_error))
                .collect(),
            Over::Fields => (policy.fields.iter())
                .filter(|field| is_asked(&field.company, open_field(field, token)))
                .map(|field| (field.permissions_max_age, field.permissions_stale_if_error))
                .collect(),
        }
    }

    fn has_section(&self, route: &Route) -> bool {
        !route.is_shadow && route.issuers.contains(&self.token.issuer)
    }

    fn list(self, record: Option<&PermissionsRecord>, max_age: Option<Duration>) -> Entitlements<'a> {
        let (policy, token) = (&self.authorizer.policy, &self.token);
        let (mut routes, mut fields) = (Vec::new(), Vec::new());
        match self.over {
            Over::Routes => {
                for route in policy.routes.iter().filter(|route| !route.is_shadow) {
                    let companies = if route.is_public() {
                        Ok(Companies::Unbound)
                    } else if self.has_section(route) {
                        let open = open_route(route, token);
                        open.and_then(|()| companies(&route.company, &route.roles, token, record))
                    } else {
                        Err(Reason::IssuerUnknown)
                    };
                    if let Ok(companies) = companies {
                        routes.push(Entitlement { route, companies });
                    }
                }
            }
            Over::Fields => {
                for field in &policy.fields {
                    let open = open_field(field, token);
                    let companies = open.and_then(|()| companies(&field.company, &field.roles, token, record));
                    fields.push(FieldEntitlement { field, subject: Arc::clone(&token.subject), companies });
                }
            }
        }
        Entitlements { token: self.token, max_age, routes, fields }
    }
}

fn open_route(route: &Route, token: &VerifiedToken) -> Result<(), Reason> {
    rules::open_to(&route.scopes, &route.required, token)
}

fn open_field(field: &Field, token: &VerifiedToken) -> Result<(), Reason> {
    if !field.issuers.contains(&token.issuer) {
        return Err(Reason::IssuerUnknown);
    }
    rules::open_to(&field.scopes, &field.required, token)
}

/// For which companies the rule is met, or why for none.
fn companies(
    rule: &CompanyRule,
    roles: &[String],
    token: &VerifiedToken,
    record: Option<&PermissionsRecord>,
) -> Result<Companies, Reason> {
    if !rule.binds() {
        return Ok(Companies::Unbound);
    }
    let record = record.ok_or(Reason::CompanyMismatch)?;
    if *rule == CompanyRule::Subject {
        return rules::held_in(roles, record, token.unread, &token.subject).map(|_| Companies::Unbound);
    }
    token.unread.check_companies()?;
    token.unread.check_roles(roles)?;
    let open: Vec<String> = record
        .companies()
        .filter(|(company, _)| rules::held_in(roles, record, token.unread, company).is_ok())
        .map(|(company, _)| company.to_owned())
        .collect();
    match (open.is_empty(), record.companies().next()) {
        (false, _) => Ok(Companies::Among(open)),
        (true, Some(_)) => Err(Reason::RoleMissing),
        (true, None) => Err(Reason::CompanyMismatch),
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
        &self.surveyor.token.subject
    }

    /// How old the record may be: the least of what the rules allow whose answer depends on it.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        self.max_age
    }

    /// How much older it may be if the service cannot tell: the least of what those rules allow.
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
        let token = &self.surveyor.token;
        self.surveyor.authorizer.check_validity(token, now)?;
        let record = match permissions {
            // A record about someone else is no answer to this question.
            Permissions::Found(record) if record.id() == &*token.subject => Some(record),
            Permissions::Absent => None,
            Permissions::Found(_) | Permissions::Unavailable => return Err(Reason::PermissionsUnavailable),
        };
        Ok(self.surveyor.list(record, Some(self.max_age)))
    }
}

/// `/users/{subject}` at the permissions service.
pub(super) fn record_target(subject: &str) -> Option<String> {
    let target = format!("/users/{}", encode_segment(subject));
    CanonicalTarget::parse(&target).is_ok().then_some(target)
}

impl<'a> Entitlements<'a> {
    /// Each route that is open to the caller, once, in the order of the policy; of a survey of routes.
    #[must_use]
    pub fn list(&self) -> &[Entitlement<'a>] {
        &self.routes
    }

    /// Each field of the policy, open to the caller or not, in its order; of a survey of fields.
    #[must_use]
    pub fn fields(&self) -> &[FieldEntitlement<'a>] {
        &self.fields
    }

    /// Whom a request must name where a rule binds its subject. Personal data: not for logs.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.token.subject
    }

    /// For how long the list may be held to: the least `permissions_max_age` of the rules whose answer, either way,
    /// depends on the caller's record; `None` where none does.
    #[must_use]
    pub const fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The moment from which the caller's token is no longer good, and the list with it.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.token.expires_at
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

impl<'a> FieldEntitlement<'a> {
    /// The field.
    #[must_use]
    pub const fn field(&self) -> &'a Field {
        self.field
    }

    /// Whether the caller may select it at all, whatever its arguments.
    ///
    /// # Errors
    /// The [`Reason`] why not.
    pub fn is_open(&self) -> Result<(), Reason> {
        self.companies.as_ref().map(drop).map_err(|reason| *reason)
    }

    /// Whether the caller may select it with these arguments, each by its name; `None` for one that is not there or is no
    /// text.
    ///
    /// # Errors
    /// The [`Reason`] why not.
    pub fn decide<'t>(&self, argument: impl Fn(&str) -> Option<&'t str>) -> Result<(), Reason> {
        let companies = self.companies.as_ref().map_err(|reason| *reason)?;
        if let Some(name) = self.field.subject_argument()
            && argument(name) != Some(&*self.subject)
        {
            return Err(Reason::SubjectMismatch);
        }
        if let (CompanyRule::Argument(name), Companies::Among(open)) = (&self.field.company, companies) {
            let company = argument(name).ok_or(Reason::CompanyUnspecified)?;
            if !open.iter().any(|own| own == company) {
                return Err(Reason::CompanyMismatch);
            }
        }
        Ok(())
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
        let (routes, fields) = (&self.routes, &self.fields);
        let mut shown = formatter.debug_struct("Entitlements");
        shown.field("routes", routes).field("fields", fields).finish_non_exhaustive()
    }
}

impl fmt::Debug for Entitlement<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Entitlement").field("route", &self.route.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for FieldEntitlement<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FieldEntitlement").field("field", &self.field.name).finish_non_exhaustive()
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
