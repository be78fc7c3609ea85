//! Golden decisions: requests and what must be decided on them, written by hand or by a naive model, never by the
//! implementation; and drivers that take them through the core in every way that it is shipped.
//!
//! ```text
//!  themes/ (hand) ─┐                                          ┌─▶ core on the host, portable and aws-lc
//!  model/ (naive) ─┴▶ worlds.json, cases/*.json ─▶ run(Driver)┼─▶ `postern decide`
//!                                                             ├─▶ the Worker in workerd, raw targets, twice
//!                                                             └─▶ the function at CloudFront, in Node
//! ```
//! README.md has the format, the drivers, and how to add a case. The published parts of the workspace know nothing of
//! this crate.

pub mod case;
pub mod driver;
pub mod drivers;
pub mod make;
pub mod model;
pub mod queries;
pub mod random;
pub mod themes;
pub mod write;

pub use case::{Case, Corpus, Expect, Request, World};
pub use driver::{Driver, Report, run};
