//! One test's turn with the stack: alone, and with everything healed before and after.

use std::{
    ops::Deref,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{cloudfront::CloudFront, control::Control, stack::Stack};

static TURN: Mutex<()> = Mutex::new(());

/// A test's turn. Dropping it heals everything that the test broke, also when the test failed.
#[derive(Debug)]
pub struct Session {
    stack: &'static Stack,
    control: Control,
    _turn: MutexGuard<'static, ()>,
}

/// Waits for this test's turn.
///
/// # Panics
/// When no stack runs, with the command that starts one.
pub fn session() -> Session {
    // A test that failed has poisoned the lock and nothing else: its end has healed the stack.
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let stack = Stack::running();
    let control = Control::new(stack);
    control.reset();
    Session { stack, control, _turn: turn }
}

impl Session {
    /// What steers the stack.
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// What steers the local CloudFront.
    pub const fn cloudfront(&self) -> CloudFront {
        CloudFront::new(self.stack)
    }

    /// An access token of a company, from a real client-credentials exchange, with all it may have.
    #[track_caller]
    pub fn partner(&self, company: &str) -> String {
        self.control.partner_token(company, None)
    }

    /// An access token of a user, from a real login, with all scopes.
    #[track_caller]
    pub fn user(&self, account: &str) -> String {
        self.control.user_token(account, None)
    }
}

impl Deref for Session {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.stack
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Whatever a test is about: at CloudFront nothing that the function returns may be refused.
        if !thread::panicking() {
            self.cloudfront().check();
        }
        self.control.heal();
    }
}
