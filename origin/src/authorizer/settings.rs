//! How the authorizer is set up at API Gateway, which no event says: the function is told, and holds the policy to it.
//!
//! A cached result is used until its TTL ends, whatever happens to roles. So the TTL may be no longer than the smallest
//! `permissions_max_age` of the routes that rest on records, and a policy whose results could not be right for all that
//! they are used for is refused when the function starts. A function that is refused fails every event.

use std::time::Duration;

use postern::{
    Policy,
    policy::{CompanyRule, PermissionsSource},
};

use super::list::{self, List};
use crate::config::{ConfigError, Environment};

/// The TTL of the authorizer at API Gateway, in seconds; 0, the default, where results are not cached.
pub const TTL: &str = "POSTERN_AUTHORIZER_TTL";
/// What results are cached by: `token` (identity source: the `Authorization` field alone) or `request` (that, the method
/// and the path). Must be said where the TTL is not 0.
pub const KEY: &str = "POSTERN_AUTHORIZER_KEY";
/// What an HTTP API with payload format 2.0 is answered: `iam`, the default, or `simple`.
pub const RESPONSE: &str = "POSTERN_AUTHORIZER_RESPONSE";
/// `true`: results carry the caller's companies, for services that decide by them.
pub const COMPANIES: &str = "POSTERN_AUTHORIZER_COMPANIES";

/// API Gateway's longest TTL.
const MAX_TTL: Duration = Duration::from_secs(3600);

/// What a result is used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Caching {
    /// The one request that it was asked for.
    #[default]
    Off,
    /// Whatever is asked with the same token, for so long.
    ByToken(Duration),
    /// The same method and path with the same token, for so long.
    ByRequest(Duration),
}

/// What an HTTP API with payload format 2.0 has been told to expect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseKind {
    /// A policy document.
    #[default]
    Iam,
    /// `isAuthorized`.
    Simple,
}

/// The settings of one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    caching: Caching,
    response: ResponseKind,
    companies: bool,
}

impl Settings {
    /// Reads them, and holds `policy` to them.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the mend.
    pub fn from_environment(environment: &Environment, policy: &Policy) -> Result<Self, ConfigError> {
        const TTL_MEND: &str = "set it to the authorizer's TTL at API Gateway, from 0 to 3600 seconds";
        const KEY_MEND: &str = "set it to `token` or `request`, as the authorizer's identity sources are";
        const RESPONSE_MEND: &str = "set it to `iam` or `simple`, as the authorizer is set at API Gateway";
        let ttl = match environment.optional(TTL) {
            None => Duration::ZERO,
            Some(text) => text
                .parse()
                .ok()
                .map(Duration::from_secs)
                .filter(|ttl| *ttl <= MAX_TTL)
                .ok_or_else(|| invalid(TTL, "it is no TTL of API Gateway's", TTL_MEND))?,
        };
        let caching = match (ttl, environment.optional(KEY).as_deref()) {
            (Duration::ZERO, _) => Caching::Off,
            (ttl, Some("token")) => Caching::ByToken(ttl),
            (ttl, Some("request")) => Caching::ByRequest(ttl),
            (_, None) => return Err(ConfigError::Missing { variable: KEY.to_owned(), mend: KEY_MEND }),
            (_, Some(_)) => return Err(invalid(KEY, "it is none of the two", KEY_MEND)),
        };
        let response = match environment.optional(RESPONSE).as_deref() {
            None | Some("iam") => ResponseKind::Iam,
            Some("simple") => ResponseKind::Simple,
            Some(_) => return Err(invalid(RESPONSE, "it is none of the two", RESPONSE_MEND)),
        };
        let companies = match environment.optional(COMPANIES).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(invalid(COMPANIES, "it is none of the two", "set it to `true` or `false`")),
        };
        Self { caching, response, companies }.fit_for(policy)
    }

    /// The same, if results made by `policy` may be used so.
    ///
    /// # Errors
    /// [`ConfigError`] says what must change.
    pub fn fit_for(self, policy: &Policy) -> Result<Self, ConfigError> {
        let (Caching::ByToken(ttl) | Caching::ByRequest(ttl)) = self.caching else { return Ok(self) };
        if self.response == ResponseKind::Simple {
            let problem = "a simple response cannot say when the token ends";
            return Err(invalid(TTL, problem, "set it, and the TTL at API Gateway, to 0, or answer with `iam`"));
        }
        let decides = || list::deciding(policy).filter(|route| !route.is_public());
        let asks = |issuer: &postern::policy::Issuer| issuer.permissions() == PermissionsSource::Service;
        let rests_on_records = decides().filter(|route| route.company().binds() && policy.issuers_of(route).any(asks));
        if let Some(route) = rests_on_records.min_by_key(|route| route.permissions_max_age())
            && route.permissions_max_age() < ttl
        {
            let age = route.permissions_max_age().as_secs();
            let problem = format!("route `{}` takes records that are no older than {age} s", route.name());
            return Err(invalid(TTL, &problem, "set it, and the TTL at API Gateway, to no more than that"));
        }
        let elsewhere =
            decides().find(|route| matches!(route.company(), CompanyRule::Header(_) | CompanyRule::Query(_)));
        if let Some(route) = elsewhere {
            let problem = format!("route `{}` finds its company where no cached result can tell it", route.name());
            return Err(invalid(TTL, &problem, "set it, and the TTL at API Gateway, to 0"));
        }
        if let Caching::ByToken(_) = self.caching {
            let mend = "set it to `request`, with the method and the path among the identity sources";
            List::is_possible(policy).map_err(|error| invalid(KEY, &error.to_string(), mend))?;
        }
        Ok(self)
    }

    /// The same, with results used so.
    #[must_use]
    pub const fn with_caching(self, caching: Caching) -> Self {
        Self { caching, ..self }
    }

    /// The same, answering so.
    #[must_use]
    pub const fn with_response(self, response: ResponseKind) -> Self {
        Self { response, ..self }
    }

    /// The same, with the caller's companies in results.
    #[must_use]
    pub const fn with_companies(self, companies: bool) -> Self {
        Self { companies, ..self }
    }

    /// What a result is used for.
    #[must_use]
    pub const fn caching(self) -> Caching {
        self.caching
    }

    /// What an HTTP API with payload format 2.0 expects.
    #[must_use]
    pub const fn response(self) -> ResponseKind {
        self.response
    }

    /// Whether results carry the caller's companies.
    #[must_use]
    pub const fn companies(self) -> bool {
        self.companies
    }
}

fn invalid(variable: &str, problem: &str, mend: &'static str) -> ConfigError {
    ConfigError::Invalid { variable: variable.to_owned(), problem: problem.to_owned(), mend }
}
