//! The mutants of the code, as `cargo mutants --list` finds them.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::tree::Tree;
use crate::paths::Paths;
use crate::setup::cargo_mutants;

/// Packages whose code is mutated: those that are deployed or that users run.
const PACKAGES: [&str; 5] = ["postern", "postern-edge", "postern-embed", "postern-origin", "postern-cli"];

/// One change of the code.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Mutant {
    /// `FILE:LINE:COLUMN: CHANGE`.
    pub(super) name: String,
    /// The file's path in the repository.
    pub(super) file: String,
    span: Span,
    replacement: String,
    /// The first line of what is replaced, as it is in the file.
    #[serde(skip)]
    pub(super) line: String,
}

/// The text that is replaced: the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Span {
    start: Position,
    end: Position,
}

/// A place in a file. Both count from 1, and columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Position {
    line: usize,
    column: usize,
}

/// Every mutant of the copy.
pub(super) fn all(paths: &Paths, tree: &Tree) -> Result<Vec<Mutant>> {
    cargo_mutants(paths)?;
    let mut command = Command::new(paths.tools.join("bin/cargo-mutants"));
    command.args(["mutants", "--list", "--json", "--no-config"]).current_dir(&tree.folder);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    let output = command.output().context("`cargo mutants` does not run")?;
    ensure!(output.status.success(), "`cargo mutants --list` failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut mutants: Vec<Mutant> =
        serde_json::from_slice(&output.stdout).context("`cargo mutants --list` printed something else than mutants")?;
    ensure!(!mutants.is_empty(), "`cargo mutants --list` found nothing to change");
    for mutant in &mut mutants {
        let text = tree.original(&mutant.file)?;
        let line = text.lines().nth(mutant.span.start.line.saturating_sub(1)).unwrap_or_default();
        line.trim().clone_into(&mut mutant.line);
    }
    Ok(mutants)
}

impl Mutant {
    /// What is changed, without the place.
    pub(super) fn change(&self) -> &str {
        let place = format!("{}:{}:{}: ", self.file, self.span.start.line, self.span.start.column);
        self.name.strip_prefix(&place).unwrap_or(&self.name)
    }

    /// The file's text with the change in it.
    pub(super) fn applied(&self, text: &str) -> Result<String> {
        let start = self.span.start.offset(text).context("the change begins after the end of the file")?;
        let end = self.span.end.offset(text).context("the change ends after the end of the file")?;
        ensure!(start <= end, "the change ends before it begins");
        Ok(format!("{}{}{}", &text[..start], self.replacement, &text[end..]))
    }

    /// Makes the change in the copy, until the answer is dropped.
    pub(super) fn apply<'t>(&self, tree: &'t Tree) -> Result<Applied<'t>> {
        let original = tree.original(&self.file)?;
        let path = tree.folder.join(&self.file);
        let mutated = self.applied(&original).with_context(|| self.name.clone())?;
        let applied = Applied { tree, file: self.file.clone(), original };
        fs::write(&path, mutated).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(applied)
    }
}

/// A mutant in the copy. Dropping it restores the file.
#[derive(Debug)]
pub(super) struct Applied<'t> {
    tree: &'t Tree,
    file: String,
    original: String,
}

impl Drop for Applied<'_> {
    fn drop(&mut self) {
        // The next update of the copy restores what cannot be restored here.
        let _ = fs::write(self.tree.folder.join(&self.file), &self.original);
    }
}

impl Position {
    /// The offset in octets.
    fn offset(self, text: &str) -> Option<usize> {
        let begin: usize = text.split_inclusive('\n').take(self.line.checked_sub(1)?).map(str::len).sum();
        let line = text.get(begin..)?.split_inclusive('\n').next().unwrap_or_default();
        let column = self.column.checked_sub(1)?;
        let within = line.char_indices().map(|(offset, _)| offset).chain([line.len()]).nth(column)?;
        Some(begin + within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(span: [usize; 4], replacement: &str) -> Mutant {
        let [line, column, end_line, end_column] = span;
        Mutant {
            name: format!("a.rs:{line}:{column}: replace something"),
            file: "a.rs".into(),
            span: Span { start: Position { line, column }, end: Position { line: end_line, column: end_column } },
            replacement: replacement.into(),
            line: String::new(),
        }
    }

    #[test]
    fn a_change_replaces_exactly_its_span() {
        let text = "fn é() -> bool {\n    a == b\n}\n";
        assert_eq!(mutant([2, 7, 2, 9], "!=").applied(text).expect("fits"), "fn é() -> bool {\n    a != b\n}\n");
        assert_eq!(mutant([1, 16, 3, 2], "{ true }").applied(text).expect("fits"), "fn é() -> bool { true }\n");
        assert_eq!(mutant([1, 4, 1, 5], "e").applied(text).expect("fits"), "fn e() -> bool {\n    a == b\n}\n");
    }

    #[test]
    fn a_change_outside_of_the_file_is_an_error() {
        for span in [[9, 1, 9, 2], [1, 90, 1, 91], [2, 9, 2, 7], [0, 1, 1, 1]] {
            assert!(mutant(span, "x").applied("fn a() {}\n").is_err(), "{span:?}");
        }
    }

    #[test]
    fn the_change_is_named_without_its_place() {
        assert_eq!(mutant([2, 7, 2, 9], "!=").change(), "replace something");
    }
}
