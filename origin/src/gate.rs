//! What those layers share that look at a request's head: pass it on, with something established, or answer it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use postern::Answer;
use tower::Service;

/// A future that a service answers with.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Looks at a request's head.
pub(crate) trait Gate: Send + Sync + 'static {
    /// The head to go on with, or the answer that stands in for the service's.
    fn check(self: Arc<Self>, parts: Parts) -> BoxFuture<Result<Parts, Answer>>;
}

/// A service behind one of this crate's layers.
#[derive(Clone)]
pub struct Gated<S> {
    inner: S,
    gate: Arc<dyn Gate>,
}

impl<S> Gated<S> {
    pub(crate) fn new(inner: S, gate: Arc<dyn Gate>) -> Self {
        Self { inner, gate }
    }
}

impl<S, B, C> Service<Request<B>> for Gated<S>
where
    S: Service<Request<B>, Response = Response<C>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    C: From<String>,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Response<C>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was found ready is the one to be called.
        let next = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, next);
        let (parts, body) = request.into_parts();
        let is_head = parts.method == Method::HEAD;
        let checked = Arc::clone(&self.gate).check(parts);
        Box::pin(async move {
            match checked.await {
                Ok(parts) => ready.call(Request::from_parts(parts, body)).await,
                Err(answer) => Ok(response(&if is_head { Answer { body: String::new(), ..answer } } else { answer })),
            }
        })
    }
}

/// An answer of the core's, as it is.
pub(crate) fn response<C: From<String>>(answer: &Answer) -> Response<C> {
    let mut response = Response::new(C::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    for (name, value) in &answer.headers {
        // The core writes none that is not one.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(*name, value);
        }
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

impl<S: fmt::Debug> fmt::Debug for Gated<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gated").field("inner", &self.inner).finish_non_exhaustive()
    }
}
