//! What a sans-I/O core leaves to its host and every runtime offers alike: the clock, randomness, the console.
//!
//! All of it is drawn while a request is served, never as the module loads, when Workers give none of it.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    panic,
    pin::pin,
    sync::Once,
    task::Poll,
};

use postern::UnixTime;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Crypto, WorkerGlobalScope, console};

use crate::{log, random::Pool};

/// The time, which in a Worker stands still between one I/O and the next.
#[expect(
    clippy::as_conversions,
    reason = "the one way from a float to a whole number; it saturates, and takes NaN to 0"
)]
pub(crate) fn now() -> UnixTime {
    UnixTime::from_millis(js_sys::Date::now() as u64)
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

/// 128 bits from the runtime's generator, given once.
pub(crate) fn random_id() -> Result<[u8; 16], JsValue> {
    let draw = |octets: &mut [u8]| crypto()?.get_random_values_with_u8_array(octets).map(drop);
    POOL.with_borrow_mut(|pool| pool.take(draw))
}

/// 32 bits from the runtime's generator; none set where it gives none, which only ever logs more.
pub(crate) fn random_bits() -> u32 {
    let mut bits = [0; 4];
    let _ = crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bits));
    u32::from_le_bytes(bits)
}

/// Web Cryptography's entry.
pub(crate) fn crypto() -> Result<Crypto, JsValue> {
    global().crypto()
}

/// The global scope, where `fetch` is. Node's has the members of a worker's that are asked for here.
pub(crate) fn global() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Writes a line to the log.
pub(crate) fn log(line: &str) {
    console::log_1(&JsValue::from_str(line));
}

/// Has a panic written down by its place alone: its message may quote what it fell over, a token among others, and
/// hooks that print it would write that into the log.
pub(crate) fn quiet_panics(whose: &'static str) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            log(&log::failure("panicked", whose, &place, None));
        }));
    });
}

/// Awaits `future` until `timer` ends; `None` when that was first.
pub(crate) async fn before<F: Future>(timer: impl Future, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut timer = pin!(timer);
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(task).map(|_| None),
    })
    .await
}
