//! An issuer's keys as they were at one moment, to be used later or elsewhere.
//!
//! A *seed* is sealed into what is deployed, so that a cold start need not wait for the issuer; a *second layer*
//! hands on what one isolate fetched to the next. Both are snapshots, and neither makes keys younger than they are:
//! a snapshot carries when it was taken, counts against the hard maximum, and is refreshed as soon as it is used.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
};
use core::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    json,
    jwks::{JwkSet, JwksError, MAX_JWKS_BYTES},
    policy::{Issuer, JwksLocation, Policy},
    time::UnixTime,
};

/// Largest snapshot in octets: a JWK set, and what is said about it.
pub const MAX_SNAPSHOT_BYTES: usize = MAX_JWKS_BYTES + 4096;

/// One issuer's keys, whose they are, where they were and when.
#[derive(Clone, Debug)]
pub struct KeySnapshot {
    facts: Facts,
    keys: JwkSet,
}

/// Everything but the keys, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    issuer: String,
    jwks_url: String,
    /// Seconds since the epoch.
    fetched_at: u64,
    /// Seconds.
    max_age: u64,
}

/// Why a text is no snapshot, or no snapshot of this issuer's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Larger than [`MAX_SNAPSHOT_BYTES`].
    TooLarge,
    /// Not JSON, or not of a snapshot's form; the parser's own words, with line and column.
    Syntax(String),
    /// Its `jwks` is no JWK set.
    Jwks(JwksError),
    /// It is about another issuer, or its keys were somewhere else.
    OtherIssuer,
    /// It says that it was taken in the future.
    FromFuture,
    /// It is past the issuer's hard maximum.
    TooOld,
}

impl KeySnapshot {
    pub(super) fn new(issuer: &Issuer, jwks_url: String, keys: JwkSet, fetched_at: UnixTime, ttl: Duration) -> Self {
        let facts = Facts {
            issuer: issuer.url().to_string(),
            jwks_url,
            fetched_at: fetched_at.as_secs(),
            max_age: ttl.as_secs(),
        };
        Self { facts, keys }
    }

    /// Reads what [`KeySnapshot::to_json`] wrote.
    ///
    /// # Errors
    /// [`SnapshotError::TooLarge`], [`SnapshotError::Syntax`] or [`SnapshotError::Jwks`].
    pub fn parse(text: &[u8]) -> Result<Self, SnapshotError> {
        if text.len() > MAX_SNAPSHOT_BYTES {
            return Err(SnapshotError::TooLarge);
        }
        Self::from_members(json::object(text).map_err(|error| SnapshotError::Syntax(error.to_string()))?)
    }

    fn from_members(mut members: Map<String, Value>) -> Result<Self, SnapshotError> {
        let jwks = members.remove("jwks").unwrap_or_default();
        let facts = Facts::deserialize(Value::Object(members));
        let facts = facts.map_err(|error| SnapshotError::Syntax(error.to_string()))?;
        let keys = JwkSet::parse(jwks.to_string().as_bytes()).map_err(SnapshotError::Jwks)?;
        Ok(Self { facts, keys })
    }

    /// The snapshot as JSON: `{"issuer", "jwks_url", "fetched_at", "max_age", "jwks"}`, times in seconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = match serde_json::to_value(&self.facts) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        members.insert("jwks".to_string(), self.keys.to_json());
        Value::Object(members)
    }

    /// When the keys were fetched.
    #[must_use]
    pub const fn fetched_at(&self) -> UnixTime {
        UnixTime::from_secs(self.facts.fetched_at)
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &JwkSet {
        &self.keys
    }

    pub(super) fn into_keys(self) -> JwkSet {
        self.keys
    }

    pub(super) fn jwks_url(&self) -> &str {
        &self.facts.jwks_url
    }

    pub(super) const fn ttl(&self) -> Duration {
        Duration::from_secs(self.facts.max_age)
    }

    /// Whether the keys are `issuer`'s and may be used at `now`.
    ///
    /// # Errors
    /// [`SnapshotError`] says why not.
    pub fn check(&self, issuer: &Issuer, now: UnixTime) -> Result<(), SnapshotError> {
        let place_fits = match issuer.jwks() {
            JwksLocation::Url(url) => *url == self.facts.jwks_url,
            JwksLocation::Discovery(_) => issuer.allows_url(&self.facts.jwks_url),
        };
        if self.facts.issuer != issuer.url() || !place_fits {
            return Err(SnapshotError::OtherIssuer);
        }
        if self.fetched_at() > now {
            return Err(SnapshotError::FromFuture);
        }
        if now.saturating_since(self.fetched_at()) >= issuer.jwks_max_stale() {
            return Err(SnapshotError::TooOld);
        }
        Ok(())
    }
}

/// Snapshots by issuer section, as a file that is sealed into a build holds them.
#[derive(Clone, Debug, Default)]
pub struct KeySeeds(BTreeMap<String, KeySnapshot>);

impl KeySeeds {
    /// Reads a JSON object of section to snapshot.
    ///
    /// # Errors
    /// The section that is wrong, empty for the file as a whole, and what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, (String, SnapshotError)> {
        let whole = |error: serde_json::Error| (String::new(), SnapshotError::Syntax(error.to_string()));
        let mut seeds = BTreeMap::new();
        for (section, value) in json::object(text).map_err(whole)? {
            let snapshot = match value {
                Value::Object(members) => KeySnapshot::from_members(members),
                _ => Err(SnapshotError::Syntax("a snapshot is a JSON object".to_string())),
            };
            let snapshot = snapshot.map_err(|error| (section.clone(), error))?;
            seeds.insert(section, snapshot);
        }
        Ok(Self(seeds))
    }

    /// The seeds as JSON, in the order of the sections' names.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.0.iter().map(|(section, snapshot)| (section.clone(), snapshot.to_json())).collect()
    }

    /// Adds or replaces a section's.
    pub fn insert(&mut self, issuer: &Issuer, snapshot: KeySnapshot) {
        self.0.insert(issuer.name().to_string(), snapshot);
    }

    /// A section's.
    #[must_use]
    pub fn of(&self, issuer: &Issuer) -> Option<&KeySnapshot> {
        self.0.get(issuer.name())
    }

    /// A section of the file that `policy` has no issuer for, if there is one.
    #[must_use]
    pub fn stranger_to(&self, policy: &Policy) -> Option<&str> {
        self.sections().find(|section| !policy.issuers().iter().any(|issuer| issuer.name() == *section))
    }

    /// The sections that have one.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl SnapshotError {
    /// The error's stable name, for logs and tools.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Syntax(_) => "syntax",
            Self::Jwks(_) => "jwks",
            Self::OtherIssuer => "other_issuer",
            Self::FromFuture => "from_future",
            Self::TooOld => "too_old",
        }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the snapshot is larger than the cap",
            Self::Syntax(message) => message,
            Self::Jwks(error) => return error.fmt(formatter),
            Self::OtherIssuer => "the keys are another issuer's, or were at another URL",
            Self::FromFuture => "the keys were fetched in the future",
            Self::TooOld => "the keys are past the issuer's hard maximum age",
        })
    }
}

impl core::error::Error for SnapshotError {}
