//! Placement 2: a Lambda authorizer authenticates and authorises, before an integration that has no code of ours, or before
//! this service, which takes its word for who calls.
//!
//! The authorizer's answer may be one that was cached for the token: it says that the caller may use the API's routes as
//! the policy has them, and cannot vouch for this very request. So a service with code decides again, for the caller of
//! the context. That costs no signature and no fetch of keys, and records are asked for as the route wants. A direct
//! integration has the authorizer alone, and wants routes that its result can list exactly.

use std::{convert::Infallible, sync::Arc};

use http::Request;
use lambda_http::Body;
use postern_origin::{
    authorize::AuthorizeLayer,
    context::{ContextLayer, ContextSource},
    enforcer::Enforcer,
    host,
    http::Answer,
    services::vouchers,
};
use tower::{Layer, Service};

/// What stands around the service: who calls, by the authorizer's word, and whether they may do this.
pub(crate) fn service(
    enforcer: Arc<Enforcer>,
) -> impl Service<Request<Body>, Response = Answer, Error = Infallible, Future: Send + 'static> {
    let authenticated = ContextLayer::new(Arc::clone(&enforcer), ContextSource::Authorizer);
    let authorized = AuthorizeLayer::of_caller(enforcer);
    authenticated.layer(authorized.layer(vouchers::router()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    host::enforce(vouchers::NAME, |enforcer, _| Ok(service(enforcer))).await
}
