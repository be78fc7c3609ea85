//! The test programs of the workspace: built by one cargo command with one set of features, so that each crate is
//! compiled once, and run here, several at a time.
//!
//! `cargo test` would run them one after another, and a program whose last test is slow keeps the other processors idle.
//! Documentation tests are not programs; cargo runs those.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::paths::Paths;
use crate::process::{output_of, run, run_quietly};
use crate::setup::answer;

/// Packages that cannot share the others' features: Cedar changes the order of members in all JSON that is written.
const APART: [&str; 2] = ["postern-corpus-cedar", "postern-bench-native"];
/// Built already, as the program that runs this, with features of its own.
const OWN: &str = "xtask";

/// What one build of the workspace's tests has made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Binaries {
    tests: Vec<Binary>,
    programs: BTreeMap<String, PathBuf>,
}

/// One test program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binary {
    package: String,
    target: String,
    program: PathBuf,
    /// The package's folder, in which cargo would run it.
    folder: PathBuf,
}

/// What to run of a build.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice<'a> {
    /// Of these packages alone, where some are named.
    pub(crate) packages: &'a [&'a str],
    /// Not of these packages.
    pub(crate) without: &'a [&'a str],
    /// These test targets alone, where some are named.
    pub(crate) targets: &'a [&'a str],
    /// Not these test targets.
    pub(crate) without_targets: &'a [&'a str],
    /// Tests whose name contains one of these, where some are named.
    pub(crate) filters: &'a [String],
    /// Arguments for each program.
    pub(crate) arguments: &'a [&'a str],
    /// Variables for each program.
    pub(crate) variables: &'a [(&'a str, String)],
    /// How many programs run at a time; 0 for one on each processor.
    pub(crate) at_a_time: usize,
}

/// The arguments that choose the workspace with the features of its tests; each cargo command that is to share what it
/// compiles takes them.
pub(crate) fn workspace() -> Vec<&'static str> {
    let mut arguments = vec!["--workspace", "--all-features", "--exclude", OWN];
    arguments.extend(APART.iter().flat_map(|package| ["--exclude", package]));
    arguments
}

/// Builds every test program of the workspace, and the programs that tests start.
pub(crate) fn build(paths: &Paths) -> Result<Binaries> {
    let mut cargo = Command::new("cargo");
    cargo.arg("build").args(workspace()).args(["--lib", "--bins", "--tests"]);
    let mut all = built(paths, &mut cargo)?;
    let mut own = Command::new("cargo");
    own.args(["build", "--package", OWN, "--bins", "--tests"]);
    all.tests.extend(built(paths, &mut own)?.tests);
    Ok(all)
}

/// Builds the test programs of these packages alone, and the programs that they start.
pub(super) fn build_packages(paths: &Paths, packages: &[&str]) -> Result<Binaries> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--all-features", "--lib", "--bins", "--tests"]);
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    built(paths, &mut cargo)
}

fn built(paths: &Paths, cargo: &mut Command) -> Result<Binaries> {
    cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(&paths.root);
    let messages = output_of(cargo).context("the tests do not build")?;
    let mut binaries = Binaries::default();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let Some(program) = message["executable"].as_str().map(PathBuf::from) else { continue };
        let target = message["target"]["name"].as_str().unwrap_or_default().to_owned();
        if message["profile"]["test"] == true {
            let manifest = PathBuf::from(message["manifest_path"].as_str().context("cargo names no manifest")?);
            let folder = manifest.parent().context("a manifest is in no folder")?.to_path_buf();
            binaries.tests.push(Binary { package: package_of(&manifest)?, target, program, folder });
        } else {
            binaries.programs.insert(target, program);
        }
    }
    Ok(binaries)
}

/// The name in a manifest.
fn package_of(manifest: &Path) -> Result<String> {
    let text = fs::read_to_string(manifest).with_context(|| format!("cannot read `{}`", manifest.display()))?;
    let manifest: toml::Table = text.parse().context("a manifest is not TOML")?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    Ok(name.context("a manifest names no package")?.to_owned())
}

