//! A turn that waits for nothing but a check of the runtime's: JavaScript awaits that promise itself, and goes on with
//! the turn by its ticket. A task of ours would take two more rounds of microtasks and two closures, which in this runtime
//! cost as much as the rest of such a decision.
//!
//! Tickets are JavaScript's: one that an instance before this one was given is none of this one's.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::{Future, poll_fn},
    rc::Rc,
    task::Poll,
};

use js_sys::{Array, Promise, futures::JsFuture};
use wasm_bindgen::JsValue;

use crate::web::turn::Turn;

/// From so many turns on, those that nobody goes on with any more are looked for: a caller that hangs up takes its
/// promises along.
const MANY: usize = 256;
/// No check takes as long as so many requests.
const FORGOTTEN: u32 = 16_384;

thread_local! {
    /// Whether a turn is being taken, and not a task.
    static IN_TURN: Cell<bool> = const { Cell::new(false) };
    /// What that turn has come to wait for.
    static ASKED: RefCell<Option<Asked>> = const { RefCell::new(None) };
    static PAUSED: RefCell<BTreeMap<u32, Paused>> = const { RefCell::new(BTreeMap::new()) };
}

type Outcome = Rc<Cell<Option<JsValue>>>;

struct Asked {
    promise: Promise,
    outcome: Outcome,
}

struct Paused {
    turn: Turn,
    outcome: Outcome,
}

/// What `work` gives at once; or the promise that [`resume`] is to be told the outcome of; or, in an array, a promise of
/// what it gives.
pub(super) fn begin(
    ticket: u32,
    work: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Result<JsValue, JsValue> {
    go_on(ticket, Turn::of(work))
}

/// Goes on with the outcome: what the promise was fulfilled with, or `undefined`. Gives what [`begin`] does; `undefined`
/// for a ticket without a turn.
pub(super) fn resume(ticket: u32, outcome: JsValue) -> Result<JsValue, JsValue> {
    match PAUSED.with_borrow_mut(|paused| paused.remove(&ticket)) {
        Some(paused) => {
            paused.outcome.set(Some(outcome));
            go_on(ticket, paused.turn)
        }
        None => Ok(JsValue::UNDEFINED),
    }
}

/// Whether the check that `promise` is of holds; `None` where it could not be made.
pub(super) async fn holds(promise: Promise) -> Option<bool> {
    if !IN_TURN.get() {
        return JsFuture::from(promise).await.ok()?.as_bool();
    }
    let outcome = Outcome::default();
    ASKED.set(Some(Asked { promise, outcome: Rc::clone(&outcome) }));
    poll_fn(move |_| outcome.take().map_or(Poll::Pending, Poll::Ready)).await.as_bool()
}

fn go_on(ticket: u32, mut turn: Turn) -> Result<JsValue, JsValue> {
    IN_TURN.set(true);
    let gone = turn.go_on();
    IN_TURN.set(false);
    match (gone, ASKED.take()) {
        (Poll::Ready(done), _) => done,
        (Poll::Pending, Some(Asked { promise, outcome })) => {
            PAUSED.with_borrow_mut(|paused| {
                if paused.len() >= MANY {
                    paused.retain(|other, _| ticket.wrapping_sub(*other) < FORGOTTEN);
                }
                paused.insert(ticket, Paused { turn, outcome })
            });
            Ok(promise.into())
        }
        // The rarer one has the array about it.
        (Poll::Pending, None) => Ok(Array::of1(&turn.into_promise()).into()),
    }
}
