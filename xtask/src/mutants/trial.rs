//! One mutant through the stages that cover its file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::areas::{Stage, stages};
use super::list::Mutant;
use super::tree::Tree;
use crate::process::{run_within, tail};

/// Longest that a build may take.
const BUILD_LIMIT: Duration = Duration::from_secs(1200);
/// Longest that the unchanged tests of a stage may take.
const TEST_LIMIT: Duration = Duration::from_secs(1800);
/// A mutant may take this many times what the unchanged code takes. A loop that does not end takes longer.
const PATIENCE: u32 = 5;
/// The least that a mutant may take, for stages that are done in a moment.
const LEAST_LIMIT: Duration = Duration::from_secs(60);
/// Address space of a test, in KiB: a mutant may allocate without end. The tests take less than a tenth of it.
const ADDRESS_SPACE: u64 = 8 << 20;

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A stage failed, or did not end in time.
    Killed(String),
    /// No stage failed.
    Survived,
    /// The change is not valid Rust.
    DoesNotBuild,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&match self {
            Self::Killed(by) => format!("killed by {by}"),
            Self::Survived => "SURVIVED".to_owned(),
            Self::DoesNotBuild => "does not build".to_owned(),
        })
    }
}

/// How long each stage takes with unchanged code. A stage is timed when it is first needed.
#[derive(Debug)]
pub(super) struct Baselines<'t> {
    tree: &'t Tree,
    logs: PathBuf,
    limits: BTreeMap<Stage, Duration>,
}

impl<'t> Baselines<'t> {
    pub(super) fn new(tree: &'t Tree, folder: &Path) -> Self {
        Self { tree, logs: folder.join("logs"), limits: BTreeMap::new() }
    }

    /// How long `stage` may take. The unchanged code must pass it.
    fn limit(&mut self, stage: Stage) -> Result<Duration> {
        if let Some(limit) = self.limits.get(&stage) {
            return Ok(*limit);
        }
        let log = self.logs.join(format!("{}.log", stage.name));
        if !stage.build.is_empty() && !succeeds(run_within(&mut cargo(self.tree, stage.build), &log, BUILD_LIMIT)?) {
            bail!("`{}` does not build without a change:\n{}", stage.name, tail(&log));
        }
        let start = Instant::now();
        if !succeeds(run_within(&mut tests(self.tree, stage), &log, TEST_LIMIT)?) {
            bail!("`{}` fails without a change:\n{}", stage.name, tail(&log));
        }
        let limit = start.elapsed().saturating_mul(PATIENCE).max(LEAST_LIMIT);
        say!("  {:>5.0} s  unchanged: {}", start.elapsed().as_secs_f64(), stage.name);
        self.limits.insert(stage, limit);
        Ok(limit)
    }
}

/// Tests one mutant.
pub(super) fn test(tree: &Tree, baselines: &mut Baselines<'_>, mutant: &Mutant) -> Result<Outcome> {
    let stages = stages(&mutant.file)
        .with_context(|| format!("no test covers `{}`; add its area to xtask/src/mutants/areas.rs", mutant.file))?;
    let log = baselines.logs.join("mutant.log");
    let mut applied = None;
    for stage in stages {
        if !baselines.limits.contains_key(stage) {
            applied = None;
        }
        let limit = baselines.limit(*stage)?;
        if applied.is_none() {
            applied = Some(mutant.apply(tree)?);
        }
        if !stage.build.is_empty() && !succeeds(run_within(&mut cargo(tree, stage.build), &log, BUILD_LIMIT)?) {
            return Ok(Outcome::DoesNotBuild);
        }
        match run_within(&mut tests(tree, *stage), &log, limit)? {
            Some(status) if status.success() => {}
            Some(_) => return Ok(Outcome::Killed(stage.name.to_owned())),
            None => return Ok(Outcome::Killed(format!("{}, out of time", stage.name))),
        }
    }
    Ok(Outcome::Survived)
}

fn succeeds(status: Option<std::process::ExitStatus>) -> bool {
    status.is_some_and(|status| status.success())
}

fn cargo(tree: &Tree, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments);
    tree.enter(&mut command);
    command
}

fn tests(tree: &Tree, stage: Stage) -> Command {
    if stage.has_engines {
        return cargo(tree, stage.test);
    }
    let mut command = Command::new("sh");
    // Not every system limits address space; without the limit, the time limit remains.
    command.args(["-c", &format!("ulimit -v {ADDRESS_SPACE} 2>/dev/null; exec cargo \"$@\""), "cargo"]);
    command.args(stage.test);
    tree.enter(&mut command);
    command
}
