//! What an isolate keeps from request to request: the authoriser with its policy, and the origins' secrets.
//!
//! The one is part of the module, with its policy read. The other is read by the first request. Neither is ever changed: a
//! new policy or secret is a new deployment, and that is a new isolate. A fault is kept too; it would only recur.

use std::{future::Future, sync::OnceLock, time::Duration};

use js_sys::Reflect;
use postern::{
    Authorizer, Progress,
    assertion::AssertionKeys,
    authorizer::NeedsSignature,
    cache::{KeySeeds, KeySnapshot},
    policy::Issuer,
};
use wasm_bindgen::{JsCast, JsValue};
use worker::{Env, worker_sys::Context};

use super::{fetch, runtime, second_layer, signature};
use crate::{
    policy::{self, Prepared},
    secrets::Secrets,
    web::{
        Platform, Unfit,
        outgoing::{FetchError, Fetched, Question},
    },
};

/// The version metadata binding of `wrangler.toml`, by its usual name.
const VERSION_METADATA: &str = "CF_VERSION_METADATA";

static ISOLATE: OnceLock<Option<Isolate>> = OnceLock::new();

/// The isolate's lasting state.
#[derive(Debug)]
pub(super) struct Isolate {
    pub(super) authorizer: &'static Authorizer,
    /// By a policy that is only tried.
    shadow: Option<&'static Authorizer>,
    secrets: Result<Secrets, Unfit>,
    /// The id of the Worker's version; `None` without the binding, as in plain workerd.
    version: Option<String>,
    /// Whether Cloudflare runs it, which then says where a request came from.
    pub(super) is_at_cloudflare: bool,
}

impl Isolate {
    /// The isolate's state, made when first asked for; `None` where the module was built without its policy read.
    pub(super) fn of(env: &Env) -> Option<&'static Self> {
        ISOLATE.get_or_init(|| policy::prepared().map(|prepared| Self::new(prepared, env))).as_ref()
    }

    /// The isolate's state, where some request has made it.
    pub(super) fn running() -> Option<&'static Self> {
        ISOLATE.get()?.as_ref()
    }

    fn new(prepared: &'static Prepared, env: &Env) -> Self {
        let policy = prepared.authorizer.policy();
        let binding = |name: &str| Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string();
        let secrets = if policy::is_misplaced(policy, binding) {
            Err(Unfit::Development)
        } else {
            let read = Secrets::read(policy, binding);
            #[cfg(feature = "sigv4")]
            let read = read.and_then(|secrets| secrets.with_credentials(policy, binding));
            read.map_err(Unfit::Secrets)
        };
        Self {
            authorizer: &prepared.authorizer,
            shadow: prepared.shadow.as_ref(),
            secrets,
            version: version(env),
            is_at_cloudflare: policy::is_at_cloudflare(binding),
        }
    }

    /// The AWS credentials for the origin of that name.
    #[cfg(feature = "sigv4")]
    pub(super) fn credentials_of(&self, origin: &str) -> Option<&crate::sigv4::Credentials> {
        self.secrets.as_ref().ok()?.credentials(origin)
    }

    /// The keys shared with the origin of that name.
    pub(super) fn keys_of(&self, origin: &str) -> Option<&AssertionKeys> {
        self.secrets.as_ref().ok()?.of(origin)
    }
}

/// The id that the version metadata binding has.
fn version(env: &Env) -> Option<String> {
    let metadata = Reflect::get(env, &JsValue::from_str(VERSION_METADATA)).ok().filter(JsValue::is_object)?;
    let id = Reflect::get(&metadata, &JsValue::from_str("id")).ok()?.as_string()?;
    (!id.is_empty()).then_some(id)
}

/// One request's hold on its isolate.
#[derive(Clone)]
pub(super) struct Worker {
    isolate: &'static Isolate,
    /// A JavaScript object; clones are the same.
    context: JsValue,
}

impl Worker {
    pub(super) fn new(isolate: &'static Isolate, context: &Context) -> Self {
        Self { isolate, context: context.into() }
    }

    fn context(&self) -> &Context {
        self.context.unchecked_ref()
    }
}

impl Platform for Worker {
    const HAS_SECOND_LAYER: bool = true;
    const RETRIES: bool = false;

    async fn ask(method: &str, body: Option<&str>, question: &Question<'_>) -> Result<Fetched, FetchError> {
        fetch::ask(method, body, question).await
    }

    fn authorizer(&self) -> &'static Authorizer {
        self.isolate.authorizer
    }

    fn shadow(&self) -> Option<&'static Authorizer> {
        self.isolate.shadow
    }

    fn secrets(&self) -> Result<&Secrets, &Unfit> {
        self.isolate.secrets.as_ref()
    }

    fn deployed_version(&self) -> Option<&str> {
        self.isolate.version.as_deref()
    }

    fn seeds() -> KeySeeds {
        policy::prepared().map(|prepared| prepared.seeds.clone()).unwrap_or_default()
    }

    fn check(need: NeedsSignature<'static>) -> impl Future<Output = Progress<'static>> {
        signature::check(need)
    }

    fn lead<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> impl Future<Output = Option<T>> {
        runtime::detach(self.context(), work)
    }

    fn aside(&self, work: impl Future<Output = ()> + 'static) {
        drop(runtime::detach(self.context(), work));
    }

    async fn pause(&self, duration: Duration) -> bool {
        runtime::pause(duration).await;
        true
    }

    fn time_for(&self, wanted: Duration) -> Duration {
        wanted
    }

    fn recall(issuer: &Issuer) -> impl Future<Output = Option<KeySnapshot>> {
        second_layer::recall(issuer)
    }

    fn keep(issuer: &Issuer, snapshot: &KeySnapshot) -> impl Future<Output = ()> {
        second_layer::keep(issuer, snapshot)
    }
}
