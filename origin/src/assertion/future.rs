//! The answer under way: the inner service's, or the refusal that stands in for it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Request, Response, header, request::Parts};
use pin_project_lite::pin_project;
use tower::Service;

use super::{content::BoundBody, layer::Settings};

pin_project! {
    /// What [`AssertionService`](super::AssertionService) returns.
    pub struct AssertionFuture<S, B, C>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, C>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<S, B, C>
    where
        S: Service<Request<B>>,
    {
        // The assertion binds the body, which must be seen first. What it is for waits here.
        Reading { body: BoundBody, waiting: Option<(S, Parts, Arc<Settings>)> },
        Passed { #[pin] inner: S::Future, forbids_caching: bool },
        Refused { answer: Option<Response<C>> },
    }
}

impl<S, B, C> AssertionFuture<S, B, C>
where
    S: Service<Request<B>>,
{
    pub(super) const fn passed(inner: S::Future, forbids_caching: bool) -> Self {
        Self { state: State::Passed { inner, forbids_caching } }
    }

    pub(super) const fn refused(answer: Response<C>) -> Self {
        Self { state: State::Refused { answer: Some(answer) } }
    }

    /// `service` must be ready.
    pub(super) const fn reading(body: BoundBody, service: S, parts: Parts, settings: Arc<Settings>) -> Self {
        Self { state: State::Reading { body, waiting: Some((service, parts, settings)) } }
    }
}

impl<S, B, C> Future for AssertionFuture<S, B, C>
where
    S: Service<Request<B>, Response = Response<C>>,
    B: From<Vec<u8>>,
    C: From<String>,
{
    type Output = Result<Response<C>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut answer, forbids_caching) = loop {
            let next = match self.as_mut().project().state.project() {
                Projected::Passed { inner, forbids_caching } => break (ready!(inner.poll(context))?, *forbids_caching),
                Projected::Refused { answer } => match answer.take() {
                    Some(answer) => break (answer, true),
                    // Polled again after it was ready: a fault of the caller's that must not panic a function.
                    None => return Poll::Pending,
                },
                Projected::Reading { body, waiting } => {
                    let read = ready!(body.as_mut().poll(context));
                    let Some((mut service, parts, settings)) = waiting.take() else { return Poll::Pending };
                    match read {
                        Ok(octets) => {
                            let inner = service.call(Request::from_parts(parts, B::from(octets)));
                            State::Passed { inner, forbids_caching: settings.forbids_caching }
                        }
                        Err(problem) => {
                            settings.log("body_refused");
                            State::Refused { answer: Some(problem.into_response()) }
                        }
                    }
                }
            };
            self.as_mut().project().state.set(next);
        };
        // What was decided for one caller is not kept for another, unless the service says otherwise.
        if forbids_caching {
            answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
        }
        Poll::Ready(Ok(answer))
    }
}

impl<S, B, C> fmt::Debug for AssertionFuture<S, B, C>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AssertionFuture").finish_non_exhaustive()
    }
}
