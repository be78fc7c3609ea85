//! `cargo xtask test`: everything that must hold before a change lands, in the order in which it fails fastest.

use std::process::Command;

use anyhow::Result;

use crate::collection;
use crate::corpus;
use crate::dev::check_examples;
use crate::faults;
use crate::figures;
use crate::fuzz;
use crate::package;
use crate::paths::Paths;
use crate::process::run;
use crate::report::Report;
use crate::security;
use crate::setup::{WORKER_TARGET, cargo_deny, node, rust_target, setup};
use crate::stack::{self, Edge, Profile, Stack};
use crate::vectors::vectors;
use crate::worker;

/// A target without the standard library, and with the atomics that the core's cache of tokens needs.
const NO_STD_TARGET: &str = "thumbv7em-none-eabi";

/// Files of the end-to-end tests that run once more against the local CloudFront: all that go through an edge and are
/// not about an isolate of a Worker's own.
const THROUGH_CLOUDFRONT: [&str; 16] = [
    "around_the_edge",
    "bodies",
    "browser",
    "cors",
    "credentials",
    "decision_log",
    "faults_of_the_original",
    "freshness",
    "orders_external",
    "orders_internal",
    "permissions",
    "rotation",
    "streaming",
    "targets",
    "tokens",
    "vouchers",
];

/// What to run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Only this part, by name.
    pub(crate) only: Option<Part>,
    /// Without the lints and the builds that only check.
    pub(crate) skip_lints: bool,
    /// Names of tests, as `cargo test` takes them.
    pub(crate) filters: Vec<String>,
}

/// The parts that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Formatting, clippy, builds without `std`, documentation, dependencies, packaging.
    Lint,
    /// Unit tests.
    Unit,
    /// Vectors through every signature backend, workerd and Node among them.
    Vectors,
    /// What is deployed at CloudFront: packed twice, compared, and held against its limit.
    Package,
    /// The function at CloudFront and the Worker's entry by themselves, in Node: every kind of event, traps, memory.
    Function,
    /// Golden decisions through every driver; properties of the core beside the naive model and Cedar.
    Corpus,
    /// Fuel and allocations of fixed decisions, beside those that are kept.
    Figures,
    /// Fuzz targets, each for a fixed number of inputs.
    Fuzz,
    /// End-to-end tests against the running stack.
    E2e,
    /// The requests that `cargo xtask dev` prints, sent and compared.
    Examples,
}

/// Runs the selected parts and prints a table of them.
pub(crate) fn test(paths: &Paths, selection: &Selection) -> Result<()> {
    let wants = |part: Part| selection.only.is_none_or(|only| only == part);
    let mut report = Report::default();
    if wants(Part::Lint) && !selection.skip_lints {
        lints(paths, &mut report)?;
    }
    if wants(Part::Unit) {
        unit_tests(paths, &mut report, &selection.filters)?;
    }
    if wants(Part::Figures) {
        report.part("figures", "cargo xtask test --only figures", || figures::figures(paths, false))?;
    }
    if wants(Part::Fuzz) {
        fuzz::short(paths, &mut report)?;
    }
    if wants(Part::Vectors) {
        let again = "cargo xtask test --only vectors";
        report.part("vectors in workerd and Node", again, || vectors(paths, &selection.filters))?;
    }
    if wants(Part::Package) {
        report.part("package for CloudFront", "cargo xtask test --only package", || package::check(paths))?;
    }
    if wants(Part::Function) {
        function(paths, &mut report)?;
    }
    if wants(Part::Corpus) {
        corpus::test(paths, &mut report, selection)?;
    }
    if wants(Part::E2e) || wants(Part::Examples) {
        on_the_stack(paths, &mut report, selection)?;
    }
    report.finish()
}

