//! Issuer sections of two policies: whose tokens are believed no longer, anew, or by other rules; and what a token is
//! like that a section accepts in both.

use postern::{
    Algorithm, Policy,
    policy::{AudienceRule, Issuer, TextForm},
};
use serde_json::{Value, json};

use super::settings::members;
use crate::signer::PREFERENCE;

/// A section that is not the same in both policies.
#[derive(Clone, Debug)]
pub(super) struct SectionChange {
    pub(super) name: String,
    pub(super) kind: SectionKind,
    /// Routes that its callers may use in the policy that has it.
    pub(super) routes: Vec<String>,
}

/// How it is not the same.
#[derive(Clone, Debug)]
pub(super) enum SectionKind {
    /// The old policy has none of this name and URL.
    Added,
    /// The new policy has none of this name and URL.
    Removed,
    /// Members say something else: the name, the old value, the new one.
    Changed(Vec<(String, Value, Value)>),
}

/// What makes a token fit a section in both policies.
#[derive(Clone, Debug)]
pub(super) struct Common<'p> {
    pub(super) old: &'p Issuer,
    pub(super) new: &'p Issuer,
    pub(super) algorithm: Algorithm,
    pub(super) audience: Option<String>,
    pub(super) client: Option<String>,
}

pub(super) fn find<'p>(policy: &'p Policy, name: &str) -> Option<&'p Issuer> {
    policy.issuers().iter().find(|issuer| issuer.name() == name)
}

/// The sections of this name in both, where they are one: the same name for the same issuer.
pub(super) fn pair<'p>(policies: [&'p Policy; 2], name: &str) -> Option<[&'p Issuer; 2]> {
    let [old, new] = policies.map(|policy| find(policy, name));
    Some([old?, new?]).filter(|[old, new]| old.url() == new.url())
}

/// Every section that is not the same.
pub(super) fn changes(policies: [&Policy; 2]) -> Vec<SectionChange> {
    let documents = policies.map(|policy| serde_json::from_str::<Value>(policy.to_json()).unwrap_or_default());
    let mut names: Vec<&str> = policies.iter().flat_map(|policy| policy.issuers()).map(Issuer::name).collect();
    names.sort_unstable();
    names.dedup();
    let routes = |policy: &Policy, name: &str| -> Vec<String> {
        let may = |route: &&postern::policy::Route| {
            !route.is_shadow() && policy.issuers_of(route).any(|own| own.name() == name)
        };
        policy.routes().iter().filter(may).map(|route| route.name().to_owned()).collect()
    };
    let mut found = Vec::new();
    for name in names {
        let [old, new] = [policies[0], policies[1]].map(|policy| find(policy, name).is_some());
        if pair(policies, name).is_some() {
            let [old, new] = [&documents[0], &documents[1]].map(|document| &document["issuer"][name]);
            let changed = members("", old, new);
            if !changed.is_empty() {
                let kind = SectionKind::Changed(changed);
                found.push(SectionChange { name: name.to_owned(), kind, routes: routes(policies[1], name) });
            }
            continue;
        }
        for (is_there, kind, policy) in
            [(old, SectionKind::Removed, policies[0]), (new, SectionKind::Added, policies[1])]
        {
            if is_there {
                found.push(SectionChange { name: name.to_owned(), kind, routes: routes(policy, name) });
            }
        }
    }
    found
}

impl<'p> Common<'p> {
    /// `None` where no token is accepted, or none is read alike, by both.
    pub(super) fn of([old, new]: [&'p Issuer; 2]) -> Option<Self> {
        let places = |issuer: &Issuer| {
            let clients: Vec<Vec<String>> = issuer.client_claims().map(<[String]>::to_vec).collect();
            let forms = issuer.claim_forms();
            let forms = [forms.companies, forms.roles].map(|form| form.map(TextForm::name));
            json!([
                issuer.subject_claim(),
                issuer.scopes_claim(),
                issuer.roles_claim(),
                issuer.companies_claim(),
                clients,
                issuer.scopes_form().name(),
                forms
            ])
        };
        let same_kind = |one: Option<&str>, other: Option<&str>| one.is_none() || other.is_none() || one == other;
        let is_read_alike = places(old) == places(new)
            && same_kind(old.token_use(), new.token_use())
            && same_kind(old.token_type(), new.token_type());
        let fits = |algorithm: &Algorithm| old.algorithms().contains(algorithm) && new.algorithms().contains(algorithm);
        let algorithm = PREFERENCE.into_iter().find(fits)?;
        let audience = audience([old.audience(), new.audience()])?;
        let client = shared(old.clients(), new.clients())?;
        is_read_alike.then_some(Self { old, new, algorithm, audience, client })
    }
}

/// An audience that both rules accept; `Some(None)`: both accept a token without one.
fn audience(rules: [&AudienceRule; 2]) -> Option<Option<String>> {
    let mut named = rules.iter().flat_map(|rule| rule.names()).map(Some);
    let is_accepted = |name: &Option<&String>| {
        let audience = name.map(|name| [name.as_str()]);
        rules.iter().all(|rule| rule.accepts(audience.as_ref().map(<[&str; 1]>::as_slice)))
    };
    [None].into_iter().chain(&mut named).find(is_accepted).map(|name| name.cloned())
}

/// Something that both lists allow: an empty one allows anything. `None` where nothing is.
fn shared(old: &[String], new: &[String]) -> Option<Option<String>> {
    match (old.first(), new.first()) {
        (None, None) => Some(None),
        (Some(one), None) | (None, Some(one)) => Some(Some(one.clone())),
        (Some(_), Some(_)) => old.iter().find(|one| new.contains(one)).map(|one| Some(one.clone())),
    }
}
