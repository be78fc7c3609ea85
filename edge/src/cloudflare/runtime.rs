//! Timers, and work that goes on after the answer, as Workers have them.

use std::{
    cell::{Cell, OnceCell},
    future::Future,
    rc::Rc,
    time::Duration,
};

use js_sys::futures::{JsFuture, future_to_promise};
use wasm_bindgen::JsValue;
use web_sys::SubtleCrypto;
use worker::{Delay, worker_sys::Context};

use crate::web::runtime::{before, crypto};
pub(super) use crate::web::runtime::{global, log, now, quiet_panics, random_id};

thread_local! {
    static SUBTLE: OnceCell<SubtleCrypto> = const { OnceCell::new() };
}

/// WebCrypto, which an isolate has one of.
pub(super) fn subtle() -> Result<SubtleCrypto, JsValue> {
    SUBTLE.with(|kept| match kept.get() {
        Some(subtle) => Ok(subtle.clone()),
        None => {
            let subtle = crypto()?.subtle();
            Ok(kept.get_or_init(|| subtle).clone())
        }
    })
}

/// Waits.
pub(super) async fn pause(duration: Duration) {
    Delay::from(duration).await;
}

/// Awaits `future` for at most `limit`; `None` when the time is up.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    before(Delay::from(limit), future).await
}

/// Starts `work` at once, so that it ends even if the caller hangs up, and gives its outcome to await.
pub(super) fn detach<T, W>(context: &Context, work: W) -> impl Future<Output = Option<T>> + use<T, W>
where
    T: 'static,
    W: Future<Output = T> + 'static,
{
    let outcome = Rc::new(Cell::new(None));
    let filled = Rc::clone(&outcome);
    let promise = future_to_promise(async move {
        filled.set(Some(work.await));
        Ok(JsValue::UNDEFINED)
    });
    // A context that takes no more promises has ended; the work then ends with it.
    let _ = context.wait_until(&promise);
    async move {
        let _ = JsFuture::from(promise).await;
        outcome.take()
    }
}
