//! The policy: who may do what to which company's resources, and where it is forwarded.
//!
//! Written in TOML by people, checked when it is built, embedded as JSON. [`Policy`] is the checked
//! form and the only one that decides; it is made by one function, whichever text it came from, so an
//! embedded policy is checked again when it is loaded.

mod audience;
mod bindings;
mod case_fold;
pub mod cloudfront;
mod compile;
mod compile_route;
mod contradictions;
mod cors;
mod determinise;
mod duration;
mod edge;
mod error;
mod fault_code;
mod field;
mod file;
mod issuer;
mod issuer_rules;
#[cfg(feature = "toml")]
mod members;
#[cfg(feature = "toml")]
mod mend;
mod openness;
mod origin;
mod party;
#[cfg(feature = "toml")]
mod places;
mod pointer;
mod preset;
mod route;
mod route_file;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "toml")]
mod secret;
mod settings;
#[cfg(feature = "toml")]
mod shape;
mod spelling;
mod table;
mod template;
#[cfg(feature = "toml")]
mod test;
mod text_form;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "toml")]
mod unused;
mod url;
pub(crate) mod vary;

pub use audience::AudienceRule;
pub use bindings::{FreeParameter, FreedBy};
pub use case_fold::folded as fold_case;
pub use cloudfront::CloudFront;
pub use error::{PolicyError, PolicyErrors, PolicyFault};
pub use field::{Field, OPERATION_TYPES};
pub use issuer::{DEFAULT_JWKS_MAX_STALE, Issuer, JwksLocation, PermissionsSource};
pub use origin::{AuthType, Origin, Paths, Verifies};
pub use party::Party;
pub use preset::Preset;
pub use route::{BodyRule, CompanyRule, HandedClaim, RequiredClaim, Route, ScopeRule};
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub use settings::{DEFAULT_MAX_BODY_BYTES, Limits, LogRule, MAX_BODY_BYTES};
#[cfg(feature = "toml")]
pub use test::{Expectation, PolicyTest, TestCaller, TestFault, TokenKind};
pub use text_form::{ClaimForms, TextForm};
#[cfg(feature = "toml")]
pub use toml::{LineColumn, from_toml};

pub(crate) use cors::Cors;
pub(crate) use issuer::ClaimPaths;
pub(crate) use table::RouteMatch;
pub(crate) use template::Template;

use alloc::{format, string::String, sync::Arc, vec::Vec};

use crate::{algorithm::Algorithm, request::folded, target::CanonicalTarget};

