//! Whether the parameters of a path that name a company or a user are bound by a rule.
//!
//! A parameter binds nothing by itself, and most need not: `{order}` names a thing, and whose it is the origin knows. One
//! that names a company or a user ([`super::party`]) must be bound by `company` or `subject`, or the route says outright
//! that it is not: by `"any"`, or by `unbound`, where it names a resource of the company or the user that the route binds.
//! A public route binds nobody, so its users need no word; its companies do. So an author who forgets the rule, or takes it
//! away from a route that had it, is told.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    CompanyRule, PolicyFault,
    compile::Faults,
    file::RouteFile,
    party::{Party, PartyNames},
    template::{Template, is_identifier},
};

/// A parameter that no rule binds although it names a company or a user, or that the route lists as `unbound`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeParameter {
    /// Its name.
    pub name: String,
    /// Its segment of the path, counted from 0; of a rest, its first.
    pub position: usize,
    /// Whom it names by its name; `None`: neither a company nor a user.
    pub party: Option<Party>,
    /// What the route says of it.
    pub by: FreedBy,
}

/// How a route says that it does not bind a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FreedBy {
    /// `company = "any"` or `subject = "any"`.
    Any,
    /// `unbound`: it names a resource of the company or the user that the route binds.
    Unbound,
    /// `public`, which binds nobody.
    Public,
}

impl FreedBy {
    /// Its name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Unbound => "unbound",
            Self::Public => "public",
        }
    }
}

/// A route as it is written, and what was made of its rules.
pub(super) struct Bindings<'a> {
    pub(super) at: &'a str,
    pub(super) route: &'a RouteFile,
    pub(super) template: &'a Template,
    pub(super) company: &'a CompanyRule,
    pub(super) names: &'a PartyNames,
}

impl<'a> Bindings<'a> {
    /// Returns the parameters that no rule binds, in the order of the path. One of which nothing is said is a fault.
    pub(super) fn check(&self, faults: &mut Faults) -> Vec<FreeParameter> {
        if let Some(name) = self.by_subject()
            && self.by_company() == Some(name)
        {
            faults.add(format!("{}.subject", self.at), PolicyFault::SameParameter(name.to_owned()));
        }
        self.check_unbound(faults);
        let mut free = Vec::new();
        for (position, name) in self.template.parameters().filter(|(_, name)| !self.is_bound(name)) {
            let party = self.names.party(name);
            if let Some(by) = self.freed_by(name, party, faults) {
                free.push(FreeParameter { name: name.to_owned(), position, party, by });
            }
        }
        free
    }

    /// What the route says of a parameter that no rule binds. `None`: nothing, which is a fault where its name asks for it.
    fn freed_by(&self, name: &str, party: Option<Party>, faults: &mut Faults) -> Option<FreedBy> {
        if self.route.unbound.iter().any(|own| own == name) {
            return Some(FreedBy::Unbound);
        }
        // A faulty rule is reported already.
        let by_subject = self.by_subject();
        let is_misspelt = by_subject.is_some_and(|own| self.template.position(own).is_none());
        let fault = match party? {
            Party::Company if *self.company == CompanyRule::Any => return Some(FreedBy::Any),
            Party::Company if self.has_faulty_company() => return None,
            Party::Company => PolicyFault::UnboundCompany(name.to_owned(), self.binds_somebody()),
            Party::Subject if self.route.public => return Some(FreedBy::Public),
            Party::Subject if self.route.subject.as_deref() == Some("any") => return Some(FreedBy::Any),
            Party::Subject if is_misspelt => return None,
            Party::Subject => PolicyFault::UnboundSubject(name.to_owned(), self.binds_somebody()),
        };
        faults.add(self.at, fault);
        None
    }

    fn check_unbound(&self, faults: &mut Faults) {
        let unbound = &self.route.unbound;
        for (index, name) in unbound.iter().enumerate() {
            let fault = if !is_identifier(name) {
                PolicyFault::ParameterName(name.clone())
            } else if unbound.iter().take(index).any(|own| own == name) {
                PolicyFault::Repeated("parameter", name.clone())
            } else if !self.template.parameters().any(|(_, own)| own == name) {
                PolicyFault::UndefinedParameter(name.clone())
            } else if self.is_bound(name) {
                PolicyFault::BoundParameter(name.clone())
            } else if !self.binds_somebody() {
                PolicyFault::UnboundOfNobody(name.clone())
            } else {
                continue;
            };
            faults.add(format!("{}.unbound[{index}]", self.at), fault);
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.by_subject() == Some(name) || self.by_company() == Some(name)
    }

    /// The parameter that `subject` names.
    fn by_subject(&self) -> Option<&'a str> {
        self.route.subject.as_deref()?.strip_prefix('{')?.strip_suffix('}')
    }

    /// The parameter that `company` names.
    fn by_company(&self) -> Option<&'a str> {
        match self.company {
            CompanyRule::Parameter(name, _) => Some(name),
            _ => None,
        }
    }

    const fn has_faulty_company(&self) -> bool {
        self.route.company.is_some() && matches!(self.company, CompanyRule::None)
    }

    /// Whether the route binds a company or a user, whose resources other parameters can name.
    fn binds_somebody(&self) -> bool {
        self.company.binds() || self.has_faulty_company() || self.by_subject().is_some()
    }
}
