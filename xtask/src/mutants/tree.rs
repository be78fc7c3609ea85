//! A copy of the repository in which mutants are built, so that nobody's working tree is changed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};

use crate::paths::Paths;
use crate::setup::answer;

/// The variable that names the folder of published vectors.
const VECTORS: &str = "POSTERN_VECTORS";
/// Folders with what the set-up installs. The copy links to them.
const INSTALLED: [&str; 2] = [".tools", "local/node_modules"];

/// The copy. It keeps its own target folder, so that a later run builds only what changed.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) folder: PathBuf,
    /// Where the published vectors are, if they are there. The tests look for them next to the repository.
    vectors: Option<PathBuf>,
}

impl Tree {
    /// Brings the copy up to date with the working tree, its uncommitted changes included. Unchanged files are not
    /// written, so that cargo does not build them again.
    pub(super) fn update(paths: &Paths) -> Result<Self> {
        let folder = paths.profile("mutants")?.join("tree");
        let files = lines(paths, &["ls-files", "--cached", "--others", "--exclude-standard"])?;
        let mut known = BTreeSet::new();
        for file in files {
            let source = paths.root.join(&file);
            // A deleted file is listed until the deletion is committed.
            if source.is_file() {
                copy(&source, &folder.join(&file))?;
                known.insert(folder.join(file));
            }
        }
        remove_others(&folder, &known)?;
        for installed in INSTALLED {
            let (target, link) = (paths.root.join(installed), folder.join(installed));
            if target.exists() && link.symlink_metadata().is_err() {
                symlink(target, &link).with_context(|| format!("cannot link `{}`", link.display()))?;
            }
        }
        let vectors = env::var_os(VECTORS).unwrap_or_else(|| "../shared/vectors".into());
        let vectors = Some(paths.root.join(vectors)).filter(|vectors| vectors.is_dir());
        Ok(Self { folder, vectors })
    }

    /// The text of a file without a change.
    pub(super) fn original(&self, file: &str) -> Result<String> {
        let path = self.folder.join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
    }

    /// Has a command run in the copy and build into the copy's target folder.
    pub(super) fn enter(&self, command: &mut Command) {
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", self.folder.join("target"));
        if let Some(vectors) = &self.vectors {
            command.env(VECTORS, vectors);
        }
    }
}

fn copy(source: &Path, copy: &Path) -> Result<()> {
    let content = fs::read(source).with_context(|| format!("cannot read `{}`", source.display()))?;
    if fs::read(copy).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(folder) = copy.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    }
    fs::copy(source, copy).with_context(|| format!("cannot write `{}`", copy.display()))?;
    Ok(())
}

/// Removes the files of the copy that the working tree does not have, but not what the copy's builds have made.
fn remove_others(folder: &Path, known: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_symlink() || entry.file_name() == OsStr::new("target") {
            continue;
        }
        if path.is_dir() {
            remove_others(&path, known)?;
        } else if !known.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
    }
    Ok(())
}

/// The files that changed since `since`, or since the last release. Without a release, none.
pub(super) fn moved(paths: &Paths, since: Option<&str>) -> Result<BTreeSet<String>> {
    let last = || answer(Command::new("git").args(["describe", "--tags", "--abbrev=0"]).current_dir(&paths.root));
    let Some(since) = since.map(str::to_owned).or_else(last) else { return Ok(BTreeSet::new()) };
    Ok(lines(paths, &["diff", "--name-only", &since])?.into_iter().collect())
}

fn lines(paths: &Paths, arguments: &[&str]) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["-c", "core.quotePath=false"])
        .args(arguments)
        .current_dir(&paths.root)
        .output()
        .context("`git` does not run: install it")?;
    let failed = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ensure!(output.status.success(), "`git {}` failed: {failed}", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_loses_what_the_original_does_not_have_and_keeps_what_was_built() {
        let folder = env::temp_dir().join(format!("postern-mutants-{}", std::process::id()));
        let write = |path: &str| {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, "text").expect("a file");
        };
        ["src/kept.rs", "src/old.rs", "target/debug/built"].into_iter().for_each(write);
        remove_others(&folder, &BTreeSet::from([folder.join("src/kept.rs")])).expect("removed");
        let is_there = |path: &str| folder.join(path).exists();
        let left = [is_there("src/kept.rs"), is_there("src/old.rs"), is_there("target/debug/built")];
        let _ = fs::remove_dir_all(&folder);
        assert_eq!(left, [true, false, true]);
    }
}
