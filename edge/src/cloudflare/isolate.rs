//! What an isolate keeps from request to request: the authoriser with its policy, and the origins' secrets.
//!
//! Made by the first request, since Workers give neither time nor randomness before, and never changed: a new
//! policy or secret is a new deployment, and that is a new isolate. A fault is kept too; it would only recur.

use std::{fmt, sync::OnceLock};

use js_sys::Reflect;
use postern::{Authorizer, assertion::AssertionKeys, decision_log::SubjectKey, policy::PolicyErrors};
use wasm_bindgen::JsValue;
use worker::Env;

use crate::{
    policy,
    secrets::{Secrets, SecretsError},
};

static ISOLATE: OnceLock<Result<Isolate, PolicyErrors>> = OnceLock::new();

/// The variable that must be `true` where a build with a development overlay runs. No deployment sets it, so that
/// such a build serves nothing should it ever be deployed.
const DEVELOPMENT: &str = "POSTERN_DEVELOPMENT";

/// The isolate's lasting state.
#[derive(Debug)]
pub(super) struct Isolate {
    pub(super) authorizer: Authorizer,
    /// By a policy that is only tried.
    pub(super) shadow: Option<Authorizer>,
    secrets: Result<Secrets, Unfit>,
}

/// Why this Worker serves nothing, though it has its policy.
#[derive(Debug)]
pub(super) enum Unfit {
    Secrets(SecretsError),
    Development,
}

impl Isolate {
    /// The isolate's state, made when first asked for.
    pub(super) fn of(env: &Env) -> Result<&'static Self, &'static PolicyErrors> {
        ISOLATE.get_or_init(|| Self::new(env)).as_ref()
    }

    fn new(env: &Env) -> Result<Self, PolicyErrors> {
        let policy = policy::embedded()?;
        let binding = |name: &str| Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string();
        let secrets = if policy.is_development() && binding(DEVELOPMENT).as_deref() != Some("true") {
            Err(Unfit::Development)
        } else {
            Secrets::read(&policy, binding).map_err(Unfit::Secrets)
        };
        let shadow = policy::shadow()?.map(Authorizer::new);
        Ok(Self { authorizer: Authorizer::new(policy), shadow, secrets })
    }

    /// Why it serves nothing, if it does not.
    pub(super) fn unfit(&self) -> Option<&Unfit> {
        self.secrets.as_ref().err()
    }

    /// What subjects are hashed with in the decision log.
    pub(super) fn subject_key(&self) -> Option<&SubjectKey> {
        self.secrets.as_ref().ok()?.subject_key()
    }

    /// The keys shared with the origin of that name.
    pub(super) fn keys_of(&self, origin: &str) -> Option<&AssertionKeys> {
        self.secrets.as_ref().ok()?.of(origin)
    }
}

impl Unfit {
    /// The fault's stable name, for the log.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Secrets(error) => error.code(),
            Self::Development => "development_build",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secrets(error) => error.fmt(formatter),
            Self::Development => write!(formatter, "a development build; build without an overlay to deploy it"),
        }
    }
}
