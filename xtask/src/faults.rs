//! The table of faults at the issuer: the end-to-end tests write its rows down, each in a file, and this prints them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The folder in the profile's own that the tests write to; `e2e/src/fault_table.rs` has its other end.
const FOLDER: &str = "fault-table";
const HEADINGS: [&str; 5] = ["fault", "without keys", "with keys", "fetches allowed", "fetches seen"];

/// Forgets the rows of an earlier run.
pub(crate) fn clear(profile: &Path) -> Result<()> {
    let folder = profile.join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
    }
    Ok(())
}

/// The rows that there are, under their headings; none where no test has written one.
pub(crate) fn table(profile: &Path) -> Option<String> {
    let mut files: Vec<_> = fs::read_dir(profile.join(FOLDER)).ok()?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let rows: Vec<String> = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    (!rows.is_empty()).then(|| aligned(&rows))
}

fn aligned(rows: &[String]) -> String {
    let headings = HEADINGS.join("\t");
    let cells: Vec<Vec<&str>> = std::iter::once(headings.as_str())
        .chain(rows.iter().map(String::as_str))
        .map(|row| row.split('\t').collect())
        .collect();
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.len()).max().unwrap_or_default())
        .collect();
    let line = |row: &Vec<&str>| {
        let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let table = aligned(&["refused\t503\t200\tcold 3\tcold 3".to_owned(), "x\t\t200\t1\t1".to_owned()]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], "refused  503           200        cold 3           cold 3");
        assert_eq!(lines[2].find("200"), lines[1].find("200"));
    }

    #[test]
    fn no_rows_are_no_table() {
        assert_eq!(table(Path::new("/nonexistent")), None);
    }
}
