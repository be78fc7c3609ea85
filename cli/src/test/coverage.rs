//! What the tests of a policy leave unsaid: routes that none permits or denies, rules of routes that none is denied by
//! ([`super::rules`]), deny reasons that none brings about.
//!
//! Counted are the reasons that hang on what the policy says. Those that every policy has alike, such as targets that
//! are not canonical and tokens that are malformed, are Postern's own to test, and are asked of no author.

use std::collections::BTreeSet;

use postern::{
    Decision, Policy, Reason,
    policy::{CompanyRule, Issuer, PermissionsSource, Route},
};

use super::{
    rules::{self, RouteRules},
    run::TestOutcome,
};

/// What no test covers.
pub(super) struct Coverage {
    /// Names of routes that no test permits.
    pub(super) never_permitted: Vec<String>,
    /// Names of routes that no test denies.
    pub(super) never_denied: Vec<String>,
    /// The rules of each route.
    pub(super) rules: Vec<RouteRules>,
    /// Reasons that the policy can give and no test brings about.
    pub(super) reasons: Vec<Reason>,
    /// How many reasons are counted.
    pub(super) of: usize,
}

impl Coverage {
    pub(super) fn of(policy: &Policy, outcomes: &[TestOutcome<'_>]) -> Self {
        let (mut permitted, mut denied) = (BTreeSet::new(), BTreeSet::new());
        let mut given: Vec<Reason> = Vec::new();
        for outcome in outcomes {
            match &outcome.explanation.decision {
                Decision::Permit(permit) => drop(permitted.insert(permit.route().to_owned())),
                Decision::Deny(denial) => {
                    denied.extend(denial.route().map(str::to_owned));
                    given.push(denial.reason());
                }
                Decision::Preflight(_) => {}
            }
        }
        let lacking = |named: &BTreeSet<String>, wanted: &dyn Fn(&Route) -> bool| {
            let routes = policy.routes().iter().filter(|route| !route.is_shadow() && wanted(route));
            routes.map(|route| route.name().to_owned()).filter(|name| !named.contains(name)).collect()
        };
        let can = possible(policy);
        Self {
            never_permitted: lacking(&permitted, &|_| true),
            // Nobody is denied on a route that is open to anyone.
            never_denied: lacking(&denied, &|route| !route.is_public()),
            rules: rules::of(policy, outcomes),
            reasons: can.iter().copied().filter(|reason| !given.contains(reason)).collect(),
            of: can.len(),
        }
    }

    /// Whether nothing is left unsaid.
    pub(super) fn is_whole(&self) -> bool {
        self.never_permitted.is_empty()
            && self.never_denied.is_empty()
            && self.reasons.is_empty()
            && self.rules.iter().all(|rules| rules.covered() == rules.of)
    }
}

/// The reasons that this policy can give because of what it says, and that a test can bring about.
fn possible(policy: &Policy) -> Vec<Reason> {
    let mut can: Vec<Reason> = Reason::ALL.into_iter().filter(|reason| can_give(policy, *reason)).collect();
    can.sort_by_key(|reason| reason.stage());
    can
}

fn can_give(policy: &Policy, reason: Reason) -> bool {
    let route = |wanted: &dyn Fn(&Route) -> bool| {
        policy.routes().iter().any(|route| !route.is_shadow() && !route.is_public() && wanted(route))
    };
    let issuer = |wanted: &dyn Fn(&Issuer) -> bool| route(&|route| policy.issuers_of(route).any(wanted));
    let asks_service = || {
        route(&|route| {
            let mut issuers = policy.issuers_of(route);
            route.company().binds() && issuers.any(|issuer| issuer.permissions() == PermissionsSource::Service)
        })
    };
    match reason {
        Reason::NoRoute | Reason::MethodNotAllowed => true,
        Reason::PathAmbiguous => {
            let all = policy.routes().iter();
            all.filter(|route| !route.is_shadow()).any(|route| policy.rivals(route).any(|(_, needs_tail)| !needs_tail))
        }
        Reason::CredentialMissing
        | Reason::Expired
        | Reason::AudienceMismatch
        | Reason::KeysUnavailable
        | Reason::SignatureInvalid => route(&|_| true),
        Reason::NotAnAccessToken => issuer(&|issuer| issuer.token_use().is_some() || issuer.token_type().is_some()),
        Reason::ClaimMismatch => issuer(&|issuer| issuer.required().next().is_some()),
        Reason::LifetimeTooLong => issuer(&|issuer| issuer.max_lifetime().is_some()),
        // Where tokens live no longer than that, they expire first.
        Reason::IssuedTooLongAgo => {
            issuer(&|issuer| issuer.max_age().is_some_and(|age| issuer.max_lifetime().is_none_or(|life| life > age)))
        }
        Reason::IssuedAtMissing => issuer(&|issuer| issuer.max_lifetime().is_some() || issuer.max_age().is_some()),
        Reason::CompanyUnspecified => {
            route(&|route| matches!(route.company(), CompanyRule::Header(_) | CompanyRule::Query(_)))
        }
        Reason::PermissionsUnavailable => asks_service(),
        // A rule of some route; or what every policy has alike, and what no test can bring about.
        _ => route(&|route| rules::denies_with(route, reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a policy of one protected route can be denied for that it says nothing else of.
    const ALWAYS: [&str; 7] = [
        "no_route",
        "method_not_allowed",
        "credential_missing",
        "keys_unavailable",
        "signature_invalid",
        "audience_mismatch",
        "expired",
    ];

    fn policy(issuer: &str, route: &str) -> Policy {
        let text = format!(
            "roles = [\"Manager\"]\n[issuer.users]\nurl = \"https://issuer.example\"\nalgorithms = [\"EdDSA\"]\n\
             audience = [\"a\"]\n{issuer}\n[origin.orders]\nurl = \"https://orders.example\"\nkey = \"KEY\"\n\
             [[route]]\nname = \"r\"\nmethods = [\"GET\", \"PUT\"]\norigin = \"orders\"\n{route}\n"
        );
        postern::policy::from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"))
    }

    #[test]
    fn the_reasons_that_are_counted_are_those_that_the_policy_can_give() {
        let access = "token_use = \"access\"\npermissions = \"claims\"";
        let service = "token_use = \"access\"\npermissions = \"service\"\n[permissions]\norigin = \"orders\"";
        let limited = "require.kind = \"a\"\npermissions = \"claims\"\nmax_lifetime = \"10m\"\nmax_age = \"5m\"";
        let route = "path = \"/r\"\nissuer = \"users\"\n";
        let kind = "not_an_access_token";
        for (issuer, rules, more) in [
            (access, "", vec![kind]),
            (access, "scopes = [\"a\"]", vec![kind, "scope_missing"]),
            (access, "scopes = { any_of = [\"a\"] }", vec![kind, "scope_missing"]),
            (access, "require.tier = true", vec![kind, "condition_unmet"]),
            (access, "body = \"declared\"", vec![kind, "body_digest_missing"]),
            (access, "company = { query = \"c\" }", vec![kind, "company_unspecified", "company_mismatch"]),
            (
                service,
                "company = { header = \"x-c\" }\nroles = [\"Manager\"]",
                vec![kind, "company_unspecified", "permissions_unavailable", "company_mismatch", "role_missing"],
            ),
            (limited, "", vec!["claim_mismatch", "issued_at_missing", "lifetime_too_long", "issued_too_long_ago"]),
        ] {
            let policy = policy(issuer, &format!("{route}{rules}"));
            let mut told: Vec<&str> = possible(&policy).into_iter().map(Reason::code).collect();
            let mut expected: Vec<&str> = ALWAYS.into_iter().chain(more).collect();
            told.sort_unstable();
            expected.sort_unstable();
            assert_eq!(told, expected, "{rules}");
        }
        let public = policy(access, "path = \"/r\"\npublic = true");
        assert_eq!(
            possible(&public).into_iter().map(Reason::code).collect::<Vec<_>>(),
            ["no_route", "method_not_allowed"]
        );
    }
}
