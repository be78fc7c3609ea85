//! `cargo xtask test`: everything that must hold before a change lands.
//!
//! ```text
//!  lane      │ parts, in order                                                     │ priority
//!  ──────────┼─────────────────────────────────────────────────────────────────────┼─────────
//!  modules   │ set-up, the WebAssembly that is deployed, (tests built) figures     │ normal
//!  stacks    │ (tests built, modules there) several stacks, end-to-end tests       │ normal
//!  tests     │ build of all tests, units, parsers, (modules) edges, disguises      │ lower
//!  checks    │ formatting, (tests built) clippy, documentation, packages, fuzzing  │ lowest
//! ```
//! The lanes run side by side where the machine has memory for that, else one after another. A lane waits for another's
//! product by a [`Latch`]. Compilers have the lower priorities: an end-to-end test that waits for an answer must not
//! wait for them.

mod binaries;
mod edges;
mod fast;
mod latch;
mod lints;
mod machine;
mod stacks;

use std::thread;

use anyhow::Result;

use crate::corpus;
use crate::disguises;
use crate::figures;
use crate::fuzz;
use crate::mutants::{self, Sample};
use crate::package;
use crate::parsers;
use crate::paths::Paths;
use crate::process::check_interrupted;
use crate::report::Report;
use crate::setup::setup;
use crate::vectors::{self, vectors};
use latch::{Latch, OpensAtEnd};

pub(crate) use binaries::{Binaries, Choice, workspace};

/// How much is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Level {
    /// Formatting, clippy and the tests of what has changed: two minutes.
    Fast,
    /// Everything that CI runs.
    #[default]
    Whole,
    /// That, and what takes longer: before an issue is resolved and before a release.
    Long,
}

/// What to run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// How much.
    pub(crate) level: Level,
    /// Only this part, by name.
    pub(crate) only: Option<Part>,
    /// Names of tests, as `cargo test` takes them.
    pub(crate) filters: Vec<String>,
}

/// The parts that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Formatting, clippy, builds without `std`, documentation, dependencies, packaging
    Lint,
    /// Unit tests and documentation tests
    Unit,
    /// Vectors through every signature backend, workerd and Node among them
    Vectors,
    /// What is deployed at CloudFront: packed twice, compared, and held against its limit
    Package,
    /// The function at CloudFront and the Worker's entry by themselves, in Node: every kind of event, traps, memory
    Function,
    /// Golden decisions through every driver; properties of the core next to the naive model and Cedar
    Corpus,
    /// Fuel and allocations of fixed decisions, next to those that are kept
    Figures,
    /// Fuzz targets, each for a fixed number of inputs
    Fuzz,
    /// Random queries to real query parsers, next to what the core reads in them
    Parsers,
    /// Disguised requests to real frameworks, directly and behind the edge
    Frameworks,
    /// End-to-end tests against running stacks
    E2e,
    /// The requests that `cargo xtask dev` prints, sent and compared
    Examples,
}

/// Runs what is selected and prints a table of it.
pub(crate) fn test(paths: &Paths, selection: &Selection) -> Result<()> {
    match (selection.only, selection.level) {
        (Some(only), _) => {
            let report = Report::live();
            one(paths, &report, only, &selection.filters)?;
            binaries::ensure_some_ran(&selection.filters)?;
            report.finish()
        }
        (None, Level::Fast) => fast::run_fast(paths),
        (None, level) => {
            let report = Report::captured(paths.profile("test")?.join("parts"));
            all(paths, &report, selection)?;
            if level == Level::Long {
                long(paths, &report)?;
            }
            report.finish()
        }
    }
}

/// One part, its output shown at once.
fn one(paths: &Paths, report: &Report, part: Part, filters: &[String]) -> Result<()> {
    match part {
        Part::Lint => return lints::all(paths, report),
        Part::Fuzz => return fuzz::short(paths, report),
        Part::Package => return packing(paths, report),
        Part::Function => {
            setup(paths)?;
            return edges::alone(paths, report);
        }
        Part::Unit
        | Part::Vectors
        | Part::Corpus
        | Part::Figures
        | Part::Parsers
        | Part::Frameworks
        | Part::E2e
        | Part::Examples => {}
    }
    let binaries = binaries::build(paths)?;
    match part {
        Part::Unit => units(paths, report, &binaries, filters),
        Part::Vectors => {
            vectors::build_hosts(paths)?;
            hosts(paths, report, &binaries, filters)
        }
        Part::Corpus => {
            corpus::on_the_host(paths, report, &binaries, filters)?;
            if filters.is_empty() {
                corpus::cedar(paths, report)?;
            }
            corpus::build_edges(paths)?;
            corpus::at_the_edges(paths, report, &binaries, filters)
        }
        Part::Figures => counted(paths, report, &binaries),
        Part::Parsers => parsers::test(paths, report, &binaries, filters),
        Part::Frameworks => disguises::test(paths, report, &binaries, true),
        Part::E2e => {
            setup(paths)?;
            stacks::end_to_end(paths, report, &binaries, filters)
        }
        Part::Examples => {
            setup(paths)?;
            stacks::examples(paths, report, &binaries)
        }
        Part::Lint | Part::Fuzz | Part::Package | Part::Function => Ok(()),
    }
}

