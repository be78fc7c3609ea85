//! The check itself, before each request.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, Response, request::Parts};
use postern::assertion::{HEADER, VerifiedAssertion};
use postern::target::CanonicalTarget;
use tower::Service;

use super::{AssertionFuture, layer::Settings, refusal, target};
use crate::http::Problem;

/// Lets a request through to `inner` when it carries a valid assertion.
#[derive(Clone, Debug)]
pub struct AssertionService<S> {
    pub(super) inner: S,
    pub(super) settings: Arc<Settings>,
}

impl<S, B, C> Service<Request<B>> for AssertionService<S>
where
    S: Service<Request<B>, Response = Response<C>>,
    C: From<String>,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = AssertionFuture<S::Future, C>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match self.settings.check(&parts) {
            Ok((assertion, target)) => {
                parts.headers.remove(HEADER);
                parts.extensions.insert(assertion);
                parts.extensions.insert(target);
                AssertionFuture::passed(self.inner.call(Request::from_parts(parts, body)))
            }
            Err(problem) => AssertionFuture::refused(problem.into_response()),
        }
    }
}

impl Settings {
    fn check(&self, parts: &Parts) -> Result<(VerifiedAssertion, CanonicalTarget), Problem> {
        let Some(verifier) = &self.verifier else {
            self.log("unconfigured");
            return Err(Problem::unavailable("This service cannot check now where a request comes from."));
        };
        let target = target::delivered(parts, &self.base_path).map_err(|error| self.refuse(error.code()))?;
        let compact = sole_assertion(&parts.headers).map_err(|code| self.refuse(code))?;
        let assertion = verifier
            .verify(compact, parts.method.as_str(), target.as_str(), (self.clock)())
            .map_err(|error| self.refuse(error.code()))?;
        Ok((assertion, target))
    }

    fn refuse(&self, code: &'static str) -> Problem {
        self.log(code);
        refusal(&self.audience)
    }

    fn log(&self, code: &'static str) {
        tracing::warn!(service = self.audience, code, "refused");
    }
}

/// The one assertion of a request. Of two, one is somebody else's: neither is taken. Platforms that join
/// repeated fields with commas make of two one value that is no compact JWS.
fn sole_assertion(headers: &HeaderMap) -> Result<&str, &'static str> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| "assertion_malformed"),
        (None, _) => Err("assertion_missing"),
        (Some(_), Some(_)) => Err("assertion_repeated"),
    }
}