impl Binaries {
    /// A program of the workspace, by its name.
    pub(crate) fn program(&self, name: &str) -> Result<&Path> {
        self.programs.get(name).map(PathBuf::as_path).with_context(|| format!("cargo built no program `{name}`"))
    }

    /// Runs the chosen tests. Each program's output comes in one piece, the failures again at the end.
    pub(crate) fn run(&self, paths: &Paths, choice: &Choice<'_>) -> Result<()> {
        let chosen = self.chosen(choice);
        ensure!(
            !chosen.is_empty(),
            "no test program fits: packages {:?}, targets {:?}",
            choice.packages,
            choice.targets
        );
        let folder = paths.profile("test")?.join("programs");
        let outcomes = Mutex::new(Vec::new());
        let next = AtomicUsize::new(0);
        let lanes = if choice.at_a_time > 0 { choice.at_a_time } else { processors() };
        // The output of programs that run side by side is kept, and said by the thread whose part this is.
        thread::scope(|scope| {
            let workers: Vec<_> = (0..lanes.min(chosen.len()))
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(binary) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                            let outcome = binary.run(choice, &folder);
                            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(outcome);
                        }
                        crate::process::spent::take().0
                    })
                })
                .collect();
            for worker in workers {
                if let Ok(account) = worker.join() {
                    crate::process::spent::add_all(account);
                }
            }
        });
        crate::process::check_interrupted()?;
        report(choice.filters, outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Whether any of the chosen programs has a test that fits the filters.
    pub(crate) fn has_tests(&self, choice: &Choice<'_>) -> bool {
        self.chosen(choice).iter().any(|binary| {
            let listed = answer(Command::new(&binary.program).args(["--list"]).envs(choice.variables.iter().cloned()));
            let listed = listed.unwrap_or_default();
            let mut names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
            choice.filters.is_empty() || names.any(|name| choice.filters.iter().any(|filter| name.contains(filter)))
        })
    }

    fn chosen(&self, choice: &Choice<'_>) -> Vec<&Binary> {
        let fits = |binary: &&Binary| {
            (choice.packages.is_empty() || choice.packages.contains(&binary.package.as_str()))
                && !choice.without.contains(&binary.package.as_str())
                && !choice.without_targets.contains(&binary.target.as_str())
                && (choice.targets.is_empty() || choice.targets.contains(&binary.target.as_str()))
        };
        self.tests.iter().filter(fits).collect()
    }
}

pub(super) fn processors() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// What came of one program.
#[derive(Debug)]
struct Outcome {
    name: String,
    took: Duration,
    text: String,
    counts: Counts,
    error: Option<String>,
}

/// How many tests did what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Binary {
    fn run(&self, choice: &Choice<'_>, folder: &Path) -> Outcome {
        let name = format!("{} {}", self.package, self.target);
        let log = folder.join(name.replace(' ', "-")).with_extension("log");
        let mut command = Command::new(&self.program);
        command
            .args(choice.arguments)
            .args(choice.filters)
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .envs(choice.variables.iter().map(|(name, value)| (name, value)));
        let start = Instant::now();
        let error = run_quietly(&mut command, &log).err().map(|error| format!("{error:#}"));
        let text = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
        let counts = counts(&text);
        let error = error.or_else(|| counts.is_none().then(|| format!("`{name}` does not say how many tests it ran")));
        Outcome { name, took: start.elapsed(), text, counts: counts.unwrap_or_default(), error }
    }
}

/// libtest's closing line, which `libtest-mimic` prints too.
fn counts(text: &str) -> Option<Counts> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("test result: "))?;
    let number = |word: &str| {
        let before = line.split(';').map(str::trim).find(|part| part.ends_with(word))?;
        before.trim_end_matches(word).split_whitespace().last()?.parse().ok()
    };
    Some(Counts { passed: number("passed")?, failed: number("failed")?, ignored: number("ignored")? })
}

