//! Configuration from environment variables, as Lambda gives it.
//!
//! Every error names the variable and the way to mend it, and none prints a value: most of what is
//! configured here is a secret, or sits beside one. A service whose configuration is wrong still
//! starts and answers 503 to everything, so that the cause is in its log and nothing is allowed.

use std::fmt;

use postern::assertion::AssertionVerifier;

use crate::assertion::BasePath;

/// The keys of the edges this service believes: the JSON that [`AssertionVerifier::from_json`] reads.
pub const TRUSTED_KEYS: &str = "POSTERN_TRUSTED_KEYS";

/// What a platform puts before the path: an HTTP API's stage or a custom domain's base path.
pub const BASE_PATH: &str = "POSTERN_BASE_PATH";

type LookUp = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where variables are read from: the process, or a table in tests.
pub struct Environment {
    look_up: LookUp,
}

/// What is wrong with one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is not set, or empty.
    Missing {
        /// The variable's name.
        variable: String,
        /// What to set it to.
        mend: &'static str,
    },
    /// It is set to something that cannot be used.
    Invalid {
        /// The variable's name.
        variable: String,
        /// What is wrong, without the value.
        problem: String,
        /// What to set it to.
        mend: &'static str,
    },
}

impl Environment {
    /// The process's own environment; a variable that is not Unicode counts as not set.
    #[must_use]
    pub fn of_process() -> Self {
        Self { look_up: Box::new(|name| std::env::var(name).ok()) }
    }

    /// Variables from a function, for tests and for hosts that keep them elsewhere.
    #[must_use]
    pub fn from_fn(look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { look_up: Box::new(look_up) }
    }

    /// The variable's value; one that is set to nothing counts as not set.
    #[must_use]
    pub fn optional(&self, variable: &str) -> Option<String> {
        (self.look_up)(variable).filter(|value| !value.is_empty())
    }

    /// The variable's value.
    ///
    /// # Errors
    /// [`ConfigError::Missing`], with `mend` as what to set it to.
    pub fn required(&self, variable: &str, mend: &'static str) -> Result<String, ConfigError> {
        self.optional(variable).ok_or_else(|| ConfigError::Missing { variable: variable.to_owned(), mend })
    }

    /// The keys that assertions for `audience` are checked with.
    ///
    /// A variable of the service's own (`POSTERN_TRUSTED_KEYS_EXTERNAL_ORDERS` for `external-orders`) comes
    /// before [`TRUSTED_KEYS`], because a local stack may run every service in one environment.
    ///
    /// # Errors
    /// [`ConfigError`] when neither is set or the one that is cannot be read.
    pub fn trusted_keys(&self, audience: &str) -> Result<AssertionVerifier, ConfigError> {
        const MEND: &str =
            "set it to {\"issuers\": {\"edge\": {\"keys\": [...]}}} with the edge's key for this service alone";
        let own = format!("{TRUSTED_KEYS}_{}", audience.to_ascii_uppercase().replace('-', "_"));
        let (variable, json) = match self.optional(&own) {
            Some(json) => (own, json),
            None => (TRUSTED_KEYS.to_owned(), self.required(TRUSTED_KEYS, MEND)?),
        };
        AssertionVerifier::from_json(audience, &json).map_err(|error| ConfigError::Invalid {
            variable,
            problem: error.to_string(),
            mend: MEND,
        })
    }

    /// The prefix to take off the path before it is compared; none when the variable is not set.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when it is no canonical path.
    pub fn base_path(&self) -> Result<BasePath, ConfigError> {
        let Some(path) = self.optional(BASE_PATH) else {
            return Ok(BasePath::none());
        };
        BasePath::new(&path).map_err(|error| ConfigError::Invalid {
            variable: BASE_PATH.to_owned(),
            problem: error.to_string(),
            mend: "set it to the prefix alone, as `/prod`",
        })
    }
}

impl ConfigError {
    /// A stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "config_missing",
            Self::Invalid { .. } => "config_invalid",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { variable, mend } => write!(formatter, "`{variable}` is not set: {mend}"),
            Self::Invalid { variable, problem, mend } => {
                write!(formatter, "`{variable}` cannot be used ({problem}): {mend}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Environment").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str =
        r#"{"issuers":{"edge":{"keys":[{"kty":"oct","kid":"1","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]}}}"#;

    fn with(variables: &[(&'static str, &'static str)]) -> Environment {
        let variables = variables.to_vec();
        Environment::from_fn(move |name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_services_own_keys_come_before_those_of_all() {
        assert!(with(&[(TRUSTED_KEYS, KEYS)]).trusted_keys("external-orders").is_ok());
        let own = "POSTERN_TRUSTED_KEYS_EXTERNAL_ORDERS";
        assert!(with(&[(own, KEYS), (TRUSTED_KEYS, "{")]).trusted_keys("external-orders").is_ok());
        assert!(with(&[(own, "{"), (TRUSTED_KEYS, KEYS)]).trusted_keys("external-orders").is_err());
        assert!(with(&[(own, KEYS)]).trusted_keys("vouchers").is_err());
    }

    #[test]
    fn an_error_names_the_variable_and_the_mend_and_never_the_value() {
        let missing = with(&[]).trusted_keys("vouchers").unwrap_err();
        assert_eq!(missing.code(), "config_missing");
        assert!(missing.to_string().contains("`POSTERN_TRUSTED_KEYS`"), "{missing}");
        for value in ["secret-value", r#"{"issuers":{"edge":{"keys":[{"kty":"oct","kid":"1","k":"secret-value"}]}}}"#] {
            let invalid = with(&[("POSTERN_TRUSTED_KEYS_VOUCHERS", value)]).trusted_keys("vouchers").unwrap_err();
            let message = invalid.to_string();
            assert!(message.contains("`POSTERN_TRUSTED_KEYS_VOUCHERS`") && message.contains("set it to"), "{message}");
            assert!(!message.contains("secret-value") && !format!("{invalid:?}").contains("secret-value"));
        }
    }

    #[test]
    fn a_variable_set_to_nothing_is_not_set() {
        assert_eq!(with(&[("A", "")]).optional("A"), None);
        assert_eq!(with(&[(BASE_PATH, "")]).base_path(), Ok(BasePath::none()));
        assert!(with(&[(BASE_PATH, "prod")]).base_path().unwrap_err().to_string().contains("`POSTERN_BASE_PATH`"));
    }
}
