//! The parts of a test run: each timed, the first failure named with how to run that part again, a table at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::check_interrupted;

/// What has run so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    name: String,
    took: Duration,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Passed,
    Skipped(String),
    Failed { error: String, again: String },
}

impl Report {
    /// Runs a part. `again` is the command that runs only it. Parts go on after a failure, an interruption ends them.
    pub(crate) fn part(&mut self, name: &str, again: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        check_interrupted()?;
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                check_interrupted()?;
                let error = format!("{error:#}");
                println!("FAILED: {error}");
                Outcome::Failed { error, again: again.to_owned() }
            }
        };
        self.parts.push(Part { name: name.to_owned(), took: start.elapsed(), outcome });
        Ok(())
    }

    /// Notes a part that does not run, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n== {name}: skipped, {why}");
        let outcome = Outcome::Skipped(why.to_owned());
        self.parts.push(Part { name: name.to_owned(), took: Duration::ZERO, outcome });
    }

    /// Whether nothing has failed yet.
    pub(crate) fn is_clean(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part.outcome, Outcome::Failed { .. }))
    }

    /// Prints the table; an error if a part failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!("\n{}", self.table());
        for part in &self.parts {
            if let Outcome::Failed { error, again } = &part.outcome {
                let first_line = error.lines().next().unwrap_or_default();
                bail!("`{}` failed: {first_line}\nrun it again with: {again}", part.name);
            }
        }
        Ok(())
    }

    fn table(&self) -> String {
        let width = self.parts.iter().map(|part| part.name.len()).max().unwrap_or_default();
        let mut rows: Vec<String> = self
            .parts
            .iter()
            .map(|Part { name, took, outcome }| match outcome {
                Outcome::Passed => {
                    format!("{name:width$}  {:>7.1} s  passed", took.as_secs_f64())
                }
                Outcome::Skipped(why) => format!("{name:width$}  {:>9}  skipped: {why}", ""),
                Outcome::Failed { .. } => {
                    format!("{name:width$}  {:>7.1} s  FAILED", took.as_secs_f64())
                }
            })
            .collect();
        let total: Duration = self.parts.iter().map(|part| part.took).sum();
        rows.push(format!("{:width$}  {:>7.1} s", "total", total.as_secs_f64()));
        rows.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_named_with_how_to_run_it_again() {
        let mut report = Report::default();
        report.part("good", "again-good", || Ok(())).expect("not interrupted");
        report.skip("absent", "no browser");
        report.part("bad", "again-bad", || bail!("broken\ndetails")).expect("not interrupted");
        report.part("worse", "again-worse", || bail!("later")).expect("not interrupted");
        assert!(!report.is_clean());
        let table = report.table();
        assert!(table.contains("skipped: no browser") && table.contains("FAILED"), "{table}");
        let error = report.finish().expect_err("failures").to_string();
        assert_eq!(error, "`bad` failed: broken\nrun it again with: again-bad");
    }
}
