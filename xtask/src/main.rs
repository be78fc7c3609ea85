//! The project's own commands, run as `cargo xtask COMMAND`. Each habit has one command, and CI calls the same ones.

/// `println!` for whatever may run as a part of a test run: the line goes where the part's output goes.
macro_rules! say {
    ($($text:tt)*) => { $crate::process::sink::print(&format!($($text)*)) };
}

mod advisories;
mod bench;
mod bindgen;
mod collection;
mod corpus;
mod dev;
mod disguises;
#[cfg(test)]
mod every_test_runs;
mod examples;
mod faults;
mod figures;
mod frameworks;
mod fuzz;
mod http;
mod mutants;
mod package;
mod parsers;
mod paths;
mod ports;
mod process;
mod report;
mod security;
mod setup;
mod snapshot;
mod stack;
mod test;
mod vectors;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use postern_embed::Inputs;

use crate::fuzz::Target;
use crate::paths::Paths;
use crate::stack::Edge;
use crate::test::{Level, Part, Selection};

/// Commands to set up, run, test and build Postern.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up, start the whole stack locally and print requests to paste; Ctrl-C ends it
    Dev {
        /// Send the printed requests, compare their statuses, and end
        #[arg(long)]
        check: bool,
        /// What decides in front of the services
        #[arg(long, value_enum, default_value_t)]
        edge: Edge,
    },
    /// Lints, unit tests, and end-to-end tests through running stacks: everything that CI runs
    Test {
        /// Only formatting, clippy and the tests of what has changed: two minutes
        #[arg(long, conflicts_with_all = ["long", "only"])]
        fast: bool,
        /// Also what takes longer: run it before an issue is resolved and before a release
        #[arg(long, conflicts_with = "only")]
        long: bool,
        /// Only this part
        #[arg(long, value_enum)]
        only: Option<Part>,
        /// With `--only`: tests whose name contains one of these
        #[arg(requires = "only")]
        filters: Vec<String>,
    },
    /// Look for inputs that break a promise of the core, for a long time; `test` does so for a short one
    Fuzz {
        /// Only this target; all of them in turn if left out
        #[arg(value_enum)]
        target: Option<Target>,
        /// How long to look with each target
        #[arg(long, value_name = "N", default_value_t = 300)]
        seconds: u32,
    },
    /// Change the code in some places, one at a time, and expect a test to fail each time
    ///
    /// Each mutant is built and tested in a copy of the repository, by the tests that cover its file. A mutant that no
    /// test notices fails the run, unless `xtask/mutants.toml` lists it with a reason. That takes one to several minutes
    /// a mutant.
    Mutants(mutants::Sample),
    /// Compare the corpus's files with what its themes say
    Corpus {
        /// Write them
        #[arg(long)]
        write: bool,
    },
    /// Measure what Postern costs beside what people use today, and print it beside the targets
    ///
    /// Every ratio is made within a round in which all of a row's contenders take turns; one whose rounds lie too far
    /// apart is not printed. Results and a plot go into `bench/results/`. Leave the machine alone meanwhile.
    Bench {
        /// Only this part; all of them if left out
        #[arg(value_enum)]
        part: Option<bench::Part>,
        /// As little as shows that all measuring programs run; judges and writes nothing
        #[arg(long)]
        quick: bool,
    },
    /// Count what fixed decisions cost, in fuel and allocations, and compare with the figures that are kept
    Figures {
        /// Keep what is counted
        #[arg(long)]
        write: bool,
    },
    /// Install what the stack needs into the project's folders
    Setup {
        /// Also install the frameworks that tests compare Postern with, and print where they are
        #[arg(long)]
        frameworks: bool,
    },
    /// Formatting, clippy, builds without std, documentation, packaging, dependencies
    Lint,
    /// Check the dependencies against the advisory database, and record which state of it was checked
    Advisories {
        /// A copy of its repository, for a machine that cannot reach it
        #[arg(long, value_name = "PATH")]
        database: Option<PathBuf>,
    },
    /// Build what is deployed
    Build {
        #[command(subcommand)]
        what: Build,
    },
    /// Pack what is deployed
    Package {
        #[command(subcommand)]
        what: Package,
    },
    /// Ends what was left running; started by this program for itself
    #[command(name = process::GUARD, hide = true)]
    Guard,
}

#[derive(Debug, Subcommand)]
enum Build {
    /// The Worker, into `edge/build/`
    Worker,
}

#[derive(Debug, Subcommand)]
enum Package {
    /// The Lambda@Edge function, as one zip with its policy in it
    Cloudfront {
        /// The policy; the workspace's `postern.toml` if left out
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// A policy that is only tried
        #[arg(long, value_name = "FILE")]
        shadow_policy: Option<PathBuf>,
        /// What `postern keys seal` wrote
        #[arg(long, value_name = "FILE")]
        key_seeds: Option<PathBuf>,
        /// Where the zip goes; into the target folder if left out
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let called = std::env::args_os().next().map(PathBuf::from);
    if called.is_some_and(|program| program.file_name().is_some_and(|name| name == bindgen::NAME)) {
        return bindgen::main();
    }
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let paths = Paths::find()?;
    match command {
        Command::Dev { check, edge } => dev::dev(&paths, check, edge),
        Command::Test { fast, long, only, filters } => {
            let level = if fast {
                Level::Fast
            } else if long {
                Level::Long
            } else {
                Level::Whole
            };
            test::test(&paths, &Selection { level, only, filters })
        }
        Command::Fuzz { target, seconds } => fuzz::long(&paths, target, seconds),
        Command::Mutants(sample) => mutants::mutants(&paths, &sample),
        Command::Corpus { write } => corpus::files(&paths, write),
        Command::Bench { part, quick } => bench::bench(&paths, part, quick),
        Command::Figures { write } => figures::figures(&paths, &test::build(&paths)?, write),
        Command::Setup { frameworks: false } => setup::setup(&paths),
        Command::Setup { frameworks: true } => {
            print!("{}", frameworks::set_up(&paths)?);
            Ok(())
        }
        Command::Lint => test::test(&paths, &Selection { only: Some(Part::Lint), ..Selection::default() }),
        Command::Advisories { database } => advisories::update(&paths, database.as_deref()),
        Command::Build { what: Build::Worker } => {
            let _lock = worker::lock(&paths)?;
            worker::build_worker(&paths.root, None)
        }
        Command::Package { what: Package::Cloudfront { policy, shadow_policy, key_seeds, output } } => {
            let policy = policy.unwrap_or_else(|| paths.root.join("postern.toml"));
            let inputs = Inputs { policy, overlay: None, shadow: shadow_policy, seeds: key_seeds };
            let output = output.unwrap_or_else(|| paths.target.join("postern-cloudfront.zip"));
            package::package(&paths, &inputs, &output)
        }
        Command::Guard => {
            process::guard(std::io::stdin());
            Ok(())
        }
    }
}
