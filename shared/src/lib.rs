//! **Postern** decides whether *this caller* may do *this* to *this company's* resource: at a CDN's edge, in
//! WebAssembly, and again at the origin, natively.
//!
//! ```text
//!  request ─▶ Authorizer::begin ─▶ Progress ──┬─▶ Decided(Permit | Deny | Preflight)
//!                                             ├─▶ NeedsKeys        ◀─ driver: KeyCache, fetch
//!                                             ├─▶ NeedsSignature   ◀─ driver: WebCrypto, aws-lc, `signature`
//!                                             ├─▶ NeedsPermissions ◀─ driver: PermissionsCache, fetch
//!                                             └─▶ NeedsBody        ◀─ driver: reads it, up to a limit
//!  Permit ─▶ Assertion ─▶ sign ~~~ one request, one origin ~~~▶ AssertionVerifier ─▶ VerifiedAssertion
//! ```
//!
//! # What it does not do
//! No I/O, no clock, no randomness, no state outside its values: a driver brings them, and so the same decision is taken in a
//! Worker, a Lambda and a unit test. It neither issues tokens nor keeps sessions, and it never sees a body.
//!
//! # The public interface is
//! * [`policy`]: what may be done; [`Policy`] is checked when it is made.
//! * [`authorizer`]: the decision, as a value that is finished or names what it lacks.
//! * [`decision`]: [`Permit`] and [`Denial`]; [`Reason`] for operators, [`PublicCode`] for callers, [`Answer`] over HTTP.
//! * [`stage`]: the steps of a decision in their order, for tools that explain one.
//! * [`forward`]: what goes to an origin of a permitted request, and what comes back.
//! * [`decision_log`]: what is written down of a decision.
//! * [`cache`]: when to fetch keys and permissions, and when not to.
//! * [`assertion`]: what an edge tells an origin.
//! * [`target`]: request targets in their one canonical form.
//!
//! # Standards
//! RFC 7515, 7517, 7518, 7519, 7638, 8037 (JOSE), RFC 8725 (their pitfalls), RFC 6750 (bearer tokens), RFC 9068
//! (access tokens), RFC 9457 (problem documents), NIST SP 800-162 for the words: this crate is a policy decision
//! point, its drivers are policy enforcement points.
//!
//! # Features
//! `portable` (default): signature checks in pure Rust. `toml`: policies from TOML. `schema`: the JSON Schema of their file.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::as_conversions,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod algorithm;
pub mod answer;
pub mod assertion;
pub mod authorizer;
pub mod bearer;
pub mod cache;
mod claims;
mod cut;
pub mod decision;
pub mod decision_log;
pub mod digest;
pub mod forward;
mod handed;
mod header;
mod json;
pub mod jwk;
pub mod jwks;
mod log_allowance;
mod names;
mod part;
pub mod permissions;
pub mod policy;
pub mod purpose;
pub mod query;
pub mod reason;
pub mod request;
pub mod signature;
pub mod stage;
pub mod target;
pub mod time;
pub mod token;

pub use algorithm::Algorithm;
pub use answer::Answer;
pub use authorizer::{Authorizer, BodyDigest, Caller, Keys, Permissions, Progress, SignatureCheck};
pub use claims::MAX_SUBJECT_BYTES;
pub use decision::{Decision, Denial, Permit};
pub use header::MAX_KEY_ID_BYTES;
pub use jwk::Jwk;
pub use jwks::JwkSet;
pub use permissions::PermissionsRecord;
pub use policy::Policy;
pub use purpose::{ByPurpose, Purpose};
pub use reason::{PublicCode, Reason};
pub use request::Request;
pub use stage::Stage;
pub use time::{RELEASED_AT, UnixTime};
