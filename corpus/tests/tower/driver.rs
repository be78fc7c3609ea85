//! The driver: what an `http::Request` can carry, and what became of it by the permit that a service was given or by the
//! line that was written down.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, anyhow, ensure};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::{HeaderName, HeaderValue, Method, Response, Uri};
use lambda_http::Body;
use postern::{UnixTime, policy::from_toml};
use postern_corpus::{
    Case, Driver, Expect, Request, World,
    case::{Deny, Permit, policy_text},
    make::{Token, callers},
};
use postern_origin::{authorize::AuthorizeLayer, enforcer::Enforcer};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::outside::{Outside, assertion_keys};

/// The time, in seconds.
static NOW: AtomicU64 = AtomicU64::new(0);
/// What was written down.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn now() -> UnixTime {
    UnixTime::from_secs(NOW.load(Ordering::SeqCst))
}

fn write_down(line: &str) {
    LOG.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
}

/// The layer before a service.
pub(crate) struct Layer {
    runtime: Runtime,
    stage: Option<Stage>,
}

/// A world around it.
struct Stage {
    enforcer: Arc<Enforcer>,
    outside: Outside,
    world: World,
    /// Whether the time before the silence has been gone through.
    is_prepared: bool,
}

impl Layer {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        Self { runtime, stage: None }
    }
}

impl Driver for Layer {
    fn name(&self) -> String {
        "the tower layer".to_owned()
    }

    fn cannot(&self, _: &World, case: &Case) -> Option<&'static str> {
        let request = &case.request;
        let uri = Uri::try_from(&request.target);
        let whole = uri.as_ref().ok().and_then(Uri::path_and_query).map(|whole| whole.as_str());
        let headers = &request.headers;
        if Method::from_bytes(request.method.as_bytes()).is_err() {
            Some("no HTTP message has such a method")
        } else if whole != Some(request.target.as_str()) {
            Some("`http::Uri` does not hold such a target, or not in origin form")
        } else if headers.iter().any(|(name, value)| field(name, value).is_none()) {
            Some("no HTTP message has such a field")
        } else {
            None
        }
    }

    fn enter(&mut self, world: &World) -> Result<()> {
        self.stage = None;
        NOW.store(world.now, Ordering::SeqCst);
        let text = policy_text(&world.policy)?;
        let policy = from_toml(&text, None).map_err(|errors| anyhow!("{errors}"))?;
        let outside = Outside::start(&policy, world, now)?;
        let policy = from_toml(&text, Some(&outside.overlay(&policy))).map_err(|errors| anyhow!("{errors}"))?;
        let enforcer = Enforcer::with_clock(policy, Some(assertion_keys()?), now)?.with_log(write_down);
        self.stage = Some(Stage { enforcer: Arc::new(enforcer), outside, world: world.clone(), is_prepared: false });
        Ok(())
    }

    fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>> {
        let stage = self.stage.as_mut().context("no world was entered")?;
        self.runtime.block_on(async {
            stage.prepare(cases).await?;
            let mut seen = Vec::new();
            for case in cases {
                seen.push(stage.decide(&case.request).await.with_context(|| format!("`{}`", case.name))?);
            }
            Ok(seen)
        })
    }
}

impl Stage {
    /// Goes through the time before the silence: whatever is asked for then is what is known later.
    async fn prepare(&mut self, cases: &[&Case]) -> Result<()> {
        if std::mem::replace(&mut self.is_prepared, true) {
            return Ok(());
        }
        let at = self.world.now;
        let old = |token: Token, seconds: u64| token.claim("iat", at - seconds - 600).claim("exp", at + 600).compact();
        if let Some(seconds) = self.world.reach_of_keys.age() {
            NOW.store(at - seconds, Ordering::SeqCst);
            for (target, token) in [
                ("/companies/1111/orders", callers::partner("1111")),
                ("/companies/1111/users/manager/orders", callers::user("manager")),
            ] {
                let seen = self.decide(&get(target, &old(token, seconds))).await?;
                ensure!(matches!(seen, Expect::Permit(_)), "before the silence: {seen:?}");
            }
        }
        if let Some(seconds) = self.world.reach_of_permissions.age() {
            NOW.store(at - seconds, Ordering::SeqCst);
            let subjects: BTreeSet<String> = cases.iter().filter_map(|case| subject(case)).collect();
            for subject in subjects {
                self.decide(&get("/stale/1111/longer", &old(callers::person(&subject), seconds))).await?;
            }
        }
        self.outside.fall_silent(&self.world);
        for seconds in self.world.reach_of_permissions.asked_in_vain() {
            NOW.store(at - seconds, Ordering::SeqCst);
            self.decide(&get("/stale/1111/longer", &old(callers::person("somebody"), *seconds))).await?;
        }
        NOW.store(at, Ordering::SeqCst);
        Ok(())
    }

