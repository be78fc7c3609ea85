//! A driver takes requests to decisions in its own way; the runner holds it to the corpus.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context as _, Result, ensure};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use crate::case::{Case, Corpus, Expect, World};

/// One way from a request to a decision: the core on the host, a command, a runtime.
pub trait Driver {
    /// Its name, for the report.
    fn name(&self) -> String;

    /// Why it cannot carry this case, if it cannot. The report counts the reasons; a reason is a fact about the
    /// driver's platform, never about the decision.
    fn cannot(&self, world: &World, case: &Case) -> Option<&'static str>;

    /// Goes into a world: nothing is remembered of any request before.
    ///
    /// # Errors
    /// When it cannot start.
    fn enter(&mut self, world: &World) -> Result<()>;

    /// Decides these requests, one after the other. Between two calls it remembers what it remembers in production.
    ///
    /// # Errors
    /// When it breaks down: a decision is never an error.
    fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>>;

    /// What this driver must show of a case: the expectation as it stands, unless it shows less of it.
    fn expected(&self, case: &Case) -> Expect {
        case.expect.clone()
    }
}

/// What came of one driver.
#[derive(Debug, Default)]
pub struct Report {
    /// The driver.
    pub driver: String,
    /// Cases that it carried.
    pub carried: usize,
    /// Decisions that it took: each case several times, cold and warm.
    pub decisions: usize,
    /// Why cases were left out, and how many.
    pub left_out: BTreeMap<&'static str, usize>,
    /// Where it differs from the corpus, one line each.
    pub differences: Vec<String>,
}

/// Sends the corpus through `driver`: world by world, in order from cold, then shuffled and warm.
///
/// # Errors
/// When the driver breaks down; differences are no error here.
pub fn run(driver: &mut dyn Driver, corpus: &Corpus) -> Result<Report> {
    let mut report = Report { driver: driver.name(), ..Report::default() };
    for (name, world) in &corpus.worlds {
        let mut carried: Vec<(&str, &Case)> = Vec::new();
        for (theme, case) in corpus.cases().filter(|(_, case)| case.world == *name) {
            match driver.cannot(world, case) {
                None => carried.push((theme, case)),
                Some(why) => *report.left_out.entry(why).or_default() += 1,
            }
        }
        if carried.is_empty() {
            continue;
        }
        report.carried += carried.len();
        driver.enter(world).with_context(|| format!("{}: world `{name}`", report.driver))?;
        for turn in ["in order", "shuffled"] {
            if turn == "shuffled" {
                shuffle(&mut carried);
            }
            let cases: Vec<&Case> = carried.iter().map(|(_, case)| *case).collect();
            let seen = driver.decide(&cases).with_context(|| format!("{}: world `{name}`", report.driver))?;
            ensure!(seen.len() == cases.len(), "{}: {} decisions on {} cases", report.driver, seen.len(), cases.len());
            for ((theme, case), mut seen) in carried.iter().zip(seen) {
                report.decisions += 1;
                let expected = driver.expected(case);
                if let (Expect::Permit(expected), Expect::Permit(seen)) = (&expected, &mut seen)
                    && expected.reaching.is_none()
                {
                    seen.reaching = None;
                }
                if seen != expected {
                    report.differences.push(format!(
                        "{theme}: {} ({name}, {turn})\n    expected {expected:?}\n    found    {seen:?}",
                        case.name
                    ));
                }
            }
        }
    }
    Ok(report)
}

/// The same order in every run.
pub fn shuffle<T>(items: &mut [T]) {
    let mut random = ChaCha8Rng::seed_from_u64(20_261_122);
    for last in (1..items.len()).rev() {
        let other = random.next_u64() % (last as u64 + 1);
        items.swap(last, usize::try_from(other).unwrap_or(0));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { driver, carried, decisions, left_out, differences } = self;
        write!(formatter, "{driver}: {carried} cases, {decisions} decisions, {} differences", differences.len())?;
        for (why, count) in left_out {
            write!(formatter, "\n  {count} left out: {why}")?;
        }
        for difference in differences {
            write!(formatter, "\n  {difference}")?;
        }
        Ok(())
    }
}
