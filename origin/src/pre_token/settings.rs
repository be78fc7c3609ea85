//! What the trigger is told by its environment, beside the policy and its keys.

use std::collections::BTreeMap;

use crate::config::{ConfigError, Environment};

/// What happens to a sign-in while the permissions service cannot tell: `allow` (the default) issues tokens without the
/// claims, `deny` none.
pub const ON_OUTAGE: &str = "POSTERN_PRE_TOKEN_ON_OUTAGE";

/// Scopes that a role adds to access tokens (V2 and V3), as JSON: `{"Manager": ["orders/list.orders"]}`. A scope is good
/// for every company, so it is added only where the role is held in each of them. May be left out.
pub const SCOPES: &str = "POSTERN_PRE_TOKEN_SCOPES";

/// What happens to a sign-in while the permissions service cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutage {
    /// Tokens are issued without the claims.
    Allow,
    /// No token is issued.
    Deny,
}

/// Scopes by role.
pub(super) type Scopes = BTreeMap<String, Vec<String>>;

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) on_outage: OnOutage,
    pub(super) scopes: Scopes,
}

impl Settings {
    pub(super) fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let on_outage = match environment.optional(ON_OUTAGE).as_deref() {
            None | Some("allow") => OnOutage::Allow,
            Some("deny") => OnOutage::Deny,
            Some(_) => return Err(invalid(ON_OUTAGE, "it is neither", "set it to `allow` or to `deny`")),
        };
        let scopes = environment.optional(SCOPES).map(|text| scopes(&text)).transpose()?.unwrap_or_default();
        Ok(Self { on_outage, scopes })
    }

    /// Where it is not known what was wanted.
    pub(super) const fn deny() -> Self {
        Self { on_outage: OnOutage::Deny, scopes: Scopes::new() }
    }
}

fn scopes(text: &str) -> Result<Scopes, ConfigError> {
    const MEND: &str = "set it to a JSON object of role to scopes, or leave it out";
    let scopes: Scopes = serde_json::from_str(text).map_err(|_| invalid(SCOPES, "it is no such object", MEND))?;
    if scopes.values().flatten().any(|scope| !is_scope(scope)) {
        return Err(invalid(SCOPES, "Cognito adds no such scope", MEND));
    }
    Ok(scopes)
}

/// A scope token (RFC 6749 §3.3), and none of those that Cognito keeps to itself.
fn is_scope(scope: &str) -> bool {
    let is_token = scope.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    !scope.is_empty() && is_token && !scope.starts_with("aws.cognito")
}

fn invalid(variable: &str, problem: &str, mend: &'static str) -> ConfigError {
    ConfigError::Invalid { variable: variable.to_owned(), problem: problem.to_owned(), mend }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variable: &'static str, value: &'static str) -> Result<Settings, ConfigError> {
        Settings::from_environment(&Environment::from_fn(move |name| (name == variable).then(|| value.to_owned())))
    }

    #[test]
    fn a_sign_in_goes_on_without_the_claims_unless_told_otherwise() {
        assert_eq!(settings(ON_OUTAGE, "").unwrap().on_outage, OnOutage::Allow);
        assert_eq!(settings(ON_OUTAGE, "allow").unwrap().on_outage, OnOutage::Allow);
        assert_eq!(settings(ON_OUTAGE, "deny").unwrap().on_outage, OnOutage::Deny);
        assert!(settings(ON_OUTAGE, "Deny").unwrap_err().to_string().contains(ON_OUTAGE));
    }

    #[test]
    fn scopes_are_those_that_may_be_added() {
        assert_eq!(settings(SCOPES, r#"{"Manager":["orders/list.orders"]}"#).unwrap().scopes["Manager"].len(), 1);
        for value in ["[]", "{", r#"{"M":"a"}"#, r#"{"M":["a b"]}"#, r#"{"M":[""]}"#, r#"{"M":["aws.cognito.x"]}"#] {
            assert!(settings(SCOPES, value).unwrap_err().to_string().contains(SCOPES), "{value}");
        }
    }
}
