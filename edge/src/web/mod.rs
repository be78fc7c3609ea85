//! What edges in runtimes with the Fetch standard share (Cloudflare's workerd, Node): the loop that gives a decision what
//! it lacks, keys and permissions fetched and cached, rules that are only tried.
//!
//! What the runtimes differ in is a [`Platform`]: whether work may go on after the answer, how signatures are checked,
//! where secrets come from. No borrow of what requests share lives across an `await`.

pub(crate) mod decide;
pub(crate) mod keys;
pub(crate) mod outgoing;
pub(crate) mod permissions;
mod platform;
pub(crate) mod runtime;
pub(crate) mod shadow;
pub(crate) mod turn;

pub(crate) use platform::{BodySource, Incoming, Platform, Unfit};
