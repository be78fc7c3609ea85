//! The policy as people write it: one serde type per table of `postern.toml`.
//!
//! These types say what may stand in the file; what it must mean is for [`compile`](super::compile).
//! A member nobody knows is an error, so that a misspelt rule is never a rule that is not there.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

pub(crate) use super::edge::{EdgeFile, EdgeTable, default_name as default_edge_name};
pub(crate) use super::field::FieldFile;
pub(crate) use super::party::PartyNamesFile;
pub(crate) use super::route_file::{CompanyFile, DefaultsFile, RouteFile, ScopesFile};
#[cfg(feature = "toml")]
use super::test::TestFile;

/// `postern.toml`, whole.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyFile {
    /// This edge: its name in the assertions it makes, and its public URL.
    #[serde(default = "default_edge")]
    pub(crate) edge: EdgeFile,
    /// Every role that a rule may ask for.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    /// Where permissions come from, when an issuer says `permissions = "service"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<PermissionsFile>,
    /// Pages that may call from a browser and read the answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cors: Option<CorsFile>,
    /// Where a function at CloudFront gets its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cloudfront: Option<CloudFrontFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<LimitsFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<LogFile>,
    /// Path parameters that name a company or a user here, next to the usual names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) names: Option<PartyNamesFile>,
    /// What routes have that do not say it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) defaults: Option<DefaultsFile>,
    /// Whose tokens are believed, by name of the section.
    #[serde(default, rename = "issuer")]
    pub(crate) issuers: BTreeMap<String, IssuerFile>,
    /// Services behind the authoriser, by name.
    #[serde(default, rename = "origin")]
    pub(crate) origins: BTreeMap<String, OriginFile>,
    /// What may be called, and by whom.
    #[serde(default, rename = "route")]
    pub(crate) routes: Vec<RouteFile>,
    /// Fields of a GraphQL API, and who may select them.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<FieldFile>,
    /// The policy's own tests; no part of what is embedded.
    #[cfg(feature = "toml")]
    #[serde(default, rename = "test", skip_serializing)]
    pub(crate) tests: Vec<TestFile>,
    /// Stamped by an overlay; a file that people write cannot say it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub(crate) development: bool,
}

fn default_edge() -> EdgeFile {
    EdgeFile::Table(EdgeTable { name: default_edge_name(), url: None })
}

/// Where permissions records come from.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionsFile {
    /// The origin that serves permissions records.
    pub(crate) origin: String,
}

/// Where a function at CloudFront gets its secrets, which has neither environment variables nor bindings.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct CloudFrontFile {
    /// ARN of a secret of AWS Secrets Manager: a JSON object with a member for each secret that the policy names.
    pub(crate) secret: String,
    /// Whether behaviours have the function at `viewer-request` and at `origin-request`: the first then leaves the token to
    /// the second.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) decides_twice: bool,
    /// Said by an overlay; a file that people write cannot say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub(crate) url: Option<String>,
}

/// Cross-origin access for browsers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct CorsFile {
    /// Pages' origins: scheme, host and port; `*` for any.
    pub(crate) origins: Vec<String>,
    /// Fields that pages may send, beside those that browsers always let through.
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    /// Fields of answers that pages may read.
    #[serde(default)]
    pub(crate) expose: Vec<String>,
    /// Whether pages may send cookies; never with `*`.
    #[serde(default)]
    pub(crate) credentials: bool,
    /// How long browsers keep a preflight's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) max_age: Option<String>,
}

/// How large what callers send may be, in octets; each may only lower the core's own bound.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct LogFile {
    /// Share of permits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    pub(crate) permits: Option<f64>,
    /// Share of denials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    pub(crate) denials: Option<f64>,
    /// Maximum number of logged denials of callers without a verified token, per second and instance; default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unidentified_denials_per_second: Option<u32>,
    /// Share of requests on which shadow rules are tried; where they differ it is always written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    pub(crate) shadow: Option<f64>,
    /// Name of the secret with which subjects are hashed; without it they are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::SecretName>"))]
    pub(crate) subject_key: Option<String>,
}

/// One `[issuer.NAME]`: whose tokens are believed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerFile {
    /// The exact `iss` of the tokens.
    pub(crate) url: String,
    /// A provider whose habits stand in for what is not said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::PresetName>"))]
    pub(crate) preset: Option<String>,
    /// Where the keys are published; without it, where a preset or OpenID Connect discovery says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_url: Option<String>,
    /// How long keys are used while the issuer cannot be reached; without it, 6 h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) jwks_max_stale: Option<String>,
    /// What the issuer signs with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<alloc::vec::Vec<super::schema::AlgorithmName>>"))]
    pub(crate) algorithms: Option<Vec<String>>,
    /// The `aud` values that tokens for this API have, of which one must be there; or `"any"`.
    #[serde(default = "OneOrMany::nothing")]
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::AudienceNames"))]
    pub(crate) audience: OneOrMany,
    /// The clients whose tokens are taken.
    #[serde(default)]
    pub(crate) clients: Vec<String>,
    /// What the claim `token_use` must say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_use: Option<String>,
    /// What the header's `typ` must say, such as `at+jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_type: Option<String>,
    /// Claims that every token of this section must have, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) require: BTreeMap<String, RequiredFile>,
    /// Where claims stand whose place differs between issuers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claims: Option<ClaimsFile>,
    /// Where callers' companies and roles come from.
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::PermissionsName"))]
    pub(crate) permissions: String,
    /// What is forgiven to `nbf` and `iat`; `exp` is never forgiven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) leeway: Option<String>,
    /// Longest time from `iat` to `exp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) max_lifetime: Option<String>,
    /// How long after `iat` a token is refused, even if `exp` is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) max_age: Option<String>,
    /// Warnings of `postern check` that are accepted here, each with the reason.
    #[serde(default, skip_serializing)]
    #[allow(dead_code, reason = "the command reads it where it is written; it is not deployed")]
    pub(crate) allow: BTreeMap<String, String>,
}

