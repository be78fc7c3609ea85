//! Traps on request, to show that an instance that traps is replaced and that nothing fails open meanwhile.
//!
//! Only in builds with the feature `planted-panic`, which `build.rs` refuses for whatever could be deployed. A request
//! says by a field how the instance is to end; without the field nothing is different.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "to panic is what this is for"
)]

use std::{
    hint,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use worker::worker_sys::Context;

use super::{request::Incoming, runtime};

/// The field that says how. Its text is what a deployed module is searched for.
const FIELD: &str = "postern-planted-panic";
/// Long enough for other requests to be in flight, short enough for a test.
const LATER: Duration = Duration::from_millis(300);
/// Longer than a test waits for an answer.
const FOR_EVER: Duration = Duration::from_secs(60);
/// Where memory is taken until there is none, in pieces down to this size.
const SMALLEST: usize = 8;

/// How deep [`calls`] is.
static DEPTH: AtomicU32 = AtomicU32::new(0);

/// Traps if the request asks for it, and in the way that it asks for.
pub(super) async fn trap(incoming: &Incoming, context: &Context) {
    let Some(how) = incoming.field(FIELD) else { return };
    match how {
        "at-once" => panic!("planted"),
        "after-an-await" => {
            runtime::pause(LATER).await;
            panic!("planted, after an await");
        }
        "in-a-promise" => {
            let callback = Closure::once(|_: JsValue| panic!("planted, in a promise's callback"));
            let _ = Promise::resolve(&JsValue::UNDEFINED).then(&callback);
            // Its end is not this request's: others must notice.
            callback.forget();
            runtime::pause(FOR_EVER).await;
        }
        "in-a-timer" => {
            let callback = Closure::once(|| -> () { panic!("planted, in a timer's callback") });
            let function = callback.as_ref().unchecked_ref();
            let _ = runtime::global().set_timeout_with_callback_and_timeout_and_arguments_0(function, 10);
            callback.forget();
            runtime::pause(FOR_EVER).await;
        }
        "stack" => drop(deep(&[1; 64])),
        "calls" => calls(),
        "memory" => {
            hoard();
            drop(hint::black_box(vec![0_u8; 4096]));
        }
        // This request is served. The trap is the next one's, which finds no memory even for its own beginning.
        "memory-later" => drop(runtime::detach(context, async {
            runtime::pause(LATER).await;
            hoard();
        })),
        // Also served. Its timer outlives it, and the instance if that traps meanwhile.
        "timer" => drop(runtime::detach(context, runtime::pause(LATER))),
        quoted if quoted.starts_with("quote ") => panic!("planted: {quoted}"),
        _ => {}
    }
}

/// Recursion that fills Rust's own stack, which lies in linear memory.
#[inline(never)]
fn deep(above: &[u8; 64]) -> u8 {
    let mut here = *above;
    hint::black_box(&mut here);
    if here[0] == 0 { 0 } else { deep(&here).wrapping_add(here[0]) }
}

/// Recursion that fills the engine's stack and none of Rust's. What follows the call keeps it from becoming a loop.
#[inline(never)]
fn calls() {
    if DEPTH.fetch_add(1, Ordering::Relaxed) < u32::MAX {
        calls();
        DEPTH.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes all memory that there is, and keeps it.
fn hoard() {
    let mut size = 1 << 30;
    while size >= SMALLEST {
        let mut piece = Vec::<u8>::new();
        if piece.try_reserve_exact(size).is_ok() {
            std::mem::forget(piece);
        } else {
            size /= 2;
        }
    }
}
