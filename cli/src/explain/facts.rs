//! What is known of a request and of its caller, for the words of an explanation.
//!
//! Read here from the policy, the request and the token as it stands. Nothing here decides: the core has decided, and
//! a test holds these facts against what it said.

use std::collections::BTreeMap;

use postern::{
    Decision, PermissionsRecord, Policy, Request, UnixTime,
    policy::{CompanyRule, Issuer, PermissionsSource, Route, TextForm},
    target::CanonicalTarget,
};
use serde_json::{Map, Value};

use crate::{draft::claim, inspect, world::World};

/// The facts of one decision.
pub(crate) struct Facts<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) now: UnixTime,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) route: Option<&'a Route>,
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    /// The issuer section that the token is of, as far as its claims tell.
    pub(crate) section: Option<&'a Issuer>,
    /// The company that the request is about.
    pub(crate) company: Option<String>,
    /// The caller's companies with the roles held there; `None`: nobody has a record of the caller.
    pub(crate) companies: Option<BTreeMap<String, Vec<String>>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn gather(world: &'a World, request: &Request<'a>, token: Option<&str>, decision: &Decision) -> Self {
        let policy = world.policy();
        let (name, issuer, company) = match decision {
            Decision::Permit(permit) => (Some(permit.route()), permit.issuer(), permit.company()),
            Decision::Deny(denial) => (denial.route(), denial.issuer(), denial.company()),
            Decision::Preflight(_) => (None, None, None),
        };
        let route = policy.routes().iter().find(|route| Some(route.name()) == name);
        let header = token.and_then(inspect::header_unverified).unwrap_or_default();
        let claims = token.and_then(inspect::claims_unverified).unwrap_or_default();
        let known = policy.issuers().iter().find(|own| Some(own.name()) == issuer);
        let section = known.or_else(|| route.and_then(|route| section(policy, route, &claims)));
        let mut facts = Self {
            policy,
            now: world.now,
            method: request.method,
            target: request.target,
            route,
            header,
            claims,
            section,
            company: company.map(str::to_owned),
            companies: None,
        };
        if facts.company.is_none() {
            facts.company = facts.company_of_path();
        }
        facts.companies = facts.companies_of(world);
        facts
    }

    fn company_of_path(&self) -> Option<String> {
        match self.route?.company() {
            CompanyRule::Subject => self.subject().map(str::to_owned),
            CompanyRule::Parameter(_, position) => self.segment(*position),
            _ => None,
        }
    }

    fn companies_of(&self, world: &World) -> Option<BTreeMap<String, Vec<String>>> {
        let (section, subject) = (self.section?, self.subject()?);
        let listed = |record: &PermissionsRecord| {
            record.companies().map(|(company, roles)| (company.to_owned(), roles.to_vec())).collect()
        };
        match section.permissions() {
            PermissionsSource::Service => world.records.as_ref()?.get(subject).map(listed),
            PermissionsSource::Claims => {
                let companies = claim(&self.claims, section.companies_claim());
                let roles = claim(&self.claims, section.roles_claim());
                PermissionsRecord::from_claims(subject, companies, roles, section.claim_forms())
                    .ok()
                    .as_ref()
                    .map(listed)
            }
            _ => Some(BTreeMap::from([(subject.to_owned(), Vec::new())])),
        }
    }

    /// The segment of the path at `position`, decoded.
    pub(crate) fn segment(&self, position: usize) -> Option<String> {
        CanonicalTarget::parse(self.target).ok()?.segments().nth(position).map(str::to_owned)
    }

    /// What the path has for the route's parameter `name`.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut parts = self.route?.path().split('/').skip(1);
        let position = parts.position(|part| part.trim_matches(['{', '*', '}']) == name && part.starts_with('{'))?;
        self.segment(position)
    }

    /// The token's subject.
    pub(crate) fn subject(&self) -> Option<&str> {
        claim(&self.claims, self.section?.subject_claim())?.as_str()
    }

    /// The token's scopes.
    pub(crate) fn scopes(&self) -> Vec<String> {
        let Some(section) = self.section else { return Vec::new() };
        match claim(&self.claims, section.scopes_claim()) {
            Some(Value::String(text)) => TextForm::names(Some(section.scopes_form()), text).unwrap_or_default(),
            other => other.map_or_else(Vec::new, names),
        }
    }

    /// The token's audience.
    pub(crate) fn audience(&self) -> Vec<String> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(other) => names(other),
            None => Vec::new(),
        }
    }

    /// The client that the token was issued to.
    pub(crate) fn client(&self) -> Option<&str> {
        client(self.section?, &self.claims)
    }

    /// A date among the claims.
    pub(crate) fn date(&self, name: &str) -> Option<f64> {
        self.claims.get(name)?.as_f64()
    }

    /// A text of the header, or `-`.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.header.get(name).and_then(Value::as_str).unwrap_or("-")
    }

    /// Roles held in the company that the request is about.
    pub(crate) fn roles(&self) -> Option<&[String]> {
        self.companies.as_ref()?.get(self.company.as_deref()?).map(Vec::as_slice)
    }
}

/// The section of the route that a token with these claims would be of: the one of its issuer, and where several
/// share that, the one that takes its audience and client.
fn section<'p>(policy: &'p Policy, route: &'p Route, claims: &Map<String, Value>) -> Option<&'p Issuer> {
    let issuer = claims.get("iss").and_then(Value::as_str);
    let of_url: Vec<&Issuer> = policy.issuers_of(route).filter(|own| Some(own.url()) == issuer).collect();
    let takes = |own: &&&Issuer| {
        let audience =
            claims.get("aud").map(|value| value.as_str().map_or_else(|| names(value), |one| vec![one.into()]));
        let audience: Option<Vec<&str>> = audience.as_ref().map(|names| names.iter().map(String::as_str).collect());
        own.audience().accepts(audience.as_deref())
            && (own.clients().is_empty()
                || client(own, claims).is_some_and(|client| own.clients().iter().any(|name| name == client)))
    };
    of_url.iter().find(takes).or(of_url.first()).or(policy.issuers_of(route).collect::<Vec<_>>().first()).copied()
}

fn client<'c>(issuer: &Issuer, claims: &'c Map<String, Value>) -> Option<&'c str> {
    issuer.client_claims().find_map(|path| claim(claims, path)?.as_str())
}

/// Names in a text with spaces between, or in a list.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
