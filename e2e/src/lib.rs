//! What the end-to-end tests share: the running stack, requests that say exactly what goes on the wire, tokens,
//! assertions, stand-ins for what is behind the edge.
//!
//! ```text
//!  test ──▶ session() ──▶ Session ── Stack      where everything is          (POSTERN_STACK)
//!                             │ ├──── Control    rotates, breaks, cuts, mints (local/)
//!                             │ └──── Call       one request, any bytes       ──▶ Answer
//!                             └─ on start and end: everything healed
//! ```
//!
//! `cargo xtask test` starts the stack and runs these tests; nothing here starts it. The tests share the stack's state,
//! so they run one at a time: [`session()`] holds a lock of the process, and cargo runs one test program after the other.

pub mod assertions;
pub mod caching_edge;
pub mod client;
pub mod cloudfront;
pub mod cold;
pub mod control;
pub mod fault_table;
pub mod freshness_table;
pub mod gate;
pub mod hostile_issuer;
pub mod logs;
pub mod message;
pub mod planted;
pub mod platform;
pub mod port;
pub mod random;
pub mod scene;
pub mod server;
mod session;
pub mod stack;
pub mod stand_in;
pub mod steady;
pub mod wait;

pub use client::{Answer, Call};
pub use platform::Platform;
pub use session::{Session, session};
pub use stack::{PARTNERS, Stack, USERS};
