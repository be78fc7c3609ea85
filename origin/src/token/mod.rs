//! Access tokens verified natively, where no edge stands in front: keys, signatures, and the layer that verifies.
//!
//! Keys are fetched and signatures checked here; every rule is the core's, and so is when to fetch.
//!
//! ```
//! # use std::sync::Arc;
//! use http::{Request, Response};
//! use postern::Caller;
//! use postern_origin::{enforcer::Enforcer, token::TokenLayer};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # let text = include_str!("../../../postern.toml");
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let policy = postern::policy::from_toml(text, None).unwrap();
//! let enforcer = Arc::new(Enforcer::new(policy, None).unwrap());
//! let service = TokenLayer::new(enforcer).layer(service_fn(|request: Request<()>| async move {
//!     let caller = request.extensions().get::<Caller>().expect("the layer puts it there");
//!     Ok::<_, std::convert::Infallible>(Response::new(caller.subject().to_owned()))
//! }));
//! let answer = service.oneshot(Request::new(())).await.unwrap();
//! assert_eq!((answer.status().as_u16(), &answer.headers()["www-authenticate"]), (401, "Bearer realm=\"postern\""));
//! # });
//! ```

pub mod keys;
mod layer;
pub mod signature;

pub use layer::TokenLayer;
