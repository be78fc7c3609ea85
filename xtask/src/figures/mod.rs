//! Figures that no machine changes: fuel and allocations of fixed decisions, held against the ones in the repository.
//!
//! A figure that has grown by more than the tolerance is a regression or a price that somebody has to accept in so many
//! words. One that has shrunk by more fails too: unless the lower figure is kept, the gain can be lost again unnoticed.

mod fuel;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    paths::Paths,
    process::output_of,
    setup::{WORKER_TARGET, rust_target},
    test::Binaries,
};

/// By how much a figure may differ, in percent: what another patch of the compiler or of a dependency moves.
const TOLERANCE: u64 = 5;
const KEPT: &str = "bench/figures/figures.json";
/// What counts.
const PROGRAM: &str = "postern-bench-figures";
const MODULE: &str = "postern_bench_guest.wasm";
/// How a new figure is accepted.
pub(crate) const ACCEPT: &str = "cargo xtask figures --write";

/// What [`PROGRAM`] prints: allocations of one decision of each row, and how many decisions were counted together.
#[derive(Debug, Deserialize)]
struct Counted {
    decisions: u32,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    name: String,
    allocations: u64,
    octets: u64,
}

/// By row, and by what is counted.
type Figures = BTreeMap<String, BTreeMap<String, u64>>;

/// Counts, and compares with what is kept, or keeps what was counted.
pub(crate) fn figures(paths: &Paths, binaries: &Binaries, write: bool) -> Result<()> {
    let text = counted(paths, binaries)?;
    let kept = paths.root.join(KEPT);
    if write {
        return fs::write(&kept, &text).with_context(|| format!("cannot write `{}`", kept.display()));
    }
    let counted: Figures = serde_json::from_str(&text).context("what was counted cannot be read")?;
    let text = fs::read_to_string(&kept).with_context(|| format!("cannot read `{}`", kept.display()))?;
    let differing = differing(&serde_json::from_str(&text).context("the kept figures cannot be read")?, &counted);
    for (row, figures) in &counted {
        say!(
            "{row}: {}",
            figures.iter().map(|(what, figure)| format!("{figure} {what}")).collect::<Vec<_>>().join(", ")
        );
    }
    ensure!(differing.is_empty(), "{}\naccept them with `{ACCEPT}`", differing.join("\n"));
    Ok(())
}

fn counted(paths: &Paths, binaries: &Binaries) -> Result<String> {
    rust_target(paths, WORKER_TARGET)?;
    // Unoptimised: that builds in seconds, and what it allocates is the same.
    let allocations = output_of(Command::new(binaries.program(PROGRAM)?).current_dir(&paths.root))
        .context("the allocations cannot be counted")?;
    let counted: Counted = serde_json::from_str(&allocations).context("the allocations cannot be read")?;
    let file = module(&paths.root)?;
    let guest = fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let mut figures = Figures::new();
    for (row, Row { name, allocations, octets }) in (0..).zip(counted.rows) {
        let fuel = fuel::of(&guest, row, counted.decisions)?;
        let counts = [("allocations", allocations), ("fuel", fuel), ("octets", octets)];
        figures.insert(name, counts.map(|(what, count)| (what.to_owned(), count)).into());
    }
    Ok(serde_json::to_string_pretty(&figures)? + "\n")
}

/// Builds the guest as what is deployed is built.
pub(crate) fn module(root: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--package", "postern-bench-guest", "--target", WORKER_TARGET])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(root);
    let messages = output_of(&mut cargo).context("the guest does not build")?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let files = messages.flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    let mut paths = files.filter_map(|file| file.as_str().map(PathBuf::from));
    paths.find(|path| path.ends_with(MODULE)).with_context(|| format!("cargo built no `{MODULE}`"))
}

/// A line for each figure that differs by more than the tolerance, or stands on one side alone.
fn differing(kept: &Figures, counted: &Figures) -> Vec<String> {
    let figure = |figures: &Figures, row: &str, what: &str| figures.get(row).and_then(|row| row.get(what)).copied();
    let mut lines = Vec::new();
    for (row, figures) in kept {
        for (what, old) in figures {
            match figure(counted, row, what) {
                None => lines.push(format!("`{row}`: {what} is counted no more")),
                Some(new) if new.abs_diff(*old) * 100 > old * TOLERANCE => {
                    let word = if new > *old { "grew" } else { "shrank, and the lower figure is to be kept" };
                    lines.push(format!("`{row}`: {what} was {old} and is {new}: it {word}"));
                }
                Some(_) => {}
            }
        }
    }
    for (row, figures) in counted {
        for what in figures.keys().filter(|what| figure(kept, row, what).is_none()) {
            lines.push(format!("`{row}`: {what} is counted and not kept"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fuel: u64) -> Figures {
        [("row".to_owned(), [("fuel".to_owned(), fuel)].into())].into()
    }

    #[test]
    fn a_figure_may_differ_by_five_percent_and_no_more() {
        for (new, fits) in [(1000, true), (1050, true), (950, true), (1051, false), (949, false), (0, false)] {
            assert_eq!(differing(&of(1000), &of(new)).is_empty(), fits, "{new}");
        }
        // What cost nothing may cost nothing.
        assert_eq!((differing(&of(0), &of(0)).len(), differing(&of(0), &of(1)).len()), (0, 1));
    }

    #[test]
    fn a_figure_on_one_side_alone_is_told() {
        assert_eq!(differing(&of(1), &Figures::new()).len(), 1);
        assert_eq!(differing(&Figures::new(), &of(1)).len(), 1);
    }
}
