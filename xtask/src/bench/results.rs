//! What a run leaves behind: one file for each part in `bench/results/`, all rounds among it; one plot, and the README's
//! tables, of all parts that have a file.

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
        // Thousands of rounds, a line each, would be all that anybody sees of a change.
        let text = serde_json::to_string(self)? + "\n";
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

/// All parts that have a file, in the order of the table.
pub(super) fn all(folder: &Path) -> Result<Vec<Results>> {
    let parts: Vec<Option<Results>> =
        Part::ALL.iter().map(|part| Results::read(folder, *part)).collect::<Result<_>>()?;
    Ok(parts.into_iter().flatten().collect())
}

/// Draws the plot of `parts`, and gives its path.
pub(super) fn draw(folder: &Path, parts: &[Results]) -> Result<PathBuf> {
    let path = folder.join("bench.svg");
    fs::write(&path, plot(parts)).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}
