//! The parts of a test run: each timed, the first failure named with how to run that part again, a table at the end.
//!
//! Parts may run side by side, on threads of their own. The output of each is then kept in a file and printed in one
//! piece when the part ends, so that lines of two parts never mix.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::check_interrupted;
use crate::process::sink::captured;
use crate::process::spent::{self, Account, Spent};

/// How many of the crates that were compiled most often the report names.
const MOST_COMPILED: usize = 12;

/// What has run so far.
#[derive(Debug)]
pub(crate) struct Report {
    start: Instant,
    parts: Mutex<Vec<Part>>,
    /// Said after the tables.
    warnings: Mutex<Vec<String>>,
    /// Where the output of parts is kept while they run; none for a run that shows it at once.
    logs: Option<PathBuf>,
}

#[derive(Debug)]
struct Part {
    name: String,
    took: Duration,
    account: Account,
    compiled: Vec<String>,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Passed,
    Skipped(String),
    Failed { error: String, again: String },
}

impl Report {
    /// A report of parts that run one after another and show their output at once.
    pub(crate) fn live() -> Self {
        Self { start: Instant::now(), parts: Mutex::default(), warnings: Mutex::default(), logs: None }
    }

    /// A report of parts that may run side by side; their output is kept in `logs`.
    pub(crate) fn captured(logs: PathBuf) -> Self {
        Self { start: Instant::now(), parts: Mutex::default(), warnings: Mutex::default(), logs: Some(logs) }
    }

    fn parts(&self) -> MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a part. `again` is the command that runs only it. A failure does not end the run, an interruption does.
    pub(crate) fn part(&self, name: &str, again: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.product(name, again, work).map(|_passed| ())
    }

    /// Runs a part that others need, and returns whether it passed.
    pub(crate) fn product(&self, name: &str, again: &str, work: impl FnOnce() -> Result<()>) -> Result<bool> {
        check_interrupted()?;
        // What ran between two parts, such as a set-up, belongs to none.
        spent::take();
        let start = Instant::now();
        let (done, text) = match &self.logs {
            None => {
                println!("\n== {name}");
                (work(), String::new())
            }
            Some(folder) => {
                println!("   {name}: started");
                let log = folder.join(name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")).with_extension("log");
                let done = captured(&log, work)?;
                (done, String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned())
            }
        };
        let took = start.elapsed();
        let outcome = match done {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                check_interrupted()?;
                Outcome::Failed { error: format!("{error:#}"), again: again.to_owned() }
            }
        };
        self.show(name, took, &text, &outcome);
        let (account, mut compiled) = spent::take();
        compiled.extend(spent::compiled_crates(&text));
        let passed = matches!(outcome, Outcome::Passed);
        self.parts().push(Part { name: name.to_owned(), took, account, compiled, outcome });
        Ok(passed)
    }

    /// Prints what a part has said, in one piece.
    fn show(&self, name: &str, took: Duration, text: &str, outcome: &Outcome) {
        let mut terminal = std::io::stdout().lock();
        let mut whole = String::new();
        if self.logs.is_some() {
            let word = if matches!(outcome, Outcome::Failed { .. }) { "FAILED" } else { "passed" };
            whole = format!("\n== {name}: {word}, {:.1} s\n{}", took.as_secs_f64(), spent::without_progress(text));
        }
        if let Outcome::Failed { error, .. } = outcome {
            whole.push_str(&format!("FAILED: {error}\n"));
        }
        // A closed terminal is no reason to stop.
        let _ = terminal.write_all(whole.as_bytes());
    }

    /// Notes a part that does not run, and why.
    pub(crate) fn skip(&self, name: &str, why: &str) {
        println!("\n== {name}: skipped, {why}");
        let outcome = Outcome::Skipped(why.to_owned());
        let (account, compiled) = (Account::default(), Vec::new());
        self.parts().push(Part { name: name.to_owned(), took: Duration::ZERO, account, compiled, outcome });
    }

