//! What an authorizer asks of whoever takes its decisions: the enforcer of this process, or a stand-in with a clock and
//! records of a test's own. No rule is anywhere but in the core.

use std::time::Duration;

use postern::{
    Authorizer, BodyDigest, Caller, Decision, Denial, PermissionsRecord, Request, UnixTime,
    policy::{ClaimForms, Issuer, PermissionsSource},
};

use crate::enforcer::{Enforcer, HeldPermissions, Hydrated, section_of};

/// Takes decisions.
#[allow(async_fn_in_trait, reason = "one task awaits them: the runtime has one event at a time")]
pub trait Decider {
    /// The decision itself.
    fn authorizer(&self) -> &Authorizer;

    /// What time it is.
    fn now(&self) -> UnixTime;

    /// Decides one request. There is no body to be had.
    async fn decide(&self, request: &Request<'_>, request_id: Option<&str>) -> Decision;

    /// Decides one request of a caller who is known, by this and no other record.
    async fn decide_by(
        &self,
        caller: &Caller,
        held: &Hydrated,
        request: &Request<'_>,
        request_id: Option<&str>,
    ) -> Decision;

    /// Whose token the request carries.
    ///
    /// # Errors
    /// The denial: there is no good token, or nobody can tell.
    async fn identify(&self, request: &Request<'_>) -> Result<Caller, Denial>;

    /// The record of a caller, asked for now.
    async fn ask(&self, caller: &Caller) -> Hydrated;

    /// The record of a caller, no older than the first of `ages`; older by the second while the service cannot tell.
    async fn ask_within(&self, caller: &Caller, ages: (Duration, Duration)) -> Hydrated {
        let _ = ages;
        self.ask(caller).await
    }
}

impl Decider for Enforcer {
    fn authorizer(&self) -> &Authorizer {
        Self::authorizer(self)
    }

    fn now(&self) -> UnixTime {
        Self::now(self)
    }

    async fn decide(&self, request: &Request<'_>, request_id: Option<&str>) -> Decision {
        Self::decide(self, request, request_id, no_body).await
    }

    async fn decide_by(
        &self,
        caller: &Caller,
        held: &Hydrated,
        request: &Request<'_>,
        request_id: Option<&str>,
    ) -> Decision {
        let held = HeldPermissions::new(caller, held.clone(), Duration::ZERO);
        self.decide_as(caller, request, request_id, Some(&held), no_body).await
    }

    async fn identify(&self, request: &Request<'_>) -> Result<Caller, Denial> {
        Self::identify(self, request).await
    }

    async fn ask(&self, caller: &Caller) -> Hydrated {
        self.ask_within(caller, (Duration::ZERO, Duration::ZERO)).await
    }

    async fn ask_within(&self, caller: &Caller, ages: (Duration, Duration)) -> Hydrated {
        match section_of(self.policy(), caller) {
            Some(issuer) => self.permissions_of(issuer, caller.subject(), ages).await,
            None => Hydrated::Unavailable,
        }
    }
}

async fn no_body(_: usize, _: Duration) -> BodyDigest {
    BodyDigest::Unreadable
}

/// The caller's permissions as they are now: those that the token says, or the service's.
pub(super) async fn permissions(decider: &impl Decider, caller: &Caller) -> Hydrated {
    if let Some(record) = caller.permissions() {
        return Hydrated::Found(record.clone().into());
    }
    match section_of(decider.authorizer().policy(), caller).map(Issuer::permissions) {
        Some(PermissionsSource::Service) => decider.ask(caller).await,
        Some(_) | None => Hydrated::Absent,
    }
}

/// The record, as a service that decides by it is told: one without companies where there is none.
pub(super) fn record(known: &Hydrated, caller: &Caller) -> Option<PermissionsRecord> {
    match known {
        Hydrated::Found(record) => Some(PermissionsRecord::clone(record)),
        Hydrated::Absent => PermissionsRecord::from_claims(caller.subject(), None, None, ClaimForms::default()).ok(),
        Hydrated::Unavailable => None,
    }
}
