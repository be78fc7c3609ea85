//! Drivers that need nothing but this machine. The one that takes a runtime is in `tests/worker`.

pub mod command;
pub mod host;
