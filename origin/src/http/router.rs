//! Dispatch of a permitted request to its handler.
//!
//! A handler's first argument is the [`Permit`], and one without does not compile. The router finds it in the request's
//! extensions, where only this crate's layers can have put it, and answers 401 when it is not there, so that a service
//! which forgot the layer refuses everything. It also matches on the method and target that were decided on, not on
//! a second reading of the URI. Unknown paths are 404 and wrong methods 405 with `Allow`
//! (RFC 9110 §15.5.6); HEAD follows GET.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use lambda_http::Body;
use postern::{reason::PublicCode, target::CanonicalTarget};
use tower::Service;

use super::{Answer, Problem, body};
use crate::{Permit, assertion};

type HandlerFuture = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;
type Handler<S> = Arc<dyn Fn(Permit, Call, Arc<S>) -> HandlerFuture + Send + Sync>;

/// The resources of one service, and the state its handlers share.
pub struct Router<S> {
    name: &'static str,
    state: Arc<S>,
    resources: Arc<Vec<Resource<S>>>,
}

/// One resource: its path template and a handler per method.
pub struct Resource<S> {
    template: &'static str,
    methods: Vec<(Method, Handler<S>)>,
}

/// What a handler may read of a request.
#[derive(Clone)]
pub struct Call {
    parameters: Vec<(&'static str, String)>,
    target: CanonicalTarget,
    headers: HeaderMap,
    body: Bytes,
}

/// It has the caller's token, subject and path, which stay out of debug output: it ends in logs.
impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Call").field("body", &self.body.len()).finish_non_exhaustive()
    }
}

impl<S> Resource<S> {
    /// A resource at `template`, whose segments are literal or `{name}`.
    #[must_use]
    pub const fn at(template: &'static str) -> Self {
        Self { template, methods: Vec::new() }
    }

    /// The same resource with a handler for `method`.
    #[must_use]
    pub fn on<F>(mut self, method: Method, handler: fn(Permit, Call, Arc<S>) -> F) -> Self
    where
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
        S: 'static,
    {
        let handler: Handler<S> = Arc::new(move |permit, call, state| Box::pin(handler(permit, call, state)));
        self.methods.push((method, handler));
        self
    }

    fn handler(&self, method: &Method) -> Option<Handler<S>> {
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        self.methods.iter().find(|(offered, _)| offered == wanted).map(|(_, handler)| Arc::clone(handler))
    }

    fn allow(&self) -> HeaderValue {
        let mut names: Vec<&str> = self.methods.iter().map(|(method, _)| method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    fn matches<'s>(&self, segments: impl Iterator<Item = &'s str> + Clone) -> Option<Vec<(&'static str, String)>> {
        let template = self.template.strip_prefix('/')?;
        if template.split('/').count() != segments.clone().count() {
            return None;
        }
        let mut parameters = Vec::new();
        for (expected, segment) in template.split('/').zip(segments) {
            match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(_) if segment.is_empty() => return None,
                Some(name) => parameters.push((name, segment.to_owned())),
                None if expected == segment => {}
                None => return None,
            }
        }
        Some(parameters)
    }
}

impl<S> Router<S> {
    /// The resources of the service `name`. The first one that matches a path is taken.
    #[must_use]
    pub fn new(name: &'static str, state: S, resources: Vec<Resource<S>>) -> Self {
        Self { name, state: Arc::new(state), resources: Arc::new(resources) }
    }

    /// The name of the service, as logs and assertions know it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<S: Send + Sync + 'static> Router<S> {
    async fn answer<B>(self, request: Request<B>) -> Answer
    where
        B: http_body::Body + Send,
        B::Data: Send,
    {
        let method = request.method().clone();
        let (template, outcome) = self.dispatch(request).await;
        let code = outcome.as_ref().err().map(Problem::code);
        let mut answer = outcome.unwrap_or_else(Problem::into_response);
        if method == Method::HEAD {
            *answer.body_mut() = Body::Empty;
        }
        tracing::info!(
            service = self.name,
            method = method.as_str(),
            resource = template,
            status = answer.status().as_u16(),
            code,
            "answered"
        );
        answer
    }

