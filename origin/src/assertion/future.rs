//! The answer under way: the inner service's, or the refusal that stands in for it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Response, header};
use pin_project_lite::pin_project;

pin_project! {
    /// What [`AssertionService`](super::AssertionService) returns.
    #[derive(Debug)]
    pub struct AssertionFuture<F, C> {
        #[pin]
        state: State<F, C>,
    }
}

pin_project! {
    #[project = Projected]
    #[derive(Debug)]
    enum State<F, C> {
        Passed { #[pin] inner: F },
        Refused { answer: Option<Response<C>> },
    }
}

impl<F, C> AssertionFuture<F, C> {
    pub(super) const fn passed(inner: F) -> Self {
        Self { state: State::Passed { inner } }
    }

    pub(super) const fn refused(answer: Response<C>) -> Self {
        Self { state: State::Refused { answer: Some(answer) } }
    }
}

impl<F, C, E> Future for AssertionFuture<F, C>
where
    F: Future<Output = Result<Response<C>, E>>,
{
    type Output = Result<Response<C>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = match self.project().state.project() {
            Projected::Passed { inner } => ready!(inner.poll(context))?,
            Projected::Refused { answer } => match answer.take() {
                Some(answer) => answer,
                // Polled again after it was ready: a fault of the caller's that must not panic a function.
                None => return Poll::Pending,
            },
        };
        // What was decided for one caller is not kept for another, unless the service says otherwise.
        answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
        Poll::Ready(Ok(answer))
    }
}
