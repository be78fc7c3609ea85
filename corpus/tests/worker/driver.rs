//! The driver: a case becomes octets on a socket, and what the edge made of it a decision again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use postern::{Policy, policy::from_toml};
use postern_corpus::{
    Case, Driver, Expect, World,
    case::{Deny, Reach, Request, repository_file},
    make::{Token, callers},
    model,
};
use serde_json::Value;
use url::Url;

use crate::{edge::Edge, outside};

/// Methods that the runtime has, and hands on as they are.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Time for the last lines to reach the log.
const PATIENCE: Duration = Duration::from_secs(10);

/// The Worker in plain workerd.
pub(crate) struct Worker {
    description: Value,
    /// Whether targets are rewritten before the Worker sees them, as runtimes do that go by the URL standard.
    rewrites: bool,
    stage: Option<Stage>,
    /// Requests so far: what each is called.
    count: usize,
}

struct Stage {
    edge: Edge,
    outside: outside::Outside,
    model: model::policy::Policy,
    world: World,
    /// Whether the time before the silence has been gone through.
    is_prepared: bool,
}

impl Worker {
    pub(crate) const fn new(description: Value, rewrites: bool) -> Self {
        Self { description, rewrites, stage: None, count: 0 }
    }
}

impl Driver for Worker {
    fn name(&self) -> String {
        let how = if self.rewrites { "the Worker in workerd, behind a URL parser" } else { "the Worker in workerd" };
        how.to_owned()
    }

    fn cannot(&self, _: &World, case: &Case) -> Option<&'static str> {
        let request = &case.request;
        let repeated =
            |name: &str| request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).count() > 1;
        if !METHODS.contains(&request.method.as_str()) {
            Some("the runtime has no such method")
        } else if !request.target.bytes().all(|octet| octet.is_ascii_graphic()) || request.target.contains('#') {
            Some("no request line holds these characters")
        } else if !request.target.starts_with('/') {
            Some("the runtime takes the origin form alone")
        } else if request.target.contains(['"', '<', '>', '`']) {
            Some("the runtime itself refuses these characters, with 400")
        } else if self.rewrites && request.target.contains('^') {
            Some("URL parsers differ over it: the standard was changed")
        } else if self.rewrites && rewritten(&request.target).is_none() {
            Some("what the URL standard makes of it has another host")
        } else if repeated("origin") || repeated("access-control-request-method") {
            Some("the runtime joins repeated fields, and one joined field is one field")
        } else {
            None
        }
    }

    fn enter(&mut self, world: &World) -> Result<()> {
        self.stage = None;
        let policy = from_toml(&repository_file(&world.policy)?, None).map_err(|errors| anyhow!("{errors}"))?;
        let folder = self.description["workers"][&world.policy].as_str().map(PathBuf::from);
        let folder = folder.with_context(|| format!("no Worker for `{}`", world.policy))?;
        let outside = outside::Outside::start(&policy, world)?;
        let edge = Edge::start(&self.description, &folder, &secrets(&policy), outside.address(), self.rewrites)?;
        let model = model::policy::Policy::parse(&repository_file(&world.policy)?)?;
        edge.set_clock(world.now);
        self.stage = Some(Stage { edge, outside, model, world: world.clone(), is_prepared: false });
        Ok(())
    }

    fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>> {
        let stage = self.stage.as_mut().context("no world was entered")?;
        stage.prepare(cases);
        let mut sent = Vec::new();
        for case in cases {
            self.count += 1;
            let name = format!("case-{}", self.count);
            let status = stage.send(case, &name)?;
            sent.push((name, status));
        }
        stage.seen(&sent)
    }

    /// What is rewritten is compared after that rewriting: with what the model makes of the other target.
    fn expected(&self, case: &Case) -> Expect {
        let target = rewritten(&case.request.target).unwrap_or_default();
        match &self.stage {
            Some(stage) if self.rewrites && target != case.request.target => {
                let request = Request { target, ..case.request.clone() };
                model::decide(&stage.model, &stage.world, &request, case.facts)
            }
            _ => case.expect.clone(),
        }
    }
}

/// What a URL parser makes of a target behind a host (WHATWG URL); `None` where that is another host.
fn rewritten(target: &str) -> Option<String> {
    let url = Url::parse(&format!("http://127.0.0.1{target}")).ok()?;
    let is_same = url.host_str() == Some("127.0.0.1");
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    is_same.then(|| format!("{}{query}", url.path()))
}

