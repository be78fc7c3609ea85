//! The native policy enforcement point: gives the core's decisions what they lack, wherever a function of ours runs.
//!
//! Keys come over HTTP ([`token::keys`](crate::token::keys)), signatures are checked by aws-lc, permissions come from the
//! permissions service of the policy. Every rule is the core's. Nothing goes on in the background after an answer: a
//! Lambda function is frozen then.
//!
//! Not here: tower, Lambda's events, and what becomes of a decision.
//!
//! ```
//! use postern::{BodyDigest, Decision, Request, policy};
//! use postern_origin::enforcer::Enforcer;
//!
//! # let text = include_str!("../../../postern.toml");
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let policy = policy::from_toml(text, None).unwrap();
//! let enforcer = Enforcer::new(policy, None).unwrap();
//! let request = Request { method: "GET", target: "/health", headers: &[] };
//! let decision = enforcer.decide(&request, None, async |_, _| BodyDigest::Unreadable).await;
//! assert!(matches!(decision, Decision::Permit(_)));
//! # });
//! ```

mod held;
pub mod permissions;
mod settings;

pub use held::HeldPermissions;
pub use permissions::{Hydrated, PermissionsClient};
pub use settings::{DEVELOPMENT, KEY_SEEDS, OVERLAY, POLICY, policy_of};

