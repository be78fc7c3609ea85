//! The driver: which cases plain workerd can be sent, and what a URL parser in front of it changes.

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use postern::policy::from_toml;
use postern_corpus::{Case, Driver, Expect, Request, World, case::policy_text, model};
use serde_json::Value;
use url::Url;

use crate::{
    edge::Workerd,
    edges::{
        Stage,
        outside::{Outside, secrets},
        unsendable,
    },
};

/// The Worker in plain workerd.
pub(crate) struct Worker {
    description: Value,
    /// Whether targets are rewritten before the Worker sees them, as runtimes do that go by the URL standard.
    rewrites: bool,
    stage: Option<Stage<Workerd>>,
    /// The policy as the model reads it, and the world.
    model: Option<(model::policy::Policy, World)>,
}

impl Worker {
    pub(crate) const fn new(description: Value, rewrites: bool) -> Self {
        Self { description, rewrites, stage: None, model: None }
    }
}

impl Driver for Worker {
    fn name(&self) -> String {
        let how = if self.rewrites { "the Worker in workerd, behind a URL parser" } else { "the Worker in workerd" };
        how.to_owned()
    }

    fn cannot(&self, _: &World, case: &Case) -> Option<&'static str> {
        let request = &case.request;
        let unsendable = unsendable(request);
        if unsendable.is_some() {
            unsendable
        } else if request.target.contains(['"', '<', '>', '`']) {
            Some("the runtime itself refuses these characters, with 400")
        } else if self.rewrites && request.target.contains('^') {
            Some("URL parsers differ over it: the standard was changed")
        } else if self.rewrites && rewritten(&request.target).is_none() {
            Some("what the URL standard makes of it has another host")
        } else if repeats(request, "origin") || repeats(request, "access-control-request-method") {
            Some("the runtime joins repeated fields, and one joined field is one field")
        } else {
            None
        }
    }

    fn enter(&mut self, world: &World) -> Result<()> {
        self.stage = None;
        let policy = from_toml(&policy_text(&world.policy)?, None).map_err(|errors| anyhow!("{errors}"))?;
        let folder = self.description["workers"][&world.policy].as_str().map(PathBuf::from);
        let folder = folder.with_context(|| format!("no Worker for `{}`", world.policy))?;
        let outside = Outside::start(&policy, world)?;
        let secrets: Vec<_> = secrets(&policy).map(|(name, value)| (name, value.to_string())).collect();
        let edge = Workerd::start(&self.description, &folder, &secrets, outside.address(), self.rewrites)?;
        self.model = Some((model::policy::Policy::parse(&policy_text(&world.policy)?)?, world.clone()));
        self.stage = Some(Stage::new(edge, outside, world));
        Ok(())
    }

    fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>> {
        self.stage.as_mut().context("no world was entered")?.decide(cases)
    }

    /// What is rewritten is compared after that rewriting: with what the model makes of the other target.
    fn expected(&self, case: &Case) -> Expect {
        let target = rewritten(&case.request.target).unwrap_or_default();
        match &self.model {
            Some((policy, world)) if self.rewrites && target != case.request.target => {
                model::decide(policy, world, &Request { target, ..case.request.clone() }, case.facts)
            }
            _ => case.expect.clone(),
        }
    }
}

/// Whether a field stands more often than once.
fn repeats(request: &Request, name: &str) -> bool {
    request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).count() > 1
}

/// What a URL parser makes of a target behind a host (WHATWG URL); `None` where that is another host.
fn rewritten(target: &str) -> Option<String> {
    let url = Url::parse(&format!("http://127.0.0.1{target}")).ok()?;
    let is_same = url.host_str() == Some("127.0.0.1");
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    is_same.then(|| format!("{}{query}", url.path()))
}
