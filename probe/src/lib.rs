//! Disguised requests: how an origin may read another request than the edge decided on, and how to find out.
//!
//! An edge decides on a method, a path, a query and a caller. A server or a framework may read the forwarded request
//! differently: it may ignore letter case in paths, take the path from `X-Original-URL`, or take the second of two
//! `company` parameters. Each such way is a [`Disguise`]. [`disguises`] lists them all; the list exists only here.
//!
//! Two functions send disguises to an origin and judge its answers:
//! - [`probe_echo`], if the origin mounts an echo handler at [`ECHO_PATH`], which says how it reads a request: see
//!   [`Reading`].
//! - [`probe_answers`], for any other origin, compares the answers to a known and to an unknown path.
//!
//! This crate opens no connections. Whoever implements [`Origin`] sends the requests: the `postern probe-origin`
//! command, and the tests of this crate, which send the same disguises through the edge to real frameworks.

mod compare;
mod disguise;
mod fields;
mod paths;
mod queries;
mod reading;
mod run;
mod settings;

pub use compare::Answer;
pub use disguise::{Aim, Attempt, Carrier, Disguise, Expected, Plain, Request, disguises};
pub use queries::Query;
pub use reading::{ECHO_PATH, Member, Reading};
pub use run::{Doubt, Origin, Outcome, Report, Tried, probe_answers, probe_echo};
pub use settings::setting;