/// Says what each program did, names every test that was ignored, and fails with the failures.
fn report(filters: &[String], mut outcomes: Vec<Outcome>) -> Result<()> {
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.took));
    let mut all = Counts::default();
    for Outcome { name, took, text, counts, error } in &outcomes {
        all.passed += counts.passed;
        all.failed += counts.failed;
        all.ignored += counts.ignored;
        say!("  {name}: {} passed, {} failed, {:.1} s", counts.passed, counts.failed, took.as_secs_f64());
        for line in text.lines().filter(|line| line.starts_with("test ") && line.contains("... ignored")) {
            say!("    {}", line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        if error.is_some() {
            say!("{text}");
        }
    }
    // The line by which CI counts tests.
    say!("{} passed, {} failed, {} skipped", all.passed, all.failed, all.ignored);
    let failures: Vec<&str> = outcomes.iter().filter_map(|outcome| outcome.error.as_deref()).collect();
    RAN.fetch_add(all.passed + all.failed, Ordering::SeqCst);
    if failures.is_empty() {
        // With names given, the tests that fit may all be in other programs.
        ensure!(all.passed > 0 || !filters.is_empty(), "no test ran");
        return Ok(());
    }
    bail!("{}", failures.join("\n"))
}

/// How many tests this run has run.
static RAN: AtomicUsize = AtomicUsize::new(0);

/// Fails if names of tests were given and no test has such a name.
pub(super) fn ensure_some_ran(filters: &[String]) -> Result<()> {
    ensure!(
        filters.is_empty() || RAN.load(Ordering::SeqCst) > 0,
        "no test of this part has a name that contains `{}`",
        filters.join("` or `")
    );
    Ok(())
}

/// The documentation tests, which rustdoc builds and cargo runs.
pub(crate) fn documentation(paths: &Paths, filters: &[String]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--doc", "--quiet", "--no-fail-fast"]).args(workspace()).current_dir(&paths.root);
    if !filters.is_empty() {
        cargo.arg("--").args(filters);
    }
    run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_a_test_program_is_read() {
        let line = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 1 filtered out; finished in 0.02s";
        let expected = Counts { passed: 12, failed: 0, ignored: 3 };
        assert_eq!(counts(&format!("running 15 tests\n{line}\n\n")), Some(expected));
        assert_eq!(counts("test result: FAILED. 1 passed; 2 failed; 0 ignored;").map(|counts| counts.failed), Some(2));
        assert_eq!(counts("running 0 tests"), None);
    }

    fn outcome(passed: usize, error: Option<&str>) -> Outcome {
        let counts = Counts { passed, ..Counts::default() };
        let error = error.map(str::to_owned);
        Outcome { name: "postern behaviour".into(), took: Duration::ZERO, text: String::new(), counts, error }
    }

    #[test]
    fn a_run_without_a_test_fails_and_failures_are_named() {
        assert!(report(&[], vec![outcome(1, None)]).is_ok());
        assert!(report(&[], vec![outcome(0, None)]).expect_err("nothing ran").to_string().contains("no test ran"));
        assert!(report(&["name".into()], vec![outcome(0, None)]).is_ok());
        let error = report(&[], vec![outcome(1, None), outcome(1, Some("broken"))]).expect_err("a failure");
        assert_eq!(error.to_string(), "broken");
    }

    #[test]
    fn tests_are_chosen_by_package_and_target() {
        let binary = |package: &str, target: &str| Binary {
            package: package.into(),
            target: target.into(),
            program: PathBuf::new(),
            folder: PathBuf::new(),
        };
        let binaries = Binaries {
            tests: vec![binary("postern", "postern"), binary("postern", "bounds"), binary("postern-cli", "command")],
            programs: BTreeMap::new(),
        };
        let names = |choice: Choice<'_>| -> Vec<String> {
            binaries.chosen(&choice).iter().map(|binary| binary.target.clone()).collect()
        };
        assert_eq!(names(Choice { packages: &["postern"], ..Choice::default() }), ["postern", "bounds"]);
        assert_eq!(names(Choice { without: &["postern"], ..Choice::default() }), ["command"]);
        assert_eq!(names(Choice { targets: &["bounds"], ..Choice::default() }), ["bounds"]);
    }
}
