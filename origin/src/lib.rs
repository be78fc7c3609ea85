//! What stands behind Postern on AWS Lambda: the layer that refuses whatever did not come through the edge,
//! and the services of the example.
//!
//! ```text
//! edge ──request + Postern-Assertion──▶ function URL │ API Gateway │ load balancer
//!                                              │ event
//!                                         lambda_http
//!                                              │ http::Request
//!                                       AssertionLayer   401, 503   (any tower service may use it)
//!                                              │ + Permit, VerifiedAssertion, CanonicalTarget
//!                                           Router       404, 405
//!                                              │ handler(permit, call, state)
//!             external orders · internal orders · vouchers · permissions ──▶ DynamoDB
//! ```
//!
//! Public interface: [`assertion`] for services of your own; [`token`] for those that verify access tokens
//! themselves; [`http`] and [`services`] for the example's four; [`host`] and [`config`] to run them. The example's
//! services decide by no policy and read no token: that is the edge's part there.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::as_conversions,
        clippy::arithmetic_side_effects
    )
)]

pub mod assertion;
pub mod authorize;
pub mod authorizer;
pub mod clock;
pub mod config;
pub mod context;
pub mod enforcer;
mod gate;
pub mod host;
pub mod http;
pub mod log;
pub mod orders;
mod outgoing;
pub mod permissions;
mod permit;
pub mod pre_token;
pub mod services;
pub mod token;

pub use gate::Gated;
pub use permit::Permit;
