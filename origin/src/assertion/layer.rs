//! The layer: what is checked with, shared by the services it makes.

use std::{fmt, sync::Arc};

use postern::{assertion::AssertionVerifier, time::UnixTime};
use tower::Layer;

use super::{AssertionService, BasePath};
use crate::clock::system_time;

/// Puts an [`AssertionService`] before a service.
#[derive(Clone)]
pub struct AssertionLayer {
    pub(super) settings: Arc<Settings>,
}

/// What every request is checked against.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) audience: String,
    /// `None`: no usable keys, so nothing can be told from anything and all is answered 503.
    pub(super) verifier: Option<Arc<AssertionVerifier>>,
    pub(super) base_path: BasePath,
    pub(super) clock: fn() -> UnixTime,
    /// Whether answers that say nothing of caching say that they are one caller's.
    pub(super) forbids_caching: bool,
}

impl AssertionLayer {
    /// A layer that lets through what carries an assertion `verifier` holds good.
    ///
    /// `audience` is named in refusals and logs; what it is compared with is in `verifier`.
    #[must_use]
    pub fn new(audience: impl Into<String>, verifier: AssertionVerifier) -> Self {
        Self::with(audience.into(), Some(verifier))
    }

    /// A layer for a service whose keys are missing: it answers 503 to everything.
    #[must_use]
    pub fn unconfigured(audience: impl Into<String>) -> Self {
        Self::with(audience.into(), None)
    }

    /// The same layer, taking `base_path` off the path before it is compared.
    #[must_use]
    pub fn with_base_path(self, base_path: BasePath) -> Self {
        Self { settings: Arc::new(Settings { base_path, ..Settings::clone(&self.settings) }) }
    }

    /// The same layer, leaving `Cache-Control` to the service.
    ///
    /// Without this, an answer that has none gets `private, no-store`: it was made for one caller, and a cache on the way,
    /// CloudFront's among them, would give it to the next. What the layer refuses by itself has it in any case. For a
    /// service whose answers are the same for everyone, before caches that must not be told so.
    #[must_use]
    pub fn without_cache_control(self) -> Self {
        Self { settings: Arc::new(Settings { forbids_caching: false, ..Settings::clone(&self.settings) }) }
    }

    /// The same layer, reading the time from `clock`, for tests.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> UnixTime) -> Self {
        Self { settings: Arc::new(Settings { clock, ..Settings::clone(&self.settings) }) }
    }

    fn with(audience: String, verifier: Option<AssertionVerifier>) -> Self {
        let settings = Settings {
            audience,
            verifier: verifier.map(Arc::new),
            base_path: BasePath::none(),
            clock: system_time,
            forbids_caching: true,
        };
        Self { settings: Arc::new(settings) }
    }
}

impl<S> Layer<S> for AssertionLayer {
    type Service = AssertionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AssertionService { inner, settings: Arc::clone(&self.settings) }
    }
}

impl fmt::Debug for AssertionLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(formatter)
    }
}

// By hand, so that no key is printed whatever the verifier's own `Debug` shows.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AssertionLayer")
            .field("audience", &self.audience)
            .field("configured", &self.verifier.is_some())
            .field("base_path", &self.base_path)
            .field("forbids_caching", &self.forbids_caching)
            .finish_non_exhaustive()
    }
}
