//! One turn of a request: as far as it goes without waiting, in the caller's own call, and on as a promise.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;

/// What `work` gives at once, or a promise of it. Where nothing is waited for there is no promise, no task and no turn of
/// the event loop.
pub(crate) fn at_once(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Result<JsValue, JsValue> {
    let mut work: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>> = Box::pin(work);
    let relay = Arc::new(Relay::default());
    let waker = Waker::from(Arc::clone(&relay));
    match work.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(done) => done,
        Poll::Pending => {
            let rest = poll_fn(move |task| {
                relay.wakes(task.waker());
                work.as_mut().poll(&mut Context::from_waker(&waker))
            });
            Ok(future_to_promise(rest).into())
        }
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
