//! `postern check --cloudfront`: whether a CloudFront distribution does what the policy relies on.
//!
//! Of what is read: the distribution ([`distribution`]), the cache and origin request policies that it names ([`policies`]),
//! and which behaviour the paths of each route go to ([`routing`]). What cannot be seen in these files is not judged: the
//! function's code, what a CloudFront function does, how origin access control signs.

mod distribution;
mod policies;
mod routing;
mod rules;

use std::path::{Path, PathBuf};

use annotate_snippets::{Level, Origin, Renderer};
use anyhow::Context as _;
use clap::Args;
use postern::Policy;
use serde_json::{Value, json};

use crate::output::{self, counted};

/// What is compared with the policy.
#[derive(Args)]
pub(crate) struct CloudFrontArgs {
    /// A CloudFront distribution to hold the policy against: what `aws cloudfront get-distribution-config` prints.
    #[arg(long, value_name = "FILE")]
    cloudfront: Option<PathBuf>,
    /// A custom cache or origin request policy of the distribution: what `aws cloudfront get-cache-policy` or
    /// `get-origin-request-policy` prints; once for each.
    #[arg(long, value_name = "FILE", requires = "cloudfront")]
    cloudfront_policy: Vec<PathBuf>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Something does not work, or is open.
    Error,
    /// It wants a second look.
    Warning,
}

/// One thing about one behaviour.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// Its stable name.
    code: &'static str,
    /// The path pattern; none where it is about the whole distribution.
    behaviour: Option<String>,
    message: String,
    mend: String,
}

/// A distribution and what was found in it.
#[derive(Debug)]
pub(crate) struct Compared {
    path: PathBuf,
    pub(crate) findings: Vec<Finding>,
}

/// Holds the distribution against the policy, where there is one to be held.
pub(crate) fn compare(args: &CloudFrontArgs, policy: &Policy) -> anyhow::Result<Option<Compared>> {
    let Some(path) = &args.cloudfront else { return Ok(None) };
    let distribution = distribution::Distribution::parse(&read(path)?)
        .with_context(|| format!("`{}` is no distribution's configuration", path.display()))?;
    let mut policies = policies::Policies::managed();
    for path in &args.cloudfront_policy {
        policies.add(&read(path)?).with_context(|| format!("`{}` is unusable", path.display()))?;
    }
    Ok(Some(Compared { path: path.clone(), findings: rules::findings(policy, &distribution, &policies)? }))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

impl Compared {
    /// How many there are of each: errors, warnings.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        (errors, self.findings.len().saturating_sub(errors))
    }

    /// One line on all of it.
    pub(crate) fn summary(&self) -> String {
        let counts = match self.counts() {
            (0, 0) => "serves the policy".to_owned(),
            (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
        };
        format!("{}: {counts}\n", output::shown(&self.path.display().to_string()))
    }

    /// Says them, as the faults of a policy are said.
    pub(crate) fn complain(&self) {
        let renderer = Renderer::styled();
        for finding in &self.findings {
            let level = match finding.severity {
                Severity::Error => Level::ERROR,
                Severity::Warning => Level::WARNING,
            };
            let behaviour = finding.behaviour.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
            let place = output::shown(&format!("{}{behaviour}", self.path.display()));
            let message = output::shown(&finding.message);
            let title = level.primary_title(&message).id(finding.code);
            let group = title.element(Origin::path(place)).element(Level::HELP.message(&finding.mend));
            output::complain(&format!("{}\n\n", renderer.render(&[group])));
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "severity": match finding.severity { Severity::Error => "error", Severity::Warning => "warning" },
                    "code": finding.code,
                    "behaviour": finding.behaviour,
                    "message": finding.message,
                    "mend": finding.mend,
                })
            })
            .collect();
        json!({ "file": self.path.display().to_string(), "findings": findings })
    }
}
