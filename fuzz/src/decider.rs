//! What an authorizer of AWS asks of whoever decides: the core, with the answers that the script gives to its needs.

use std::{
    cell::Cell,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use postern::{
    Authorizer, BodyDigest, Caller, Decision, Denial, Keys, Progress, Request, SignatureCheck, UnixTime,
    authorizer::Identification,
};
use postern_origin::{authorizer::Decider, enforcer::Hydrated};

use crate::world::{KEYS, NOW, RECORD, SUBJECT};

/// Decides by the core. Every signature, and the permissions service, are as the script says.
pub(crate) struct Scripted {
    authorizer: Authorizer,
    signature: SignatureCheck,
    is_up: bool,
    /// Whether a signature was answered to be valid.
    pub(crate) believed: Cell<bool>,
}

impl Scripted {
    pub(crate) fn new(authorizer: Authorizer, signature: SignatureCheck, is_up: bool) -> Self {
        Self { authorizer, signature, is_up, believed: Cell::new(false) }
    }

    fn checked(&self) -> SignatureCheck {
        self.believed.set(self.believed.get() || self.signature == SignatureCheck::Valid);
        self.signature
    }

    fn told(&self, subject: &str) -> Hydrated {
        match subject {
            _ if !self.is_up => Hydrated::Unavailable,
            SUBJECT => Hydrated::Found(Arc::new(RECORD.clone())),
            _ => Hydrated::Absent,
        }
    }

    fn finish(&self, mut progress: Progress<'_>, told: impl Fn(&str) -> Hydrated) -> Decision {
        let now = self.now();
        loop {
            progress = match progress {
                Progress::Decided(decision) => return decision,
                Progress::NeedsKeys(need) => need.resume(Keys::Fresh(&KEYS), now),
                Progress::NeedsSignature(need) => need.resume(self.checked(), now),
                Progress::NeedsPermissions(need) => {
                    let told = told(need.subject());
                    need.resume(told.as_permissions(), now)
                }
                Progress::NeedsBody(need) => need.resume(BodyDigest::Unreadable, now),
            };
        }
    }
}

impl Decider for Scripted {
    fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_secs(NOW)
    }

    async fn decide(&self, request: &Request<'_>, _: Option<&str>) -> Decision {
        self.finish(self.authorizer.begin(request, self.now()), |subject| self.told(subject))
    }

    async fn decide_by(&self, caller: &Caller, held: &Hydrated, request: &Request<'_>, _: Option<&str>) -> Decision {
        self.finish(self.authorizer.begin_as(caller, request, self.now()), |_| held.clone())
    }

    async fn identify(&self, request: &Request<'_>) -> Result<Caller, Denial> {
        let mut identification = self.authorizer.identify(request, self.now());
        loop {
            identification = match identification {
                Identification::Identified(caller) => return Ok(caller),
                Identification::Refused(denial) => return Err(denial),
                Identification::NeedsKeys(need) => need.resume(Keys::Fresh(&KEYS), self.now()),
                Identification::NeedsSignature(need) => need.resume(self.checked(), self.now()),
            };
        }
    }

    async fn ask(&self, caller: &Caller) -> Hydrated {
        self.told(caller.subject())
    }
}

/// Runs what waits for nothing.
pub(crate) fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("an answer waits for something"),
    }
}
