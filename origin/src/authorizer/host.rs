//! The authorizer as a Lambda function: configuration, logs, the event loop.

use lambda_http::LambdaEvent;
use lambda_http::{
    Error,
    lambda_runtime::{self, Diagnostic},
    service_fn,
};
use serde_json::Value;

use super::{AppSync, Settings, answer::answer_for, verdict::Failure};
use crate::{
    assertion::BasePath,
    config::{ConfigError, Environment},
    enforcer::Enforcer,
    log,
};

/// The authorizer of one function.
#[derive(Debug)]
pub struct Function {
    enforcer: Enforcer,
    settings: Settings,
    api: Option<AppSync>,
    base_path: BasePath,
}

impl Function {
    /// From the function's environment: the enforcer's variables, and this room's [`settings`](super::settings).
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the mend.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let enforcer = Enforcer::from_environment(environment)?;
        let settings = Settings::from_environment(environment, enforcer.policy())?;
        let api = AppSync::from_environment(environment)?.map(|api| api.with_companies(settings.companies()));
        Ok(Self { enforcer, settings, api, base_path: environment.base_path()? })
    }

    /// Answers one event.
    ///
    /// # Errors
    /// The [`Failure`] to end with.
    pub async fn answer(&self, event: Value) -> Result<Value, Failure> {
        let answered = answer_for(&self.enforcer, self.settings, self.api.as_ref(), &self.base_path, event).await;
        if let Err(failure) = &answered {
            match failure {
                Failure::Unauthorized => tracing::info!(event = "authorizer_refused", code = failure.code()),
                _ => tracing::error!(event = "authorizer_failed", code = failure.code(), %failure),
            }
        }
        answered
    }
}

/// Answers events until Lambda ends the process. A function that cannot be configured fails every event: its callers
/// are answered 500, and nobody is let in.
///
/// # Errors
/// The runtime's own, when it cannot reach Lambda.
pub async fn run() -> Result<(), Error> {
    let environment = Environment::of_process();
    log::start(&environment);
    let function = match Function::from_environment(&environment) {
        Ok(function) => {
            tracing::info!(service = "authorizer", "serving");
            Some(function)
        }
        Err(error) => {
            tracing::error!(service = "authorizer", code = error.code(), %error, "not configured: every event fails");
            None
        }
    };
    let function = function.as_ref();
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        match function {
            Some(function) => function.answer(event.payload).await.map_err(Diagnostic::from),
            None => Err(Failure::Unconfigured.into()),
        }
    }))
    .await
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.code().to_owned(), error_message: failure.to_string() }
    }
}
