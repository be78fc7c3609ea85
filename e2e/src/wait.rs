//! Waiting for something to become so, within a bound.

use std::{
    thread,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(50);

/// Asks `holds` until it says yes.
///
/// # Panics
/// When it has not within `patience`, with `what` was waited for.
#[track_caller]
pub fn until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < patience, "{what}: not so within {} s", patience.as_secs_f32());
        thread::sleep(POLL);
    }
}
