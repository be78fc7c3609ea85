//! What a case is: a world, a request, and what must be decided. Read from `worlds.json` and `cases/*.json`.
//!
//! The files are the corpus; whatever reads JSON can be a driver. Nothing here decides anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands around a decision: policy, time, and what issuers and the permissions service say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// What is special about it, for people.
    pub about: String,
    /// The policy's file, from the repository's root.
    pub policy: String,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// Issuer section to JWK set, as it is published.
    pub keys: BTreeMap<String, Value>,
    /// How the keys are known.
    #[serde(default)]
    pub reach_of_keys: Reach,
    /// Subject to record, as the permissions service has it. A record that is no object is answered as it is: nonsense.
    pub permissions: BTreeMap<String, Value>,
    /// How the records are known.
    #[serde(default)]
    pub reach_of_permissions: Reach,
}

/// How something is known that is not in the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Whoever has it answers.
    #[default]
    Answers,
    /// It was asked for this many seconds ago, and its owner has been out of reach since then, which is known: others have
    /// asked in vain three times in the last ten seconds.
    SilentFor(u64),
    /// It was asked for this many seconds ago, and nobody has asked its owner in vain before this very moment.
    FailsNow(u64),
    /// It was never had, and its owner is out of reach.
    Silent,
}

/// How long ago somebody has asked in vain, in seconds, where an owner is known to be out of reach.
pub const ASKED_IN_VAIN: [u64; 3] = [12, 6, 0];

impl Reach {
    /// How long ago it was asked for, in seconds, where it was asked for before its owner was out of reach.
    #[must_use]
    pub const fn age(self) -> Option<u64> {
        match self {
            Self::SilentFor(seconds) | Self::FailsNow(seconds) => Some(seconds),
            Self::Answers | Self::Silent => None,
        }
    }

    /// How long ago others have asked in vain, in seconds.
    #[must_use]
    pub const fn asked_in_vain(self) -> &'static [u64] {
        if matches!(self, Self::SilentFor(_)) { &ASKED_IN_VAIN } else { &[] }
    }
}

/// One request and what must be decided on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence, in one theme like no other.
    pub name: String,
    /// The name of its world.
    pub world: String,
    /// The attack that it shows, if any, by a word of README.md's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<String>,
    /// Whether the expectation was written by hand or by the naive model.
    pub by: Author,
    /// What the model cannot see for itself.
    #[serde(default, skip_serializing_if = "Facts::are_plain")]
    pub facts: Facts,
    /// The request.
    pub request: Request,
    /// The decision.
    pub expect: Expect,
}

/// Who said what must be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A person, from the documents.
    Hand,
    /// The naive model.
    Model,
}

/// What the model is told of a token, since it does no cryptography.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Whether the issuer publishes exactly one fit key of the token's `kid` and algorithm.
    #[serde(default)]
    pub key: Key,
    /// Whether the signature holds under that key.
    #[serde(default)]
    pub signature: Signature,
}

/// The key that a token names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// Published.
    #[default]
    Known,
    /// Not published, unfit, or not the only one.
    Unknown,
}

/// A signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// It holds.
    #[default]
    Holds,
    /// It does not.
    Broken,
}

impl Facts {
    fn are_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// The request as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The raw target.
    pub target: String,
    /// Fields in order.
    pub headers: Vec<(String, String)>,
    /// The body's text, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What must be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expect {
    /// Forwarded.
    Permit(Permit),
    /// Refused.
    Deny(Deny),
    /// Answered as a CORS preflight, with 204.
    Preflight {},
}

/// What a permit says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permit {
    /// The route that decided.
    pub route: String,
    /// The issuer section of the caller; none on a public route.
    pub issuer: Option<String>,
    /// The caller.
    pub subject: Option<String>,
    /// The company that the request is about.
    pub company: Option<String>,
    /// Roles held there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The token's scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Fields that the origin is handed, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub handed_on: BTreeMap<String, String>,
    /// SHA-256 of the body, in hex, where it is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
    /// Names of the caller's fields that reach the origin, in lower case and in order; absent where the case does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaching: Option<Vec<String>>,
}

impl Request {
    /// The names of this request's fields that stand among those that arrived, with the same value.
    pub fn reaching<'a>(&self, arrived: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
        let arrived: Vec<(&str, &str)> = arrived.into_iter().collect();
        let has_arrived = |(name, value): &&(String, String)| {
            arrived.iter().any(|(other, seen)| other.eq_ignore_ascii_case(name) && seen == value)
        };
        let reaching: BTreeSet<String> =
            self.headers.iter().filter(has_arrived).map(|(name, _)| name.to_ascii_lowercase()).collect();
        reaching.into_iter().collect()
    }
}

/// What a denial says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// The operator's reason.
    pub reason: String,
    /// The status of the answer.
    pub status: u16,
    /// The route, when one was reached.
    pub route: Option<String>,
}

/// The whole corpus.
#[derive(Clone, Debug, PartialEq)]
pub struct Corpus {
    /// By name.
    pub worlds: BTreeMap<String, World>,
    /// Theme to cases, in the order of the file.
    pub themes: BTreeMap<String, Vec<Case>>,
}

impl Corpus {
    /// Reads the files of this folder.
    ///
    /// # Errors
    /// What file cannot be read, and why.
    pub fn read() -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut themes = BTreeMap::new();
        for entry in fs::read_dir(folder.join("cases")).context("no folder `cases`")? {
            let path = entry?.path();
            let theme = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            themes.insert(theme, read(&path)?);
        }
        Ok(Self { worlds: read(&folder.join("worlds.json"))?, themes })
    }

    /// Every case with its theme, in the order of the files.
    pub fn cases(&self) -> impl Iterator<Item = (&str, &Case)> {
        self.themes.iter().flat_map(|(theme, cases)| cases.iter().map(move |case| (theme.as_str(), case)))
    }

    /// The world of a case.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    pub fn world(&self, case: &Case) -> &World {
        self.worlds.get(&case.world).unwrap_or_else(|| panic!("`{}`: no world `{}`", case.name, case.world))
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
    serde_json::from_str(&text).with_context(|| format!("`{shown}` is not as expected"))
}

/// The text of a file at the top of the repository.
///
/// # Errors
/// When it cannot be read.
pub fn repository_file(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// The text of a policy as the drivers take it: every denial is written down (`corpus/log.toml`).
///
/// # Errors
/// When it cannot be read.
pub fn policy_text(name: &str) -> Result<String> {
    let text = repository_file(name)?;
    if text.contains("unidentified_denials_per_second") {
        return Ok(text);
    }
    Ok(format!("{text}\n{}", repository_file("corpus/log.toml")?))
}
