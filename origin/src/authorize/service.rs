//! The decision itself, before each request, and the fields that a page needs, after.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header, request::Parts};
use postern::{
    Answer, Caller, Decision, PublicCode, assertion::ASSERTION_LIFETIME, forward::Driver, target::CanonicalTarget,
};
use tower::Service;

use super::{
    body::Content,
    layer::{Settings, Whose},
};
use crate::{
    Permit,
    enforcer::{Enforcer, HeldPermissions},
    gate::{BoxFuture, response},
    http::{arrival::Arrival, incoming::Incoming},
};

/// Lets a request through to `inner` when the policy permits it.
#[derive(Clone, Debug)]
pub struct AuthorizeService<S> {
    pub(super) inner: S,
    pub(super) settings: Arc<Settings>,
}

impl<S, B, C> Service<Request<B>> for AuthorizeService<S>
where
    S: Service<Request<B>, Response = Response<C>> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body + From<Vec<u8>> + Send + 'static,
    B::Data: Send,
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
        let settings = Arc::clone(&self.settings);
        let (parts, body) = request.into_parts();
        Box::pin(async move {
            match settings.decide(parts, body).await {
                Ok((request, fields)) => {
                    let mut answer = ready.call(request).await?;
                    set_fields(answer.headers_mut(), &fields);
                    Ok(answer)
                }
                Err(answer) => Ok(response(&answer)),
            }
        })
    }
}

/// What is set on the service's answer, and by whose rules it is changed.
struct Fields {
    enforcer: Arc<Enforcer>,
    origin: String,
    vary: String,
    set: Vec<(&'static str, String)>,
}

impl Settings {
    /// The request as the service may have it, or the answer that stands in for the service's.
    async fn decide<B>(&self, mut parts: Parts, body: B) -> Result<(Request<B>, Fields), Answer>
    where
        B: http_body::Body + From<Vec<u8>> + Send,
        B::Data: Send,
    {
        let Some(enforcer) = &self.enforcer else {
            return Err(Answer::of(PublicCode::TemporarilyUnavailable));
        };
        let Some(incoming) = Incoming::of(&parts, &self.base_path) else {
            tracing::warn!(code = "base_path", "refused: the path does not begin with the base path");
            return Err(Answer::of(PublicCode::NotFound));
        };
        let mut content = Content::Unread(body);
        let decision = self.decision(enforcer, incoming, &parts, &mut content).await;
        let permit = match decision {
            Decision::Permit(permit) => permit,
            Decision::Deny(denial) => return Err(denial.answer().clone()),
            Decision::Preflight(answer) => return Err(answer),
        };
        let body = content.bound_by(&permit, ASSERTION_LIFETIME).await.map_err(|code| {
            tracing::warn!(code = "body_refused", "refused: the body is not the bound one");
            permit.refuse(code)
        })?;
        // The body may have taken its time.
        if permit.is_expired(enforcer.now()) {
            tracing::warn!(code = "expired", "refused: the token ended while the body came");
            return Err(permit.refuse(PublicCode::InvalidToken));
        }
        // Both are what the core took them for: a method token, a canonical target.
        let Ok(target) = CanonicalTarget::parse(permit.target()) else { return Err(permit.unavailable()) };
        outgoing(enforcer, &permit, &mut parts).ok_or_else(|| permit.unavailable())?;
        let fields = permit.response_headers().to_vec();
        let origin = permit.origin().name().to_owned();
        let vary = permit.vary().to_owned();
        parts.extensions.insert(target.clone());
        parts.extensions.insert(Permit::decided(permit, parts.method.clone(), target));
        Ok((Request::from_parts(parts, body), Fields { enforcer: Arc::clone(enforcer), origin, vary, set: fields }))
    }

    async fn decision<B>(
        &self,
        enforcer: &Enforcer,
        incoming: Incoming,
        parts: &Parts,
        content: &mut Content<B>,
    ) -> Decision
    where
        B: http_body::Body + From<Vec<u8>> + Send,
        B::Data: Send,
    {
        let read = async |limit, time_limit| content.read(limit, time_limit).await;
        let caller = parts.extensions.get::<Caller>().filter(|_| self.whose == Whose::Caller);
        let held = parts.extensions.get::<HeldPermissions>();
        let incoming = match (self.whose, caller) {
            // Nobody is established, whatever the request says of itself.
            (Whose::Caller, None) => incoming.without_credential(),
            _ => incoming,
        };
        let fields = incoming.fields();
        let request = incoming.as_core(&fields);
        match caller {
            Some(caller) => enforcer.decide_as(caller, &request, incoming.request_id(), held, read).await,
            None => enforcer.decide(&request, incoming.request_id(), read).await,
        }
    }
}

/// Makes of the request what the core says the service gets. `None` when a field cannot be set.
fn outgoing(enforcer: &Enforcer, permit: &postern::Permit, parts: &mut Parts) -> Option<()> {
    let connection: Vec<&str> =
        parts.headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok()).collect();
    let connection = connection.join(",");
    let rules = permit.forward(enforcer.policy(), Driver::Layer, &connection);
    let removed: Vec<HeaderName> = parts.headers.keys().filter(|name| rules.removes(name.as_str())).cloned().collect();
    let arrival = Arrival::of(parts);
    let set = rules.fields(&arrival.vouched());
    for name in removed {
        parts.headers.remove(name);
    }
    for (name, value) in set {
        parts.headers.insert(HeaderName::try_from(&*name).ok()?, HeaderValue::try_from(value.as_str()).ok()?);
    }
    Some(())
}

/// What the core says of the service's answer. And what was decided for one caller is not kept for another, unless the
/// service says otherwise.
fn set_fields(headers: &mut HeaderMap, fields: &Fields) {
    let rules = fields.enforcer.policy().answer_of(Some(&fields.origin), &fields.vary);
    let withheld: Vec<HeaderName> = headers.keys().filter(|name| rules.withholds(name.as_str())).cloned().collect();
    for name in withheld {
        headers.remove(name);
    }
    let answered = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let changed = rules.changed(answered);
    let changed: Vec<(String, String)> = changed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for (name, value) in changed {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { continue };
        // A value that is not text was not read, and still holds.
        if headers.get_all(&name).iter().all(|value| value.to_str().is_ok()) {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    for (name, value) in &fields.set {
        let Ok(value) = HeaderValue::try_from(value) else { continue };
        headers.insert(*name, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
}
