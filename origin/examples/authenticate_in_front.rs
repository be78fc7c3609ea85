//! Placement 1: API Gateway authenticates, the service authorises.
//!
//! A JWT authorizer of an HTTP API (or a Cognito authorizer of a REST API: say `CognitoAuthorizer`) checks the token. What
//! the caller may do is asked of the permissions service for each request, and the policy decides here: nothing is cached
//! between, so a role that is withdrawn is gone at once. The function's resource policy lets API Gateway alone invoke it.

use std::{convert::Infallible, sync::Arc};

use http::Request;
use lambda_http::Body;
use postern_origin::{
    authorize::AuthorizeLayer,
    context::{ContextLayer, ContextSource},
    enforcer::Enforcer,
    host,
    http::Answer,
    orders::SampleStore,
    permissions::PermissionsLayer,
    services::internal_orders,
};
use tower::{Layer, Service};

/// What stands around the service: who calls, what they may do, and whether they may do this.
pub(crate) fn service(
    enforcer: Arc<Enforcer>,
) -> impl Service<Request<Body>, Response = Answer, Error = Infallible, Future: Send + 'static> {
    let authenticated = ContextLayer::new(Arc::clone(&enforcer), ContextSource::JwtAuthorizer);
    let hydrated = PermissionsLayer::new(Arc::clone(&enforcer));
    let authorized = AuthorizeLayer::of_caller(enforcer);
    authenticated.layer(hydrated.layer(authorized.layer(internal_orders::router(SampleStore::default()))))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    host::enforce(internal_orders::NAME, |enforcer, _| Ok(service(enforcer))).await
}
