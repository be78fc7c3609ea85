//! A route in its checked form: where it lies, who may use it, and what goes with the request.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::time::Duration;

use serde_json::Value;

use super::{FreeParameter, Template};
use crate::claims::ClaimPath;

/// One route and its rules.
#[derive(Clone, Debug)]
pub struct Route {
    pub(crate) name: Arc<str>,
    pub(crate) methods: Vec<String>,
    pub(crate) path: String,
    pub(crate) template: Template,
    pub(crate) origin: usize,
    /// Issuer sections whose tokens may call it; empty for a public route alone.
    pub(crate) issuers: Arc<[usize]>,
    pub(crate) is_shadow: bool,
    /// Place of the path segment that must equal the token's subject.
    pub(crate) subject: Option<usize>,
    pub(crate) company: CompanyRule,
    pub(crate) free: Vec<FreeParameter>,
    pub(crate) roles: Vec<String>,
    pub(crate) scopes: ScopeRule,
    pub(crate) required: Vec<RequiredClaim>,
    pub(crate) permissions_max_age: Duration,
    pub(crate) permissions_stale_if_error: Duration,
    pub(crate) body: BodyRule,
    pub(crate) query_method_override: bool,
    pub(crate) headers: Vec<HandedClaim>,
    /// Only of a public route: whether the origin gets the value of `Authorization`.
    pub(crate) forwards_token: bool,
    /// What `Vary` names on every answer to its requests.
    pub(crate) vary: Arc<str>,
}

/// Which company a request is about, and so must be one of the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompanyRule {
    /// The route is about no company.
    None,
    /// Any: stated outright, where a parameter of the path names a company and binds nobody.
    Any,
    /// The path parameter of this name, at this segment of the path, counted from 0.
    Parameter(String, usize),
    /// The caller's own subject: a machine client that is itself the company.
    Subject,
    /// The header field of this name, in lower case.
    Header(String),
    /// The query parameter of this name.
    Query(String),
    /// The argument of this name; of GraphQL fields alone.
    Argument(String),
}

impl CompanyRule {
    /// Whether a company is looked for among the caller's.
    #[must_use]
    pub const fn binds(&self) -> bool {
        !matches!(self, Self::None | Self::Any)
    }
}

/// Which scopes the token must have. Empty lists ask nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeRule {
    /// All of these.
    pub all_of: Vec<String>,
    /// One of these.
    pub any_of: Vec<String>,
}

impl ScopeRule {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all_of.is_empty() && self.any_of.is_empty()
    }

    pub(crate) fn holds(&self, scopes: &[String]) -> bool {
        self.all_of.iter().all(|scope| scopes.contains(scope))
            && (self.any_of.is_empty() || self.any_of.iter().any(|scope| scopes.contains(scope)))
    }

    /// What a caller lacks names: those that it needs, and one way to have the rest.
    pub(crate) fn challenge(&self) -> Vec<String> {
        self.all_of.iter().chain(self.any_of.iter().take(1)).cloned().collect()
    }
}

/// A claim that a token must have, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredClaim {
    /// The claim's name, at the top of the claims.
    pub name: String,
    /// One of these; where there is none, anything but `null` and `false`, as such or in words.
    pub values: Vec<String>,
}

impl RequiredClaim {
    /// Whether `value`, or one of its items where it is a list, is what is wanted. `None`: the token has no such claim.
    #[must_use]
    pub fn holds(&self, value: Option<&Value>) -> bool {
        let wanted = |value: &Value| value.as_str().is_some_and(|text| self.values.iter().any(|own| own == text));
        match value {
            None | Some(Value::Null) => false,
            // `email_verified = true` asks that it is so, not that it is said; some issuers say it in words, and so do API
            // Gateway's authorizers of all claims.
            Some(value) if self.values.is_empty() => {
                let is_denied = |text: &str| ["false", "null"].iter().any(|word| text.eq_ignore_ascii_case(word));
                *value != Value::Bool(false) && !value.as_str().is_some_and(is_denied)
            }
            Some(Value::Array(items)) => items.iter().any(wanted),
            Some(value) => wanted(value),
        }
    }
}

/// Whether the body is bound to the assertion that goes with the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyRule {
    /// It is not: it streams through, and nobody looks at it.
    #[default]
    Streamed,
    /// By the digest that the caller declares; the origin checks the octets.
    Declared,
    /// By the digest of what the edge has read whole, up to the policy's limit.
    Buffered,
}

impl BodyRule {
    pub(crate) const ALL: [Self; 3] = [Self::Streamed, Self::Declared, Self::Buffered];

    /// The rule's name in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Streamed => "streamed",
            Self::Declared => "declared",
            Self::Buffered => "buffered",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// A claim that the origin is handed, in a header field that callers cannot set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedClaim {
    pub(crate) field: String,
    pub(crate) path: ClaimPath,
}

impl HandedClaim {
    /// The field's name, in lower case.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Where the claim stands: names from the outside in.
    #[must_use]
    pub fn claim(&self) -> &[String] {
        self.path.names()
    }
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

    /// Whether some path is both routes'.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.template.overlaps(&other.template)
    }

    /// Whether each of its paths is one of `other`'s.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.template.is_within(&other.template)
    }

    /// Whether anyone may call it, without a token.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.issuers.is_empty()
    }

    /// Whether it never decides, and is only tried.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.is_shadow
    }

    /// The path parameter that must equal the caller's subject.
    #[must_use]
    pub fn subject_parameter(&self) -> Option<&str> {
        self.template.parameter(self.subject?)
    }

    /// Which company the request is about.
    #[must_use]
    pub const fn company(&self) -> &CompanyRule {
        &self.company
    }

    /// The parameters of the path, a rest among them, in its order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.template.parameters().map(|(_, name)| name)
    }

    /// Whether a rule binds the parameter of this name to the caller or to one of the caller's companies.
    #[must_use]
    pub fn binds(&self, parameter: &str) -> bool {
        let is_company = matches!(&self.company, CompanyRule::Parameter(name, _) if name == parameter);
        is_company || self.subject_parameter() == Some(parameter)
    }

    /// The parameters that no rule binds although they name a company or a user, or that the route lists as `unbound`; in
    /// the order of the path.
    #[must_use]
    pub fn free_parameters(&self) -> &[FreeParameter] {
        &self.free
    }

    /// Roles of which the caller must hold one in the company.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Scopes that the token must have.
    #[must_use]
    pub const fn scopes(&self) -> &ScopeRule {
        &self.scopes
    }

    /// Claims that the token must have.
    #[must_use]
    pub fn required(&self) -> &[RequiredClaim] {
        &self.required
    }

    /// How old a permissions record may be that decides here.
    #[must_use]
    pub const fn permissions_max_age(&self) -> Duration {
        self.permissions_max_age
    }

    /// How much older it may be while the permissions service cannot tell; zero: it may not.
    #[must_use]
    pub const fn permissions_stale_if_error(&self) -> Duration {
        self.permissions_stale_if_error
    }

    /// Whether the body is bound to the assertion.
    #[must_use]
    pub const fn body(&self) -> BodyRule {
        self.body
    }

    /// Whether a query parameter such as `_method` may override the method of an unsafe request.
    #[must_use]
    pub const fn allows_query_method_override(&self) -> bool {
        self.query_method_override
    }

    /// Claims that the origin is handed.
    #[must_use]
    pub fn headers(&self) -> &[HandedClaim] {
        &self.headers
    }
}