/// One name: a claim at the top. Several: the way down to a nested one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimsFile {
    /// The caller's subject; without it, `sub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<OneOrMany>,
    /// The client; without it, `client_id` or `azp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<OneOrMany>,
    /// The scopes; without it, `scope`. A text there is split at spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scopes: Option<NamesFile>,
    /// The roles; without it, `role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) roles: Option<NamesFile>,
    /// The companies; without it, `companies`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) companies: Option<NamesFile>,
}

/// A claim with names.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum NamesFile {
    /// Where it is.
    At(OneOrMany),
    /// Where it is, and how a text there is read.
    Formed(FormedFile),
}

/// Where a claim is, and how a text there says names.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FormedFile {
    /// The claim; without it, the same as if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claim: Option<OneOrMany>,
    /// The form of a text that could be one name or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TextFormName>"))]
    pub(crate) form: Option<String>,
}

impl NamesFile {
    pub(crate) const fn claim(&self) -> Option<&OneOrMany> {
        match self {
            Self::At(names) => Some(names),
            Self::Formed(formed) => formed.claim.as_ref(),
        }
    }

    pub(crate) fn form(&self) -> Option<&str> {
        match self {
            Self::At(_) => None,
            Self::Formed(formed) => formed.form.as_deref(),
        }
    }
}

/// What a required claim must be.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum RequiredFile {
    /// `true`: there, whatever it says.
    Present(bool),
    /// This, or among them this.
    One(String),
    /// One of these.
    Many(Vec<String>),
}

/// One `[origin.NAME]`: a service behind the authoriser.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Who verifies no token needs a key.
#[cfg_attr(feature = "schema", schemars(extend(
    "if" = { "properties": { "verifies": { "enum": ["token"] } }, "required": ["verifies"] },
    "else" = { "required": ["key"] },
)))]
#[serde(deny_unknown_fields)]
pub(crate) struct OriginFile {
    /// Scheme, host, port and base path.
    pub(crate) url: String,
    /// What the origin looks at before it serves: the edge's `assertion`, the default, or the caller's `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::VerifiesName>"))]
    pub(crate) verifies: Option<String>,
    /// The name of the secret that edge and origin share, another for each origin; none where it verifies the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::SecretName>"))]
    pub(crate) key: Option<String>,
    /// Who may invoke it, if it is a Lambda function URL: who signs for it (`AWS_IAM`), or anyone (`NONE`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::AuthTypeName>"))]
    pub(crate) auth_type: Option<String>,
    /// The region to sign for, where the host does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// The name of the secret with the AWS credentials that a Worker signs with; at CloudFront, origin access control signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::SecretName>"))]
    pub(crate) credentials: Option<String>,
    /// `"forwarded"`: the origin gets the caller's token as well as the assertion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TokenName>"))]
    pub(crate) token: Option<String>,
    /// Fields of the caller's that reach the origin although their names have another character than letters, digits and `-`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "alloc::vec::Vec<super::schema::FieldToken>"))]
    pub(crate) request_headers: Vec<String>,
    /// Which paths it tells apart: it may fold case, a closing slash, a space at the end or an extension (`folded`, the
    /// default), or it folds nothing (`exact`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::PathsName>"))]
    pub(crate) paths: Option<String>,
    /// Warnings of `postern check` that are accepted here, each with the reason.
    #[serde(default, skip_serializing)]
    #[allow(dead_code, reason = "the command reads it where it is written; it is not deployed")]
    pub(crate) allow: BTreeMap<String, String>,
}

/// One or several.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// What stands for a list that is not written.
    const fn nothing() -> Self {
        Self::Many(Vec::new())
    }

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
    pub(crate) edge: Option<EdgeOverlay>,
    #[serde(default)]
    pub(crate) cors: Option<CorsOverlay>,
    #[serde(default)]
    pub(crate) cloudfront: Option<CloudFrontOverlay>,
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
pub(crate) struct EdgeOverlay {
    pub(crate) url: String,
}

#[cfg(feature = "toml")]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorsOverlay {
    pub(crate) origins: Vec<String>,
}

#[cfg(feature = "toml")]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloudFrontOverlay {
    pub(crate) url: String,
}