    /// Keeps a warning for the end of the run. It does not fail the run.
    pub(crate) fn warn(&self, text: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// Prints the tables and the warnings; an error if a part failed.
    pub(crate) fn finish(self) -> Result<()> {
        let wall = self.start.elapsed();
        let mut parts = self.parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let first_failure = parts.iter().find_map(|part| match &part.outcome {
            Outcome::Failed { error, again } => {
                let first_line = error.lines().next().unwrap_or_default();
                Some(format!("`{}` failed: {first_line}\nrun it again with: {again}", part.name))
            }
            _ => None,
        });
        parts.sort_by_key(|part| std::cmp::Reverse(part.took));
        println!("\n{}", table(&parts, wall));
        if let Some(line) = compiled_most(&parts) {
            println!("\n{line}");
        }
        for warning in self.warnings.into_inner().unwrap_or_else(PoisonError::into_inner) {
            println!("\nwarning: {warning}");
        }
        first_failure.map_or(Ok(()), |failure| bail!(failure))
    }
}

/// A row a part, the slowest first. Parts run side by side, so their times add up to more than the run's.
fn table(parts: &[Part], wall: Duration) -> String {
    let width = parts.iter().map(|part| part.name.len()).max().unwrap_or_default().max("whole run".len());
    let cell = |spent: Spent| match spent {
        Spent { wall, .. } if wall.is_zero() => format!("{:>7} {:>7}", "-", "-"),
        Spent { wall, processor } => format!("{:>7.1} {:>7.1}", wall.as_secs_f64(), processor.as_secs_f64()),
    };
    let mut rows = vec![
        format!("{:width$}  {:>7}  {:^15}  {:^15}", "", "", "compilation", "execution"),
        format!("{:width$}  {:>7}  {:>7} {:>7}  {:>7} {:>7}  outcome", "part", "wall s", "wall", "cpu", "wall", "cpu"),
    ];
    let mut all = Account::default();
    for Part { name, took, account, outcome, .. } in parts {
        all = all.plus(*account);
        let word = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Skipped(why) => format!("skipped: {why}"),
            Outcome::Failed { .. } => "FAILED".to_owned(),
        };
        let (compile, execute) = (cell(account.compile), cell(account.execute));
        rows.push(format!("{name:width$}  {:>7.1}  {compile}  {execute}  {word}", took.as_secs_f64()));
    }
    let (compile, execute) = (cell(all.compile), cell(all.execute));
    rows.push(format!("{:width$}  {:>7.1}  {compile}  {execute}", "whole run", wall.as_secs_f64()));
    rows.join("\n")
}

/// Which crates were compiled most often: one row says where builds do not share what they compile.
fn compiled_most(parts: &[Part]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in parts.iter().flat_map(|part| &part.compiled) {
        *counts.entry(name).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    let distinct = counts.len();
    let mut often: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
    often.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let named: Vec<String> =
        often.iter().take(MOST_COMPILED).map(|(name, count)| format!("{name} {count} times")).collect();
    (total > 0).then(|| {
        format!(
            "{total} compilations of {distinct} crates, checks and documentation included; most often: {}",
            if named.is_empty() { "none twice".to_owned() } else { named.join(", ") }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_named_with_how_to_run_it_again() {
        let report = Report::live();
        report.part("good", "again-good", || Ok(())).expect("not interrupted");
        report.skip("absent", "no browser");
        let passed = report.product("bad", "again-bad", || bail!("broken\ndetails"));
        assert!(!passed.expect("not interrupted"));
        report.part("worse", "again-worse", || bail!("later")).expect("not interrupted");
        let table = table(&report.parts(), Duration::from_secs(1));
        assert!(table.contains("skipped: no browser") && table.contains("FAILED"), "{table}");
        let error = report.finish().expect_err("failures").to_string();
        assert_eq!(error, "`bad` failed: broken\nrun it again with: again-bad");
    }

    fn part(name: &str, seconds: u64, compiled: &[&str]) -> Part {
        let spent = Spent { wall: Duration::from_secs(seconds), processor: Duration::from_secs(2 * seconds) };
        Part {
            name: name.to_owned(),
            took: Duration::from_secs(seconds),
            account: Account { compile: spent, ..Account::default() },
            compiled: compiled.iter().map(|&name| name.to_owned()).collect(),
            outcome: Outcome::Passed,
        }
    }

    #[test]
    fn the_table_tells_compilation_from_execution() {
        let table = table(&[part("slow", 20, &[]), part("quick", 1, &[])], Duration::from_secs(20));
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows[2], "slow          20.0     20.0    40.0        -       -  passed");
        assert!(rows[3].starts_with("quick"), "{table}");
        assert_eq!(rows[4], "whole run     20.0     21.0    42.0        -       -");
    }

    #[test]
    fn crates_that_are_compiled_again_and_again_are_named() {
        let parts = [part("a", 1, &["serde v1", "postern v0"]), part("b", 1, &["serde v1"])];
        let line = compiled_most(&parts).expect("compilations");
        assert_eq!(line, "3 compilations of 2 crates, checks and documentation included; most often: serde v1 2 times");
        assert_eq!(compiled_most(&[part("a", 1, &[])]), None);
    }
}
