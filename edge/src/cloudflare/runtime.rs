//! What a sans-I/O core leaves to its host: the clock, randomness, timers, the console.
//!
//! All of it is drawn while a request is served, never as the module loads, when Workers give none of it.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    panic,
    pin::pin,
    rc::Rc,
    sync::Once,
    task::Poll,
    time::Duration,
};

use js_sys::futures::{JsFuture, future_to_promise};
use postern::UnixTime;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Crypto, SubtleCrypto, WorkerGlobalScope, console};
use worker::{Delay, worker_sys::Context};

use crate::log;

/// The time, which in a Worker stands still between one I/O and the next.
#[expect(
    clippy::as_conversions,
    reason = "the one way from a float to a whole number; it saturates, and takes NaN to 0"
)]
pub(super) fn now() -> UnixTime {
    UnixTime::from_millis(js_sys::Date::now() as u64)
}

/// 128 bits from the runtime's generator.
pub(super) fn random_id() -> Result<[u8; 16], JsValue> {
    let mut id = [0; 16];
    crypto()?.get_random_values_with_u8_array(&mut id)?;
    Ok(id)
}

/// 32 bits from the runtime's generator; none set where it gives none, which only ever logs more.
pub(super) fn random_bits() -> u32 {
    let mut bits = [0; 4];
    let _ = crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bits));
    u32::from_le_bytes(bits)
}

/// WebCrypto.
pub(super) fn subtle() -> Result<SubtleCrypto, JsValue> {
    Ok(crypto()?.subtle())
}

fn crypto() -> Result<Crypto, JsValue> {
    global().crypto()
}

/// The Worker's global scope, where `fetch` is.
pub(super) fn global() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Writes a line to the Worker's log.
pub(super) fn log(line: &str) {
    console::log_1(&JsValue::from_str(line));
}

/// Has a panic written down by its place alone: its message may quote what it fell over, a token among others, and
/// the hook that `worker` installs would write that into the log.
pub(super) fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            log(&log::failure("panicked", "worker", &place, None));
        }));
    });
}

/// Waits.
pub(super) async fn pause(duration: Duration) {
    Delay::from(duration).await;
}

/// Awaits `future` for at most `limit`; `None` when the time is up.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut timer = pin!(Delay::from(limit));
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(task).map(|()| None),
    })
    .await
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