    async fn decide(&self, request: &Request) -> Result<Expect> {
        let policy = self.enforcer.policy().clone();
        let own = request.clone();
        let service = service_fn(move |request: http::Request<Body>| {
            let shown = shown(&policy, &own, &request);
            async move {
                let mut answer = Response::new(String::new());
                answer.extensions_mut().insert(shown);
                Ok::<_, Infallible>(answer)
            }
        });
        LOG.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let Ok(answer) =
            AuthorizeLayer::new(Arc::clone(&self.enforcer)).layer(service).oneshot(carried(request)?).await;
        let status = answer.status().as_u16();
        if let Some(shown) = answer.extensions().get::<Result<Permit, String>>() {
            return shown.clone().map(Expect::Permit).map_err(|why| anyhow!("{why}"));
        }
        if status == 204 {
            return Ok(Expect::Preflight {});
        }
        let lines = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let line: Value = serde_json::from_str(lines.last().context("nothing was written down")?)?;
        ensure!(lines.len() == 1 && line["status"] == status, "answered with {status}, written down {lines:?}");
        Ok(Expect::Deny(Deny {
            reason: line["reason"].as_str().unwrap_or_default().to_owned(),
            status,
            route: line["route"].as_str().map(str::to_owned),
        }))
    }
}

/// What the service was given, in the corpus's words.
fn shown(policy: &postern::Policy, sent: &Request, request: &http::Request<Body>) -> Result<Permit, String> {
    let permit =
        request.extensions().get::<postern_origin::Permit>().ok_or("the service was called without a permit")?;
    if permit.content_sha256().is_some_and(|bound| postern::digest::sha256(request.body()) != *bound) {
        return Err("the service was given another body than the bound one".to_owned());
    }
    let arrived = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
    let reaching = sent.reaching(arrived);
    let fields = request.headers().iter().filter(|(name, _)| policy.is_identity_field(name.as_str()));
    Ok(Permit {
        route: permit.route().unwrap_or_default().to_owned(),
        issuer: permit.issuer().map(str::to_owned),
        subject: permit.subject().map(str::to_owned),
        company: permit.company().map(str::to_owned),
        roles: permit.roles().to_vec(),
        scopes: permit.scopes().to_vec(),
        handed_on: fields
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body_sha256: permit.content_sha256().map(|digest| digest.iter().map(|octet| format!("{octet:02x}")).collect()),
        reaching: Some(reaching),
    })
}

fn carried(request: &Request) -> Result<http::Request<Body>> {
    let body = request.body.as_deref().map_or(Body::Empty, Body::from);
    let mut carried = http::Request::builder().method(request.method.as_str()).uri(&request.target).body(body)?;
    for (name, value) in &request.headers {
        let (name, value) = field(name, value).context("a field")?;
        carried.headers_mut().append(name, value);
    }
    Ok(carried)
}

fn field(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

fn get(target: &str, token: &str) -> Request {
    Request {
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
        body: None,
    }
}

/// The `sub` of a case's token.
fn subject(case: &Case) -> Option<String> {
    let (_, value) = case.request.headers.iter().find(|(name, _)| name == "authorization")?;
    let payload = Base64UrlUnpadded::decode_vec(value.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims["sub"].as_str().map(str::to_owned)
}
