//! Postern at the edge: the policy enforcement point that callers meet first.
//!
//! ```text
//!            Request                                            Request + Postern-Assertion
//!  caller ───────────▶ fetch ─▶ Authorizer::begin ─▶ Permit ─────────────────────────────▶ the route's origin
//!                                │        ▲          Deny, Preflight ─▶ an answer of the core's
//!                                ▼        │ resume
//!                      keys: the issuer's JWK set     (fetched, cached in the isolate)
//!                      signature: the runtime's WebCrypto
//!                      permissions: the permissions service (asked with a read capability, cached in the isolate)
//! ```
//!
//! Every decision is the core's (`postern`); this crate fetches what the core says it lacks, and forwards what
//! it permits. It holds no rule of its own, reads no token, and never sends anything but the bytes that were
//! decided on.
//!
//! The modules here are what every edge shares; they need no runtime, so the host's tests cover them. One module
//! per platform drives them, behind the feature of its name and for `wasm32` alone: `cloudflare`, a Worker, and `node`,
//! of which there is the signature check so far. `conformance` shows those checks to the vectors and is never deployed.
//! A module is the same for every policy; a Worker's policy is read into its memory when it is built ([`policy`]).

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

pub mod config;
pub mod event;
pub mod header;
pub mod log;
pub mod payload;
pub mod plan;
pub mod policy;
pub mod random;
pub mod secrets;
#[cfg(feature = "sigv4")]
pub mod sigv4;
pub mod target;

#[cfg(all(target_arch = "wasm32", feature = "cloudflare"))]
pub mod cloudflare;
#[cfg(all(target_arch = "wasm32", feature = "cloudfront"))]
pub mod cloudfront;
#[cfg(all(target_arch = "wasm32", feature = "conformance"))]
pub mod conformance;
#[cfg(all(target_arch = "wasm32", feature = "node"))]
pub mod node;
#[cfg(all(target_arch = "wasm32", any(feature = "cloudflare", feature = "cloudfront")))]
mod web;