    async fn dispatch<B>(&self, request: Request<B>) -> (Option<&'static str>, Result<Answer, Problem>)
    where
        B: http_body::Body + Send,
        B::Data: Send,
    {
        let (mut parts, content) = request.into_parts();
        let permit = parts.extensions.remove::<Permit>().filter(|permit| *permit.method() == parts.method);
        let Some(permit) = permit else {
            tracing::error!(service = self.name, "no layer before the router has permitted the request");
            return (None, Err(assertion::refusal(self.name)));
        };
        let target = permit.target().clone();
        let found = self.resources.iter().find_map(|resource| Some((resource, resource.matches(target.segments())?)));
        let Some((resource, parameters)) = found else {
            return (None, Err(Problem::not_found()));
        };
        let Some(handler) = resource.handler(&parts.method) else {
            let problem = Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                PublicCode::MethodNotAllowed.as_str(),
                "This path does not have that method.",
            );
            return (Some(resource.template), Err(problem.with_header(header::ALLOW, resource.allow())));
        };
        let outcome = match body::read(content).await {
            Ok(body) => {
                let call = Call { parameters, target, headers: parts.headers, body };
                handler(permit, call, Arc::clone(&self.state)).await
            }
            Err(problem) => Err(problem),
        };
        (Some(resource.template), outcome)
    }
}

impl Call {
    /// The path segment that `{name}` stood for, decoded once; empty for a name the template has not.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The path and query that were decided on, without the platform's base path.
    #[must_use]
    pub const fn target(&self) -> &CanonicalTarget {
        &self.target
    }

    /// The header fields; the assertion is no longer among them.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The content, whole.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl<S, B> Service<Request<B>> for Router<S>
where
    S: Send + Sync + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let router = self.clone();
        Box::pin(async move { Ok(router.answer(request).await) })
    }
}

impl<S> Clone for Router<S> {
    fn clone(&self) -> Self {
        Self { name: self.name, state: Arc::clone(&self.state), resources: Arc::clone(&self.resources) }
    }
}

impl<S> fmt::Debug for Router<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Router")
            .field("name", &self.name)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Resource<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<&Method> = self.methods.iter().map(|(method, _)| method).collect();
        formatter.debug_struct("Resource").field("template", &self.template).field("methods", &methods).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &str) -> Vec<String> {
        CanonicalTarget::parse(path).unwrap().segments().map(str::to_owned).collect()
    }

    async fn nothing(_: Permit, _: Call, _: Arc<()>) -> Result<Answer, Problem> {
        Err(Problem::not_found())
    }

    #[test]
    fn debug_output_of_a_call_has_nothing_of_its_caller() {
        let call = Call {
            parameters: vec![("user", "alice".to_owned())],
            target: CanonicalTarget::parse("/users/alice").unwrap(),
            headers: HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"))]),
            body: Bytes::from_static(b"{}"),
        };
        assert_eq!(format!("{call:?}"), "Call { body: 2, .. }");
    }

    #[test]
    fn templates_match_whole_paths_and_decode_once() {
        let resource = Resource::<()>::at("/companies/{company}/orders");
        assert_eq!(
            resource.matches(segments("/companies/1111/orders").iter().map(String::as_str)),
            Some(vec![("company", "1111".to_owned())])
        );
        assert_eq!(
            resource.matches(segments("/companies/a%20b/orders").iter().map(String::as_str)),
            Some(vec![("company", "a b".to_owned())])
        );
        for path in [
            "/",
            "/companies",
            "/companies/1111",
            "/companies/1111/orders/",
            "/companies/1111/orders/7",
            "/Companies/1111/orders",
        ] {
            assert_eq!(resource.matches(segments(path).iter().map(String::as_str)), None, "{path}");
        }
        assert_eq!(Resource::<()>::at("/users/{user}").matches(segments("/users/").iter().map(String::as_str)), None);
    }

    #[test]
    fn head_follows_get_and_allow_says_so() {
        let resource = Resource::at("/orders").on(Method::GET, nothing).on(Method::POST, nothing);
        assert!(resource.handler(&Method::HEAD).is_some());
        assert!(resource.handler(&Method::DELETE).is_none());
        assert_eq!(resource.allow(), "GET, POST, HEAD");
        assert!(Resource::at("/orders").on(Method::PUT, nothing).handler(&Method::HEAD).is_none());
    }
}
