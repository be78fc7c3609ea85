//! Lambda authorizers: the decision in front of services that have no code of ours, or leave it to what stands in front.
//!
//! ```text
//! API Gateway ──event──▶ event ─▶ answer ─▶ Decider (the enforcer: keys, signatures, permissions; the core decides)
//!                                   │
//!          not cached, or by request├─▶ decision on the request ─▶ its own ARN, allowed until the token ends
//!          cached by token          └─▶ survey ─▶ list ─▶ every route and company, exactly
//! ◀── policy document │ isAuthorized │ `Unauthorized` (401) │ another error (500) ── + context
//! ```
//!
//! API Gateway uses a cached result for whatever has the same key. So what is answered depends on how the authorizer is set
//! up there, which [`settings`] are told and hold the policy to: a result grants and refuses nothing, anywhere it is used,
//! that the decision would not have when it was made. `docs/authorizers.md` has the set-up of each shape.
//!
//! Public interface: [`host::run`] for the function; [`answer::answer`] for whoever has a [`Decider`] of his own;
//! [`context`] for services behind an authorizer.

pub mod answer;
pub mod appsync;
pub mod arn;
pub mod context;
mod decider;
mod document;
pub mod event;
pub mod host;
pub mod list;
mod pattern;
pub mod settings;
pub mod verdict;

pub use appsync::{AppSync, SchemaError};
pub use decider::Decider;
pub use settings::{Caching, ResponseKind, Settings};
