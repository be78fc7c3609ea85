//! Runs a service as a Lambda function: configuration, logs, what decides before it, the event loop.

use std::{convert::Infallible, sync::Arc};

use http::Request;
use lambda_http::{Body, Error};
use tower::{Layer, Service};

use crate::{
    assertion::AssertionLayer,
    authorize::AuthorizeLayer,
    config::{ConfigError, Environment},
    enforcer::Enforcer,
    http::{Answer, Router},
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

/// Serves what `build` puts around the service `name` with an enforcer of the function's own policy, until Lambda ends the
/// process. It is for services that no edge stands in front of.
///
/// Here too, a service that cannot be configured is served all the same and answers 503.
///
/// # Errors
/// The runtime's own, when it cannot reach Lambda.
pub async fn enforce<S, F>(name: &'static str, build: F) -> Result<(), Error>
where
    F: FnOnce(Arc<Enforcer>, &Environment) -> Result<S, ConfigError>,
    S: Service<Request<Body>, Response = Answer, Error = Infallible>,
    S::Future: Send + 'static,
{
    let environment = Environment::of_process();
    log::start(&environment);
    let enforcer = Enforcer::from_environment(&environment);
    match enforcer.and_then(|enforcer| build(Arc::new(enforcer), &environment)) {
        Ok(service) => {
            tracing::info!(service = name, "serving");
            lambda_http::run(service).await
        }
        Err(error) => {
            tracing::error!(service = name, code = error.code(), %error, "not configured: everything is answered 503");
            lambda_http::run(AuthorizeLayer::unconfigured().layer(Router::new(name, (), Vec::new()))).await
        }
    }
}

fn layer(audience: &'static str, environment: &Environment) -> Result<AssertionLayer, ConfigError> {
    let verifier = environment.trusted_keys(audience)?;
    Ok(AssertionLayer::new(audience, verifier).with_base_path(environment.base_path()?))
}