/// The checks that run no code of the project.
pub(crate) fn lints(paths: &Paths, report: &mut Report) -> Result<()> {
    let lint = "cargo xtask test --only lint";
    let mut cargo_part = |name: &str, again: &str, arguments: &[&str]| {
        report.part(name, again, || run(Command::new("cargo").args(arguments).current_dir(&paths.root)))
    };
    cargo_part("formatting", "cargo fmt --all", &["fmt", "--all", "--check"])?;
    let clippy = ["clippy", "--quiet", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    cargo_part("clippy, host", "cargo clippy --workspace --all-targets --all-features", &clippy)?;
    let mut part = |name: &str, again: &str, work: &dyn Fn() -> Result<()>| report.part(name, again, work);
    part("clippy, Worker", "cargo clippy -p postern-edge --target wasm32-unknown-unknown", &|| {
        rust_target(paths, WORKER_TARGET)?;
        // With all that is behind features and without.
        for features in [&[][..], &["--all-features"]] {
            let clippy = ["clippy", "--quiet", "--package", "postern-edge", "--target", WORKER_TARGET];
            let command = [&clippy[..], features, &["--", "-D", "warnings"]].concat();
            run(Command::new("cargo").args(command).current_dir(&paths.root))?;
        }
        Ok(())
    })?;
    part("core without std", lint, &|| {
        rust_target(paths, NO_STD_TARGET)?;
        for features in ["", "portable"] {
            let build = [
                "build",
                "--quiet",
                "--package",
                "postern",
                "--target",
                NO_STD_TARGET,
                "--no-default-features",
                "--features",
                features,
            ];
            run(Command::new("cargo").args(build).current_dir(&paths.root))?;
        }
        Ok(())
    })?;
    part("SECURITY.md names tests that exist", lint, &|| security::check(&paths.root))?;
    part("documentation", "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps", &|| {
        let document = ["doc", "--quiet", "--workspace", "--no-deps", "--all-features", "--document-private-items"];
        run(Command::new("cargo").args(document).env("RUSTDOCFLAGS", "-D warnings").current_dir(&paths.root))
    })?;
    part("package of the core", "cargo package -p postern --allow-dirty", &|| {
        run(Command::new("cargo")
            .args(["package", "--quiet", "--package", "postern", "--allow-dirty"])
            .current_dir(&paths.root))
    })?;
    part("dependencies", ".tools/bin/cargo-deny check bans licenses sources", &|| {
        cargo_deny(paths)?;
        run(deny(paths).args([
            "--log-level",
            "error",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ]))
    })?;
    advisories(paths, report)
}

fn deny(paths: &Paths) -> Command {
    let mut command = Command::new(paths.tools.join("bin/cargo-deny"));
    command.current_dir(&paths.root);
    command
}

/// Known vulnerabilities, where the database can be had; it is a repository that not every network reaches.
fn advisories(paths: &Paths, report: &mut Report) -> Result<()> {
    if !paths.tools.join("bin/cargo-deny").exists() {
        report.skip("advisories", "cargo-deny is not there");
        return Ok(());
    }
    let fetched = deny(paths).args(["fetch", "db"]).output().is_ok_and(|output| output.status.success());
    if !fetched {
        report.skip("advisories", "their database cannot be reached from here");
        return Ok(());
    }
    report.part("advisories", ".tools/bin/cargo-deny check advisories", || {
        run(deny(paths).args(["--log-level", "error", "check", "--disable-fetch", "advisories"]))
    })
}

/// `cargo test` of all that needs no stack. Whoever runs a part of it names the same packages: of others cargo would
/// compile what they depend on once more, with other features.
pub(crate) fn stackless_tests(paths: &Paths) -> Command {
    let mut command = Command::new("cargo");
    command.args(["test", "--workspace", "--exclude", "postern-e2e", "--all-features"]);
    // Cedar would change the order of members in all JSON that is written: it has a run of its own.
    command.args(["--exclude", "postern-corpus-cedar", "--exclude", "postern-bench-native"]);
    command.current_dir(&paths.root);
    command
}

fn unit_tests(paths: &Paths, report: &mut Report, filters: &[String]) -> Result<()> {
    report.part("unit tests", "cargo xtask test --only unit", || {
        run(with_filters(stackless_tests(paths).arg("--no-fail-fast"), filters))
    })
}

/// Packed as it is deployed, unpacked as Lambda does it, and run in real Node; and what stands before the Worker's module.
fn function(paths: &Paths, report: &mut Report) -> Result<()> {
    report.part("function for CloudFront, by itself", "cargo xtask test --only function", || {
        setup(paths)?;
        let folder = paths.profile("function")?.join("unpacked");
        let module = package::build_module(paths)?;
        let inputs = postern_embed::Inputs { policy: paths.root.join("postern.toml"), ..Default::default() };
        package::unpack(paths, &module, &inputs, &folder)?;
        run(Command::new(node(paths))
            .args(["--test", "edge/cloudfront/tests/*.test.mjs"])
            .env("POSTERN_FUNCTION", &folder)
            .current_dir(&paths.root))
    })?;
    report.part("entry of the Worker, by itself", "cargo xtask test --only function", || {
        run(Command::new(node(paths)).args(["--test", "edge/cloudflare/tests/*.test.mjs"]).current_dir(&paths.root))
    })
}

fn on_the_stack(paths: &Paths, report: &mut Report, selection: &Selection) -> Result<()> {
    let again = "cargo xtask test --only e2e";
    let mut started: Option<Stack> = None;
    report.part("set-up", "cargo xtask setup", || setup(paths))?;
    if selection.only != Some(Part::Examples) {
        report.part("restrictions of the local CloudFront", "node --test local/cloudfront/", || {
            run(Command::new(node(paths))
                .args(["--test", "--test-reporter=dot", "cloudfront/*.test.mjs"])
                .current_dir(&paths.local))
        })?;
    }
    if !report.is_clean() && selection.only.is_none() {
        // A stack on a broken build shows nothing new and costs minutes.
        report.skip("end-to-end tests", "an earlier part failed");
        return Ok(());
    }
    report.part("start of the stack", again, || {
        started = Some(stack::start(paths, Profile::Test, Edge::default())?);
        Ok(())
    })?;
    let Some(stack) = started else {
        report.skip("end-to-end tests", "the stack does not run");
        return Ok(());
    };
    if selection.only != Some(Part::E2e) {
        let again = "cargo xtask test --only examples";
        report.part("printed requests", again, || check_examples(&stack, &stack.edge))?;
        if let Some(front) = &stack.cloudfront {
            report.part("printed requests through CloudFront", again, || check_examples(&stack, front))?;
        }
        report.part("collection, by newman", again, || collection::run(paths, &stack, &stack.edge))?;
        if let Some(front) = &stack.cloudfront {
            report
                .part("collection, by newman, through CloudFront", again, || collection::run(paths, &stack, front))?;
        }
    }
    if selection.only != Some(Part::Examples) {
        report.part("permissions on a real table", again, || {
            let mut command = stackless_tests(paths);
            command.args(["--test", "permissions_store", "--", "--include-ignored"]).args(&selection.filters);
            run(command.env("POSTERN_DYNAMODB", &stack.dynamodb))
        })?;
        report.part("no planted panic in what is deployed", again, || {
            let _lock = worker::lock(paths)?;
            worker::refuse_planted(&paths.root)
        })?;
        faults::clear(&stack.folder)?;
        report.part("end-to-end tests", again, || run(&mut end_to_end(paths, &stack, selection, &[])))?;
        report.part("end-to-end tests through CloudFront", again, || {
            let mut command = end_to_end(paths, &stack, selection, &THROUGH_CLOUDFRONT);
            run(command.env("POSTERN_EDGE", "cloudfront"))
        })?;
        for (title, table) in faults::tables(&stack.folder) {
            println!("\n== {title}\n{table}");
        }
    }
    report.part("end of the stack", again, || {
        drop(stack);
        Ok(())
    })
}

/// Those of `files`, or all. They share the stack's state; the harness need not start more than one to have them wait.
fn end_to_end(paths: &Paths, stack: &Stack, selection: &Selection, files: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(["test", "--package", "postern-e2e", "--no-fail-fast"]).current_dir(&paths.root);
    for file in files {
        command.args(["--test", file]);
    }
    command.env("POSTERN_STACK", &stack.description).env("RUST_TEST_THREADS", "1");
    with_filters(&mut command, &selection.filters);
    command
}

fn with_filters<'a>(command: &'a mut Command, filters: &[String]) -> &'a mut Command {
    if filters.is_empty() { command } else { command.arg("--").args(filters) }
}
