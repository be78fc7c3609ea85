//! Placement 3: a Lambda authorizer authenticates and hydrates, the service authorises.
//!
//! The authorizer hands the caller's companies and roles on in its context, and the policy decides here by them: one
//! question to the permissions service serves many requests. They may be as old as the authorizer's results may be, so
//! the time to live that is configured there is said here too. Routes that want a younger record have the permissions
//! service asked, and get it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::Request;
use lambda_http::Body;
use postern_origin::{
    authorize::AuthorizeLayer,
    context::{ContextLayer, ContextSource},
    enforcer::Enforcer,
    host,
    http::Answer,
    orders::SampleStore,
    services::internal_orders,
};
use tower::{Layer, Service};

/// The `AuthorizerResultTtlInSeconds` of the API's authorizer.
const TIME_TO_LIVE: Duration = Duration::from_secs(20);

/// What stands around the service: who calls and what they may do, by the authorizer's word, and whether they may do this.
pub(crate) fn service(
    enforcer: Arc<Enforcer>,
) -> impl Service<Request<Body>, Response = Answer, Error = Infallible, Future: Send + 'static> {
    let hydrated = ContextLayer::new(Arc::clone(&enforcer), ContextSource::Authorizer).with_companies(TIME_TO_LIVE);
    let authorized = AuthorizeLayer::of_caller(enforcer);
    hydrated.layer(authorized.layer(internal_orders::router(SampleStore::default())))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    host::enforce(internal_orders::NAME, |enforcer, _| Ok(service(enforcer))).await
}
