//! `cargo xtask bench`: what Postern costs, beside what people use today, in one run on one machine.
//!
//! ```text
//!  measuring programs ──lines of samples──▶ ratios by round ──▶ medians, spreads ──▶ held against the targets
//!   bench/edge, bench/cloudfront,           samples.rs          statistics.rs        targets.rs, verdict.rs
//!   bench/src, bench/size.mjs                                                          │
//!                                 the table, bench/results/*.json, bench.svg, README.md ◀┘
//! ```
//! Programs measure and say nothing of what they found; here nothing is measured. No part is a test: a machine that is
//! slow today breaks no build. What must not grow is held by figures that do not depend on the machine.

mod edge;
mod machine;
mod origin;
mod plot;
mod policy;
mod readme;
mod results;
mod samples;
mod size;
mod statistics;
mod table;
mod targets;
mod verdict;

use std::process::Command;

use anyhow::{Context, Result, ensure};
use postern_embed::Inputs;

use crate::package;
use crate::paths::Paths;
use crate::process::lines;
use crate::setup::{bench_packages, node, setup};
use machine::Machine;
use results::Results;
use samples::Samples;
use verdict::Verdict;

/// The program that measures the core natively.
const NATIVE: &str = "postern-bench-native";

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, clap::ValueEnum)]
pub(crate) enum Part {
    /// The Worker in workerd, under load
    Edge,
    /// The function at CloudFront in Node
    Cloudfront,
    /// The core with native cryptography
    Native,
    /// Sizes of what is deployed
    Size,
    /// Many routes, companies and tokens
    Scale,
}

impl Part {
    /// In the order of the table.
    const ALL: [Self; 5] = [Self::Edge, Self::Cloudfront, Self::Native, Self::Scale, Self::Size];

    /// As on the command line, and the name of its file.
    const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Cloudfront => "cloudfront",
            Self::Native => "native",
            Self::Size => "size",
            Self::Scale => "scale",
        }
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Run<'a> {
    paths: &'a Paths,
    quick: bool,
}

/// Measures one part, or all, and prints the tables. With `quick` as little as shows that everything runs: nothing is
/// judged or written.
pub(crate) fn bench(paths: &Paths, only: Option<Part>, quick: bool) -> Result<()> {
    setup(paths)?;
    bench_packages(paths)?;
    let run = Run { paths, quick };
    let machine = Machine::here(paths)?;
    let folder = paths.bench().join("results");
    let mut tables = Vec::new();
    let mut verdicts = Vec::new();
    for part in Part::ALL.into_iter().filter(|part| only.is_none_or(|only| only == *part)) {
        println!("\n== {}", part.name());
        let again = || format!("`cargo xtask bench {}` failed", part.name());
        let rows = run.measure(part).with_context(again)?;
        let comparisons = verdict::comparisons(part, &rows);
        tables.push(format!("{}\n\n{}", part.name(), table::with_notes(&comparisons, !quick, rows.iter())));
        verdicts.extend(comparisons.iter().map(|comparison| comparison.verdict));
        if !quick {
            // At once: what comes after it may fail.
            Results { part: part.name().to_owned(), machine: machine.clone(), comparisons, rows }.write(&folder)?;
        }
    }
    println!("\n{}\n\n{}", machine.in_words(), tables.join("\n"));
    if quick {
        println!("\nA quick run: all measuring programs work. It judges nothing.");
        return Ok(());
    }
    let kept = results::all(&folder)?;
    let plot = results::draw(&folder, &kept)?;
    readme::write(&paths.root, &kept)?;
    let count = |verdict| verdicts.iter().filter(|found| **found == verdict).count();
    println!(
        "\n{} targets met, {} missed, {} with a spread too wide, {} not measured.\nThe plot is `{}`; README.md has the tables.",
        count(Verdict::Met),
        count(Verdict::Missed),
        count(Verdict::TooWide),
        count(Verdict::NotMeasured),
        plot.display()
    );
    Ok(())
}

impl Run<'_> {
    fn measure(&self, part: Part) -> Result<Vec<Samples>> {
        match part {
            Part::Edge => edge::measure(self),
            Part::Cloudfront => self.cloudfront(),
            Part::Native | Part::Scale => {
                let mut command = Command::new("cargo");
                command.args(["run", "--quiet", "--release", "--package", NATIVE, "--", part.name()]);
                self.read(command.current_dir(&self.paths.root))
            }
            Part::Size => size::measure(self),
        }
    }

    /// The function as it is packed, for the bench's policy; the program itself points it at what it starts.
    fn cloudfront(&self) -> Result<Vec<Samples>> {
        let folder = self.paths.profile("bench")?.join("function");
        let inputs = Inputs { policy: self.paths.bench().join("policy.toml"), ..Inputs::default() };
        package::unpack(self.paths, &package::build_module(self.paths)?, &inputs, &folder)?;
        let mut command = Command::new(node(self.paths));
        command.arg(self.paths.bench().join("cloudfront/handler.mjs")).arg("--zip").arg(&folder);
        self.read(&mut command)
    }

    /// Runs a measuring program and reads its rows.
    fn read(&self, command: &mut Command) -> Result<Vec<Samples>> {
        if self.quick {
            command.arg("--quick");
        }
        let mut rows: Vec<Samples> = Vec::new();
        lines(command, |line| {
            let samples = Samples::parse(line)?;
            println!("  measured: {}", samples.row);
            ensure!(rows.iter().all(|row| row.row != samples.row), "`{}` was measured twice", samples.row);
            rows.push(samples);
            Ok(())
        })?;
        ensure!(!rows.is_empty(), "the measuring program has measured nothing");
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_native_program_is_a_package_with_a_program() {
        let manifest = include_str!("../../../bench/native/Cargo.toml");
        assert!(manifest.contains(&format!("name = \"{}\"", super::NATIVE)));
        assert!(!include_str!("../../../bench/native/src/main.rs").is_empty());
    }
}
