//! What a function carries beside its code: `config.json`, as `cargo xtask package cloudfront` writes it.
//!
//! The policies are texts and not objects: a policy's version is the hash of its octets.

use std::fmt;

use postern::{Policy, cache::KeySeeds, policy::PolicyErrors};
use serde_json::Value;

/// The policy that decides, one that is only tried, the issuers' keys as they were sealed.
#[derive(Debug)]
pub struct Config {
    /// Decides.
    pub policy: Policy,
    /// Is only tried.
    pub shadow: Option<Policy>,
    /// None where nothing was sealed.
    pub seeds: KeySeeds,
}

/// Why what was packed cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is no JSON object, or a member is missing or no text.
    Shape(&'static str),
    /// A policy does not hold: package and module do not belong together.
    Policy(&'static str, PolicyErrors),
    /// The seeds cannot be read.
    Seeds,
}

impl Config {
    /// Reads `{"policy": …, "shadow": …, "seeds": …}`, each a text of JSON; empty where there is none.
    ///
    /// # Errors
    /// [`ConfigError`] names the member.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        let object: Value = serde_json::from_str(json).map_err(|_| ConfigError::Shape("config.json"))?;
        let text = |name: &'static str| object.get(name).and_then(Value::as_str).ok_or(ConfigError::Shape(name));
        let policy = |name| Policy::from_json(text(name)?).map_err(|errors| ConfigError::Policy(name, errors));
        let seeds = match text("seeds")? {
            "" => KeySeeds::default(),
            seeds => KeySeeds::parse(seeds.as_bytes()).map_err(|_| ConfigError::Seeds)?,
        };
        let shadow = if text("shadow")?.is_empty() { None } else { Some(policy("shadow")?) };
        Ok(Self { policy: policy("policy")?, shadow, seeds })
    }
}

impl ConfigError {
    /// The error's stable name, for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Shape(_) => "config_unusable",
            Self::Policy(..) => "policy_unusable",
            Self::Seeds => "key_seeds_unusable",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(name) => write!(formatter, "`{name}` is missing or of another shape"),
            Self::Policy(name, errors) => write!(formatter, "`{name}` does not load: {errors}"),
            Self::Seeds => formatter.write_str("`seeds` cannot be read"),
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(policy: &str, shadow: &str, seeds: &str) -> String {
        serde_json::json!({ "policy": policy, "shadow": shadow, "seeds": seeds }).to_string()
    }

    #[test]
    fn what_is_packed_loads_with_and_without_what_may_be_absent() {
        let policy = postern::policy::from_toml(include_str!("../../postern.toml"), None).unwrap();
        let read = Config::parse(&config(policy.to_json(), "", "")).unwrap();
        assert_eq!(read.policy.version(), policy.version());
        assert!(read.shadow.is_none());
        assert!(Config::parse(&config(policy.to_json(), policy.to_json(), "{}")).unwrap().shadow.is_some());
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        let policy = postern::policy::from_toml(include_str!("../../postern.toml"), None).unwrap();
        let code = |json: &str| Config::parse(json).unwrap_err().code();
        assert_eq!(code("nonsense"), "config_unusable");
        assert_eq!(code("{}"), "config_unusable");
        assert_eq!(code(&config("{}", "", "")), "policy_unusable");
        assert_eq!(code(&config(policy.to_json(), "{}", "")), "policy_unusable");
        assert_eq!(code(&config(policy.to_json(), "", "[]")), "key_seeds_unusable");
    }
}
