//! The driver: which cases CloudFront can be sent, and shows to its function as they came.

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use postern::policy::from_toml;
use postern_corpus::{Case, Driver, Expect, World, case::policy_text};
use serde_json::Value;

use crate::{
    edge::Front,
    edges::{Stage, outside::Outside, unsendable},
};

/// Targets that a function may hand back are shorter ("Quotas on Lambda@Edge": Size quotas on URI and query string).
const MAX_TARGET_OCTETS: usize = 8_192;
/// Longest head ("Quotas": Maximum length of a request, including headers and query strings).
const MAX_HEAD_OCTETS: usize = 20_480;

/// The Lambda@Edge function behind the local CloudFront.
pub(crate) struct Function {
    description: Value,
    stage: Option<Stage<Front>>,
}

impl Function {
    pub(crate) const fn new(description: Value) -> Self {
        Self { description, stage: None }
    }
}

impl Driver for Function {
    fn name(&self) -> String {
        "the function at CloudFront".to_owned()
    }

    fn cannot(&self, _: &World, case: &Case) -> Option<&'static str> {
        let request = &case.request;
        let unsendable = unsendable(request);
        let head: usize = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        if unsendable.is_some() {
            unsendable
        } else if request.target.split_once('?').is_some_and(|(_, query)| query.is_empty()) {
            Some("CloudFront's events do not tell an empty query from none")
        } else if request.target.len() >= MAX_TARGET_OCTETS || request.target.len() + head > MAX_HEAD_OCTETS {
            Some("CloudFront itself refuses what is so long")
        } else if matches!(request.method.as_str(), "GET" | "HEAD") && request.body.is_some() {
            Some("CloudFront itself refuses GET and HEAD with a body")
        } else {
            None
        }
    }

    fn enter(&mut self, world: &World) -> Result<()> {
        self.stage = None;
        let policy = from_toml(&policy_text(&world.policy)?, None).map_err(|errors| anyhow!("{errors}"))?;
        let folder = self.description["functions"][&world.policy].as_str().map(PathBuf::from);
        let folder = folder.with_context(|| format!("no function for `{}`", world.policy))?;
        let outside = Outside::start(&policy, world)?;
        let edge = Front::start(&self.description, &folder, outside.address())?;
        self.stage = Some(Stage::new(edge, outside, world));
        Ok(())
    }

    fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>> {
        self.stage.as_mut().context("no world was entered")?.decide(cases)
    }
}
