//! Runs a service as a Lambda function: configuration, logs, the assertion layer, the event loop.

use lambda_http::Error;
use tower::Layer;

use crate::{
    assertion::AssertionLayer,
    config::{ConfigError, Environment},
    http::Router,
    log,
};

/// Serves `build`'s router behind the assertion layer for `audience`, until Lambda ends the process.
///
/// A service that cannot be configured is served all the same and answers 503: a process that ends at
/// its start is started again and again, and its callers are told nothing they can act on.
///
/// # Errors
/// The runtime's own, when it cannot reach Lambda.
pub async fn run<S, F>(audience: &'static str, build: F) -> Result<(), Error>
where
    S: Send + Sync + 'static,
    F: FnOnce(&Environment) -> Result<Router<S>, ConfigError>,
{
    let environment = Environment::of_process();
    log::start(&environment);
    let built = layer(audience, &environment).and_then(|layer| Ok((layer, build(&environment)?)));
    match built {
        Ok((layer, router)) => {
            tracing::info!(service = audience, "serving");
            lambda_http::run(layer.layer(router)).await
        }
        Err(error) => {
            tracing::error!(service = audience, code = error.code(), %error, "not configured: everything is answered 503");
            let nothing = Router::new(audience, (), Vec::new());
            lambda_http::run(AssertionLayer::unconfigured(audience).layer(nothing)).await
        }
    }
}

fn layer(audience: &'static str, environment: &Environment) -> Result<AssertionLayer, ConfigError> {
    let verifier = environment.trusted_keys(audience)?;
    Ok(AssertionLayer::new(audience, verifier).with_base_path(environment.base_path()?))
}
