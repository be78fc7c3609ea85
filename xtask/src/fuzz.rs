//! Fuzzing: the targets of `fuzz/`, built by `cargo fuzz` with libFuzzer and run here.
//!
//! Everything is done on the pinned stable toolchain: coverage needs no nightly, only sanitizers do, and the core has
//! no `unsafe` for them to watch. A short run starts at the committed seeds with a fixed random seed, so that it looks at the
//! same inputs each time until the code changes; a long one goes on from where the last one ended.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::paths::Paths;
use crate::process::{run, run_quietly, tail};
use crate::report::Report;
use crate::setup::{answer, cargo_fuzz, step};

/// Inputs that each target takes in a short run: one to four seconds of work.
const RUNS: u32 = 30_000;
/// How long a long run looks with each target, in seconds.
const SAMPLE_SECONDS: u32 = 120;
/// Longest that one input may take, in seconds; the largest takes milliseconds.
const INPUT_TIMEOUT: u32 = 10;
/// Most memory that a target may hold, in MiB; none takes a tenth of it.
const MEMORY: u32 = 512;

/// What is fuzzed, one of `fuzz/fuzz_targets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Target {
    /// Access tokens, and every answer that a driver may give.
    Token,
    /// JWK sets.
    Jwks,
    /// Request targets.
    Path,
    /// `Authorization` fields.
    Bearer,
    /// Policies as TOML and JSON, and overlays.
    Policy,
    /// Assertions and their keys.
    Assertion,
    /// Events of CloudFront.
    Cloudfront,
    /// Events of API Gateway.
    Gateway,
    /// Texts by which the Worker's JavaScript acts.
    Plan,
    /// GraphQL documents, and events of AppSync.
    Graphql,
    /// Queries.
    Query,
    /// Sequences of what happens to the caches.
    Cache,
}

impl Target {
    const ALL: [Self; 12] = [
        Self::Token,
        Self::Jwks,
        Self::Path,
        Self::Bearer,
        Self::Policy,
        Self::Assertion,
        Self::Cloudfront,
        Self::Gateway,
        Self::Plan,
        Self::Graphql,
        Self::Query,
        Self::Cache,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Jwks => "jwks",
            Self::Path => "path",
            Self::Bearer => "bearer",
            Self::Policy => "policy",
            Self::Assertion => "assertion",
            Self::Cloudfront => "cloudfront",
            Self::Gateway => "gateway",
            Self::Plan => "plan",
            Self::Graphql => "graphql",
            Self::Query => "query",
            Self::Cache => "cache",
        }
    }
}

/// The part of a test run. Without a C++ compiler it is skipped, but never in CI.
pub(crate) fn short(paths: &Paths, report: &Report) -> Result<()> {
    let name = "fuzz targets";
    match compiler() {
        Err(missing) if env::var_os("CI").is_none_or(|ci| ci != "true") => {
            report.skip(name, &missing.to_string());
            Ok(())
        }
        found => report.part(name, "cargo xtask test --only fuzz", || {
            found?;
            let programs = build(paths)?;
            let runs = [format!("-runs={RUNS}"), "-seed=1".to_owned()];
            Target::ALL.into_iter().try_for_each(|target| {
                let fresh = folder(paths, "short", target)?;
                fs::remove_dir_all(&fresh)?;
                fs::create_dir(&fresh)?;
                let since = SystemTime::now();
                let log = fresh.with_extension("log");
                step(&format!("{}, {RUNS} inputs", target.name()), || {
                    let mut command = fuzzer(paths, &programs, target, &fresh)?;
                    run_quietly(command.args(&runs), &log).map_err(|_many_lines| crash(paths, target, since, &log))
                })
            })
        }),
    }
}

/// The part of a long run: each target for two minutes, from where the last run ended.
pub(crate) fn sample(paths: &Paths, report: &Report) -> Result<()> {
    report.part("fuzz targets, at length", "cargo xtask fuzz --seconds 120", || long(paths, None, SAMPLE_SECONDS))
}

/// Runs one target or all of them, `seconds` each; what it finds is kept for the next time.
pub(crate) fn long(paths: &Paths, only: Option<Target>, seconds: u32) -> Result<()> {
    compiler()?;
    let programs = build(paths)?;
    let targets = only.map_or(Target::ALL.to_vec(), |only| vec![only]);
    for target in targets {
        let kept = folder(paths, "corpus", target)?;
        say!("\n== {}, {seconds} s; inputs are kept in `{}`", target.name(), kept.display());
        let mut command = fuzzer(paths, &programs, target, &kept)?;
        let since = SystemTime::now();
        // What libFuzzer prints goes to the terminal, and so does the message of a panic.
        run(command.arg(format!("-max_total_time={seconds}"))).map_err(|_status| found(paths, target, since))?;
    }
    Ok(())
}

/// libFuzzer is C++ and comes as source.
fn compiler() -> Result<()> {
    let compiler = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if answer(Command::new(&compiler).arg("--version")).is_none() {
        bail!(
            "`{compiler}` does not run: install a C++ compiler, e.g. `apt-get install g++` or `xcode-select --install`"
        );
    }
    Ok(())
}

