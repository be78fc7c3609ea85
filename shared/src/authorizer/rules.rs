//! The route's rules on a verified token, cheapest first: scope, subject, then company and role.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::{NeedsPermissions, Progress, VerifiedToken, begin::Pending};
use crate::{
    decision::{Decision, Permit, Principal},
    permissions::PermissionsRecord,
    policy::Template,
    reason::Reason,
    time::UnixTime,
};

/// Permits a request on a public route; whatever token it carries is not looked at.
pub(super) fn permit_public(pending: Pending<'_>) -> Progress<'_> {
    permit(pending, None, None, Vec::new())
}

/// Judges everything that needs no permissions record, and asks for one where it takes one.
pub(super) fn judge(pending: Pending<'_>, token: Arc<VerifiedToken>, now: UnixTime) -> Progress<'_> {
    if token.is_expired(now) {
        return pending.deny(Reason::Expired);
    }
    if !pending.route.scopes.iter().all(|scope| token.scopes.contains(scope)) {
        return pending.deny(Reason::ScopeMissing);
    }
    if let Some(position) = pending.route.subject
        && Template::value(&pending.target, position) != Some(token.subject.as_str())
    {
        return pending.deny(Reason::SubjectMismatch);
    }
    if pending.route.company.is_none() {
        return permit(pending, Some(&token), None, Vec::new());
    }
    match token.permissions.clone() {
        Some(record) => judge_company(pending, &token, &record),
        None => match pending.authorizer.policy.issuers.get(token.issuer) {
            Some(issuer) => Progress::NeedsPermissions(NeedsPermissions::new(pending, token, issuer)),
            None => pending.deny(Reason::IssuerUnknown),
        },
    }
}

/// Judges company and role on the caller's record; the last step.
pub(super) fn judge_company<'a>(
    pending: Pending<'a>,
    token: &VerifiedToken,
    record: &PermissionsRecord,
) -> Progress<'a> {
    let company = pending.route.company.and_then(|position| Template::value(&pending.target, position));
    let Some((company, held)) = company.and_then(|company| Some((String::from(company), record.roles(company)?)))
    else {
        return pending.deny(Reason::CompanyMismatch);
    };
    let wanted = &pending.route.roles;
    if !wanted.is_empty() && !held.iter().any(|role| wanted.contains(role)) {
        return pending.deny(Reason::RoleMissing);
    }
    permit(pending, Some(token), Some(company), held.to_vec())
}

fn permit<'a>(
    pending: Pending<'a>,
    token: Option<&VerifiedToken>,
    company: Option<String>,
    roles: Vec<String>,
) -> Progress<'a> {
    let policy = &pending.authorizer.policy;
    let principal = match token {
        None => None,
        Some(token) => match policy.issuers.get(token.issuer) {
            Some(issuer) => Some(Principal {
                issuer: issuer.name.clone(),
                subject: token.subject.clone(),
                scopes: token.scopes.clone(),
            }),
            None => return pending.deny(Reason::IssuerUnknown),
        },
    };
    let Some(origin) = policy.origins.get(pending.route.origin) else {
        return pending.deny(Reason::Unconfigured);
    };
    let cors = policy.cors.as_ref();
    let response_headers = cors.map(|cors| cors.answer_fields(pending.origin.as_deref())).unwrap_or_default();
    Progress::Decided(Decision::Permit(Permit {
        route: pending.route.name.clone(),
        origin: origin.clone(),
        principal,
        company,
        roles,
        policy_version: policy.version.clone(),
        response_headers,
        method: pending.method,
        target: pending.target,
    }))
}
