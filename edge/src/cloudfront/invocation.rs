//! One event's hold on its container: its time, its secrets, and the work that is left for the end.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    pin::Pin,
    rc::Rc,
    time::Duration,
};

use postern::{
    Authorizer, Progress, UnixTime,
    authorizer::NeedsSignature,
    cache::{KeySeeds, KeySnapshot},
    policy::{Issuer, Origin},
};

use super::{
    ask,
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
        outgoing::{FetchError, Fetched, Question},
        runtime::{self, before},
    },
};

/// Most time for all that one event asks for: CloudFront waits 5 s for a viewer event's function, and what is answered
/// after that is an error of its own.
const BUDGET: Duration = Duration::from_secs(4);
/// Time kept for the answer itself, of what Lambda says is left.
const RESERVE: Duration = Duration::from_millis(700);
/// Most time for refreshes, which nobody waits for and which yet delay this one answer. Each ends within it by itself,
/// so that whoever leads one always says how it ended.
const REFRESH_LIMIT: Duration = Duration::from_secs(2);
/// What is over that limit by as much does not end by itself, and is given up.
const GRACE: Duration = Duration::from_millis(200);

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// See the module. Clones are the same event's.
#[derive(Clone)]
pub(super) struct Invocation(Rc<State>);

struct State {
    container: &'static Container,
    secrets: Result<Rc<Secrets>, Unfit>,
    /// When the event's time ends, or that of what is being done now.
    deadline: Cell<UnixTime>,
    asides: RefCell<VecDeque<Work>>,
    tries: RefCell<VecDeque<Work>>,
}

impl Invocation {
    /// Begins one, with the secrets that the container has or can have.
    pub(super) async fn begin(container: &'static Container, remaining_ms: f64) -> Self {
        // What is no number, or none of a duration, leaves no time rather than any.
        let remaining = Duration::try_from_secs_f64(remaining_ms / 1000.0).unwrap_or_default();
        let deadline = runtime::now().saturating_add(remaining.saturating_sub(RESERVE).min(BUDGET));
        let mut state = State {
            container,
            secrets: Err(Unfit::Development),
            deadline: Cell::new(deadline),
            asides: RefCell::default(),
            tries: RefCell::default(),
        };
        if !container.is_misplaced() {
            let (secrets, is_old) = secrets_manager::provide(container, deadline).await;
            if is_old {
                let refresh = async move { drop(secrets_manager::refresh(container, deadline).await) };
                state.asides.get_mut().push_back(Box::pin(refresh));
            }
            state.secrets = secrets;
        }
        Self(Rc::new(state))
    }

    pub(super) fn container(&self) -> &'static Container {
        self.0.container
    }

    /// Does what was put aside, as far as the time goes: refreshes first, then what is only tried.
    pub(super) async fn finish(&self) {
        let deadline = self.0.deadline.get();
        self.0.deadline.set(deadline.min(runtime::now().saturating_add(REFRESH_LIMIT)));
        self.work_off(&self.0.asides).await;
        self.0.deadline.set(deadline);
        self.work_off(&self.0.tries).await;
        // Whatever is left holds this event.
        self.0.asides.take();
        self.0.tries.take();
    }

    async fn work_off(&self, queue: &RefCell<VecDeque<Work>>) {
        let next = || queue.borrow_mut().pop_front();
        while let Some(work) = next() {
            let limit = self.time_for(BUDGET).saturating_add(GRACE);
            if before(Timer::start(limit), work).await.is_none() {
                return;
            }
        }
    }
}

impl Platform for Invocation {
    const HAS_SECOND_LAYER: bool = false;
    /// While the container was frozen nobody saw its connections close.
    const RETRIES: bool = true;

    async fn ask(method: &str, body: Option<&str>, question: &Question<'_>) -> Result<Fetched, FetchError> {
        ask::ask(method, body, question).await
    }

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
        self.0.asides.borrow_mut().push_back(Box::pin(work));
    }

    fn try_later(&self, work: impl Future<Output = ()> + 'static) {
        self.0.tries.borrow_mut().push_back(Box::pin(work));
    }

    async fn pause(&self, duration: Duration) -> bool {
        let time = self.time_for(duration);
        Timer::start(time).await;
        time == duration
    }

    fn time_for(&self, wanted: Duration) -> Duration {
        self.0.deadline.get().saturating_since(runtime::now()).min(wanted)
    }

    async fn recall(_: &Issuer) -> Option<KeySnapshot> {
        None
    }

    async fn keep(_: &Issuer, _: &KeySnapshot) {}
}
