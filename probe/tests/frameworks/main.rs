//! How real frameworks read disguised requests: each with default settings, first directly and then through the edge.
//!
//! ```text
//!  direct:            postern probe-origin ───────────────────────────▶ framework with its echo handler
//!  through the edge:  probe ──▶ the Worker in workerd ──▶ relay.rs ───▶ framework with its echo handler
//! ```
//! The first table, `readings.toml`, shows that the disguises work: a probe that finds nothing fails. The second shows
//! that the edge refuses or removes each of them. `cargo xtask test --only frameworks` starts everything and runs this.

#[path = "../../../cli/src/signer.rs"]
#[allow(dead_code, reason = "the command's own signer, of which these tests use a part")]
mod signer;

mod described;
mod direct;
mod edge;
mod relay;
