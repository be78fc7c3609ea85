//! A latch between lanes: one says that something is there, or that it never will be; others wait for that.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use crate::process::check_interrupted;

/// How soon a waiting lane notices that the user asks to stop.
const POLL: Duration = Duration::from_millis(200);

/// Shut until somebody opens it.
#[derive(Debug, Default)]
pub(super) struct Latch {
    outcome: Mutex<Option<bool>>,
    opened: Condvar,
}

impl Latch {
    /// Says whether what others wait for is there. Only the first word counts.
    pub(super) fn open(&self, is_there: bool) {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(is_there);
        self.opened.notify_all();
    }

    /// Waits for that word.
    ///
    /// # Errors
    /// If the user asks to stop.
    pub(super) fn wait(&self) -> Result<bool> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(is_there) = *outcome {
                return Ok(is_there);
            }
            check_interrupted()?;
            outcome = self.opened.wait_timeout(outcome, POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Opens a latch with `false` when its lane ends before it could say more, by an error say.
#[derive(Debug)]
pub(super) struct OpensAtEnd<'a>(pub(super) &'a Latch);

impl Drop for OpensAtEnd<'_> {
    fn drop(&mut self) {
        self.0.open(false);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn whoever_waits_hears_the_first_word() {
        let latch = Latch::default();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| latch.wait());
            {
                let _end = OpensAtEnd(&latch);
                latch.open(true);
            }
            assert!(waiting.join().expect("no panic").expect("not interrupted"));
        });
        let lost = Latch::default();
        drop(OpensAtEnd(&lost));
        assert!(!lost.wait().expect("not interrupted"));
    }
}
