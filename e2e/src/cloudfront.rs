//! What steers the local CloudFront: its containers, their clock, the Secrets Manager stand-in, the distribution. Its
//! other end is `local/cloudfront/control.mjs`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{client::Call, stack::Stack};

/// The control API of the local CloudFront.
#[derive(Clone, Copy, Debug)]
pub struct CloudFront {
    stack: &'static Stack,
}

impl CloudFront {
    /// That of the running stack.
    pub const fn new(stack: &'static Stack) -> Self {
        Self { stack }
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let call = Call::new(&self.stack.cloudfront.control, method, path).header("content-type", "application/json");
        call.body(body.to_string()).send().expect(200).json()
    }

    /// A request to it.
    pub fn call(&self, method: &str, target: impl AsRef<[u8]>) -> Call {
        Call::new(&self.stack.cloudfront.front, method, target)
    }

    /// A GET to it.
    pub fn get(&self, target: impl AsRef<[u8]>) -> Call {
        self.call("GET", target)
    }

    /// What it has seen and has.
    #[track_caller]
    pub fn state(&self) -> Value {
        self.ask("GET", "/", &Value::Null)
    }

    /// A number of [`state`](Self::state).
    ///
    /// # Panics
    /// When there is no such number.
    #[track_caller]
    pub fn count(&self, pointer: &str) -> u64 {
        let state = self.state();
        state.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no `{pointer}` in {state}"))
    }

    /// Ends all containers: what comes next is served by one that has seen nothing.
    #[track_caller]
    pub fn end_containers(&self) {
        self.ask("POST", "/end", &json!({}));
    }

    /// Moves the clock of all containers and of AWS.
    #[track_caller]
    pub fn move_clock(&self, by: Duration) {
        self.ask("POST", "/clock", &json!({"offsetMs": u64::try_from(by.as_millis()).unwrap_or(u64::MAX)}));
    }

    /// How the secret is served from now on: `mode`, `delayMs`, `values` by name; see `local/lib/secrets-manager.mjs`.
    #[track_caller]
    pub fn secrets(&self, how: &Value) {
        self.ask("POST", "/secrets", how);
    }

    /// The distribution.
    #[track_caller]
    pub fn distribution(&self) -> Value {
        self.ask("GET", "/distribution", &Value::Null)
    }

    /// Serves another distribution until the test's end.
    #[track_caller]
    pub fn distribute(&self, config: &Value) {
        self.ask("POST", "/distribution", config);
    }

    /// Fails the test if CloudFront would have refused what the function returned, or the function had no answer.
    #[track_caller]
    pub fn check(&self) {
        let state = self.state();
        assert_eq!((&state["refused"], &state["failed"]), (&json!([]), &json!([])), "the function's answers");
    }

    /// Puts everything back. Does not panic: it runs while tests fail.
    pub(crate) fn reset(&self) -> bool {
        let answer = Call::new(&self.stack.cloudfront.control, "POST", "/reset").try_send();
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// The same for its containers, which may remember what is no longer so.
    pub(crate) fn forget(&self) {
        let _unused = Call::new(&self.stack.cloudfront.control, "POST", "/end").try_send();
    }
}
