//! Which rules of each route the tests cover.
//!
//! A rule is covered if it denies some test on this route and another test is permitted there: without the rule, the first
//! would be permitted. A free parameter is counted too. It is covered if some test is permitted with a value that is not the
//! caller's own. So an author who removes a rule or frees its parameter gets a failed test or an uncovered rule.

use std::collections::BTreeMap;

use postern::{
    Decision, Denial, Permit, Policy, Reason,
    policy::{BodyRule, CompanyRule, FreedBy, PolicyTest, Route, TestCaller},
    target::CanonicalTarget,
};

use super::run::TestOutcome;

/// A member of a route that denies callers, by the reason that it denies with.
pub(super) const RULES: [(&str, Reason); 6] = [
    ("scopes", Reason::ScopeMissing),
    ("require", Reason::ConditionUnmet),
    ("subject", Reason::SubjectMismatch),
    ("company", Reason::CompanyMismatch),
    ("roles", Reason::RoleMissing),
    ("body", Reason::BodyDigestMissing),
];

/// The rules of one route.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RouteRules {
    pub(super) route: String,
    /// How many rules and free parameters it has.
    pub(super) of: usize,
    /// Rules that no test is denied by.
    pub(super) undenied: Vec<&'static str>,
    /// Free parameters for which no test is permitted with another caller's value.
    pub(super) untried: Vec<String>,
    /// Whether some test is permitted; without one, nothing here is covered.
    pub(super) is_permitted: bool,
}

impl RouteRules {
    /// How many of them the tests cover.
    pub(super) const fn covered(&self) -> usize {
        if self.is_permitted {
            self.of.saturating_sub(self.undenied.len()).saturating_sub(self.untried.len())
        } else {
            0
        }
    }
}

/// Returns the rules of each enforced route.
pub(super) fn of(policy: &Policy, outcomes: &[TestOutcome<'_>]) -> Vec<RouteRules> {
    let mut denials: BTreeMap<&str, Vec<&Denial>> = BTreeMap::new();
    let mut permits: BTreeMap<&str, Vec<(&Permit, &PolicyTest)>> = BTreeMap::new();
    for outcome in outcomes {
        match &outcome.explanation.decision {
            Decision::Permit(permit) => permits.entry(permit.route()).or_default().push((permit, outcome.test)),
            Decision::Deny(denial) => {
                if let Some(route) = denial.route() {
                    denials.entry(route).or_default().push(denial);
                }
            }
            Decision::Preflight(_) => {}
        }
    }
    let of_route = |route: &Route| {
        let denied = denials.get(route.name()).map(Vec::as_slice).unwrap_or_default();
        let permitted = permits.get(route.name()).map(Vec::as_slice).unwrap_or_default();
        let rules: Vec<(&str, Reason)> = RULES.into_iter().filter(|(_, reason)| denies_with(route, *reason)).collect();
        let freed = route.free_parameters().iter().filter(|free| free.by != FreedBy::Public);
        let is_denied = |reason: Reason| denied.iter().any(|denial| denial.reason() == reason);
        let is_tried = |position: usize| {
            permitted.iter().any(|(permit, test)| !is_own(test.caller.as_ref(), permit.target(), position))
        };
        RouteRules {
            route: route.name().to_owned(),
            of: rules.len().saturating_add(freed.clone().count()),
            undenied: rules.iter().filter(|(_, reason)| !is_denied(*reason)).map(|(rule, _)| *rule).collect(),
            untried: freed.filter(|free| !is_tried(free.position)).map(|free| format!("{{{}}}", free.name)).collect(),
            is_permitted: !permitted.is_empty(),
        }
    };
    policy.routes().iter().filter(|route| !route.is_shadow()).map(of_route).collect()
}

/// Whether the route has a rule that denies with this reason.
pub(super) fn denies_with(route: &Route, reason: Reason) -> bool {
    match reason {
        Reason::ScopeMissing => !route.scopes().is_empty(),
        Reason::ConditionUnmet => !route.required().is_empty(),
        Reason::SubjectMismatch => route.subject_parameter().is_some(),
        // A caller that is itself the company never has another one.
        Reason::CompanyMismatch => route.company().binds() && *route.company() != CompanyRule::Subject,
        Reason::RoleMissing => !route.roles().is_empty(),
        Reason::BodyDigestMissing => !route.is_public() && route.body() == BodyRule::Declared,
        _ => false,
    }
}

/// Whether the segment at `position` is the caller's own subject, one of its companies, or part of one of its claims.
fn is_own(caller: Option<&TestCaller>, target: &str, position: usize) -> bool {
    let Some(caller) = caller else { return false };
    let Ok(target) = CanonicalTarget::parse(target) else { return true };
    let Some(value) = target.segments().nth(position) else { return true };
    let is_company = caller.companies.as_ref().is_some_and(|companies| companies.contains_key(value));
    let is_claimed = caller.claims.values().any(|claim| claim.to_string().contains(value));
    caller.subject == value || is_company || is_claimed
}
