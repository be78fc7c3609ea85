//! The check itself, before each request.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, request::Parts};
use postern::assertion::{HEADER, VerifiedAssertion};
use postern::{request::folded, target::CanonicalTarget};
use tower::Service;

use super::{AssertionFuture, content, layer::Settings, refusal, target::Delivered};
use crate::{Permit, http::Problem};

/// Lets a request through to `inner` when it carries a valid assertion.
#[derive(Clone, Debug)]
pub struct AssertionService<S> {
    pub(super) inner: S,
    pub(super) settings: Arc<Settings>,
}

impl<S, B, C> Service<Request<B>> for AssertionService<S>
where
    S: Service<Request<B>, Response = Response<C>> + Clone,
    B: http_body::Body + From<Vec<u8>> + Send + 'static,
    B::Data: Send,
    C: From<String>,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = AssertionFuture<S, B, C>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match self.settings.check(&parts) {
            Ok((assertion, target)) => {
                parts.headers.remove(HEADER);
                if let Err(code) = hand_on(&assertion, &mut parts.headers) {
                    return AssertionFuture::refused(self.settings.refuse(code).into_response());
                }
                let bound = assertion.content_sha256().copied();
                parts.extensions.insert(Permit::asserted(assertion.clone(), parts.method.clone(), target.clone()));
                parts.extensions.insert(assertion);
                parts.extensions.insert(target);
                match bound {
                    None => {
                        let inner = self.inner.call(Request::from_parts(parts, body));
                        AssertionFuture::passed(inner, self.settings.forbids_caching)
                    }
                    Some(digest) => {
                        // The service that was found ready is the one to be called.
                        let next = self.inner.clone();
                        let ready = std::mem::replace(&mut self.inner, next);
                        let body = content::bound(body, digest);
                        AssertionFuture::reading(body, ready, parts, Arc::clone(&self.settings))
                    }
                }
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
        let delivered = Delivered::of(parts, &self.base_path).map_err(|error| self.refuse(error.code()))?;
        let compact = sole_assertion(&parts.headers).map_err(|code| self.refuse(code))?;
        let mut target = None;
        let is_received = |bound: &str| {
            target = delivered.as_bound(bound);
            target.is_some()
        };
        let assertion = verifier
            .verify_where(compact, parts.method.as_str(), is_received, (self.clock)())
            .map_err(|error| self.refuse(error.code()))?;
        Ok((assertion, target.ok_or_else(|| self.refuse("target"))?))
    }

    fn refuse(&self, code: &'static str) -> Problem {
        self.log(code);
        refusal(&self.audience)
    }

    pub(super) fn log(&self, code: &'static str) {
        tracing::warn!(service = self.audience, code, "refused");
    }
}

/// Sets the fields by which the edge hands claims on: what the assertion says, whatever arrived under those names, in
/// any spelling that a server may take for them.
fn hand_on(assertion: &VerifiedAssertion, headers: &mut HeaderMap) -> Result<(), &'static str> {
    for (name, value) in assertion.handed_on() {
        let forged = headers.keys().filter(|key| folded(key.as_str()).eq(folded(name))).cloned();
        for forged in forged.collect::<Vec<_>>() {
            headers.remove(forged);
        }
        let name = HeaderName::try_from(name.as_str()).map_err(|_| "assertion_claims_malformed")?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|_| "assertion_claims_malformed")?;
        headers.insert(name, value);
    }
    Ok(())
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
