//! `postern test`: runs the policy's own `[[test]]` tables.
//!
//! Each test makes a real token, signed by a key of this run, and goes through the real authoriser: nothing of what a
//! request goes through in production is passed over. Nothing is fetched.

mod coverage;
mod report;
mod rules;
mod run;

use clap::Args;
use postern::Policy;

use crate::{
    exit::Outcome,
    output::{self, Format},
    policy_args::PolicyArgs,
};
use coverage::Coverage;
pub(crate) use run::{Run, TestOutcome};

/// Which tests are run, and what they must cover.
#[derive(Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Run the tests whose names have this text alone; coverage is then not told.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Fail unless each route is permitted and denied by some test, each of its rules denies one, and each deny reason of the
    /// policy has one.
    #[arg(long, conflicts_with = "filter")]
    require_coverage: bool,
}

/// Runs the tests.
pub(crate) fn run(policy: &Policy, args: &TestArgs, format: Format) -> anyhow::Result<Outcome> {
    let mut run = Run::new(policy)?;
    let is_wanted = |name: &str| args.filter.as_deref().is_none_or(|text| name.contains(text));
    let wanted = policy.tests().iter().filter(|test| is_wanted(&test.name));
    let outcomes = wanted.map(|test| run.test(test)).collect::<anyhow::Result<Vec<TestOutcome<'_>>>>()?;
    let coverage = args.filter.is_none().then(|| Coverage::of(policy, &outcomes));
    match format {
        Format::Json => output::print_json(&report::to_json(&outcomes, coverage.as_ref()))?,
        Format::Text => output::print(&report::to_text(policy, &outcomes, coverage.as_ref()))?,
    }
    let all_passed = outcomes.iter().all(|outcome| outcome.difference.is_none());
    let is_covered = coverage.is_none_or(|coverage| coverage.is_whole());
    Ok(if all_passed && (is_covered || !args.require_coverage) { Outcome::Done } else { Outcome::No })
}
