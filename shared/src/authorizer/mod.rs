//! The decision itself (the PDP), as a value that is finished or names the one thing it lacks.
//!
//! ```text
//! begin ──▶ Decided
//!   │
//!   └─▶ NeedsKeys ─▶ NeedsSignature ─▶ NeedsPermissions ─▶ NeedsBody ─▶ Decided
//! ```
//! Each need owns the decision in flight and is consumed by `resume`, so that no step is skipped or answered
//! twice; steps that a request does not need are passed over. Each has an `Unavailable` arm that leads to a
//! 503. `exp` is looked at again in the last step, with the time that the last `resume` gave.
//!
//! Not here: fetching, clocks, caches of keys and permissions. Here, because a driver must not get it wrong:
//! the cache of verified tokens.

mod begin;
mod body;
mod caller;
mod company;
mod credential;
mod identify;
mod needs;
mod pursuit;
mod rules;
mod survey;

pub use body::{BodyDigest, NeedsBody};
pub use caller::Caller;
pub use identify::Identification;
pub use needs::{Keys, NeedsKeys, NeedsPermissions, NeedsSignature, Permissions, Progress, SignatureCheck};
pub use pursuit::Pursuit;
pub use survey::{Companies, Entitlement, Entitlements, FieldEntitlement, NeedsRecord, Survey};

pub(crate) use company::Company;
pub(crate) use credential::VerifiedToken;

use spin::Mutex;

use crate::{cache::TokenCache, policy::Policy};

/// Decides requests by one policy. Shared by all requests of an isolate or process.
#[derive(Debug)]
pub struct Authorizer {
    pub(crate) policy: Policy,
    /// Held for one lookup or insertion at a time, never across a call out.
    pub(crate) tokens: Mutex<TokenCache>,
}

impl Authorizer {
    /// An authoriser for `policy`, with an empty cache of verified tokens.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, tokens: Mutex::new(TokenCache::new()) }
    }

    /// The policy that it decides by.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}
