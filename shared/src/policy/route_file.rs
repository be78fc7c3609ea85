//! Routes as people write them: one serde type per form that a rule may take.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::file::{OneOrMany, RequiredFile};

/// One `[[route]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteFile {
    /// The route's name, in assertions and logs.
    pub(crate) name: String,
    /// The methods it answers; HEAD follows GET.
    #[cfg_attr(feature = "schema", schemars(with = "alloc::vec::Vec<super::schema::Method>"))]
    pub(crate) methods: Vec<String>,
    /// Literal and `{parameter}` segments; `{*parameter}` at the end takes all that is left.
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::PathTemplate"))]
    pub(crate) path: String,
    /// The origin it is forwarded to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    /// Anyone may call it, without a token.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) public: bool,
    /// It never decides: what it would have said is written down beside what was said.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) shadow: bool,
    /// The issuer section, or several, whose tokens may call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<OneOrMany>,
    /// The path parameter that must be the caller's subject, as in `"{user}"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// What must be one of the caller's companies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) company: Option<CompanyFile>,
    /// Parameters that no rule binds: each names a resource of the company or the caller that the route binds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "alloc::vec::Vec<super::schema::ParameterName>"))]
    pub(crate) unbound: Vec<String>,
    /// Roles of which the caller must hold one in the company.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    /// Scopes that the token must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scopes: Option<ScopesFile>,
    /// Claims that the token must have, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) require: BTreeMap<String, RequiredFile>,
    /// How old a permissions record may be that decides here; `"0s"` asks anew each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) permissions_max_age: Option<String>,
    /// How much older it may be while the permissions service cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) permissions_stale_if_error: Option<String>,
    /// Whether the body is bound to the assertion: `"streamed"` (no), `"declared"` or `"buffered"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::BodyName>"))]
    pub(crate) body: Option<String>,
    /// A query parameter such as `_method` may override the method of an unsafe request.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) query_method_override: bool,
    /// Claims handed to the origin, by the name of the header field that carries them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, OneOrMany>,
    /// Of a public route: `"forwarded"` leaves `Authorization` in place, for an origin that says so too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TokenName>"))]
    pub(crate) token: Option<String>,
    /// Warnings of `postern check` that are accepted here, each with the reason.
    #[serde(default, skip_serializing)]
    #[allow(dead_code, reason = "the command reads it where it is written; it is not deployed")]
    pub(crate) allow: BTreeMap<String, String>,
}

/// `[defaults]`: what routes have that do not say it themselves.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct DefaultsFile {
    /// The origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    /// The issuer section, or several; not for public routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<OneOrMany>,
    /// For routes that ask the permissions service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) permissions_max_age: Option<String>,
    /// For routes that ask the permissions service, and not anew each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) permissions_stale_if_error: Option<String>,
    /// Whether bodies are bound to assertions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::BodyName>"))]
    pub(crate) body: Option<String>,
}

/// Where the company stands that must be one of the caller's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum CompanyFile {
    /// A path parameter (`"{company}"`), `"subject"`, or `"any"` for none at all.
    Text(String),
    /// Elsewhere in the request.
    Field(CompanyField),
}

/// A place in the request other than its path.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) enum CompanyField {
    /// A header field, in lower case.
    #[serde(rename = "header")]
    Header(String),
    /// A query parameter.
    #[serde(rename = "query")]
    Query(String),
}

/// Which scopes a route asks for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum ScopesFile {
    /// All of these.
    AllOf(Vec<String>),
    /// All of some, and one of others.
    Both(ScopesTable),
}

/// All of some, and one of others.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopesTable {
    /// All of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) all_of: Vec<String>,
    /// One of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) any_of: Vec<String>,
}
