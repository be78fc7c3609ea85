//! What becomes of an origin's answer.

use alloc::{string::String, vec::Vec};

use super::{
    location::rewritten,
    names::{Class, begins_with, class},
};
use crate::{
    cut,
    policy::{Origin, Policy},
};

/// Where an origin's challenge arrives. API Gateway gives the field of an integration another name, in REST APIs and in
/// HTTP APIs (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>); function
/// URLs have the second name where they have one.
const CHALLENGES: [&str; 2] = ["www-authenticate", "x-amzn-remapped-www-authenticate"];
/// Fields that hold a URL of the answering server (RFC 9110 §8.7, §10.2.2).
const LOCATIONS: [&str; 2] = ["location", "content-location"];

/// What becomes of an answer of one of the policy's origins.
#[derive(Clone, Copy, Debug)]
pub struct OriginAnswer<'p> {
    policy: &'p Policy,
    /// The origin's name; `None` where the platform does not say which one answers.
    origin: Option<&'p str>,
    /// The fields of the request that the decision read.
    vary: &'p str,
}

impl<'p> OriginAnswer<'p> {
    pub(super) const fn new(policy: &'p Policy, origin: Option<&'p str>, vary: &'p str) -> Self {
        Self { policy, origin, vary }
    }

    /// Whether the field does not reach the caller: what Postern says to an origin, and CORS, which the policy alone
    /// decides.
    #[must_use]
    pub fn withholds(&self, name: &str) -> bool {
        class(name) == Some(Class::Postern) || begins_with(name, "access-control-")
    }

    /// Whether the origin's layer has refused our assertion: keys or clocks differ. The caller's token is good.
    pub fn refuses_assertion<'f>(&self, status: u16, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> bool {
        let is_refusal = |(name, value): (&str, &str)| {
            let scheme = value.split(' ').next().unwrap_or_default();
            let is_challenge = CHALLENGES.iter().any(|own| name.eq_ignore_ascii_case(own));
            is_challenge && scheme.eq_ignore_ascii_case(crate::assertion::HEADER)
        };
        status == 401 && fields.into_iter().any(is_refusal)
    }

    /// Whether the field's value decides whether it is rewritten.
    #[must_use]
    pub fn looks_at(&self, name: &str) -> bool {
        self.policy.edge_url().is_some() && LOCATIONS.iter().any(|own| name.eq_ignore_ascii_case(own))
    }

    /// The value to set in the field's place: a URL at the origin's host, by the public URL (`[edge] url`).
    #[must_use]
    pub fn rewritten(&self, name: &str, value: &str) -> Option<String> {
        let public = self.policy.edge_url().filter(|_| self.looks_at(name))?;
        let is_own = |origin: &&Origin| self.origin.is_none_or(|name| origin.name() == name);
        self.policy.origins().iter().filter(is_own).find_map(|origin| rewritten(value, origin.url(), public))
    }

    /// The fields to set on an answer with these `fields`, each in place of all of its name: those that are
    /// [`rewritten`](Self::rewritten), and `vary`.
    pub fn changed<'f>(&self, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Vec<(&'f str, String)> {
        let (mut changed, mut varies_by) = (Vec::new(), Vec::new());
        for (name, value) in fields {
            if name.eq_ignore_ascii_case("vary") {
                varies_by.push(value);
            }
            changed.extend(self.rewritten(name, value).map(|value| (name, value)));
        }
        changed.extend(self.merged_vary(&varies_by).map(|value| ("vary", value)));
        changed
    }

    /// `Vary` for an answer that says `varies_by`; `None` where that names each of our fields already, or everything (`*`).
    fn merged_vary(&self, varies_by: &[&str]) -> Option<String> {
        let members = |list| cut::all(list, b',').map(|name: &str| name.trim_matches([' ', '\t']));
        let said = || varies_by.iter().flat_map(|list| members(list)).filter(|name| !name.is_empty());
        let is_said = |own: &&str| said().any(|name| name == "*" || name.eq_ignore_ascii_case(own));
        let missing: Vec<&str> = members(self.vary).filter(|own| !own.is_empty() && !is_said(own)).collect();
        (!missing.is_empty()).then(|| said().chain(missing).collect::<Vec<_>>().join(", "))
    }
}
