//! What an isolate keeps from request to request: the authoriser with its policy, and the origins' secrets.
//!
//! Made by the first request, since Workers give neither time nor randomness before, and never changed: a new
//! policy or secret is a new deployment, and that is a new isolate. A fault is kept too; it would only recur.

use std::{fmt, sync::OnceLock};

use js_sys::Reflect;
use postern::{Authorizer, policy::PolicyErrors};
use wasm_bindgen::JsValue;
use worker::Env;

use crate::{
    policy,
    secrets::{Secrets, SecretsError},
};

static ISOLATE: OnceLock<Result<Isolate, Fault>> = OnceLock::new();

/// The isolate's lasting state.
#[derive(Debug)]
pub(super) struct Isolate {
    pub(super) authorizer: Authorizer,
    pub(super) secrets: Secrets,
}

/// Why this Worker serves nothing.
#[derive(Debug)]
pub(super) enum Fault {
    Policy(PolicyErrors),
    Secrets(SecretsError),
}

impl Isolate {
    /// The isolate's state, made when first asked for.
    pub(super) fn of(env: &Env) -> Result<&'static Self, &'static Fault> {
        ISOLATE.get_or_init(|| Self::new(env)).as_ref()
    }

    fn new(env: &Env) -> Result<Self, Fault> {
        let policy = policy::embedded().map_err(Fault::Policy)?;
        let binding = |name: &str| Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string();
        let secrets = Secrets::read(&policy, binding).map_err(Fault::Secrets)?;
        Ok(Self { authorizer: Authorizer::new(policy), secrets })
    }
}

impl Fault {
    /// The fault's stable name, for the log.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Policy(_) => "policy_unusable",
            Self::Secrets(error) => error.code(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(errors) => write!(formatter, "the embedded policy does not load: {errors}"),
            Self::Secrets(error) => error.fmt(formatter),
        }
    }
}
