//! A route's rules as a conjunction of clauses, each a disjunction of atoms: things that a caller may or may not have,
//! each by itself.
//!
//! Only what tells callers apart is here. Ages of records, bodies and fields handed on are settings ([`super::settings`]).

use postern::policy::{CompanyRule, Issuer, PermissionsSource, RequiredClaim, Route};

use super::paths::subject_position;

/// Where a request says a company.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In this segment of the path.
    Segment(usize),
    /// In this field.
    Header(String),
    /// In this parameter.
    Query(String),
}

/// Who says what companies and roles a caller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Service,
    Claims,
}

/// One thing that holds or does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// The token has the scope.
    Scope(String),
    /// The claim is, or holds, the value; `None`: it is there at all.
    Claim(String, Option<String>),
    /// The caller is who this segment names.
    Subject(usize),
    /// The request names a company there.
    Given(Place),
    /// That company is the caller.
    CompanyIsCaller(Place),
    /// That company is among the caller's.
    Member(Source, Place),
    /// The caller holds the role in that company.
    Role(Source, Place, String),
}

impl Atom {
    /// The place of the company that it is about.
    pub(super) const fn place(&self) -> Option<&Place> {
        match self {
            Self::Given(place) | Self::CompanyIsCaller(place) | Self::Member(_, place) | Self::Role(_, place, _) => {
                Some(place)
            }
            Self::Scope(_) | Self::Claim(..) | Self::Subject(_) => None,
        }
    }
}

/// Whether a claim with this text counts as absent where a rule only asks that the claim be there: `false`, `null`.
pub(super) fn is_denial(text: &str) -> bool {
    let required = RequiredClaim { name: String::new(), values: Vec::new() };
    !required.holds(Some(&text.into()))
}

/// Atoms of which one must hold.
pub(super) type Clause = Vec<Atom>;

/// What `route` asks of callers of `issuer`, in the order in which it is asked.
pub(super) fn of_route(route: &Route, issuer: &Issuer) -> Vec<Clause> {
    let scope = |name: &String| Atom::Scope(name.clone());
    let mut clauses: Vec<Clause> = route.scopes().all_of.iter().map(|name| vec![scope(name)]).collect();
    if !route.scopes().any_of.is_empty() {
        clauses.push(route.scopes().any_of.iter().map(scope).collect());
    }
    clauses.extend(route.required().iter().map(|claim| of_claim(&claim.name, &claim.values)));
    clauses.extend(subject_position(route).map(|position| vec![Atom::Subject(position)]));
    let place = match route.company() {
        CompanyRule::Parameter(_, position) => Place::Segment(*position),
        CompanyRule::Header(name) => Place::Header(name.clone()),
        CompanyRule::Query(name) => Place::Query(name.clone()),
        // The caller is the company, or nobody asks.
        _ => return clauses,
    };
    if !matches!(place, Place::Segment(_)) {
        clauses.push(vec![Atom::Given(place.clone())]);
    }
    let source = match issuer.permissions() {
        PermissionsSource::Service => Source::Service,
        PermissionsSource::Claims => Source::Claims,
        _ => {
            clauses.push(vec![Atom::CompanyIsCaller(place)]);
            return clauses;
        }
    };
    clauses.push(vec![Atom::Member(source, place.clone())]);
    if !route.roles().is_empty() {
        clauses.push(route.roles().iter().map(|role| Atom::Role(source, place.clone(), role.clone())).collect());
    }
    clauses
}

/// What `issuer` asks of every token.
pub(super) fn of_issuer(issuer: &Issuer) -> Vec<Clause> {
    issuer.required().map(|(name, values)| of_claim(name, values)).collect()
}

fn of_claim(name: &str, values: &[String]) -> Clause {
    if values.is_empty() {
        return vec![Atom::Claim(name.to_owned(), None)];
    }
    values.iter().map(|value| Atom::Claim(name.to_owned(), Some(value.clone()))).collect()
}

/// The callers for whom the clause of a route with this path does not hold, as a person would say it.
pub(super) fn without(clause: &Clause, path: &str) -> String {
    let names = |name: fn(&Atom) -> Option<&String>| -> Vec<String> {
        clause.iter().filter_map(name).map(|name| format!("`{name}`")).collect()
    };
    let scopes = names(|atom| match atom {
        Atom::Scope(name) => Some(name),
        _ => None,
    });
    let roles = names(|atom| match atom {
        Atom::Role(_, _, role) => Some(role),
        _ => None,
    });
    let values = names(|atom| match atom {
        Atom::Claim(_, value) => value.as_ref(),
        _ => None,
    });
    let segment = |position: usize| path.split('/').skip(1).nth(position).unwrap_or("the path").to_owned();
    let place = |place: &Place| match place {
        Place::Segment(position) => segment(*position),
        Place::Header(name) => format!("field `{name}`"),
        Place::Query(name) => format!("parameter `{name}`"),
    };
    match clause.as_slice() {
        [Atom::Scope(_), ..] => format!("without scope {}", scopes.join(" or ")),
        [Atom::Role(_, at, _), ..] => format!("without role {} in company {}", roles.join(" or "), place(at)),
        [Atom::Claim(name, None), ..] => format!("without claim `{name}`"),
        [Atom::Claim(name, Some(_)), ..] => format!("whose claim `{name}` is not {}", values.join(" or ")),
        [Atom::Subject(position), ..] => format!("who are not {}", segment(*position)),
        [Atom::Given(at), ..] => format!("who name no company in {}", place(at)),
        [Atom::CompanyIsCaller(at), ..] => format!("who are not company {}", place(at)),
        [Atom::Member(_, at), ..] => format!("without company {}", place(at)),
        [] => String::new(),
    }
}