use std::{
    fmt,
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use postern::{
    Authorizer, BodyDigest, Decision, Denial, Permissions, Policy, Progress, Request,
    assertion::AssertionKeys,
    authorizer::{Caller, Identification},
    cache::KeySeeds,
    decision_log::{self, CacheState, Observed, SubjectKey},
    policy::Issuer,
};

use crate::{
    clock::system_time,
    outgoing::ClientError,
    token::{
        keys::{Clock, IssuerKeys},
        signature,
    },
};

/// Takes one line of the decision log.
pub type LogSink = fn(&str);

/// A policy, and all that deciding by it takes. Shared by all requests of a process.
pub struct Enforcer {
    authorizer: Authorizer,
    keys: Arc<IssuerKeys>,
    permissions: Option<Arc<PermissionsClient>>,
    subject_key: Option<SubjectKey>,
    clock: Clock,
    log: LogSink,
}

impl Enforcer {
    /// An enforcer of `policy`. `assertion_keys` are those it shares with the permissions service: without them, what
    /// rests on records of that service is answered 503.
    ///
    /// # Errors
    /// [`ClientError`] when no HTTP client can be built.
    pub fn new(policy: Policy, assertion_keys: Option<AssertionKeys>) -> Result<Self, ClientError> {
        Self::with_clock(policy, assertion_keys, system_time)
    }

    /// The same with a clock of one's own, for tests.
    ///
    /// # Errors
    /// [`ClientError`] when no HTTP client can be built.
    pub fn with_clock(
        policy: Policy,
        assertion_keys: Option<AssertionKeys>,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        let keys = Arc::new(IssuerKeys::with_clock(&policy, clock)?);
        let permissions = match assertion_keys {
            Some(assertion_keys) => PermissionsClient::new(&policy, assertion_keys, clock)?.map(Arc::new),
            None => None,
        };
        Ok(Self { authorizer: Authorizer::new(policy), keys, permissions, subject_key: None, clock, log: to_stdout })
    }

    /// The same, with what subjects are hashed with in the decision log.
    #[must_use]
    pub fn with_subject_key(self, subject_key: SubjectKey) -> Self {
        Self { subject_key: Some(subject_key), ..self }
    }

    /// The same, writing its decision log to `log` and not to standard output.
    #[must_use]
    pub fn with_log(self, log: LogSink) -> Self {
        Self { log, ..self }
    }

    /// Begins with issuers' keys that were sealed at build time, as far as they may still be used.
    pub fn seed(&self, seeds: &KeySeeds) {
        self.keys.seed(self.policy(), seeds);
    }

    /// The policy that it decides by.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.authorizer.policy()
    }

    /// The decision itself, for callers that go through it step by step.
    #[must_use]
    pub const fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// The permissions service, where the policy has one and this process a key for it.
    #[must_use]
    pub const fn permissions(&self) -> Option<&Arc<PermissionsClient>> {
        self.permissions.as_ref()
    }

    /// What time it is for this enforcer.
    #[must_use]
    pub fn now(&self) -> postern::UnixTime {
        (self.clock)()
    }

    /// Decides `request`, and writes the decision down as the policy says.
    ///
    /// `read` is asked where the route binds a body that has to be read, and no sooner than every other rule holds: for
    /// the digest of this request's, no longer than the octets and the time it is given. `request_id` is the platform's
    /// name for the request, for the log.
    pub async fn decide(
        &self,
        request: &Request<'_>,
        request_id: Option<&str>,
        read: impl AsyncFnOnce(usize, Duration) -> BodyDigest,
    ) -> Decision {
        let at = self.now();
        let observed = Observed { at, request_id, ..Observed::default() };
        self.finish(self.authorizer.begin(request, at), observed, None, read).await
    }

    /// The same for a `caller` who is established already; the request's own credential is not looked at.
    ///
    /// `held` is what is known of the caller's permissions. It decides where it is young enough for the route, and the
    /// permissions service is asked where it is not.
    pub async fn decide_as(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        request_id: Option<&str>,
        held: Option<&HeldPermissions>,
        read: impl AsyncFnOnce(usize, Duration) -> BodyDigest,
    ) -> Decision {
        let at = self.now();
        let observed = Observed { at, request_id, ..Observed::default() };
        self.finish(self.authorizer.begin_as(caller, request, at), observed, held, read).await
    }

    /// Whose token `request` carries, of any issuer section; no route's rule is looked at.
    ///
    /// # Errors
    /// The [`Denial`], with its answer: there is no good token, or nobody can tell.
    pub async fn identify(&self, request: &Request<'_>) -> Result<Caller, Denial> {
        let mut identification = self.authorizer.identify(request, self.now());
        loop {
            identification = match identification {
                Identification::Identified(caller) => return Ok(caller),
                Identification::Refused(denial) => return Err(denial),
                Identification::NeedsKeys(need) => self.keys.provide(need).await,
                Identification::NeedsSignature(need) => {
                    let check = signature::check(&need);
                    need.resume(check, self.now())
                }
            };
        }
    }

    /// The permissions of `subject` in the section `issuer`, by a record no older than the ages say: `max_age`, and how
    /// much older where the service cannot tell.
    pub async fn permissions_of(&self, issuer: &Issuer, subject: &str, ages: (Duration, Duration)) -> Hydrated {
        match &self.permissions {
            Some(client) => client.of(issuer, subject, ages).await,
            None => Hydrated::Unavailable,
        }
    }

    /// Gives `progress` what it lacks until it is finished.
    async fn finish(
        &self,
        mut progress: Progress<'_>,
        mut observed: Observed<'_>,
        held: Option<&HeldPermissions>,
        read: impl AsyncFnOnce(usize, Duration) -> BodyDigest,
    ) -> Decision {
        let mut read = Some(read);
        loop {
            progress = match progress {
                Progress::Decided(decision) => {
                    observed.took = self.now().saturating_since(observed.at);
                    self.write_down(&decision, &observed);
                    return decision;
                }
                Progress::NeedsKeys(need) => {
                    observed.token = Some(CacheState::Miss);
                    self.keys.provide(need).await
                }
                Progress::NeedsSignature(need) => {
                    let check = signature::check(&need);
                    need.resume(check, self.now())
                }
                Progress::NeedsPermissions(need) => match (held.filter(|held| held.serves(&need)), &self.permissions) {
                    (Some(held), _) => {
                        observed.permissions = Some(CacheState::Hit);
                        need.resume(held.known().as_permissions(), self.now())
                    }
                    (None, Some(client)) => client.provide(need, &mut observed.permissions).await,
                    (None, None) => need.resume(Permissions::Unavailable, self.now()),
                },
                Progress::NeedsBody(need) => {
                    let digest = match read.take() {
                        Some(read) => read(need.limit(), need.time_limit()).await,
                        // A decision asks for its body once.
                        None => BodyDigest::Unreadable,
                    };
                    need.resume(digest, self.now())
                }
            };
        }
    }

    fn write_down(&self, decision: &Decision, observed: &Observed<'_>) {
        if let Some(left_out) = self.authorizer.writes_down(decision, observed.at, random_bits) {
            let observed = Observed { left_out, ..*observed };
            let line = decision_log::line(decision, self.policy().version(), self.subject_key.as_ref(), &observed);
            (self.log)(&line);
        }
    }
}

/// The section that `caller` is of; `None` where another policy has established it.
pub(crate) fn section_of<'p>(policy: &'p Policy, caller: &Caller) -> Option<&'p Issuer> {
    policy.issuers().iter().find(|issuer| issuer.name() == caller.issuer())
}

fn random_bits() -> u32 {
    let mut octets = [0; 4];
    // Without random octets every decision is written down.
    let _ = aws_lc_rs::rand::fill(&mut octets);
    u32::from_le_bytes(octets)
}

/// Where CloudWatch Logs reads. A line that cannot be written is lost: there is nowhere to say so.
fn to_stdout(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

impl fmt::Debug for Enforcer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Enforcer")
            .field("policy", &self.policy().version())
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}
