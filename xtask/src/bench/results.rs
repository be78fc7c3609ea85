//! What a run leaves behind: one file for each part in `bench/results/`, all rounds among it, and one plot of all parts
//! that have a file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Part;
use super::machine::Machine;
use super::plot::plot;
use super::samples::Samples;
use super::verdict::Comparison;

/// One part's run.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Results {
    pub(super) part: String,
    pub(super) machine: Machine,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) rows: Vec<Samples>,
}

impl Results {
    fn path(folder: &Path, part: &str) -> PathBuf {
        folder.join(format!("{part}.json"))
    }

    /// Writes the part's file.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        let path = Self::path(folder, &self.part);
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// A part's file, if there is one.
    fn read(folder: &Path, part: Part) -> Result<Option<Self>> {
        let path = Self::path(folder, part.name());
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let again = || format!("`{}` is of another version: `cargo xtask bench {}`", path.display(), part.name());
        serde_json::from_str(&text).map(Some).with_context(again)
    }
}

/// Draws the plot anew from all files that are there, and gives its path.
pub(super) fn draw(folder: &Path) -> Result<PathBuf> {
    let parts: Vec<Option<Results>> =
        Part::ALL.iter().map(|part| Results::read(folder, *part)).collect::<Result<_>>()?;
    let path = folder.join("bench.svg");
    let parts: Vec<Results> = parts.into_iter().flatten().collect();
    fs::write(&path, plot(&parts)).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}
