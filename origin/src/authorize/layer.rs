//! What the layer decides by, and how it is put before a service.

use std::{fmt, sync::Arc};

use tower::Layer;

use super::AuthorizeService;
use crate::{assertion::BasePath, enforcer::Enforcer};

/// Puts [`AuthorizeService`] before a service.
#[derive(Clone)]
pub struct AuthorizeLayer {
    settings: Arc<Settings>,
}

/// Shared by every clone of the layer and its services.
#[derive(Clone)]
pub(super) struct Settings {
    /// `None`: nothing can be decided, and all is answered 503.
    pub(super) enforcer: Option<Arc<Enforcer>>,
    pub(super) whose: Whose,
    pub(super) base_path: BasePath,
}

/// Whose request it is decided to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// That of whose token it carries.
    Bearer,
    /// The caller's whom another layer has established.
    Caller,
}

impl AuthorizeLayer {
    /// A layer that decides on each request's own token.
    #[must_use]
    pub fn new(enforcer: Arc<Enforcer>) -> Self {
        Self::with(Some(enforcer), Whose::Bearer)
    }

    /// A layer that decides for the caller whom the layer before it has established; the request's own token is not
    /// looked at.
    #[must_use]
    pub fn of_caller(enforcer: Arc<Enforcer>) -> Self {
        Self::with(Some(enforcer), Whose::Caller)
    }

    /// A layer for a service that could not be configured: it answers 503 to everything.
    #[must_use]
    pub fn unconfigured() -> Self {
        Self::with(None, Whose::Bearer)
    }

    /// The same layer, taking `base_path` off the path before it decides.
    #[must_use]
    pub fn with_base_path(self, base_path: BasePath) -> Self {
        Self { settings: Arc::new(Settings { base_path, ..Settings::clone(&self.settings) }) }
    }

    fn with(enforcer: Option<Arc<Enforcer>>, whose: Whose) -> Self {
        Self { settings: Arc::new(Settings { enforcer, whose, base_path: BasePath::none() }) }
    }
}

impl<S> Layer<S> for AuthorizeLayer {
    type Service = AuthorizeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthorizeService { inner, settings: Arc::clone(&self.settings) }
    }
}

impl fmt::Debug for AuthorizeLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(formatter)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthorizeLayer")
            .field("enforcer", &self.enforcer)
            .field("whose", &self.whose)
            .field("base_path", &self.base_path)
            .finish()
    }
}
