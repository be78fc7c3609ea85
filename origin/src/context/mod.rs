//! The tower layer that takes over whom an authorizer in front has established: API Gateway's own, or ours.
//!
//! API Gateway tells the function behind it what its authorizer said, in the event's `requestContext.authorizer`. This layer
//! makes a [`Caller`](postern::Caller) of that, for [`authorize`](crate::authorize) to decide about. What kind of authorizer
//! is believed is configured ([`ContextSource`]); a request with anything else there, or from another kind of platform, is
//! answered 401. The claims of a token are judged by all rules of their issuer section but those on the signature, so that
//! an ID token that a Cognito authorizer without scopes has let through is refused by its `token_use`.
//!
//! # What it cannot see
//! An event is believed because API Gateway sent it. Whoever may invoke the function directly can write any event: its
//! resource policy must let `apigateway.amazonaws.com` alone invoke it, with the API's ARN as `aws:SourceArn`, and nobody
//! else may have `lambda:InvokeFunction` on it. [`ContextLayer::of_api`] compares the event's `apiId`, against an API that was
//! wired to the wrong function; it is no defence against who writes events.
//!
//! WebSocket events are not read: they are judged when they connect, and `lambda_http` is built without them here.
//!
//! ```
//! # use std::sync::Arc;
//! use http::{Request, Response};
//! use postern_origin::{
//!     authorize::AuthorizeLayer,
//!     context::{ContextLayer, ContextSource},
//!     enforcer::Enforcer,
//! };
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # let text = include_str!("../../../postern.toml");
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let policy = postern::policy::from_toml(text, None).unwrap();
//! let enforcer = Arc::new(Enforcer::new(policy, None).unwrap());
//! let established = ContextLayer::new(Arc::clone(&enforcer), ContextSource::JwtAuthorizer).of_api("a1b2c3d4");
//! let service = established.layer(AuthorizeLayer::of_caller(enforcer).layer(service_fn(|_| async {
//!     Ok::<_, std::convert::Infallible>(Response::new(String::from("permitted")))
//! })));
//! // No event of API Gateway's.
//! assert_eq!(service.oneshot(Request::new(lambda_http::Body::Empty)).await.unwrap().status(), 401);
//! # });
//! ```

mod claims;
mod layer;
mod source;
mod written;

pub use layer::ContextLayer;
pub use source::ContextSource;
