//! Rules of one route that take something back from one another, or that no request and no caller can meet.
//!
//! **Path parameters.** A parameter binds nothing by itself, and most need not: `{order}` names a thing, and whose it is
//! the origin knows. What promises a rule must have one. `{company}` is bound by `company`, unless the route says
//! `company = "any"`; `{user}` and `{subject}` are bound by `subject`, unless the route says `subject = "any"` or is
//! public. So who forgets the rule, or takes it away from a route that had it, is told.
//!
//! **What is no contradiction.** A route that requires other values of a claim than its issuer's section does: a claim
//! may be a list that holds both. A rule for bodies on a route that answers GET alone: it binds that there is none.

use alloc::{borrow::ToOwned, format, string::String};

use super::{
    CompanyRule, PolicyFault, ScopeRule,
    compile::Faults,
    file::{OneOrMany, RouteFile, ScopesFile},
    template::Template,
};
use crate::names::is_scope;

/// Parameters that name the caller.
const SUBJECTS: [&str; 2] = ["user", "subject"];

/// What the parameters of a route's path promise.
pub(super) fn check_parameters(
    at: &str,
    route: &RouteFile,
    template: &Template,
    company: &CompanyRule,
    faults: &mut Faults,
) {
    Place { at, route, template, company }.check(faults);
}

/// Lists that no token can meet, or that say a thing twice.
pub(super) fn check_lists(at: &str, route: &RouteFile, scopes: &ScopeRule, faults: &mut Faults) {
    let lists = Lists { at, route, scopes };
    lists.scopes(faults);
    lists.repeated(faults);
}

/// Where a route lies, as it is written and with what was made of it.
struct Place<'a> {
    at: &'a str,
    route: &'a RouteFile,
    template: &'a Template,
    company: &'a CompanyRule,
}

/// What a route lists.
struct Lists<'a> {
    at: &'a str,
    route: &'a RouteFile,
    scopes: &'a ScopeRule,
}

impl Place<'_> {
    fn check(&self, faults: &mut Faults) {
        let subject = self.route.subject.as_deref();
        let bound_by_subject = subject.and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
        let bound_by_company = match self.company {
            CompanyRule::Parameter(name, _) => Some(name.as_str()),
            _ => None,
        };
        let is_bound = |name: &str| bound_by_subject == Some(name) || bound_by_company == Some(name);
        // A rule for the company that is itself at fault is told already.
        let says_company = self.route.company.is_some() && *self.company == CompanyRule::None;
        let frees_company = *self.company == CompanyRule::Any || says_company;
        // A rest of that name promises as much, and nothing could bind it.
        let has = |name: &str| self.template.position(name).is_some() || self.template.rest() == Some(name);
        if has("company") && !is_bound("company") && !frees_company {
            faults.add(self.at, PolicyFault::UnboundCompany);
        }
        for name in SUBJECTS {
            // A rule for the subject that is itself at fault is told already.
            let is_misspelt = bound_by_subject.is_some_and(|own| self.template.position(own).is_none());
            let is_free = self.route.public || subject == Some("any") || is_misspelt || is_bound(name);
            if has(name) && !is_free {
                faults.add(self.at, PolicyFault::UnboundSubject(name));
            }
        }
        if let Some(name) = bound_by_subject
            && bound_by_company == Some(name)
        {
            faults.add(format!("{}.subject", self.at), PolicyFault::SameParameter(name.to_owned()));
        }
    }
}

impl Lists<'_> {
    fn sub(&self, member: &str) -> String {
        format!("{}.{member}", self.at)
    }

    fn scopes(&self, faults: &mut Faults) {
        let (all_of, any_of) = match &self.route.scopes {
            None => return,
            Some(ScopesFile::AllOf(_)) => ("scopes", "scopes"),
            Some(ScopesFile::Both(_)) => ("scopes.all_of", "scopes.any_of"),
        };
        if self.scopes.is_empty() && all_of != any_of {
            faults.add(self.sub("scopes"), PolicyFault::Empty("scope"));
        }
        for (member, scopes) in [(all_of, &self.scopes.all_of), (any_of, &self.scopes.any_of)] {
            for (index, scope) in scopes.iter().enumerate().filter(|(_, scope)| !is_scope(scope)) {
                faults.add(self.sub(&format!("{member}[{index}]")), PolicyFault::Scope(scope.clone()));
            }
            self.repeats(member, "scope", scopes, faults);
        }
        for (index, scope) in self.scopes.any_of.iter().enumerate() {
            if self.scopes.all_of.contains(scope) {
                faults.add(self.sub(&format!("{any_of}[{index}]")), PolicyFault::ScopeAskedTwice(scope.clone()));
            }
        }
    }

    fn repeated(&self, faults: &mut Faults) {
        self.repeats("methods", "method", &self.route.methods, faults);
        self.repeats("roles", "role", &self.route.roles, faults);
        if let Some(OneOrMany::Many(names)) = &self.route.issuer {
            self.repeats("issuer", "issuer", names, faults);
        }
    }

    fn repeats(&self, member: &str, kind: &'static str, names: &[String], faults: &mut Faults) {
        for (index, name) in
            names.iter().enumerate().filter(|(index, name)| names.iter().take(*index).any(|own| own == *name))
        {
            faults.add(self.sub(&format!("{member}[{index}]")), PolicyFault::Repeated(kind, name.clone()));
        }
    }
}