/// Builds every target, and gives the folder of the programs.
fn build(paths: &Paths) -> Result<PathBuf> {
    cargo_fuzz(paths)?;
    let version = answer(Command::new("rustc").arg("-vV").current_dir(&paths.root)).unwrap_or_default();
    let host = host_of(&version).context("`rustc -vV` does not say its host")?;
    step("build of the fuzz targets", || {
        let mut command = Command::new(paths.tools.join("bin/cargo-fuzz"));
        command
            .args(["build", "--sanitizer", "none", "--codegen-units", "16", "--target", host, "--target-dir"])
            .arg(&paths.target)
            // What makes the deployed program small takes minutes, and takes away the names of a backtrace.
            .envs([("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_STRIP", "none")])
            // Half the time of the build for half the speed of the targets: a good bargain in short runs.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .current_dir(&paths.root);
        run_quietly(&mut command, &paths.profile("fuzz")?.join("build.log"))
    })?;
    Ok(paths.target.join(host).join("release"))
}

fn host_of(version: &str) -> Option<&str> {
    version.lines().find_map(|line| line.strip_prefix("host: "))
}

fn fuzzer(paths: &Paths, programs: &Path, target: Target, corpus: &Path) -> Result<Command> {
    let fuzz = paths.root.join("fuzz");
    let name = target.name();
    let mut command = Command::new(programs.join(name));
    command
        .arg(format!("-artifact_prefix={}/", folder(paths, "artifacts", target)?.display()))
        .arg(format!("-dict={}", fuzz.join("dictionaries").join(name).with_extension("dict").display()))
        .args([format!("-timeout={INPUT_TIMEOUT}"), format!("-rss_limit_mb={MEMORY}")])
        // The trace of one input would push its message out of the log's last lines; run again, it shows both.
        .env("RUST_BACKTRACE", "0")
        // libFuzzer writes into the first folder alone.
        .arg(corpus)
        .arg(fuzz.join("seeds").join(name))
        .current_dir(&paths.root);
    Ok(command)
}

/// A folder of one target, made if need be.
fn folder(paths: &Paths, kind: &str, target: Target) -> Result<PathBuf> {
    let folder = paths.profile("fuzz")?.join(kind).join(target.name());
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    Ok(folder)
}

fn crash(paths: &Paths, target: Target, since: SystemTime, log: &Path) -> anyhow::Error {
    anyhow::anyhow!("{}\nlog `{}`:\n{}", found(paths, target, since), log.display(), tail(log))
}

/// Names the input that was written last since then, and how to run it again without libFuzzer.
fn found(paths: &Paths, target: Target, since: SystemTime) -> anyhow::Error {
    let name = target.name();
    let written = folder(paths, "artifacts", target).and_then(|folder| Ok(newest(&folder, since)?));
    match written {
        Ok(Some(input)) => {
            let input = input.display();
            anyhow::anyhow!(
                "an input breaks a promise of `{name}`: `{input}`; run it again with \
                 `cargo run -p postern-fuzz --bin {name} -- {input}`, and keep it in `fuzz/seeds/{name}/` once mended"
            )
        }
        _ => anyhow::anyhow!("`{name}` ended before its time and left no input"),
    }
}

fn newest(folder: &Path, since: SystemTime) -> std::io::Result<Option<PathBuf>> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        inputs.push((entry.metadata()?.modified()?, entry.path()));
    }
    Ok(inputs.into_iter().filter(|(written, _)| *written >= since).max().map(|(_, path)| path))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_target_has_a_program_seeds_and_a_dictionary() {
        let fuzz = Paths::find().expect("the repository").root.join("fuzz");
        let names = |folder: &str| {
            let mut names: Vec<String> = fs::read_dir(fuzz.join(folder))
                .expect("a folder of `fuzz`")
                .map(|entry| {
                    entry.expect("an entry").path().file_stem().unwrap_or_default().to_string_lossy().into_owned()
                })
                .collect();
            names.sort();
            names
        };
        let mut targets = Target::ALL.map(Target::name);
        targets.sort_unstable();
        for folder in ["fuzz_targets", "seeds", "dictionaries"] {
            assert_eq!(names(folder), targets, "{folder}");
        }
    }

    #[test]
    fn the_host_is_read_from_what_the_compiler_says() {
        assert_eq!(host_of("rustc 1.95.0\nbinary: rustc\nhost: aarch64-apple-darwin\n"), Some("aarch64-apple-darwin"));
        assert_eq!(host_of("rustc"), None);
    }

    #[test]
    fn the_input_written_last_is_the_one_that_is_named() {
        let folder = env::temp_dir().join(format!("postern-artifacts-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let now = SystemTime::now();
        let ago = |seconds| now - Duration::from_secs(seconds);
        for (name, age) in [("crash-new", 0), ("crash-older", 60), ("crash-before", 120)] {
            let file = fs::File::create(folder.join(name)).expect("a file");
            file.set_modified(ago(age)).expect("a time");
        }
        let named = |since| {
            newest(&folder, since).expect("readable").and_then(|path| path.file_stem()?.to_str().map(String::from))
        };
        let outcome = (named(ago(90)), named(now + Duration::from_secs(1)));
        let _ = fs::remove_dir_all(&folder);
        assert_eq!(outcome, (Some("crash-new".into()), None));
    }
}
