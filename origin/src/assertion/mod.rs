//! The tower layer that refuses whatever did not come through the edge.
//!
//! It wants exactly one `Postern-Assertion`, made for this audience, method, path and query, and still
//! fresh. What passes carries a [`Permit`](crate::Permit), the [`VerifiedAssertion`] and the [`CanonicalTarget`] it was
//! compared with in its extensions, and no longer the header. Everything else is answered here: 401 without a valid
//! assertion, 503 when this service has no keys to check one with. Nothing is ever let through unchecked.
//!
//! The layer works on any `http::Request<B>`: under `lambda_http`, axum or any other tower service. It does
//! not read tokens and knows no policy; whoever holds an assertion key for this audience is believed.
//! Where an assertion binds the body, the body is read and compared before the service is called (400 where it is
//! another); and the fields by which the edge hands claims on are what the assertion says, whatever arrived.
//! An answer that says nothing of caching gets `Cache-Control: private, no-store`.
//!
//! ```
//! use http::{Request, Response};
//! use postern_origin::assertion::AssertionLayer;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let keys = r#"{"issuers": {"edge": {"keys": [
//!     {"kty": "oct", "kid": "2026-01", "k": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}
//! ]}}}"#;
//! let verifier = postern::assertion::AssertionVerifier::from_json("vouchers", keys).unwrap();
//! let service = AssertionLayer::new("vouchers", verifier).layer(service_fn(|_request: Request<lambda_http::Body>| async {
//!     Ok::<_, std::convert::Infallible>(Response::new(String::from("never reached")))
//! }));
//! let answer = service.oneshot(Request::new(lambda_http::Body::Empty)).await.unwrap();
//! assert_eq!(answer.status(), 401);
//! # });
//! ```

mod content;
mod future;
mod layer;
mod service;
mod target;

pub use future::AssertionFuture;
pub use layer::AssertionLayer;
pub use postern::{
    assertion::{HEADER, VerifiedAssertion},
    target::CanonicalTarget,
};
pub use service::AssertionService;
pub use target::{BasePath, BasePathError};

use http::{HeaderValue, StatusCode, header};

use crate::http::Problem;

/// The answer to a request without a valid assertion for `audience`.
///
/// It says nothing of what was wrong: whoever reads it went round the edge. The reason is in the log.
#[must_use]
pub fn refusal(audience: &str) -> Problem {
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "assertion_required",
        "This service takes only what comes through its edge, with a valid assertion for this very request.",
    );
    // RFC 9110 §15.5.2 wants a challenge on every 401; the credential is this header's, so it names it.
    match HeaderValue::try_from(format!("{HEADER} realm=\"{audience}\"")) {
        Ok(challenge) => problem.with_header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}
