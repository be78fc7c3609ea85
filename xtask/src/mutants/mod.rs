//! `cargo xtask mutants`: changes the code in one place at a time and expects a test to fail.
//!
//! `cargo mutants` lists the possible changes. A seed draws some of them, and files that moved lately weigh more. Each
//! mutant is built and tested in a copy of the repository, by the commands that cover its file ([`areas`]). The mutants
//! that no test notices on purpose are in `xtask/mutants.toml` with the reason ([`accepted`]). Every run tests those
//! too, so that an entry disappears once a test notices its mutant.
//!
//! Test code and the project's own tools are not mutated.

mod accepted;
mod areas;
mod draw;
mod list;
mod tree;
mod trial;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::paths::Paths;
use accepted::Accepted;
use list::Mutant;
use tree::Tree;
use trial::{Baselines, Outcome};

const SEED: u64 = 1;
const COUNT: usize = 40;
/// How much more often a mutant in a file that moved is drawn.
const MOVED_WEIGHT: f64 = 8.0;

/// What to draw.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Sample {
    /// The same seed draws the same mutants of the same code
    #[arg(long, value_name = "N", default_value_t = SEED)]
    seed: u64,
    /// How many mutants to draw, besides the accepted ones
    #[arg(long, value_name = "N", default_value_t = COUNT)]
    count: usize,
    /// Files that changed since this commit weigh more; the last release if left out
    #[arg(long, value_name = "COMMIT")]
    since: Option<String>,
    /// Draw only from files whose path begins with this
    #[arg(long, value_name = "PATH")]
    file: Option<String>,
    /// Print the drawn mutants and end
    #[arg(long)]
    list: bool,
}

impl Default for Sample {
    fn default() -> Self {
        Self { seed: SEED, count: COUNT, since: None, file: None, list: false }
    }
}

/// A drawn mutant with its outcome.
#[derive(Debug)]
struct Tested<'m> {
    mutant: &'m Mutant,
    accepted: Option<&'m Accepted>,
    outcome: Outcome,
}

/// Draws mutants, tests each and prints a table. Fails if a mutant survives that is not accepted, or if an accepted
/// mutant does not survive.
pub(crate) fn mutants(paths: &Paths, sample: &Sample) -> Result<()> {
    let tree = Tree::update(paths)?;
    let all = list::all(paths, &tree)?;
    let accepted = accepted::read(&paths.root)?;
    accepted::check(&accepted, &all)?;
    let wanted = |mutant: &&Mutant| sample.file.as_ref().is_none_or(|begin| mutant.file.starts_with(begin.as_str()));
    let candidates: Vec<&Mutant> = all.iter().filter(wanted).collect();
    let moved = tree::moved(paths, sample.since.as_deref())?;
    let weight = |mutant: &Mutant| if moved.contains(&mutant.file) { MOVED_WEIGHT } else { 1.0 };
    let order = draw::order(&candidates, sample.seed, |mutant| weight(mutant));
    say!("  seed {}: {} mutants to draw from, {} files moved", sample.seed, candidates.len(), moved.len());
    let known = |mutant: &Mutant| accepted.iter().find(|known| known.is(mutant));
    if sample.list {
        for mutant in order.iter().take(sample.count) {
            say!("{}", mutant.name);
        }
        return Ok(());
    }
    let folder = paths.profile("mutants")?;
    let mut baselines = Baselines::new(&tree, &folder);
    let mut tested: Vec<Tested<'_>> = Vec::new();
    let mut batch: Vec<&Mutant> = candidates.iter().copied().filter(|mutant| known(mutant).is_some()).collect();
    let mut rest = order.into_iter().filter(|mutant| known(mutant).is_none());
    let mut missing = sample.count;
    loop {
        batch.extend(rest.by_ref().take(missing));
        if batch.is_empty() {
            return judge(&tested);
        }
        // Neighbours share most of their builds.
        batch.sort_by(|one, other| one.file.cmp(&other.file));
        missing = 0;
        for mutant in batch.drain(..) {
            let start = Instant::now();
            let outcome = trial::test(&tree, &mut baselines, mutant)?;
            say!("  {:>5.0} s  {outcome:<28}  {}", start.elapsed().as_secs_f64(), mutant.name);
            let accepted = known(mutant);
            // Another one takes its place.
            missing += usize::from(outcome == Outcome::DoesNotBuild && accepted.is_none());
            tested.push(Tested { mutant, accepted, outcome });
            write(&folder, &tested)?;
        }
    }
}

/// Keeps the outcomes so far, for a run that is interrupted.
fn write(folder: &Path, tested: &[Tested<'_>]) -> Result<()> {
    let lines: String = tested.iter().map(|one| format!("{}\t{}\n", one.outcome, one.mutant.name)).collect();
    let path = folder.join("outcomes.tsv");
    fs::write(&path, lines).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Prints the survivors with their reasons.
fn judge(tested: &[Tested<'_>]) -> Result<()> {
    let count = |wanted: fn(&Outcome) -> bool| tested.iter().filter(|one| wanted(&one.outcome)).count();
    say!(
        "\n{} killed, {} survived, {} do not build",
        count(|outcome| matches!(outcome, Outcome::Killed(_))),
        count(|outcome| *outcome == Outcome::Survived),
        count(|outcome| *outcome == Outcome::DoesNotBuild),
    );
    let mut faults = Vec::new();
    for Tested { mutant, accepted, outcome } in tested {
        match (accepted, outcome) {
            (Some(accepted), Outcome::Survived) => say!("accepted: {}\n  {}", mutant.name, accepted.reason),
            (Some(_), outcome) => faults.push(format!(
                "{}: {outcome}, but `{}` lists it as a survivor; remove the entry",
                mutant.name,
                accepted::FILE
            )),
            (None, Outcome::Survived) => {
                faults.push(format!(
                    "{}: no test fails; add one, or add this to `{}` with a reason:\n{}",
                    mutant.name,
                    accepted::FILE,
                    Accepted::entry(mutant)
                ));
            }
            (None, Outcome::Killed(_) | Outcome::DoesNotBuild) => {}
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{} mutants have an outcome that is not expected:\n{}", faults.len(), faults.join("\n"));
}
