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
mod unread;

pub use body::{BodyDigest, NeedsBody};
pub use caller::Caller;
pub use identify::Identification;
pub use needs::{Keys, NeedsKeys, NeedsPermissions, NeedsSignature, Permissions, Progress, SignatureCheck};
pub use pursuit::Pursuit;
pub use survey::{Companies, Entitlement, Entitlements, FieldEntitlement, NeedsRecord, Survey};
pub use unread::{MAX_CLAIM_BYTES, MAX_TOKEN_COMPANIES, MAX_TOKEN_ROLES, MAX_TOKEN_SCOPES};

pub(crate) use company::Company;
pub(crate) use credential::VerifiedToken;
pub(crate) use unread::Unread;

use spin::Mutex;

use crate::{
    cache::TokenCache,
    decision::Decision,
    log_allowance::LogAllowance,
    policy::{Policy, Route},
    purpose::{ByPurpose, Purpose},
    reason::Reason,
    time::{RELEASED_AT, UnixTime},
};

/// Decides requests by one policy. Shared by all requests of an isolate or process.
#[derive(Debug)]
pub struct Authorizer {
    pub(crate) policy: Policy,
    /// Held for one lookup or insertion at a time, never across a call out. A token that a shadow route had verified is
    /// verified again for a route that decides: its key may have been withdrawn since.
    tokens: ByPurpose<Mutex<TokenCache>>,
    purpose: Purpose,
    /// Held for one question at a time.
    log: Mutex<LogAllowance>,
    /// A clock that is earlier is wrong, and nothing is decided by it.
    earliest: UnixTime,
}

impl Authorizer {
    /// Returns an authoriser for `policy`, with an empty cache of verified tokens.
    ///
    /// While the clock is before [`RELEASED_AT`], every request is answered with 503 ([`Reason::Unconfigured`]): by such a
    /// clock every expired token would be valid again.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let tokens =
            ByPurpose::new(Mutex::new(TokenCache::new(Purpose::Enforce)), Mutex::new(TokenCache::new(Purpose::Try)));
        Self { policy, tokens, purpose: Purpose::Enforce, log: Mutex::default(), earliest: RELEASED_AT }
    }

    /// Marks the whole policy as one that is only tried: every need of its decisions has the purpose [`Purpose::Try`].
    #[must_use]
    pub fn only_tried(mut self) -> Self {
        self.purpose = Purpose::Try;
        self
    }

    /// The purpose of its decisions, except those on shadow routes.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The purpose of a decision on `route`.
    const fn purpose_on(&self, route: &Route) -> Purpose {
        if route.is_shadow { Purpose::Try } else { self.purpose }
    }

    /// The verified tokens that decisions for `purpose` may read.
    const fn tokens_for(&self, purpose: Purpose) -> &Mutex<TokenCache> {
        self.tokens.of(purpose)
    }

    /// Accepts any time, for tools that decide at a time which a person chose. Never for a driver with a clock.
    #[must_use]
    pub fn with_any_clock(mut self) -> Self {
        self.earliest = UnixTime::default();
        self
    }

    /// Fails while the clock cannot be right.
    fn check_clock(&self, now: UnixTime) -> Result<(), Reason> {
        if now < self.earliest { Err(Reason::Unconfigured) } else { Ok(()) }
    }

    /// Whether a verified token is still valid, as each step of a decision asks again.
    fn check_validity(&self, token: &VerifiedToken, now: UnixTime) -> Result<(), Reason> {
        self.check_clock(now)?;
        if token.is_expired(now) { Err(Reason::Expired) } else { Ok(()) }
    }

    /// Returns `Some` if the policy's `[log]` wants a line for `decision`, with the value for
    /// [`Observed::left_out`](crate::decision_log::Observed::left_out). `random` returns 32 random bits and is called only
    /// where the policy logs a share.
    ///
    /// Denials of callers without a verified token are limited per second.
    pub fn writes_down(&self, decision: &Decision, now: UnixTime, random: impl FnOnce() -> u32) -> Option<u64> {
        let rule = self.policy.log();
        if !rule.wants(decision, random) {
            return None;
        }
        self.log.lock().take(decision, rule.unidentified_denials_per_second, now)
    }

    /// The policy that it decides by.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}
