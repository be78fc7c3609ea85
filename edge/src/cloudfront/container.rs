//! What a container keeps from event to event: the authoriser with its policy, and what was packed beside it.

use std::sync::OnceLock;

use js_sys::Reflect;
use postern::{Authorizer, Policy, cache::KeySeeds};
use wasm_bindgen::JsValue;

use crate::{
    config::{Config, ConfigError},
    policy,
    sigv4::Credentials,
};

static CONTAINER: OnceLock<Container> = OnceLock::new();

/// The container's lasting state.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) authorizer: Authorizer,
    /// By a policy that is only tried.
    pub(super) shadow: Option<Authorizer>,
    pub(super) seeds: KeySeeds,
    is_misplaced: OnceLock<bool>,
}

impl Container {
    /// Loads what was packed; once.
    pub(super) fn start(config: &str) -> Result<(), ConfigError> {
        let Config { policy, shadow, seeds } = Config::parse(config)?;
        let container = Self {
            authorizer: Authorizer::new(policy),
            shadow: shadow.map(|tried| Authorizer::new(tried).only_tried()),
            seeds,
            is_misplaced: OnceLock::new(),
        };
        // A second start would be with the same file.
        let _ = CONTAINER.set(container);
        Ok(())
    }

    /// What [`start`](Self::start) has loaded.
    pub(super) fn running() -> Option<&'static Self> {
        CONTAINER.get()
    }

    pub(super) fn policy(&self) -> &Policy {
        self.authorizer.policy()
    }

    /// Whether it is a development build where none is to run.
    pub(super) fn is_misplaced(&self) -> bool {
        *self.is_misplaced.get_or_init(|| policy::is_misplaced(self.policy(), variable))
    }
}

/// What Lambda gives the process to act in the function's own role with.
pub(super) fn credentials() -> Option<Credentials> {
    let token = variable("AWS_SESSION_TOKEN");
    Some(Credentials::new(&variable("AWS_ACCESS_KEY_ID")?, &variable("AWS_SECRET_ACCESS_KEY")?, token.as_deref()))
}

/// A variable of the process.
fn variable(name: &str) -> Option<String> {
    let member = |object: &JsValue, name: &str| Reflect::get(object, &JsValue::from_str(name)).ok();
    let environment = member(&member(&js_sys::global(), "process")?, "env")?;
    member(&environment, name)?.as_string()
}
