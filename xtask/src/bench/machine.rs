//! What a figure was measured on and with: figures of two machines say nothing about each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::paths::Paths;
use crate::setup::{answer, node};

/// Packages of `bench/` and `local/` that are measured or measure.
const NPM: [(&str, &str); 4] =
    [("bench", "jose"), ("bench", "aws-jwt-verify"), ("bench", "autocannon"), ("local", "workerd")];
/// Crates that are measured beside Postern's.
const CRATES: [&str; 3] = ["aws-lc-rs", "cedar-policy", "jsonwebtoken"];

/// The machine, the programs, and the state of the repository.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Machine {
    /// UTC, RFC 3339.
    pub(super) date: String,
    /// The commit, with `+` behind it where files differed from it.
    pub(super) commit: String,
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory: String,
    pub(super) system: String,
    /// By name.
    pub(super) versions: BTreeMap<String, String>,
}

impl Machine {
    /// This one, now.
    pub(super) fn here(paths: &Paths) -> Result<Self> {
        let said = |program: &str, arguments: &[&str]| {
            answer(Command::new(program).args(arguments).current_dir(&paths.root))
                .unwrap_or_else(|| "unknown".to_owned())
        };
        let changed = !said("git", &["status", "--porcelain", "--", ".", ":!bench/results", ":!README.md"]).is_empty();
        let mut versions = BTreeMap::from([
            ("rustc".to_owned(), said("rustc", &["--version"])),
            ("node".to_owned(), answer(Command::new(node(paths)).arg("--version")).unwrap_or_default()),
        ]);
        for (folder, name) in NPM {
            versions.insert(name.to_owned(), npm_version(&paths.root.join(folder), name)?);
        }
        let lock = fs::read_to_string(paths.root.join("Cargo.lock")).context("cannot read `Cargo.lock`")?;
        for name in CRATES {
            versions.extend(crate_version(&lock, name).map(|version| (name.to_owned(), version)));
        }
        Ok(Self {
            date: said("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
            commit: said("git", &["rev-parse", "--short=12", "HEAD"]) + if changed { "+" } else { "" },
            processor: processor().unwrap_or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"])),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory: memory().unwrap_or_else(|| said("sysctl", &["-n", "hw.memsize"])),
            system: said("uname", &["-srm"]),
            versions,
        })
    }

    /// One line for people.
    pub(super) fn in_words(&self) -> String {
        let Self { processor, cores, memory, system, .. } = self;
        format!("{processor}, {cores} cores, {memory}, {system}")
    }
}

fn npm_version(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join("package-lock.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let lock: Value = serde_json::from_str(&text).with_context(|| format!("`{}` is no JSON", path.display()))?;
    let version = lock["packages"][format!("node_modules/{name}")]["version"].as_str();
    Ok(version.with_context(|| format!("`{}` has no `{name}`", path.display()))?.to_owned())
}

/// Cargo writes a package's name and its version in two lines, one behind the other.
fn crate_version(lock: &str, name: &str) -> Option<String> {
    let (_, after) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    after.split('"').next().map(str::to_owned)
}

/// As Linux tells it.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory() -> Option<String> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes: u64 = text.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok()?;
    Some(format!("{} GiB", (kibibytes + 512 * 1024) / (1024 * 1024)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_files() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"9\"\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n";
        assert_eq!(crate_version(lock, "a").as_deref(), Some("1.2.3"));
        assert_eq!(crate_version(lock, "c"), None);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (folder, name) in NPM {
            assert!(npm_version(&root.join(folder), name).is_ok(), "{name}");
        }
    }
}
