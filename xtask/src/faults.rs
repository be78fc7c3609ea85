//! The tables that the end-to-end tests fill, each row in a file of its own: what faults at the issuer came to, and how
//! long after a downgrade access was gone. This prints them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A table by its title, the folder in the profile's own that the tests write to, and its headings; `e2e/src/fault_table.rs`
/// and `e2e/src/freshness_table.rs` have the other ends.
type Table = (&'static str, &'static str, &'static [&'static str]);
const TABLES: [Table; 2] = [
    ("faults at the issuer", "fault-table", &["fault", "without keys", "with keys", "fetches allowed", "fetches seen"]),
    (
        "how long after a downgrade access is gone",
        "freshness-table",
        &["driver", "permissions_max_age", "last permit began", "requests"],
    ),
];

/// Forgets the rows of an earlier run.
pub(crate) fn clear(profile: &Path) -> Result<()> {
    for (_, folder, _) in TABLES {
        let folder = profile.join(folder);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
        }
    }
    Ok(())
}

/// Title and text of each table that some test has written to, on any of the stacks whose folders these are.
pub(crate) fn tables(profiles: &[PathBuf]) -> Vec<(&'static str, String)> {
    let filled = TABLES.iter().filter_map(|(title, folder, headings)| {
        let entries = profiles.iter().filter_map(|profile| fs::read_dir(profile.join(folder)).ok()).flatten().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
        files.sort_by_key(|file| file.file_name().map(ToOwned::to_owned));
        let rows: Vec<String> = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
        (!rows.is_empty()).then(|| (*title, aligned(headings, &rows)))
    });
    filled.collect()
}

fn aligned(headings: &[&str], rows: &[String]) -> String {
    let columns = headings.len();
    let headings = headings.join("\t");
    let cells: Vec<Vec<&str>> = std::iter::once(headings.as_str())
        .chain(rows.iter().map(String::as_str))
        .map(|row| row.split('\t').collect())
        .collect();
    let widths: Vec<usize> = (0..columns)
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
        let table =
            aligned(TABLES[0].2, &["refused\t503\t200\tcold 3\tcold 3".to_owned(), "x\t\t200\t1\t1".to_owned()]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], "refused  503           200        cold 3           cold 3");
        assert_eq!(lines[2].find("200"), lines[1].find("200"));
    }

    #[test]
    fn no_rows_are_no_table() {
        assert!(tables(&["/nonexistent".into()]).is_empty());
    }
}
