//! Lists of one route that no request and no caller can meet, or that say a thing twice.
//!
//! **What is no contradiction.** A route that requires other values of a claim than its issuer's section does: a claim
//! may be a list that holds both. A rule for bodies on a route that answers GET alone: it binds that there is none.

use alloc::{format, string::String};

use super::{
    PolicyFault, ScopeRule,
    compile::Faults,
    file::{OneOrMany, RouteFile, ScopesFile},
};
use crate::names::is_scope;

/// Lists that no token can meet, or that say a thing twice.
pub(super) fn check_lists(at: &str, route: &RouteFile, scopes: &ScopeRule, faults: &mut Faults) {
    let lists = Lists { at, route, scopes };
    lists.scopes(faults);
    lists.repeated(faults);
}

/// What a route lists.
struct Lists<'a> {
    at: &'a str,
    route: &'a RouteFile,
    scopes: &'a ScopeRule,
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
