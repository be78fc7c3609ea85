//! The policy as README.md describes it, read from TOML by types of the model's own.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// What the file says.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "members are those of the file, which README.md describes")]
pub struct Policy {
    #[serde(default)]
    pub defaults: Defaults,
    #[serde(default)]
    pub limits: Limits,
    pub cors: Option<toml::Value>,
    #[serde(rename = "issuer")]
    pub issuers: BTreeMap<String, Issuer>,
    #[serde(default, rename = "origin")]
    pub origins: BTreeMap<String, Origin>,
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[allow(missing_docs, reason = "members are those of the file, which README.md describes")]
pub struct Defaults {
    pub origin: Option<String>,
    pub issuer: Option<OneOrMany>,
    pub permissions_max_age: Option<String>,
    pub permissions_stale_if_error: Option<String>,
    pub body: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[allow(missing_docs, reason = "members are those of the file, which README.md describes")]
pub struct Limits {
    pub max_token_bytes: Option<usize>,
    pub max_target_bytes: Option<usize>,
    pub max_body_bytes: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "members are those of the file, which README.md describes")]
pub struct Origin {
    pub paths: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "members are those of the file, which README.md describes")]
pub struct Issuer {
    pub url: String,
    pub preset: Option<String>,
    pub algorithms: Option<Vec<String>>,
    pub audience: Option<OneOrMany>,
    #[serde(default)]
    pub clients: Vec<String>,
    pub token_use: Option<String>,
    pub token_type: Option<String>,
    #[serde(default)]
    pub require: BTreeMap<String, Required>,
    #[serde(default)]
    pub claims: BTreeMap<String, Claim>,
    pub permissions: String,
    pub leeway: Option<String>,
    pub max_lifetime: Option<String>,
    pub max_age: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "members are those of the file, which README.md describes")]
pub struct Route {
    pub name: String,
    pub methods: Vec<String>,
    pub path: String,
    #[serde(default)]
    pub public: bool,
    #[serde(default)]
    pub shadow: bool,
    pub origin: Option<String>,
    pub issuer: Option<OneOrMany>,
    pub subject: Option<String>,
    pub company: Option<Company>,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default)]
    pub scopes: Scopes,
    #[serde(default)]
    pub require: BTreeMap<String, Required>,
    pub permissions_max_age: Option<String>,
    pub permissions_stale_if_error: Option<String>,
    pub body: Option<String>,
    #[serde(default)]
    pub query_method_override: bool,
    #[serde(default)]
    pub headers: BTreeMap<String, OneOrMany>,
}

/// One name or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// The claim's name, with the form of its text if the policy names one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Claim {
    /// Where.
    At(OneOrMany),
    /// Where, unless it is the usual place, and how.
    Formed {
        /// The claim.
        claim: Option<OneOrMany>,
        /// One of the four forms.
        form: Option<String>,
    },
}

/// What a claim must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Required {
    /// `true`: there.
    Present(bool),
    /// This, or among them this.
    One(String),
    /// One of these.
    Many(Vec<String>),
}

/// Where the company of a request stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Company {
    /// `{name}`, `any` or `subject`.
    Text(String),
    /// `{ header = "…" }` or `{ query = "…" }`.
    Elsewhere(BTreeMap<String, String>),
}

/// The scopes that a token must have.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Scopes {
    /// All of these.
    All(Vec<String>),
    /// All of some, any of others.
    Sets {
        /// All of these.
        #[serde(default)]
        all_of: Vec<String>,
        /// One of these at least.
        #[serde(default)]
        any_of: Vec<String>,
    },
}

impl Default for Scopes {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl OneOrMany {
    /// The names.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Many(names) => names.clone(),
        }
    }
}

impl Policy {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is no such TOML.
    pub fn parse(text: &str) -> Result<Self> {
        let mut policy: Self = toml::from_str(text).context("the model cannot read the policy")?;
        for route in &mut policy.routes {
            if !route.public && route.issuer.is_none() {
                route.issuer.clone_from(&policy.defaults.issuer);
            }
            if route.body.is_none() {
                route.body.clone_from(&policy.defaults.body);
            }
            if route.permissions_max_age.is_none() {
                route.permissions_max_age.clone_from(&policy.defaults.permissions_max_age);
            }
            if route.permissions_stale_if_error.is_none() {
                route.permissions_stale_if_error.clone_from(&policy.defaults.permissions_stale_if_error);
            }
        }
        Ok(policy)
    }
}

