//! The tower layer that verifies the bearer token of each request, and puts who it belongs to into its extensions.

use std::sync::Arc;

use http::request::Parts;
use postern::{Answer, Caller, Reason};
use tower::Layer;

use crate::{
    assertion::BasePath,
    enforcer::{Enforcer, HeldPermissions},
    gate::{BoxFuture, Gate, Gated},
    http::incoming::Incoming,
};

/// Lets through what carries a good access token of one of the policy's issuer sections.
///
/// The [`Caller`] stands in the request's extensions then. That permits nothing yet:
/// [`authorize`](crate::authorize) decides. Everything else is answered as the core says: 401 with a challenge, 400 for two
/// credentials, 503 while nobody can tell.
#[derive(Clone, Debug)]
pub struct TokenLayer {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
struct Settings {
    enforcer: Arc<Enforcer>,
    passes_without: bool,
}

impl TokenLayer {
    /// A layer that verifies by the issuers of the enforcer's policy, with its keys.
    #[must_use]
    pub fn new(enforcer: Arc<Enforcer>) -> Self {
        Self { settings: Arc::new(Settings { enforcer, passes_without: false }) }
    }

    /// The same layer, letting requests pass that carry no credential at all: for what has public routes, or answers
    /// preflights, and an [`AuthorizeLayer`](crate::authorize::AuthorizeLayer) behind it.
    #[must_use]
    pub fn passing_without_credential(self) -> Self {
        Self { settings: Arc::new(Settings { passes_without: true, ..Settings::clone(&self.settings) }) }
    }
}

impl<S> Layer<S> for TokenLayer {
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
        Box::pin(async move {
            // Whose token it is does not depend on the target.
            let incoming = Incoming::of(&parts, &BasePath::none());
            let Some(incoming) = incoming else { return Err(Answer::of(postern::PublicCode::InvalidRequest)) };
            let fields = incoming.fields();
            match self.enforcer.identify(&incoming.as_core(&fields)).await {
                Ok(caller) => {
                    parts.extensions.insert(caller);
                    Ok(parts)
                }
                Err(denial) if self.passes_without && denial.reason() == Reason::CredentialMissing => Ok(parts),
                Err(denial) => {
                    tracing::warn!(code = denial.reason().code(), "refused: no good token");
                    Err(denial.answer().clone())
                }
            }
        })
    }
}
