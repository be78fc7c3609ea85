//! The layer: reads an event's context, and puts the caller into the request's extensions.

use std::{future::ready, sync::Arc, time::Duration};

use http::request::Parts;
use postern::{Answer, Caller, Reason};
use tower::Layer;

use super::source::{ContextSource, Established, api_of};
use crate::{
    assertion::BasePath,
    enforcer::{Enforcer, HeldPermissions, Hydrated},
    gate::{BoxFuture, Gate, Gated},
    http::incoming::Incoming,
};

/// Lets through whom an authorizer in front has established.
#[derive(Clone, Debug)]
pub struct ContextLayer {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
struct Settings {
    enforcer: Arc<Enforcer>,
    source: ContextSource,
    api: Option<String>,
    passes_without: bool,
    /// How old a record in the context may be; `None`: it is not used.
    record_age: Option<Duration>,
}

impl ContextLayer {
    /// A layer that believes this kind of authorizer alone, by the enforcer's policy.
    #[must_use]
    pub fn new(enforcer: Arc<Enforcer>, source: ContextSource) -> Self {
        let settings = Settings { enforcer, source, api: None, passes_without: false, record_age: None };
        Self { settings: Arc::new(settings) }
    }

    /// The same layer, believing events of this API alone, by its `apiId`.
    #[must_use]
    pub fn of_api(self, api_id: impl Into<String>) -> Self {
        Self { settings: Arc::new(Settings { api: Some(api_id.into()), ..Settings::clone(&self.settings) }) }
    }

    /// The same layer, letting requests pass that no authorizer was asked about: for an API that has routes without one, and
    /// an [`AuthorizeLayer`](crate::authorize::AuthorizeLayer) behind this, for which nobody calls then.
    #[must_use]
    pub fn passing_without_authorizer(self) -> Self {
        Self { settings: Arc::new(Settings { passes_without: true, ..Settings::clone(&self.settings) }) }
    }

    /// The same layer, taking over the companies that our authorizer's context carries. `time_to_live` is the one that is
    /// configured for the authorizer's results, and so the age that a record can have by then, since our authorizer asks anew
    /// for what it hands on: routes whose
    /// `permissions_max_age` is no longer than that have the permissions service asked.
    #[must_use]
    pub fn with_companies(self, time_to_live: Duration) -> Self {
        Self { settings: Arc::new(Settings { record_age: Some(time_to_live), ..Settings::clone(&self.settings) }) }
    }
}

impl<S> Layer<S> for ContextLayer {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        let gate: Arc<Settings> = Arc::clone(&self.settings);
        Gated::new(inner, gate)
    }
}

impl Gate for Settings {
    fn check(self: Arc<Self>, mut parts: Parts) -> BoxFuture<Result<Parts, Answer>> {
        // Whatever stands there from before was established by somebody else.
        parts.extensions.remove::<Caller>();
        parts.extensions.remove::<HeldPermissions>();
        let checked = match self.established(&parts) {
            Ok(Established::Nothing) if self.passes_without => Ok(parts),
            Ok(Established::Nothing) => Err(self.refuse(&parts, Reason::CredentialMissing)),
            Ok(Established::Caller(caller, record)) => {
                if let (Some(record), Some(age)) = (record, self.record_age) {
                    let known = Hydrated::Found(Arc::new(record));
                    parts.extensions.insert(HeldPermissions::new(&caller, known, age));
                }
                parts.extensions.insert(caller);
                Ok(parts)
            }
            Err(reason) => Err(self.refuse(&parts, reason)),
        };
        Box::pin(ready(checked))
    }
}

impl Settings {
    fn established(&self, parts: &Parts) -> Result<Established, Reason> {
        if self.api.as_deref().is_some_and(|api| api_of(parts) != Some(api)) {
            return Err(Reason::CredentialMissing);
        }
        self.source.read(parts, self.enforcer.authorizer(), self.enforcer.now())
    }

    fn refuse(&self, parts: &Parts, reason: Reason) -> Answer {
        tracing::warn!(code = reason.code(), "refused: no authorizer that is believed has established a caller");
        let mut answer = Answer::of(reason.public_code());
        // A page must be able to read why.
        if let Some(incoming) = Incoming::of(parts, &BasePath::none()) {
            let fields = incoming.fields();
            let (policy, request) = (self.enforcer.policy(), incoming.as_core(&fields));
            answer.headers.push(("vary", policy.vary_of(&request).to_owned()));
            answer.headers.extend(policy.response_headers(&request));
        }
        answer
    }
}
