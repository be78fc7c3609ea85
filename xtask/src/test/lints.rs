//! The checks that run no code of the project: formatting, clippy, builds without `std`, documentation, packages,
//! dependencies.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::advisories;
use crate::paths::Paths;
use crate::process::run;
use crate::report::Report;
use crate::security;
use crate::setup::{WORKER_TARGET, cargo_deny, rust_target};

const AGAIN: &str = "cargo xtask test --only lint";
/// A target without the standard library, and with the atomics that the core's cache of tokens needs.
const NO_STD_TARGET: &str = "thumbv7em-none-eabi";

/// All of them.
pub(super) fn all(paths: &Paths, report: &Report) -> Result<()> {
    formatting(paths, report)?;
    without_formatting(paths, report)
}

/// The one that takes a second.
pub(super) fn formatting(paths: &Paths, report: &Report) -> Result<()> {
    report.part("formatting", "cargo fmt --all", || cargo(paths, &["fmt", "--all", "--check"]))
}

/// All others.
pub(super) fn without_formatting(paths: &Paths, report: &Report) -> Result<()> {
    report.part("clippy, host", "cargo clippy --workspace --all-targets --all-features", || {
        cargo(paths, &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
    })?;
    report.part("clippy, Worker", "cargo clippy -p postern-edge --target wasm32-unknown-unknown", || {
        rust_target(paths, WORKER_TARGET)?;
        // With the default features and with all of them.
        for features in [&[][..], &["--all-features"]] {
            let clippy = ["clippy", "--package", "postern-edge", "--target", WORKER_TARGET];
            cargo(paths, &[&clippy[..], features, &["--", "-D", "warnings"]].concat())?;
        }
        Ok(())
    })?;
    report.part("core without std", AGAIN, || {
        rust_target(paths, NO_STD_TARGET)?;
        for features in ["", "portable"] {
            // `check` finds whatever needs `std`; nothing is linked in either case.
            let check = ["check", "--package", "postern", "--target", NO_STD_TARGET];
            cargo(paths, &[&check[..], &["--no-default-features", "--features", features]].concat())?;
        }
        Ok(())
    })?;
    report.part("SECURITY.md names tests that exist", AGAIN, || security::check(&paths.root))?;
    report.part("documentation", "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps", || {
        let document = ["doc", "--workspace", "--no-deps", "--all-features", "--document-private-items"];
        // With examples, or cargo would leave out what tests need and check half of the crates again without it.
        let targets = ["--lib", "--bins", "--examples"];
        let mut cargo = Command::new("cargo");
        run(cargo.args(document).args(targets).env("RUSTDOCFLAGS", "-D warnings").current_dir(&paths.root))
    })?;
    report.part("package of the core", "cargo package -p postern --allow-dirty", || package(paths))?;
    report.part("dependencies", ".tools/bin/cargo-deny check bans licenses sources", || {
        cargo_deny(paths)?;
        let check = ["--log-level", "error", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
        run(deny(paths).args(check))
    })?;
    advisories::check(paths, report)
}

/// Packs the core and checks what was packed by itself. `cargo package` would build it, and all that it needs, instead.
fn package(paths: &Paths) -> Result<()> {
    cargo(paths, &["package", "--package", "postern", "--allow-dirty", "--no-verify"])?;
    let folder = paths.target.join("package");
    let version = env!("CARGO_PKG_VERSION");
    let mut unpack = Command::new("tar");
    run(unpack.arg("-xzf").arg(format!("postern-{version}.crate")).current_dir(&folder))?;
    let folder = folder.join(format!("postern-{version}"));
    let manifest = folder.join("Cargo.toml");
    // Otherwise cargo takes it for a member of the workspace in whose folder it lies.
    let text = fs::read_to_string(&manifest).with_context(|| format!("cannot read `{}`", manifest.display()))?;
    fs::write(&manifest, text + "\n[workspace]\n")?;
    run(Command::new("cargo").arg("check").env("CARGO_TARGET_DIR", &paths.target).current_dir(folder))
}

fn cargo(paths: &Paths, arguments: &[&str]) -> Result<()> {
    run(Command::new("cargo").args(arguments).current_dir(&paths.root))
}

fn deny(paths: &Paths) -> Command {
    let mut command = Command::new(paths.tools.join("bin/cargo-deny"));
    command.current_dir(&paths.root);
    command
}