/// A checked policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) edge: edge::Edge,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) permissions: Option<usize>,
    pub(crate) cloudfront: Option<CloudFront>,
    pub(crate) cors: Option<Cors>,
    pub(crate) limits: Limits,
    pub(crate) log: LogRule,
    pub(crate) routes: Vec<Route>,
    pub(crate) fields: Vec<Field>,
    pub(crate) table: table::RouteTable,
    pub(crate) spellings: spelling::Spellings,
    #[cfg(feature = "toml")]
    pub(crate) tests: Vec<PolicyTest>,
    /// Routes that never decide.
    pub(crate) shadow_table: table::RouteTable,
    /// Header fields by which origins are handed claims, in lower case.
    pub(crate) identity_fields: Vec<String>,
    pub(crate) development: bool,
    pub(crate) version: Arc<str>,
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
        &self.edge.name
    }

    /// The URL that callers know this edge by, where the policy says it: scheme and host, without a path.
    #[must_use]
    pub fn edge_url(&self) -> Option<&str> {
        self.edge.url.as_deref()
    }

    /// Whether the file names the edge by `edge = "…"`, the form of earlier versions.
    #[cfg(feature = "toml")]
    #[must_use]
    pub const fn has_bare_edge(&self) -> bool {
        self.edge.is_bare
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
                    let pointer = format!("{}.algorithms[{index}]", pointer::entry("issuer", &issuer.name));
                    faults.push(PolicyError { pointer, span: None, fault });
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(PolicyErrors(faults)) }
    }

    /// Whether some origin takes only who signs: an edge that is not AWS's own must then be built to sign.
    #[must_use]
    pub fn wants_signatures(&self) -> bool {
        self.origins.iter().any(Origin::wants_signature)
    }

    /// What an edge that signs by itself lacks. The one who builds such an edge asks, so that no origin turns out to
    /// refuse it in production.
    ///
    /// # Errors
    /// [`PolicyErrors`] names each origin that wants signatures and has no `credentials`, at its place.
    pub fn check_credentials(&self) -> Result<(), PolicyErrors> {
        let lacks = |origin: &&Origin| origin.wants_signature() && origin.credentials().is_none();
        let faults: Vec<PolicyError> = self
            .origins
            .iter()
            .filter(lacks)
            .map(|origin| PolicyError {
                pointer: format!("{}.auth_type", pointer::entry("origin", origin.name())),
                span: None,
                fault: PolicyFault::NoCredentials,
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(PolicyErrors(faults)) }
    }

    /// The origins, in the order of their names.
    #[must_use]
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Whether it names a secret that an edge needs to serve at all: an origin's key, or the log's. Credentials are asked
    /// for apart ([`check_credentials`](Self::check_credentials)).
    #[must_use]
    pub fn names_secrets(&self) -> bool {
        self.log.subject_key.is_some() || self.origins.iter().any(|origin| origin.key().is_some())
    }

    /// The routes, in the order of the file; those that only shadow among them.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Whether `route` lets in everyone whom `other` lets in, as far as their rules show it: a `true` is always right.
    #[must_use]
    pub fn is_as_open(&self, route: &Route, other: &Route) -> bool {
        route.is_as_open_as(other, &self.issuers)
    }

    /// The routes that an origin may take some request of `route` for, each of which asks for more. Such a request is
    /// refused. `true` with one: only a path that ends in a space or an extension is taken so.
    pub fn rivals(&self, route: &Route) -> impl Iterator<Item = (&Route, bool)> {
        let index = self.routes.iter().position(|own| own.name == route.name);
        let rivals = index.map(|index| self.spellings.rivals(index)).unwrap_or_default();
        rivals.iter().filter_map(|rival| Some((self.routes.get(rival.route)?, rival.needs_tail)))
    }

    /// Whether a request of `route` with this target is refused, because an origin may take it for another route's.
    #[must_use]
    pub fn is_ambiguous(&self, route: &Route, target: &CanonicalTarget) -> bool {
        let index = self.routes.iter().position(|own| own.name == route.name);
        index.is_some_and(|index| self.spellings.is_ambiguous(index, target, &self.routes))
    }

    /// The GraphQL fields, in the order of the file.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The issuer sections whose callers may use `route`; none for a public one.
    pub fn issuers_of<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Issuer> {
        route.issuers.iter().filter_map(|index| self.issuers.get(*index))
    }

    /// The issuer sections whose callers may select `field`.
    pub fn issuers_of_field<'a>(&'a self, field: &'a Field) -> impl Iterator<Item = &'a Issuer> {
        field.issuers.iter().filter_map(|index| self.issuers.get(*index))
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

    /// Where a function at CloudFront gets its secrets, if the policy says it.
    #[must_use]
    pub const fn cloudfront(&self) -> Option<&CloudFront> {
        self.cloudfront.as_ref()
    }

    /// The policy's own tests, in the order of the file; none in a policy that was loaded from JSON.
    #[cfg(feature = "toml")]
    #[must_use]
    pub fn tests(&self) -> &[PolicyTest] {
        &self.tests
    }

    /// How large what callers send may be.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Which decisions are written down.
    #[must_use]
    pub const fn log(&self) -> &LogRule {
        &self.log
    }

    /// Whether pages of some origin may call.
    #[must_use]
    pub const fn has_cors(&self) -> bool {
        self.cors.is_some()
    }

    /// Whether some route only shadows.
    #[must_use]
    pub fn has_shadow(&self) -> bool {
        self.routes.iter().any(Route::is_shadow)
    }

    /// Whether `name`, folded as servers fold names, is a field by which some origin is handed a claim. No caller may
    /// set one on any route: an origin would take it for ours.
    #[must_use]
    pub fn is_identity_field(&self, name: &str) -> bool {
        self.identity_fields.iter().any(|own| folded(own).eq(folded(name)))
    }

    /// CORS fields to set on an answer to `request`, in place of any it set itself: what
    /// [`Permit::response_headers`](crate::Permit::response_headers) says, for a driver that meets the response without
    /// the decision.
    #[must_use]
    pub fn response_headers(&self, request: &crate::Request<'_>) -> Vec<(&'static str, String)> {
        self.cors.as_ref().map(|cors| cors.answer_fields(request.sole_header("origin"))).unwrap_or_default()
    }

    /// Whether a development overlay has touched it: it may then use loopback `http`, and must not be deployed.
    #[must_use]
    pub const fn is_development(&self) -> bool {
        self.development
    }
}
