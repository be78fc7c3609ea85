//! A timer of the runtime's that ends with whoever waits for it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, millis: u32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// Ends after a time.
pub(super) struct Timer {
    ended: JsFuture,
    handle: JsValue,
}

impl Timer {
    pub(super) fn start(duration: Duration) -> Self {
        let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        let mut handle = JsValue::UNDEFINED;
        let ended = Promise::new(&mut |resolve, _| handle = set_timeout(&resolve, millis));
        Self { ended: JsFuture::from(ended), handle }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.ended).poll(task).map(drop)
    }
}

/// A timer that nobody waits for would keep the runtime's event loop alive.
impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.handle);
    }
}
