//! The policy as people write it: one serde type per table of `postern.toml`.
//!
//! These types say what may stand in the file; what it must mean is for [`compile`](super::compile).
//! A member nobody knows is an error, so that a misspelt rule is never a rule that is not there.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

pub(crate) use super::route_file::{CompanyFile, DefaultsFile, RouteFile, ScopesFile};
use super::test::TestFile;

/// `postern.toml`, whole.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyFile {
    /// Name of this edge in the assertions it makes (`iss`).
    #[serde(default = "default_edge")]
    pub(crate) edge: String,
    /// Every role that a rule may ask for.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    /// Where permissions come from, when an issuer says `permissions = "service"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<PermissionsFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cors: Option<CorsFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<LimitsFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<LogFile>,
    /// What routes have that do not say it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) defaults: Option<DefaultsFile>,
    #[serde(default, rename = "issuer")]
    pub(crate) issuers: BTreeMap<String, IssuerFile>,
    #[serde(default, rename = "origin")]
    pub(crate) origins: BTreeMap<String, OriginFile>,
    #[serde(default, rename = "route")]
    pub(crate) routes: Vec<RouteFile>,
    /// The policy's own tests; no part of what is embedded.
    #[serde(default, rename = "test", skip_serializing)]
    pub(crate) tests: Vec<TestFile>,
    /// Stamped by an overlay; a file that people write cannot say it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) development: bool,
}

fn default_edge() -> String {
    "edge".into()
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionsFile {
    pub(crate) origin: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorsFile {
    pub(crate) origins: Vec<String>,
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    #[serde(default)]
    pub(crate) expose: Vec<String>,
    #[serde(default)]
    pub(crate) credentials: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<String>,
}

/// How large what callers send may be, in octets; each may only lower the core's own bound.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsFile {
    /// Longest access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_token_bytes: Option<u64>,
    /// Longest request target: path and query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_target_bytes: Option<u64>,
    /// Longest body of a route with `body = "buffered"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_body_bytes: Option<u64>,
}

/// Which decisions are written down. Shares go from 0 for none to 1 for all.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogFile {
    /// Share of permits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permits: Option<f64>,
    /// Share of denials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) denials: Option<f64>,
    /// Share of requests on which shadow rules are tried; where they differ it is always written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shadow: Option<f64>,
    /// Name of the secret with which subjects are hashed; without it they are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject_key: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerFile {
    pub(crate) url: String,
    /// A provider whose habits stand in for what is not said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preset: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_max_stale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) algorithms: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) audience: Vec<String>,
    #[serde(default)]
    pub(crate) clients: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_use: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_type: Option<String>,
    /// Claims that every token of this section must have, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) require: BTreeMap<String, RequiredFile>,
    /// Where claims stand whose place differs between issuers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claims: Option<ClaimsFile>,
    pub(crate) permissions: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) leeway: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_lifetime: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<String>,
}

/// One name: a claim at the top. Several: the way down to a nested one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimsFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<OneOrMany>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<OneOrMany>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scopes: Option<OneOrMany>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) roles: Option<OneOrMany>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) companies: Option<OneOrMany>,
}

/// What a required claim must be.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum RequiredFile {
    /// `true`: there, whatever it says.
    Present(bool),
    /// This, or among them this.
    One(String),
    /// One of these.
    Many(Vec<String>),
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OriginFile {
    pub(crate) url: String,
    pub(crate) key: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::One(name) => core::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// What a development overlay may hold: URLs, each for an entry that the policy already has.
#[cfg(feature = "toml")]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverlayFile {
    #[serde(default, rename = "issuer")]
    pub(crate) issuers: BTreeMap<String, IssuerOverlay>,
    #[serde(default, rename = "origin")]
    pub(crate) origins: BTreeMap<String, OriginOverlay>,
    #[serde(default)]
    pub(crate) cors: Option<CorsOverlay>,
}

#[cfg(feature = "toml")]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerOverlay {
    pub(crate) url: Option<String>,
    pub(crate) jwks_url: Option<String>,
}

#[cfg(feature = "toml")]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OriginOverlay {
    pub(crate) url: String,
}

#[cfg(feature = "toml")]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorsOverlay {
    pub(crate) origins: Vec<String>,
}
