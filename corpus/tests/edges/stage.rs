//! An edge in a world: requests are sent to it, and what became of them is read from its log and from what origins were
//! told.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem, thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use postern_corpus::{
    Case, Expect, Request, World,
    case::Deny,
    make::{Token, callers},
    model,
};
use serde_json::Value;

use super::{Edge, outside::Outside};

/// Time for the last lines to reach the log.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running edge and what stands around it.
pub(crate) struct Stage<E> {
    // Ended before what it asks.
    edge: E,
    outside: Outside,
    world: World,
    /// Whether the time before the silence has been gone through.
    is_prepared: bool,
    /// Requests so far: what each is called.
    count: usize,
}

impl<E: Edge> Stage<E> {
    pub(crate) fn new(edge: E, outside: Outside, world: &World) -> Self {
        edge.set_clock(world.now);
        Self { edge, outside, world: world.clone(), is_prepared: false, count: 0 }
    }

    /// Sends the cases one after the other, and says what became of each.
    pub(crate) fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>> {
        self.prepare(cases);
        let mut sent = Vec::new();
        for case in cases {
            self.count += 1;
            let name = format!("case-{}", self.count);
            let status = self.send(case, &name)?;
            sent.push((name, status, &case.request));
        }
        self.seen(&sent)
    }

    /// Goes through the time before the silence: whatever is asked for then is what is known later.
    fn prepare(&mut self, cases: &[&Case]) {
        if mem::replace(&mut self.is_prepared, true) {
            return;
        }
        let then = |seconds: u64| self.world.now - seconds;
        let long_ago =
            |token: Token, seconds: u64| token.claim("iat", then(seconds) - 600).claim("exp", self.world.now + 600);
        if let Some(seconds) = self.world.reach_of_keys.age() {
            self.edge.set_clock(then(seconds));
            for (target, token) in [
                ("/companies/1111/orders", callers::partner("1111")),
                ("/companies/1111/users/manager/orders", callers::user("manager")),
            ] {
                self.edge.call("before", "GET", target).bearer(&long_ago(token, seconds).compact()).send().expect(200);
            }
        }
        if let Some(seconds) = self.world.reach_of_permissions.age() {
            self.edge.set_clock(then(seconds));
            let subjects: BTreeSet<String> = cases.iter().filter_map(|case| subject(case)).collect();
            for subject in subjects {
                let token = long_ago(callers::person(&subject), seconds).compact();
                self.edge.call("before", "GET", "/stale/1111/longer").bearer(&token).send();
            }
        }
        self.outside.fall_silent(&self.world);
        for seconds in self.world.reach_of_permissions.asked_in_vain() {
            self.edge.set_clock(then(*seconds));
            let token = long_ago(callers::person("somebody"), *seconds).compact();
            self.edge.call("before", "GET", "/stale/1111/longer").bearer(&token).send().expect(503);
        }
        self.edge.set_clock(self.world.now);
    }

    fn send(&self, case: &Case, name: &str) -> Result<u16> {
        let request = &case.request;
        let mut call = self.edge.call(name, &request.method, &request.target);
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
    fn seen(&self, sent: &[(String, u16, &Request)]) -> Result<Vec<Expect>> {
        let mut permits = BTreeMap::new();
        for (name, _, request) in sent {
            if let Some(told) = self.outside.permit(name, request) {
                permits.insert(name.clone(), told);
            }
        }
        let unlogged = |lines: &BTreeMap<String, Value>| {
            sent.iter()
                .any(|(name, status, _)| *status >= 400 && !lines.contains_key(name) && !permits.contains_key(name))
        };
        let start = Instant::now();
        let mut lines = decisions(&self.edge.log());
        while unlogged(&lines) && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(100));
            lines = decisions(&self.edge.log());
        }
        sent.iter()
            .map(|(name, status, _)| match (permits.remove(name), lines.get(name)) {
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