impl Issuer {
    /// The algorithms that it may sign with.
    pub fn algorithms(&self) -> Vec<String> {
        self.algorithms.clone().unwrap_or_else(|| vec!["RS256".to_owned()])
    }

    /// `token_use` as the section or its preset wants it.
    pub fn token_use(&self) -> Option<&str> {
        self.token_use.as_deref().or((self.preset.as_deref() == Some("cognito")).then_some("access"))
    }

    /// Claims that each token must have, the preset's own among them.
    pub fn required(&self) -> BTreeMap<String, Required> {
        let mut required = BTreeMap::new();
        match self.preset.as_deref() {
            Some("okta") => required.insert("cid".to_owned(), Required::Present(true)),
            Some("entra") => required.insert("azp".to_owned(), Required::Present(true)),
            Some("keycloak") => required.insert("typ".to_owned(), Required::One("Bearer".to_owned())),
            _ => None,
        };
        required.extend(self.require.clone());
        required
    }

    /// Where a claim stands: README.md's table of presets, which the section overrules.
    pub fn path(&self, claim: &str) -> Vec<String> {
        if let Some(Claim::At(own) | Claim::Formed { claim: Some(own), .. }) = self.claims.get(claim) {
            return own.names();
        }
        let place: &[&str] = match (self.preset.as_deref(), claim) {
            (_, "subject") => &["sub"],
            (Some("okta" | "entra"), "scopes") => &["scp"],
            (_, "scopes") => &["scope"],
            (Some("cognito"), "roles") => &["cognito:groups"],
            (Some("okta"), "roles") => &["groups"],
            (Some("entra"), "roles") => &["roles"],
            (Some("keycloak"), "roles") => &["realm_access", "roles"],
            (_, "roles") => &["role"],
            (Some("auth0"), "companies") => &["org_id"],
            (Some("keycloak"), "companies") => &["organization"],
            (_, "companies") => &["companies"],
            (_, other) => panic!("no claim `{other}`"),
        };
        place.iter().map(|name| (*name).to_owned()).collect()
    }

    /// How a text in the claim is read, where that is said: of scopes always, of Cognito's own companies too.
    pub fn form(&self, claim: &str) -> Option<&str> {
        match (self.claims.get(claim), self.preset.as_deref(), claim) {
            (Some(Claim::Formed { form: Some(form), .. }), ..) => Some(form),
            (_, _, "scopes") => Some("spaces"),
            (None | Some(Claim::Formed { claim: None, .. }), Some("cognito"), "companies") => Some("json"),
            _ => None,
        }
    }

    /// Where the client stands, the first that a token has.
    pub fn client_paths(&self) -> Vec<Vec<String>> {
        let one = |name: &str| vec![vec![name.to_owned()]];
        match (self.claims.get("client"), self.preset.as_deref()) {
            (Some(_), _) => vec![self.path("client")],
            (None, Some("cognito")) => one("client_id"),
            (None, Some("okta")) => one("cid"),
            (None, Some(_)) => one("azp"),
            (None, None) => vec![vec!["client_id".to_owned()], vec!["azp".to_owned()]],
        }
    }
}

/// Seconds in `30s`, `5m`, `1h`; `250ms` as a part of one.
///
/// # Panics
/// When it is no duration: the policy then does not build.
pub fn seconds(text: &str) -> f64 {
    let split = text.find(|c: char| c.is_ascii_lowercase()).unwrap_or(text.len());
    let (count, unit) = text.split_at(split);
    let count: f64 = count.parse().unwrap_or_else(|_| panic!("`{text}` is no duration"));
    match unit {
        "ms" => count / 1000.0,
        "s" => count,
        "m" => count * 60.0,
        "h" => count * 3600.0,
        _ => panic!("`{text}` is no duration"),
    }
}
