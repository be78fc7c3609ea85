//! One turn of a request: as far as it goes without waiting, in the caller's own call, and on as a promise. Where nothing
//! is waited for there is no promise, no task and no turn of the event loop.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;

/// A request's work, in the caller's own call as long as it is not [made a task](Self::into_promise).
pub(crate) struct Turn {
    work: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>,
    relay: Arc<Relay>,
    waker: Waker,
}

impl Turn {
    pub(crate) fn of(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Self {
        let relay = Arc::new(Relay::default());
        Self { work: Box::pin(work), waker: Waker::from(Arc::clone(&relay)), relay }
    }

    /// Goes as far as it can without waiting.
    pub(crate) fn go_on(&mut self) -> Poll<Result<JsValue, JsValue>> {
        self.work.as_mut().poll(&mut Context::from_waker(&self.waker))
    }

    /// Goes on by itself.
    pub(crate) fn into_promise(mut self) -> JsValue {
        let rest = poll_fn(move |task| {
            self.relay.wakes(task.waker());
            self.go_on()
        });
        future_to_promise(rest).into()
    }
}

/// Wakes the task that the work has become. Timers keep the waker of their first look, when there was no task yet; the
/// task looks once by itself, so nothing that happens before is missed.
#[derive(Debug, Default)]
struct Relay(Mutex<Option<Waker>>);

impl Relay {
    fn wakes(&self, waker: &Waker) {
        let mut woken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !woken.as_ref().is_some_and(|woken| woken.will_wake(waker)) {
            *woken = Some(waker.clone());
        }
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let woken = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = woken {
            waker.wake();
        }
    }
}