/// Every part, in lanes.
fn all(paths: &Paths, report: &Report, selection: &Selection) -> Result<()> {
    let run = Run {
        paths,
        report,
        filters: &selection.filters,
        level: selection.level,
        tests: Latch::default(),
        modules: Latch::default(),
    };
    let built = std::sync::OnceLock::new();
    if !machine::has_room_for_lanes() {
        println!("   the parts run one after another: this machine has too little memory to run them side by side");
        run.modules()?;
        run.tests(&built)?;
        run.counted(&built)?;
        run.stacks(&built)?;
        return run.checks();
    }
    thread::scope(|scope| {
        let lanes = [
            scope.spawn(|| {
                run.modules()?;
                // In the lane of the tests, it would begin last.
                run.counted(&built)
            }),
            scope.spawn(|| run.stacks(&built)),
            scope.spawn(|| {
                machine::lower_priority(5);
                run.tests(&built)
            }),
            scope.spawn(|| {
                machine::lower_priority(10);
                run.checks()
            }),
        ];
        lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// What the lanes of one run share.
#[derive(Debug)]
struct Run<'a> {
    paths: &'a Paths,
    report: &'a Report,
    filters: &'a [String],
    level: Level,
    /// Opened once all tests are built.
    tests: Latch,
    /// Opened once the set-up is done and all modules are built.
    modules: Latch,
}

type Built = std::sync::OnceLock<Binaries>;

impl Run<'_> {
    fn modules(&self) -> Result<()> {
        let _end = OpensAtEnd(&self.modules);
        let Self { paths, report, .. } = self;
        let set_up = report.product("set-up", "cargo xtask setup", || setup(paths))?;
        let built = edges::build(paths, report)?;
        self.modules.open(set_up && built);
        report.part("build of what the figures count", "cargo xtask test --only figures", || {
            figures::module(&paths.root).map(drop)
        })?;
        edges::alone(paths, report)?;
        packing(paths, report)
    }

    fn tests(&self, built: &Built) -> Result<()> {
        let _end = OpensAtEnd(&self.tests);
        let Self { paths, report, filters, level, .. } = self;
        report.part("build of all tests", "cargo xtask test --only unit", || {
            // Set once: this lane alone builds.
            let _ = built.set(binaries::build(paths)?);
            Ok(())
        })?;
        self.tests.open(built.get().is_some());
        let Some(binaries) = built.get() else { return Ok(()) };
        units(paths, report, binaries, filters)?;
        parsers::test(paths, report, binaries, filters)?;
        if !self.modules.wait()? {
            report.skip("vectors in workerd and Node, corpus at the edges", "a module does not build");
            return Ok(());
        }
        hosts(paths, report, binaries, filters)?;
        corpus::at_the_edges(paths, report, binaries, filters)?;
        disguises::test(paths, report, binaries, *level == Level::Long)
    }

    fn counted(&self, built: &Built) -> Result<()> {
        self.tests.wait()?;
        built.get().map_or(Ok(()), |binaries| counted(self.paths, self.report, binaries))
    }

    fn stacks(&self, built: &Built) -> Result<()> {
        let are_there = self.tests.wait()? && self.modules.wait()?;
        match built.get().filter(|_| are_there) {
            Some(binaries) => stacks::all(self.paths, self.report, binaries, self.filters),
            None => {
                self.report.skip("end-to-end tests", "what they need does not build");
                Ok(())
            }
        }
    }

    fn checks(&self) -> Result<()> {
        lints::formatting(self.paths, self.report)?;
        // Both would compile: the tests first, which others wait for.
        self.tests.wait()?;
        lints::without_formatting(self.paths, self.report)?;
        check_interrupted()
    }
}

fn units(paths: &Paths, report: &Report, binaries: &Binaries, filters: &[String]) -> Result<()> {
    let again = "cargo xtask test --only unit";
    report.part("unit tests", again, || {
        // The signatures' vectors run once, with their hosts.
        let without_targets = &["signatures"];
        // Some programs mostly wait; one more than there are processors keeps these busy.
        let at_a_time = binaries::processors() + 1;
        let without = &["postern-e2e"];
        binaries.run(paths, &Choice { without, without_targets, filters, at_a_time, ..Choice::default() })
    })?;
    report.part("documentation tests", again, || binaries::documentation(paths, filters))
}

fn hosts(paths: &Paths, report: &Report, binaries: &Binaries, filters: &[String]) -> Result<()> {
    report.part("vectors in workerd and Node", "cargo xtask test --only vectors", || vectors(paths, binaries, filters))
}

fn counted(paths: &Paths, report: &Report, binaries: &Binaries) -> Result<()> {
    report.part("figures", "cargo xtask test --only figures", || figures::figures(paths, binaries, false))
}

fn packing(paths: &Paths, report: &Report) -> Result<()> {
    report.part("package for CloudFront", "cargo xtask test --only package", || package::check(paths))
}

/// Cases of each property test in a long run; proptest itself takes 256.
const LONG_CASES: u32 = 2560;

/// What CI does not run.
fn long(paths: &Paths, report: &Report) -> Result<()> {
    let again = format!("PROPTEST_CASES={LONG_CASES} cargo xtask test --only unit");
    report.part("random tests with more cases", &again, || {
        let packages = &["postern", "postern-cli", "postern-origin"];
        let targets = &["behaviour", "postern", "authorizer"];
        let variables = &[("PROPTEST_CASES", LONG_CASES.to_string())];
        binaries::build(paths)?.run(paths, &Choice { packages, targets, variables, ..Choice::default() })
    })?;
    corpus::cedar(paths, report)?;
    fuzz::short(paths, report)?;
    fuzz::sample(paths, report)?;
    report.part("mutants", "cargo xtask mutants", || mutants::mutants(paths, &Sample::default()))
}

/// Builds all tests, for commands that run a program of the same build.
pub(crate) fn build(paths: &Paths) -> Result<Binaries> {
    binaries::build(paths)
}
