//! The tower layer that decides each request by the policy, where no edge has.
//!
//! What it permits carries a [`Permit`](crate::Permit) in its extensions, which is what handlers take first. Everything else
//! is answered as an edge would answer it, to the octet: the core's challenges and problem documents, preflights, CORS
//! fields on every answer. Bodies that a route binds are read and compared before the service sees any of them, header
//! fields by which claims are handed on are what the token says, whatever arrived, and nothing is let through undecided.
//!
//! By default it decides on the request's own bearer token. [`AuthorizeLayer::of_caller`] decides for the caller whom
//! [`token`](crate::token) or [`context`](crate::context) has established; a request without one is decided as one
//! without a credential. Records that [`permissions`](crate::permissions) has asked for are used where they are young
//! enough for the route.
//!
//! ```
//! # use std::sync::Arc;
//! use http::{Request, Response};
//! use postern_origin::{Permit, authorize::AuthorizeLayer, enforcer::Enforcer};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # let text = include_str!("../../../postern.toml");
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let policy = postern::policy::from_toml(text, None).unwrap();
//! let enforcer = Arc::new(Enforcer::new(policy, None).unwrap());
//! let service = AuthorizeLayer::new(enforcer).layer(service_fn(|request: Request<lambda_http::Body>| async move {
//!     let permit = request.extensions().get::<Permit>().expect("the layer puts it there");
//!     Ok::<_, std::convert::Infallible>(Response::new(permit.route().unwrap_or_default().to_owned()))
//! }));
//! let request = Request::get("/companies/1111/orders").body(lambda_http::Body::Empty).unwrap();
//! assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 401);
//! let request = Request::get("/health").body(lambda_http::Body::Empty).unwrap();
//! assert_eq!(service.oneshot(request).await.unwrap().body(), "health");
//! # });
//! ```

mod body;
mod layer;
mod service;

pub use layer::AuthorizeLayer;
pub use service::AuthorizeService;
