//! The README's figures: made of what runs have left in `bench/results`, and of nothing else.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::results::Results;
use super::table::with_notes;
use super::verdict::Comparison;

const BEGIN: &str = "<!-- Written by `cargo xtask bench`: -->\n";
const END: &str = "<!-- until here. -->\n";

/// Puts the figures of `parts` in the place of those that the README has.
pub(super) fn write(root: &Path, parts: &[Results]) -> Result<()> {
    let path = root.join("README.md");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let text = with(&text, parts)?;
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

fn with(readme: &str, parts: &[Results]) -> Result<String> {
    let place = readme.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = place.with_context(|| format!("the README has no place for figures: `{BEGIN}{END}`"))?;
    Ok([before, BEGIN, &section(parts), END, after].concat())
}

/// Of each part what it was measured on, the comparisons that have a target, and what one must know to read them.
fn section(parts: &[Results]) -> String {
    let part = |results: &Results| {
        let Results { part, machine, comparisons, rows } = results;
        let has_target = |comparison: &&Comparison| comparison.at_most.or(comparison.at_least).is_some();
        let targeted: Vec<Comparison> = comparisons.iter().filter(has_target).cloned().collect();
        let targets = rows.iter().filter(|samples| targeted.iter().any(|one| one.row == samples.row));
        format!(
            "**`{part}`** — {}; commit {}, {}\n\n{}",
            machine.in_words(),
            machine.commit,
            machine.date.split('T').next().unwrap_or_default(),
            with_notes(&targeted, true, targets)
        )
    };
    format!("\n{}\n", parts.iter().map(part).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::super::results;
    use super::*;

    #[test]
    fn the_readme_has_the_figures_of_the_runs_that_are_kept() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let parts = results::all(&root.join("bench/results")).expect("results");
        assert!(!parts.is_empty(), "no run is kept");
        let readme = fs::read_to_string(root.join("README.md")).expect("the README");
        assert!(with(&readme, &parts).expect("a place") == readme, "keep the figures of a run: `cargo xtask bench`");
    }

    #[test]
    fn what_stands_round_the_figures_stays() {
        let text = with(&format!("a\n{BEGIN}old{END}b\n"), &[]).expect("a place");
        assert!(text.starts_with("a\n") && text.ends_with("b\n") && !text.contains("old"), "{text}");
        assert!(with("a\n", &[]).is_err());
    }
}