fn secrets(policy: &Policy) -> Vec<(String, String)> {
    policy
        .origins()
        .iter()
        .map(|origin| (origin.key().to_owned(), outside::secret(origin.name()).to_string()))
        .collect()
}

impl Stage {
    /// Goes through the time before the silence: whatever is asked for then is what is known later.
    fn prepare(&mut self, cases: &[&Case]) {
        if std::mem::replace(&mut self.is_prepared, true) {
            return;
        }
        let age = |reach| match reach {
            Reach::SilentFor(seconds) => Some(seconds),
            Reach::Answers | Reach::Silent => None,
        };
        let then = |seconds: u64| self.world.now - seconds;
        let long_ago =
            |token: Token, seconds: u64| token.claim("iat", then(seconds) - 600).claim("exp", self.world.now + 600);
        if let Some(seconds) = age(self.world.reach_of_keys) {
            self.edge.set_clock(then(seconds));
            for (target, token) in [
                ("/companies/1111/orders", callers::partner("1111")),
                ("/companies/1111/users/manager/orders", callers::user("manager")),
            ] {
                self.edge.call("GET", target).bearer(&long_ago(token, seconds).compact()).send().expect(200);
            }
        }
        if let Some(seconds) = age(self.world.reach_of_permissions) {
            self.edge.set_clock(then(seconds));
            let subjects: BTreeSet<String> = cases.iter().filter_map(|case| subject(case)).collect();
            for subject in subjects {
                let token = long_ago(callers::person(&subject), seconds).compact();
                self.edge.call("GET", "/stale/1111/longer").bearer(&token).send();
            }
        }
        self.outside.fall_silent(&self.world);
        self.edge.set_clock(self.world.now);
    }

    fn send(&self, case: &Case, name: &str) -> Result<u16> {
        let request = &case.request;
        let mut call = self.edge.call(&request.method, &request.target).header("cf-ray", name);
        for (field, value) in &request.headers {
            call = call.header(field, value);
        }
        if let Some(body) = &request.body {
            call = call.body(body.as_str());
        }
        let answer = call.try_send().with_context(|| format!("no answer to `{}`", case.name))?;
        Ok(answer.status())
    }

    /// What became of requests, by the log and by what origins were told.
    fn seen(&self, sent: &[(String, u16)]) -> Result<Vec<Expect>> {
        let mut permits = BTreeMap::new();
        for (name, _) in sent {
            if let Some(told) = self.outside.permit(name) {
                permits.insert(name.clone(), told);
            }
        }
        let unlogged = |lines: &BTreeMap<String, Value>| {
            sent.iter().any(|(name, status)| *status >= 400 && !lines.contains_key(name) && !permits.contains_key(name))
        };
        let start = Instant::now();
        let mut lines = decisions(&self.edge.log());
        while unlogged(&lines) && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(100));
            lines = decisions(&self.edge.log());
        }
        sent.iter()
            .map(|(name, status)| match (permits.remove(name), lines.get(name)) {
                (Some(Ok(permit)), _) if *status == 200 => Ok(Expect::Permit(permit)),
                (Some(told), line) => bail!("`{name}`: {told:?}, answered with {status}, {line:?}"),
                (None, _) if *status == 204 => Ok(Expect::Preflight {}),
                (None, Some(line)) if line["decision"] == "deny" && line["status"] == *status => {
                    Ok(Expect::Deny(Deny {
                        reason: line["reason"].as_str().unwrap_or_default().to_owned(),
                        status: *status,
                        route: line["route"].as_str().map(str::to_owned),
                    }))
                }
                // Not a decision of the edge's: the runtime's own answer, say.
                (None, line) => {
                    Ok(Expect::Deny(Deny { reason: format!("unlogged: {line:?}"), status: *status, route: None }))
                }
            })
            .collect()
    }
}

/// The decisions of a log, by the request's name.
fn decisions(log: &str) -> BTreeMap<String, Value> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line.get(line.find('{')?..)?).ok());
    let decisions = lines.filter(|line| line["event"] == "decision");
    decisions.filter_map(|line| Some((line["request"].as_str()?.to_owned(), line))).collect()
}

/// The `sub` of a case's token.
fn subject(case: &Case) -> Option<String> {
    let (_, value) = case.request.headers.iter().find(|(name, _)| name == "authorization")?;
    let payload = model::token::base64url(value.split('.').nth(1)?)?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims["sub"].as_str().map(str::to_owned)
}
