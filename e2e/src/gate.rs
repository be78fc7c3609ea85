//! A gate that a test holds shut while it looks at what else happens: order, shown without a clock.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use crate::wait;

/// Nobody waits longer, so that a test that failed leaves no thread behind for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gate, shut until it is opened or dropped.
#[derive(Debug, Default)]
pub struct Gate(Arc<Inner>);

/// The way through a gate, for the threads of a server.
#[derive(Clone, Debug)]
pub struct Passage(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    waiting: usize,
}

impl Gate {
    /// A way through.
    pub fn passage(&self) -> Passage {
        Passage(Arc::clone(&self.0))
    }

    /// Lets everybody through from now on.
    pub fn open(&self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).open = true;
        self.0.opened.notify_all();
    }

    /// Waits until so many stand before it.
    #[track_caller]
    pub fn holds(&self, count: usize) {
        wait::until("the gate holds them", Duration::from_secs(20), || {
            self.0.state.lock().unwrap_or_else(PoisonError::into_inner).waiting >= count
        });
    }
}

impl Passage {
    /// Waits for the gate to open.
    pub fn wait(&self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        let _unused = self.0.opened.wait_timeout_while(state, PATIENCE, |state| !state.open);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}
