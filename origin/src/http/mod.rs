//! What the services share of HTTP: problems, routing, bodies and preconditions.
//!
//! It is no framework: it holds what these services need, and nothing of authorisation, which is
//! settled by [`crate::assertion`] before a request comes here.

pub(crate) mod arrival;
pub mod body;
pub(crate) mod incoming;
pub mod precondition;
pub mod problem;
pub(crate) mod query;
pub mod router;

pub use problem::Problem;
pub use router::{Call, Router};

/// A service's answer, in the body type that Lambda takes.
pub type Answer = ::http::Response<lambda_http::Body>;
