//! `cargo xtask test --fast`: formatting, clippy and the tests of the packages that have changed.
//!
//! Changed is what differs from the branch that this one is to land on (`origin/main`, else the commit before), committed
//! or not. Packages that only depend on a changed one are linted, and tested by the whole run.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Result;

use super::binaries::{self, Choice};
use super::lints;
use crate::paths::Paths;
use crate::process::run;
use crate::report::Report;
use crate::setup::answer;

/// The packages by their folders, the longer paths first.
const PACKAGES: [(&str, &str); 15] = [
    ("bench/figures/", "postern-bench-figures"),
    ("bench/native/", "postern-bench-native"),
    ("bench/guest/", "postern-bench-guest"),
    ("corpus/cedar/", "postern-corpus-cedar"),
    ("edge/embed/", "postern-embed"),
    ("shared/", "postern"),
    ("edge/", "postern-edge"),
    ("origin/", "postern-origin"),
    ("cli/", "postern-cli"),
    ("probe/", "postern-probe"),
    ("xtask/", "xtask"),
    ("vectors/", "postern-vectors"),
    ("fuzz/", "postern-fuzz"),
    ("corpus/", "postern-corpus"),
    ("bench/", "postern-bench"),
];
/// Changes to these concern every package.
const EVERYWHERE: [&str; 3] = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];
/// These need stacks or builds of their own.
const SLOW: [&str; 3] = ["postern-corpus-cedar", "postern-bench-native", "postern-e2e"];

/// Runs the level.
pub(super) fn run_fast(paths: &Paths) -> Result<()> {
    let report = Report::live();
    lints::formatting(paths, &report)?;
    let changed = changed(paths);
    let packages: Vec<&str> = packages_of(&changed).into_iter().collect();
    if packages.is_empty() {
        report.skip("clippy and tests", "no file of a package has changed");
        return report.finish();
    }
    report.part("clippy of what has changed", "cargo clippy --workspace --all-targets --all-features", || {
        let mut clippy = Command::new("cargo");
        clippy.arg("clippy").args(packages.iter().flat_map(|package| ["--package", package]));
        run(clippy.args(["--all-targets", "--all-features", "--", "-D", "warnings"]).current_dir(&paths.root))
    })?;
    report.part("tests of what has changed", "cargo xtask test --only unit", || {
        let tested: Vec<&str> = packages.iter().copied().filter(|package| !SLOW.contains(package)).collect();
        if tested.is_empty() {
            say!("  {} are tested by the whole run alone", packages.join(", "));
            return Ok(());
        }
        // The packages that depend on a changed one are most of what there is to compile.
        let binaries = binaries::build_packages(paths, &tested)?;
        binaries.run(paths, &Choice::default())
    })?;
    report.finish()
}

/// The files that differ, from the repository's root.
fn changed(paths: &Paths) -> Vec<String> {
    let git = |arguments: &[&str]| answer(Command::new("git").args(arguments).current_dir(&paths.root));
    let base = git(&["merge-base", "HEAD", "origin/main"]).or_else(|| git(&["rev-parse", "HEAD~1"]));
    let base = base.unwrap_or_else(|| "HEAD".to_owned());
    let committed = git(&["diff", "--name-only", &base]).unwrap_or_default();
    let untracked = git(&["ls-files", "--others", "--exclude-standard"]).unwrap_or_default();
    committed.lines().chain(untracked.lines()).map(str::to_owned).collect()
}

fn packages_of(files: &[String]) -> BTreeSet<&'static str> {
    let mut packages = BTreeSet::new();
    for file in files {
        if EVERYWHERE.contains(&file.as_str()) {
            packages.extend(PACKAGES.iter().map(|(_, package)| *package));
        }
        packages.extend(PACKAGES.iter().find(|(folder, _)| file.starts_with(folder)).map(|(_, package)| *package));
        if file.starts_with("e2e/") {
            packages.insert("postern-e2e");
        }
        // The example and its schema are read by the command's tests.
        if file.starts_with("postern.") || file.starts_with("docs/") {
            packages.insert("postern-cli");
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_of_the_package_in_the_innermost_folder() {
        let of = |file: &str| packages_of(&[file.to_owned()]).into_iter().collect::<Vec<_>>();
        assert_eq!(of("edge/embed/src/lib.rs"), ["postern-embed"]);
        assert_eq!(of("edge/src/lib.rs"), ["postern-edge"]);
        assert_eq!(of("e2e/tests/cors.rs"), ["postern-e2e"]);
        assert_eq!(of("postern.toml"), ["postern-cli"]);
        assert_eq!(of("CHANGELOG.md"), [""; 0]);
        assert_eq!(of("Cargo.lock").len(), PACKAGES.len());
    }

    #[test]
    fn every_package_of_the_workspace_is_known() {
        let root = Paths::find().expect("the repository").root;
        let text = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace");
        let workspace: toml::Table = text.parse().expect("TOML");
        let members = workspace["workspace"]["members"].as_array().expect("members");
        for member in members.iter().filter_map(toml::Value::as_str).filter(|member| *member != "e2e") {
            let folder = format!("{member}/");
            assert!(PACKAGES.iter().any(|(known, _)| *known == folder), "{member}");
        }
    }
}
