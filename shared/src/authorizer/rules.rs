//! The route's rules on a verified token, cheapest first: scope, claims, subject, then company and role.

use alloc::{boxed::Box, string::String, sync::Arc};

use super::{
    Company, NeedsBody, NeedsPermissions, Progress, VerifiedToken,
    begin::Pending,
    unread::{KeptClaim, Unread},
};
use crate::{
    decision::{Decision, Permit},
    digest::{self, ContentDigest},
    handed,
    permissions::PermissionsRecord,
    policy::{BodyRule, CompanyRule, RequiredClaim, ScopeRule, Template},
    reason::Reason,
    time::UnixTime,
};

/// Permits a request on a public route; whatever token it carries is not looked at.
pub(super) fn permit_public(pending: Pending<'_>, now: UnixTime) -> Progress<'_> {
    permit(pending, None, None, None, now)
}

/// Judges everything that needs no permissions record, and asks for one where it takes one.
pub(super) fn judge(pending: Pending<'_>, token: Arc<VerifiedToken>, now: UnixTime) -> Progress<'_> {
    if let Err(reason) = pending.authorizer.check_validity(&token, now) {
        return pending.deny_caller(reason, &token);
    }
    if let Err(reason) = open_to(&pending.route.scopes, &pending.route.required, &token) {
        return pending.deny_caller(reason, &token);
    }
    if let Some(position) = pending.route.subject
        && Template::value(&pending.target, position) != Some(&*token.subject)
    {
        return pending.deny_caller(Reason::SubjectMismatch, &token);
    }
    if !pending.route.company.binds() {
        return permit(pending, Some(token), None, None, now);
    }
    if let Err(reason) = pending.company {
        return pending.deny_caller(reason, &token);
    }
    let caller = Arc::clone(&token);
    match &caller.permissions {
        Some(record) => judge_company(pending, token, record, now),
        None => match pending.authorizer.policy.issuers.get(token.issuer) {
            Some(issuer) => Progress::NeedsPermissions(NeedsPermissions::new(pending, token, issuer)),
            None => pending.deny(Reason::IssuerUnknown),
        },
    }
}

/// Judges company and role on the caller's record; the last rule but for the body's.
pub(super) fn judge_company<'a>(
    pending: Pending<'a>,
    token: Arc<VerifiedToken>,
    record: &PermissionsRecord,
    now: UnixTime,
) -> Progress<'a> {
    let company = match &pending.route.company {
        CompanyRule::Subject => Some(Company::Subject),
        _ => pending.company.clone().unwrap_or_default(),
    };
    let name = company.as_ref().and_then(|company| company.name(&pending.target, Some(&token.subject)));
    let Some(name) = name else {
        return pending.deny_caller(Reason::CompanyMismatch, &token);
    };
    match held_in(&pending.route.roles, record, token.unread, name) {
        Ok(held) => permit(pending, Some(token), company, Some(Arc::clone(held)), now),
        Err(reason) => pending.deny_caller(reason, &token),
    }
}

/// Whether who has this token has the scopes and the claims that are asked for, whatever the request.
pub(super) fn open_to(scopes: &ScopeRule, required: &[RequiredClaim], token: &VerifiedToken) -> Result<(), Reason> {
    token.unread.check_scopes(scopes)?;
    if !scopes.holds(&token.scopes) {
        return Err(Reason::ScopeMissing);
    }
    required.iter().try_for_each(|required| {
        let claim = token.claim_at_top(&required.name);
        match claim {
            Some(KeptClaim::TooLarge) => Err(Reason::ClaimTooLarge),
            _ if required.holds(claim.and_then(KeptClaim::value)) => Ok(()),
            _ => Err(Reason::ConditionUnmet),
        }
    })
}

/// The roles that the caller holds in `company`, where one of the `wanted` is among them or none is wanted. `unread`: which
/// of the token's claims are not read, and so not in `record`.
pub(super) fn held_in<'r>(
    wanted: &[String],
    record: &'r PermissionsRecord,
    unread: Unread,
    company: &str,
) -> Result<&'r Arc<[String]>, Reason> {
    unread.check_companies()?;
    let held = record.held(company).ok_or(Reason::CompanyMismatch)?;
    unread.check_roles(wanted)?;
    if wanted.is_empty() || held.iter().any(|role| wanted.contains(role)) { Ok(held) } else { Err(Reason::RoleMissing) }
}

fn permit<'a>(
    pending: Pending<'a>,
    token: Option<Arc<VerifiedToken>>,
    company: Option<Company>,
    roles: Option<Arc<[String]>>,
    now: UnixTime,
) -> Progress<'a> {
    let (policy, route) = (&pending.authorizer.policy, pending.route);
    let principal = match &token {
        None => None,
        Some(token) => match pending.principal(token) {
            Some(principal) => Some(principal),
            None => return pending.deny(Reason::IssuerUnknown),
        },
    };
    let Some(origin) = policy.origins.get(route.origin) else {
        return pending.deny(Reason::Unconfigured);
    };
    // Only a request whose body is still to be read goes on being pending.
    let (content_sha256, unread) = match body(&pending) {
        Body::Unbound => (None, None),
        Body::Bound(digest) => (Some(digest), None),
        Body::ToRead => (None, Some(pending.clone())),
        Body::Undeclared => return pending.deny_whoever(Reason::BodyDigestMissing, token.as_ref()),
    };
    let handed_on = token.iter().flat_map(|token| {
        route.headers.iter().filter_map(|handed| {
            let value = handed::field_value(token.claim(&handed.path)?.value()?)?;
            Some((handed.field.clone(), value))
        })
    });
    let cors = policy.cors.as_ref();
    let permit = Permit {
        route: Arc::clone(&route.name),
        origin: origin.clone(),
        principal,
        company,
        roles,
        policy_version: Arc::clone(&policy.version),
        handed_on: handed_on.collect(),
        content_sha256,
        forwards_token: origin.receives_token() && (!route.is_public() || route.forwards_token),
        unusual_names: pending.unusual_names,
        vary: Arc::clone(&route.vary),
        response_headers: cors.map(|cors| cors.answer_fields(pending.origin.as_deref())).unwrap_or_default(),
        method: pending.method,
        target: pending.target,
    };
    match unread {
        None => Progress::Decided(Decision::Permit(permit)),
        Some(pending) => Progress::NeedsBody(NeedsBody { pending, token, permit: Box::new(permit), since: now }),
    }
}

/// What the route wants of this request's body.
enum Body {
    Unbound,
    Bound(ContentDigest),
    Undeclared,
    ToRead,
}

fn body(pending: &Pending<'_>) -> Body {
    match pending.route.body {
        BodyRule::Streamed => Body::Unbound,
        // RFC 9110 §9.3.1: a body has no meaning there, and no driver forwards one.
        BodyRule::Declared | BodyRule::Buffered if matches!(&*pending.method, "GET" | "HEAD") => {
            Body::Bound(digest::OF_NOTHING)
        }
        BodyRule::Declared => pending.declared.map_or(Body::Undeclared, Body::Bound),
        BodyRule::Buffered => Body::ToRead,
    }
}
