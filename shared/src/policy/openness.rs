//! Whether one route lets in everyone whom another one lets in.
//!
//! Rules are compared one by one, so that `true` is always right: whoever meets every rule of the other route meets this
//! one's. `false` may mean that it cannot be seen so simply. The same request is asked about, at paths whose segments mean
//! the same: a rule that compares a segment with the caller is the same rule on both routes if it compares the same place.
//!
//! What goes to the origin plays no part (`headers`, `origin`), but for the body, without which a request may be refused.

use super::{BodyRule, CompanyRule, Issuer, RequiredClaim, Route, ScopeRule};

impl Route {
    /// Whether everyone whom `other` permits is permitted here too. `issuers` are those of the policy.
    pub(crate) fn is_as_open_as(&self, other: &Self, issuers: &[Issuer]) -> bool {
        let takes_bodies = self.body == BodyRule::Streamed || self.body == other.body;
        if self.is_public() {
            return takes_bodies;
        }
        takes_bodies
            && !other.is_public()
            && has_issuers(self, other, issuers)
            && (self.subject.is_none() || self.subject == other.subject)
            && has_companies(self, other)
            && self.scopes.is_met_with(&other.scopes)
            && self.required.iter().all(|own| other.required.iter().any(|required| own.is_met_with(required)))
    }
}

/// A section more of the same URL could make a token ambiguous that one section alone takes.
fn has_issuers(own: &Route, other: &Route, issuers: &[Issuer]) -> bool {
    let url = |index: &usize| issuers.get(*index).map(Issuer::url);
    let has_url = |index: &usize| other.issuers.iter().any(|known| url(known) == url(index));
    other.issuers.iter().all(|index| own.issuers.contains(index))
        && own.issuers.iter().all(|index| other.issuers.contains(index) || !has_url(index))
}

/// The company, the role held there, and how old a record may be that says so.
fn has_companies(own: &Route, other: &Route) -> bool {
    if !own.company.binds() {
        return true;
    }
    let is_same = match (&own.company, &other.company) {
        (CompanyRule::Parameter(_, own), CompanyRule::Parameter(_, other)) => own == other,
        (own, other) => own == other,
    };
    let has_role =
        own.roles.is_empty() || (!other.roles.is_empty() && other.roles.iter().all(|role| own.roles.contains(role)));
    let longest = |route: &Route| route.permissions_max_age.saturating_add(route.permissions_stale_if_error);
    is_same && has_role && own.permissions_max_age >= other.permissions_max_age && longest(own) >= longest(other)
}

impl ScopeRule {
    /// Whether a token with the scopes that `other` asks for has those that this asks for.
    fn is_met_with(&self, other: &Self) -> bool {
        // One scope to choose from is a scope that must be there.
        let has = |scope: &_| other.all_of.contains(scope) || other.any_of.as_slice() == core::slice::from_ref(scope);
        let has_any = self.any_of.is_empty()
            || self.any_of.iter().any(has)
            || (!other.any_of.is_empty() && other.any_of.iter().all(|scope| self.any_of.contains(scope)));
        self.all_of.iter().all(has) && has_any
    }
}

impl RequiredClaim {
    /// Whether a claim that is as `other` requires is as this requires.
    fn is_met_with(&self, other: &Self) -> bool {
        let is_enough = if self.values.is_empty() {
            // A text that denies the claim is there, and counts as absent.
            other.values.iter().all(|value| self.holds(Some(&value.as_str().into())))
        } else {
            !other.values.is_empty() && other.values.iter().all(|value| self.values.contains(value))
        };
        self.name == other.name && is_enough
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn required(values: &[&str]) -> RequiredClaim {
        RequiredClaim { name: "tier".into(), values: values.iter().map(|value| (*value).into()).collect() }
    }

    fn scopes(all_of: &[&str], any_of: &[&str]) -> ScopeRule {
        let owned = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).into()).collect();
        ScopeRule { all_of: owned(all_of), any_of: owned(any_of) }
    }

    #[test]
    fn fewer_scopes_and_more_to_choose_from_are_met_with_more_scopes() {
        for (own, other, is_met) in [
            (scopes(&[], &[]), scopes(&[], &[]), true),
            (scopes(&[], &[]), scopes(&["a"], &[]), true),
            (scopes(&["a"], &[]), scopes(&[], &[]), false),
            (scopes(&["a"], &[]), scopes(&["b", "a"], &[]), true),
            (scopes(&["a", "b"], &[]), scopes(&["a"], &[]), false),
            (scopes(&["a"], &[]), scopes(&[], &["a"]), true),
            (scopes(&["a"], &[]), scopes(&[], &["a", "b"]), false),
            (scopes(&[], &["a", "b"]), scopes(&[], &["a"]), true),
            (scopes(&[], &["a"]), scopes(&[], &["a", "b"]), false),
            (scopes(&[], &["a", "b"]), scopes(&["b"], &[]), true),
            (scopes(&[], &["a", "b"]), scopes(&["c"], &[]), false),
        ] {
            assert_eq!(own.is_met_with(&other), is_met, "{own:?} {other:?}");
        }
    }

    #[test]
    fn a_claim_of_some_values_is_met_with_fewer_values() {
        for (own, other, is_met) in [
            (&[][..], &[][..], true),
            (&[], &["gold"], true),
            (&[], &["gold", "false"], false),
            (&["gold"], &[], false),
            (&["gold", "tin"], &["tin"], true),
            (&["gold"], &["gold", "tin"], false),
        ] {
            assert_eq!(required(own).is_met_with(&required(other)), is_met, "{own:?} {other:?}");
        }
        let elsewhere = RequiredClaim { name: "plan".into(), values: Vec::from(["gold".into()]) };
        assert!(!required(&["gold"]).is_met_with(&elsewhere));
    }
}
