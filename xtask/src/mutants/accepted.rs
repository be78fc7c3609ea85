//! `xtask/mutants.toml`: the mutants that no test notices, each with the reason.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::json;

use super::list::Mutant;

/// Where the accepted survivors are listed.
pub(super) const FILE: &str = "xtask/mutants.toml";

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    survivor: Vec<Accepted>,
}

/// One mutant that no test notices. It is named without its line number, so that other changes do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accepted {
    file: String,
    change: String,
    /// The first line of what is replaced.
    line: String,
    /// Why no test has to notice it.
    pub(super) reason: String,
}

impl Accepted {
    /// Whether it is about this mutant.
    pub(super) fn is(&self, mutant: &Mutant) -> bool {
        self.file == mutant.file && self.change == mutant.change() && self.line == mutant.line
    }

    /// The entry for a mutant, without a reason.
    pub(super) fn entry(mutant: &Mutant) -> String {
        // A text in JSON is one in TOML too.
        let [file, change, line] = [&*mutant.file, mutant.change(), &*mutant.line].map(|text| json!(text));
        format!("[[survivor]]\nfile = {file}\nchange = {change}\nline = {line}\nreason = \"\"\n")
    }
}

/// Reads the file.
pub(super) fn read(root: &Path) -> Result<Vec<Accepted>> {
    let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("cannot read `{FILE}`"))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Accepted>> {
    let file: File = toml::from_str(text).with_context(|| format!("cannot read `{FILE}`"))?;
    if let Some(silent) = file.survivor.iter().find(|accepted| accepted.reason.trim().is_empty()) {
        bail!("`{FILE}`: `{}` in `{}` has no reason; add one", silent.change, silent.file);
    }
    Ok(file.survivor)
}

/// Fails with every entry that is not about exactly one mutant of the code.
pub(super) fn check(accepted: &[Accepted], mutants: &[Mutant]) -> Result<()> {
    let matching = |entry: &Accepted| mutants.iter().filter(|mutant| entry.is(mutant)).count();
    let faults: Vec<String> = accepted
        .iter()
        .map(|entry| (entry, matching(entry)))
        .filter(|(_, count)| *count != 1)
        .map(|(entry, count)| format!("`{}` in `{}`: {count} mutants", entry.change, entry.file))
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    bail!("`{FILE}` has entries that are not about exactly one mutant; remove or correct them:\n{}", faults.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "[[survivor]]\nfile = \"a.rs\"\nchange = \"replace == with !=\"\nline = \"a == b\"\n";

    #[test]
    fn an_entry_without_a_reason_is_an_error() {
        assert!(parse(&format!("{ENTRY}reason = \"both are the same\"\n")).is_ok());
        for reason in ["", "reason = \"\"", "reason = \" \""] {
            assert!(parse(&format!("{ENTRY}{reason}\n")).is_err(), "{reason}");
        }
    }

    #[test]
    fn an_entry_that_fits_no_mutant_is_an_error() {
        let accepted = parse(&format!("{ENTRY}reason = \"both are the same\"\n")).expect("one entry");
        let mutant = |line: &str| {
            let text = json!({
                "name": "a.rs:1:3: replace == with !=",
                "file": "a.rs",
                "span": { "start": { "line": 1, "column": 3 }, "end": { "line": 1, "column": 5 } },
                "replacement": "!=",
            });
            let mut mutant: Mutant = serde_json::from_value(text).expect("a mutant");
            mutant.line = line.to_owned();
            mutant
        };
        assert!(check(&accepted, &[mutant("a == b"), mutant("a == c")]).is_ok());
        assert!(check(&accepted, &[mutant("a == c")]).is_err());
        assert!(check(&accepted, &[mutant("a == b"), mutant("a == b")]).is_err());
    }

    #[test]
    fn an_entry_that_is_printed_is_about_its_mutant() {
        let text = json!({
            "name": "a.rs:1:3: replace == with !=",
            "file": "a.rs",
            "span": { "start": { "line": 1, "column": 3 }, "end": { "line": 1, "column": 5 } },
            "replacement": "!=",
        });
        let mut mutant: Mutant = serde_json::from_value(text).expect("a mutant");
        mutant.line = "a == \"b\\n\"".to_owned();
        let entry = Accepted::entry(&mutant).replace("reason = \"\"", "reason = \"none\"");
        assert!(parse(&entry).expect("an entry").iter().all(|entry| entry.is(&mutant)));
    }

    #[test]
    fn the_committed_file_is_well_formed() {
        read(Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")).expect("the file");
    }
}
