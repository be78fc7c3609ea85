//! The tower layer that asks what its caller may do, before a service decides or shows it.
//!
//! It stands behind a layer that establishes a [`Caller`]: [`token`](crate::token), [`context`](crate::context). For a
//! caller whose records are the permissions service's, it puts [`HeldPermissions`] into the extensions; a caller whose
//! token says what it may do has them from there. 503 when nobody can tell. A request without a caller passes as it is.
//!
//! By default the service is asked anew for every request, which serves every route. With a longer age, what is held
//! serves only the routes that take a record of that age, and [`authorize`](crate::authorize) asks for the others.
//!
//! ```
//! # use std::sync::Arc;
//! use http::{Request, Response};
//! use postern_origin::{
//!     enforcer::{Enforcer, HeldPermissions},
//!     permissions::PermissionsLayer,
//!     token::TokenLayer,
//! };
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # let text = include_str!("../../../postern.toml");
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let policy = postern::policy::from_toml(text, None).unwrap();
//! let enforcer = Arc::new(Enforcer::new(policy, None).unwrap());
//! let hydrate = PermissionsLayer::new(Arc::clone(&enforcer));
//! let service = TokenLayer::new(enforcer).layer(hydrate.layer(service_fn(|request: Request<()>| async move {
//!     let held = request.extensions().get::<HeldPermissions>().is_some();
//!     Ok::<_, std::convert::Infallible>(Response::new(held.to_string()))
//! })));
//! assert_eq!(service.oneshot(Request::new(())).await.unwrap().status(), 401);
//! # });
//! ```

use std::{sync::Arc, time::Duration};

use http::request::Parts;
use postern::{Answer, Caller, Decision, PublicCode, policy::PermissionsSource};
use tower::Layer;

use crate::{
    assertion::BasePath,
    enforcer::{Enforcer, HeldPermissions, Hydrated, section_of},
    gate::{BoxFuture, Gate, Gated},
    http::incoming::Incoming,
};

/// Puts what is known of the caller's permissions into the extensions.
#[derive(Clone, Debug)]
pub struct PermissionsLayer {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
struct Settings {
    enforcer: Arc<Enforcer>,
    max_age: Duration,
}

impl PermissionsLayer {
    /// A layer that asks the permissions service of the enforcer's policy anew for each request.
    #[must_use]
    pub fn new(enforcer: Arc<Enforcer>) -> Self {
        Self { settings: Arc::new(Settings { enforcer, max_age: Duration::ZERO }) }
    }

    /// The same layer, taking records of up to this age, counted from when they were asked for.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { settings: Arc::new(Settings { max_age, ..Settings::clone(&self.settings) }) }
    }
}

impl<S> Layer<S> for PermissionsLayer {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        let gate: Arc<Settings> = Arc::clone(&self.settings);
        Gated::new(inner, gate)
    }
}

impl Gate for Settings {
    fn check(self: Arc<Self>, mut parts: Parts) -> BoxFuture<Result<Parts, Answer>> {
        Box::pin(async move {
            // Whatever stands there from before is of another asking.
            parts.extensions.remove::<HeldPermissions>();
            let Some(caller) = parts.extensions.get::<Caller>().cloned() else { return Ok(parts) };
            let Some(issuer) = section_of(self.enforcer.policy(), &caller) else {
                tracing::error!(code = "issuer_unknown", "the caller was established by another policy");
                return Err(self.cannot_tell(&parts));
            };
            if issuer.permissions() != PermissionsSource::Service {
                return Ok(parts);
            }
            let ages = (self.max_age, Duration::ZERO);
            let known = self.enforcer.permissions_of(issuer, caller.subject(), ages).await;
            // A record about someone else is no answer to this question.
            let is_another = matches!(&known, Hydrated::Found(record) if record.id() != caller.subject());
            if is_another || matches!(known, Hydrated::Unavailable) {
                tracing::warn!(code = "permissions_unavailable", "refused: nobody can tell what the caller may do");
                return Err(self.cannot_tell(&parts));
            }
            parts.extensions.insert(HeldPermissions::new(&caller, known, self.max_age));
            Ok(parts)
        })
    }
}

impl Settings {
    /// The 503 that a page can read.
    fn cannot_tell(&self, parts: &Parts) -> Answer {
        let mut answer = Answer::of(PublicCode::TemporarilyUnavailable);
        if let Some(incoming) = Incoming::of(parts, &BasePath::none()) {
            let fields = incoming.fields();
            if let Decision::Deny(denial) = self.enforcer.authorizer().unfit(&incoming.as_core(&fields)) {
                answer = denial.answer().clone();
            }
        }
        answer
    }
}
