//! One event's hold on its container: its time, its secrets, and the work that is left for the end.

use std::{cell::RefCell, future::Future, pin::Pin, rc::Rc, time::Duration};

use postern::{
    Authorizer, Progress, UnixTime,
    authorizer::NeedsSignature,
    cache::{KeySeeds, KeySnapshot},
    policy::{Issuer, Origin},
};

use super::{
    container::{self, Container},
    secrets_manager,
    timer::Timer,
};
use crate::{
    node,
    secrets::Secrets,
    sigv4::Credentials,
    web::{
        Platform, Unfit,
        runtime::{self, before},
    },
};

/// Most time for all that one event asks for: CloudFront waits 5 s for a viewer event's function, and what is answered
/// after that is a 502 of its own.
const BUDGET: Duration = Duration::from_secs(4);
/// Time kept for the answer itself, of what Lambda says is left.
const RESERVE: Duration = Duration::from_millis(700);
/// Most time for what nobody waits for, which yet delays this one answer: a refresh, rules that are only tried.
const ASIDE_LIMIT: Duration = Duration::from_secs(1);

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// See the module. Clones are the same event's.
#[derive(Clone)]
pub(super) struct Invocation(Rc<State>);

struct State {
    container: &'static Container,
    secrets: Result<Rc<Secrets>, Unfit>,
    deadline: UnixTime,
    asides: RefCell<Vec<Work>>,
}

impl Invocation {
    /// Begins one, with the secrets that the container has or can have.
    pub(super) async fn begin(container: &'static Container, remaining_ms: f64) -> Self {
        // What is no number, or none of a duration, leaves no time rather than any.
        let remaining = Duration::try_from_secs_f64(remaining_ms / 1000.0).unwrap_or_default();
        let deadline = runtime::now().saturating_add(remaining.saturating_sub(RESERVE).min(BUDGET));
        let asides = RefCell::new(Vec::new());
        let pending = Self(Rc::new(State { container, secrets: Err(Unfit::Unreachable), deadline, asides }));
        if container.is_misplaced() {
            return pending.with(Err(Unfit::Development));
        }
        let secrets = secrets_manager::provide(&pending).await;
        pending.with(secrets)
    }

    fn with(self, secrets: Result<Rc<Secrets>, Unfit>) -> Self {
        let State { container, deadline, .. } = *self.0;
        Self(Rc::new(State { container, secrets, deadline, asides: RefCell::new(self.0.asides.take()) }))
    }

    pub(super) fn container(&self) -> &'static Container {
        self.0.container
    }

    /// Does what was put aside, as far as the time goes; what is left is begun anew by another event.
    pub(super) async fn finish(&self) {
        let limit = self.time_for(ASIDE_LIMIT);
        let all = async {
            // Work may put more aside.
            while let Some(work) = self.next_aside() {
                work.await;
            }
        };
        if !self.0.asides.borrow().is_empty() {
            before(Timer::start(limit), all).await;
        }
        // Whatever is left holds this event.
        self.0.asides.take();
    }

    fn next_aside(&self) -> Option<Work> {
        self.0.asides.borrow_mut().pop()
    }
}

impl Platform for Invocation {
    const HAS_SECOND_LAYER: bool = false;
    /// While the container was frozen nobody saw its connections close.
    const RETRIES: bool = true;

    fn authorizer(&self) -> &'static Authorizer {
        &self.0.container.authorizer
    }

    fn shadow(&self) -> Option<&'static Authorizer> {
        self.0.container.shadow.as_ref()
    }

    fn secrets(&self) -> Result<&Secrets, &Unfit> {
        self.0.secrets.as_ref().map(Rc::as_ref)
    }

    fn seeds() -> KeySeeds {
        Container::running().map(|container| container.seeds.clone()).unwrap_or_default()
    }

    /// The function's own role signs; an origin's `credentials` are a Worker's.
    fn credentials(&self, _: &Origin) -> Option<Credentials> {
        container::credentials()
    }

    async fn check(need: NeedsSignature<'static>) -> Progress<'static> {
        let outcome = node::signature::check(&need);
        need.resume(outcome, runtime::now())
    }

    async fn lead<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> Option<T> {
        // Its caller hanging up ends nothing here, and its own limit ends it before the event's time does.
        Some(work.await)
    }

    fn aside(&self, work: impl Future<Output = ()> + 'static) {
        self.0.asides.borrow_mut().push(Box::pin(work));
    }

    async fn pause(&self, duration: Duration) -> bool {
        let time = self.time_for(duration);
        Timer::start(time).await;
        time == duration
    }

    fn time_for(&self, wanted: Duration) -> Duration {
        self.0.deadline.saturating_since(runtime::now()).min(wanted)
    }

    async fn recall(_: &Issuer) -> Option<KeySnapshot> {
        None
    }

    async fn keep(_: &Issuer, _: &KeySnapshot) {}
}
