//! Where things are: the repository, the folders of the tools that the set-up installs, and each profile's own folder.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

/// The folders that every command works in.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Node programs and their packages.
    pub(crate) local: PathBuf,
    /// Tools installed by the set-up, from registries other than npm's.
    pub(crate) tools: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

impl Paths {
    /// Finds the repository from where this package was built.
    pub(crate) fn find() -> Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is not inside a repository")?.to_path_buf();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
            || root.join("target"),
            |given| {
                let given = PathBuf::from(given);
                if given.is_absolute() { given } else { root.join(given) }
            },
        );
        Ok(Self { local: root.join("local"), tools: root.join(".tools"), target, root })
    }

    /// What one profile of the stack writes: keys, overlay, logs.
    pub(crate) fn profile(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("postern").join(name);
        fs::create_dir_all(folder.join("logs")).with_context(|| format!("cannot create `{}`", folder.display()))?;
        Ok(folder)
    }

    /// Measurements: their programs, their peers, what came of them.
    pub(crate) fn bench(&self) -> PathBuf {
        self.root.join("bench")
    }

    /// A program that npm put among the packages.
    pub(crate) fn npm_program(&self, name: &str) -> PathBuf {
        self.local.join("node_modules/.bin").join(name)
    }

    /// A program of the Python environment.
    pub(crate) fn venv_program(&self, name: &str) -> PathBuf {
        self.tools.join("venv/bin").join(name)
    }
}

/// Writes only what differs, so that a build that watches the file does not start over for nothing.
pub(crate) fn write_if_changed(path: &Path, content: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| format!("cannot write `{}`", path.display()))
}
