//! The policy: who may do what to which company's resources, and where it is forwarded.
//!
//! Written in TOML by people, checked when it is built, embedded as JSON. [`Policy`] is the checked
//! form and the only one that decides; it is made by one function, whichever text it came from, so an
//! embedded policy is checked again when it is loaded.

mod compile;
mod cors;
mod duration;
mod error;
mod fault_code;
mod file;
mod issuer;
mod issuer_rules;
mod preset;
mod table;
mod template;
mod test;
#[cfg(feature = "toml")]
mod toml;
mod url;

pub use error::{PolicyError, PolicyErrors, PolicyFault};
pub use issuer::{DEFAULT_JWKS_MAX_STALE, Issuer, JwksLocation, PermissionsSource};
pub use preset::Preset;
pub use test::{Expectation, PolicyTest, TestCaller, TestFault, TokenKind};
#[cfg(feature = "toml")]
pub use toml::{LineColumn, from_toml};

pub(crate) use cors::Cors;
pub(crate) use preset::RequiredClaim;
pub(crate) use table::RouteMatch;
pub(crate) use template::Template;

use alloc::{format, string::String, vec::Vec};
use core::time::Duration;

use crate::algorithm::Algorithm;

/// A checked policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) edge: String,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) permissions: Option<usize>,
    pub(crate) cors: Option<Cors>,
    pub(crate) routes: Vec<Route>,
    pub(crate) table: table::RouteTable,
    pub(crate) tests: Vec<PolicyTest>,
    pub(crate) development: bool,
    pub(crate) version: String,
    pub(crate) json: String,
}

impl Policy {
    /// Loads a policy from the JSON that [`Policy::to_json`] gave, checking it anew.
    ///
    /// # Errors
    /// [`PolicyErrors`] lists everything wrong with it.
    pub fn from_json(json: &str) -> Result<Self, PolicyErrors> {
        compile::from_json(json)
    }

    /// The policy as JSON, for a build to embed. The same policy always gives the same text.
    #[must_use]
    pub fn to_json(&self) -> &str {
        &self.json
    }

    /// What tells this policy from any other: the first 16 hex digits of the SHA-256 of its JSON.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The name under which this edge makes assertions (`iss`).
    #[must_use]
    pub fn edge(&self) -> &str {
        &self.edge
    }

    /// The issuer sections, in the order of their names.
    #[must_use]
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// What a host with these `algorithms` cannot do that the policy asks for. The one who builds for a host asks, so
    /// that no issuer's tokens turn out to be unverifiable in production.
    ///
    /// # Errors
    /// [`PolicyErrors`] names each algorithm that `host` lacks, at its place.
    pub fn check_algorithms(&self, host: &'static str, algorithms: &[Algorithm]) -> Result<(), PolicyErrors> {
        let mut faults = Vec::new();
        for issuer in &self.issuers {
            for (index, algorithm) in issuer.algorithms.iter().enumerate() {
                if !algorithms.contains(algorithm) {
                    let fault = PolicyFault::AlgorithmUnavailable(algorithm.name(), host);
                    let pointer = format!("issuer.{}.algorithms[{index}]", issuer.name);
                    faults.push(PolicyError { pointer, span: None, fault });
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(PolicyErrors(faults)) }
    }

    /// The origins, in the order of their names.
    #[must_use]
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// The routes, in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The issuer sections whose callers may use `route`; none for a public one.
    pub fn issuers_of<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Issuer> {
        route.issuers.iter().filter_map(|index| self.issuers.get(*index))
    }

    /// The origin that `route` is forwarded to.
    #[must_use]
    pub fn origin_of(&self, route: &Route) -> Option<&Origin> {
        self.origins.get(route.origin)
    }

    /// The origin that serves permissions records, if some issuer needs one.
    #[must_use]
    pub fn permissions(&self) -> Option<&Origin> {
        self.origins.get(self.permissions?)
    }

    /// The policy's own tests, in the order of the file; none in a policy that was loaded from JSON.
    #[must_use]
    pub fn tests(&self) -> &[PolicyTest] {
        &self.tests
    }

    /// Whether a development overlay has touched it: it may then use loopback `http`, and must not be deployed.
    #[must_use]
    pub const fn is_development(&self) -> bool {
        self.development
    }
}

/// A service behind the authoriser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) key: String,
}

impl Origin {
    /// The origin's name: the audience (`aud`) of the assertions made for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Scheme, host and base path, without a closing `/`: the canonical target is appended as it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of the secret that holds the origin's assertion keys.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// One route and its rules.
#[derive(Clone, Debug)]
pub struct Route {
    pub(crate) name: String,
    pub(crate) methods: Vec<String>,
    pub(crate) path: String,
    pub(crate) template: Template,
    pub(crate) origin: usize,
    /// Issuer sections whose tokens may call it; empty for a public route alone.
    pub(crate) issuers: Vec<usize>,
    /// Place of the path segment that must equal the token's subject.
    pub(crate) subject: Option<usize>,
    /// Place of the path segment that must be one of the caller's companies.
    pub(crate) company: Option<usize>,
    pub(crate) roles: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) permissions_max_age: Duration,
}

impl Route {
    /// The route's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The methods it answers; HEAD follows GET.
    #[must_use]
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// The path template, as the policy writes it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether anyone may call it, without a token.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.issuers.is_empty()
    }

    /// The path parameter that must equal the caller's subject.
    #[must_use]
    pub fn subject_parameter(&self) -> Option<&str> {
        self.template.parameter(self.subject?)
    }

    /// The path parameter that must be one of the caller's companies.
    #[must_use]
    pub fn company_parameter(&self) -> Option<&str> {
        self.template.parameter(self.company?)
    }

    /// Roles of which the caller must hold one in the company.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Scopes that the token must have, all of them.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// How old a permissions record may be that decides here.
    #[must_use]
    pub const fn permissions_max_age(&self) -> Duration {
        self.permissions_max_age
    }
}
