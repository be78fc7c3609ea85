//! The driver: what became of a case by the answer's document and context, or by the line that was written down.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, anyhow, ensure};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::{BodyDigest, Decision, Policy, Reason, UnixTime, policy::from_toml};
use postern_corpus::{
    Case, Corpus, Driver, Expect, World,
    case::{Deny, Permit, policy_text},
    make::{Token, callers},
};
use postern_origin::{
    assertion::BasePath,
    authorizer::{
        ResponseKind, Settings,
        answer::answer,
        context,
        event::Shape,
        verdict::{Failure, Verdict},
    },
    enforcer::Enforcer,
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::{
    event::{arn, cannot, event},
    gateway::invokes,
    outside::{Outside, assertion_keys},
};

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

/// What the API expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Iam,
    Simple,
}

/// The authorizer in one shape.
pub(crate) struct Authorizer {
    shape: Shape,
    reply: Reply,
    runtime: Runtime,
    stage: Option<Stage>,
    /// By their files.
    policies: BTreeMap<String, Policy>,
}

/// A world around it.
struct Stage {
    enforcer: Enforcer,
    outside: Outside,
    world: World,
    /// Whether the time before the silence has been gone through.
    is_prepared: bool,
}

impl Authorizer {
    pub(crate) fn new(shape: Shape, reply: Reply, corpus: &Corpus) -> Self {
        let of_world = |world: &World| (world.policy.clone(), policy(world).expect("a policy"));
        let policies = corpus.worlds.values().map(of_world).collect();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        Self { shape, reply, runtime, stage: None, policies }
    }
}

fn policy(world: &World) -> Result<Policy> {
    from_toml(&policy_text(&world.policy)?, None).map_err(|errors| anyhow!("{errors}"))
}

impl Driver for Authorizer {
    fn name(&self) -> String {
        format!("the authorizer, {:?}, {:?}", self.shape, self.reply)
    }

    fn cannot(&self, world: &World, case: &Case) -> Option<&'static str> {
        cannot(self.shape, self.reply == Reply::Simple, &self.policies[&world.policy], case)
    }

    fn expected(&self, case: &Case) -> Expect {
        match case.expect.clone() {
            // An authorizer hands on no fields, and no body.
            Expect::Permit(permit) => {
                Expect::Permit(Permit { handed_on: Default::default(), body_sha256: None, reaching: None, ..permit })
            }
            Expect::Deny(deny) => {
                let reason = Reason::ALL.into_iter().find(|reason| reason.code() == deny.reason);
                let verdict = reason.and_then(|reason| Verdict::of(reason.public_code())).expect("a verdict");
                Expect::Deny(Deny { status: verdict.status(), ..deny })
            }
            Expect::Preflight {} => Expect::Preflight {},
        }
    }

    fn enter(&mut self, world: &World) -> Result<()> {
        self.stage = None;
        NOW.store(world.now, Ordering::SeqCst);
        let policy = policy(world)?;
        let outside = Outside::start(&policy, world, now)?;
        let text = policy_text(&world.policy)?;
        let policy = from_toml(&text, Some(&outside.overlay(&policy))).map_err(|errors| anyhow!("{errors}"))?;
        let enforcer = Enforcer::with_clock(policy, Some(assertion_keys()?), now)?.with_log(write_down);
        self.stage = Some(Stage { enforcer, outside, world: world.clone(), is_prepared: false });
        Ok(())
    }

    fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>> {
        let stage = self.stage.as_mut().context("no world was entered")?;
        let response = if self.reply == Reply::Simple { ResponseKind::Simple } else { ResponseKind::Iam };
        self.runtime.block_on(async {
            stage.prepare(cases).await?;
            let mut seen = Vec::new();
            for case in cases {
                seen.push(stage.decide(self.shape, response, case).await.with_context(|| format!("`{}`", case.name))?);
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
                let seen = self.look(target, &old(token, seconds)).await;
                ensure!(matches!(seen, Decision::Permit(_)), "before the silence: {seen:?}");
            }
        }
        if let Some(seconds) = self.world.reach_of_permissions.age() {
            NOW.store(at - seconds, Ordering::SeqCst);
            let subjects: BTreeSet<String> = cases.iter().filter_map(|case| subject(case)).collect();
            for subject in subjects {
                self.look("/stale/1111/longer", &old(callers::person(&subject), seconds)).await;
            }
        }
        self.outside.fall_silent(&self.world);
        for seconds in self.world.reach_of_permissions.asked_in_vain() {
            NOW.store(at - seconds, Ordering::SeqCst);
            self.look("/stale/1111/longer", &old(callers::person("somebody"), *seconds)).await;
        }
        NOW.store(at, Ordering::SeqCst);
        Ok(())
    }

    async fn look(&self, target: &str, token: &str) -> Decision {
        let credential = format!("Bearer {token}");
        let headers = [("authorization", credential.as_str())];
        let request = postern::Request { method: "GET", target, headers: &headers };
        self.enforcer.decide(&request, None, async |_, _| BodyDigest::Unreadable).await
    }

    async fn decide(&self, shape: Shape, response: ResponseKind, case: &Case) -> Result<Expect> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let settings = Settings::default().with_response(response);
        let answered = answer(&self.enforcer, settings, &BasePath::none(), event(shape, &case.request)).await;
        let is_permitted = answered.as_ref().is_ok_and(|result| match response {
            ResponseKind::Simple => result["isAuthorized"] == true,
            ResponseKind::Iam => {
                invokes(&result["policyDocument"], &arn(shape, &case.request), NOW.load(Ordering::SeqCst))
            }
        });
        let lines = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match answered {
            Ok(result) if is_permitted => Ok(Expect::Permit(shown(&result["context"])?)),
            answered => {
                let verdict = match answered {
                    Ok(_) => Verdict::Forbidden,
                    Err(Failure::Unauthorized) => Verdict::Unauthorized,
                    Err(_) => Verdict::Error,
                };
                // A permit that an authorizer cannot pass on is written down as the permit that it is, if at all.
                let line: Value =
                    lines.last().map(|line| serde_json::from_str(line)).transpose()?.unwrap_or(Value::Null);
                Ok(Expect::Deny(Deny {
                    reason: line["reason"].as_str().unwrap_or_default().to_owned(),
                    status: verdict.status(),
                    route: line["route"].as_str().map(str::to_owned),
                }))
            }
        }
    }
}

/// What a service behind the authorizer is told, in the corpus's words.
fn shown(context: &Value) -> Result<Permit> {
    let of = |name: &str| context.get(name).and_then(Value::as_str).map(str::to_owned);
    let roles = of(context::ROLES).map(|text| serde_json::from_str(&text)).transpose()?;
    let scopes = of(context::SCOPES).unwrap_or_default();
    Ok(Permit {
        route: of(context::ROUTE).context("no route")?,
        issuer: of(context::ISSUER),
        subject: of(context::SUBJECT),
        company: of(context::COMPANY),
        roles: roles.unwrap_or_default(),
        scopes: scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        ..Permit::default()
    })
}

/// The `sub` of a case's token.
fn subject(case: &Case) -> Option<String> {
    let (_, value) = case.request.headers.iter().find(|(name, _)| name == "authorization")?;
    let payload = Base64UrlUnpadded::decode_vec(value.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims["sub"].as_str().map(str::to_owned)
}
