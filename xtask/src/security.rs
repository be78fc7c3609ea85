//! The promises of SECURITY.md and the tests that show them: each row of a table whose last column is headed
//! `shown by` names at least one test, and each name is that of a test in the workspace.
//!
//! Tests are found in the sources, not by building them: functions under a `#[test]` attribute, in test programs with a
//! harness of their own the names that these register, and in `*.test.mjs` what `test("…"` names. It says nothing of whether the test shows what it is named
//! for, nor whether it passes; a reader and the other parts of the run do.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The document that makes the promises.
const DOCUMENT: &str = "SECURITY.md";
/// The header of the column that names tests.
const COLUMN: &str = "shown by";
/// Packages whose tests can show something.
const PACKAGES: [&str; 11] =
    ["shared", "edge", "origin", "probe", "cli", "e2e", "fuzz", "vectors", "corpus", "xtask", "local/cloudfront"];
/// Stands for the rest of a suite's names.
const REST: &str = "…";
/// A crate whose presence tells that a test program registers its tests itself.
const HARNESS: &str = "libtest_mimic";

/// Fails with every row that names no test and every name that no test has.
pub(crate) fn check(root: &Path) -> Result<()> {
    let path = root.join(DOCUMENT);
    let document = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let rows = rows(&document);
    if rows.is_empty() {
        bail!("{DOCUMENT} has no table with a last column `{COLUMN}`: add one, with a row for each promise");
    }
    let mut tests = Tests::default();
    for package in PACKAGES {
        tests.read(root, &root.join(package))?;
    }
    let faults: Vec<String> = rows.iter().flat_map(|row| tests.faults(row)).collect();
    if faults.is_empty() {
        say!("  {} rows, {} tests named", rows.len(), rows.iter().map(|row| row.names.len()).sum::<usize>());
        return Ok(());
    }
    bail!("{} of {DOCUMENT}'s promises are not shown:\n{}", faults.len(), faults.join("\n"));
}

/// One row of a table that names tests.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    line: usize,
    names: Vec<String>,
}

fn rows(document: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut in_table = false;
    for (index, line) in document.lines().enumerate() {
        let Some(cell) = last_cell(line) else {
            in_table = false;
            continue;
        };
        if cell.eq_ignore_ascii_case(COLUMN) {
            in_table = true;
        } else if in_table && !is_rule(cell) {
            rows.push(Row { line: index + 1, names: names(cell) });
        }
    }
    rows
}

/// The last cell of a table's line; `None` for any other line.
fn last_cell(line: &str) -> Option<&str> {
    let inner = line.trim().strip_prefix('|')?;
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    Some(inner.rsplit_once('|').map_or(inner, |(_, last)| last).trim())
}

/// The line between a table's header and its rows.
fn is_rule(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|char| matches!(char, '-' | ':'))
}

/// What stands between backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The tests of the workspace.
#[derive(Debug, Default)]
struct Tests {
    /// Functions, and registered names that are sentences: the name and the file.
    named: BTreeSet<(String, PathBuf)>,
    /// Words in programs with a harness of their own, which may begin the names of a suite.
    suites: BTreeSet<String>,
}

impl Tests {
    fn read(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let mut sources = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
            let path = entry?.path();
            // Cargo marks the folders that it builds in; a module may well be called `target`.
            if path.is_dir() && !path.join("CACHEDIR.TAG").exists() {
                self.read(root, &path)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
                sources.push((path.strip_prefix(root).unwrap_or(&path).to_path_buf(), text));
            } else if path.to_string_lossy().ends_with(".test.mjs") {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
                let file = path.strip_prefix(root).unwrap_or(&path);
                self.named.extend(node_tests(&text).map(|name| (name.to_owned(), file.to_path_buf())));
            }
        }
        self.add(&sources);
        Ok(())
    }

    /// Adds the tests of one folder's files.
    fn add(&mut self, sources: &[(PathBuf, String)]) {
        // A program of several files registers in one what it is told by another.
        let one_program = sources.iter().any(|(path, _)| path.ends_with("main.rs"));
        let own_harness = |text: &str| text.contains(HARNESS);
        let shared_harness = one_program && sources.iter().any(|(_, text)| own_harness(text));
        for (path, text) in sources {
            self.named.extend(functions(text).map(|name| (name.to_owned(), path.clone())));
            if path.components().any(|part| part.as_os_str() == "tests") && (shared_harness || own_harness(text)) {
                for literal in text.lines().filter(|line| !is_comment(line)).flat_map(literals) {
                    if literal.contains(['_', ' ']) {
                        self.named.insert((literal.to_owned(), path.clone()));
                    }
                    self.suites.insert(literal.split("::").next().unwrap_or(literal).to_owned());
                }
            }
        }
    }

    fn faults(&self, row: &Row) -> Vec<String> {
        let place = format!("{DOCUMENT}:{}", row.line);
        if row.names.is_empty() {
            return vec![format!("{place}: the row names no test: write its name, in backticks, under `{COLUMN}`")];
        }
        let fault = |name: &String| Some(format!("{place}: {}", self.fault(name)?));
        row.names.iter().filter_map(fault).collect()
    }

    /// What is wrong with a name: `attacks_token::a_flipped_bit_is_refused`, its last part alone, or `jws::…`.
    fn fault(&self, name: &str) -> Option<String> {
        if let Some(suite) = name.strip_suffix(REST) {
            let word = suite.trim_end_matches("::").rsplit("::").next().unwrap_or_default();
            let known = self.suites.contains(word);
            return (!known).then(|| format!("no test program has a suite `{word}`: correct `{name}`"));
        }
        let (module, test) = name.rsplit_once("::").map_or((None, name), |(module, test)| (Some(module), test));
        let files: Vec<&Path> =
            self.named.iter().filter(|(known, _)| known == test).map(|(_, file)| file.as_path()).collect();
        let Some(first) = files.first() else {
            let near = self.named.iter().min_by_key(|(known, _)| strsim::levenshtein(known, test));
            let near = near.map(|(near, file)| format!("; the nearest is `{near}` in {}", file.display()));
            return Some(format!(
                "`{name}` names no test{}: correct the name, or write the test",
                near.unwrap_or_default()
            ));
        };
        let is_there = module.is_none_or(|module| files.iter().any(|file| is_in(file, module)));
        (!is_there).then(|| {
            format!("`{test}` is not in `{}` but in {}: correct the name", module.unwrap_or_default(), first.display())
        })
    }
}

/// Whether each part of a module's path is the name of the file or of a folder that it lies in.
fn is_in(file: &Path, module: &str) -> bool {
    let stem = file.with_extension("");
    let has = |part: &str| stem.components().any(|own| own.as_os_str() == part);
    module.split("::").all(|part| has(part) || part == "tests" || part == "postern")
}

/// The names of functions under a `#[test]` attribute, whoever's it is.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().map(str::trim).filter_map(move |line| {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
            return None;
        }
        if line.starts_with("#[") || is_comment(line) || !is_test {
            return None;
        }
        is_test = false;
        let (_, rest) = line.split_once("fn ")?;
        rest.split(['(', '<']).next()
    })
}

/// The names of tests for Node's own runner, each at the beginning of a line.
fn node_tests(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let named = line.strip_prefix("test(")?;
        let quote = named.chars().next().filter(|first| ['"', '\''].contains(first))?;
        named.split(quote).nth(1)
    })
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// The string literals of a line. Test names hold no quotes, so a line that splits wrongly costs nothing.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests() -> Tests {
        let source = |path: &str, text: &str| (PathBuf::from(path), text.to_owned());
        let mut tests = Tests::default();
        tests.add(&[source(
            "shared/tests/behaviour/attacks_token.rs",
            "#[test]\nfn a_flipped_bit_is_refused() {\n}\n// #[test]\nfn helper() {}\nproptest! {\n    /// Why.\n    #[test]\n    \
             #[ignore]\n    fn a_property_holds(raw in any()) {\n}\n#[tokio::test(flavor = \"current_thread\")]\nasync fn waits() {}\n",
        )]);
        tests.add(&[
            source("shared/tests/vectors/main.rs", "use libtest_mimic::Trial;\n// \"in_a_comment\"\n"),
            source("shared/tests/vectors/keys.rs", "Trial::test(format!(\"rfc-keys::{name}\")); wycheproof(\"jws\");"),
        ]);
        tests.add(&[
            source("e2e/tests/browser.rs", "use libtest_mimic::Trial;\n(\"a_page_reads_it\", reads)"),
            source("e2e/tests/tokens.rs", "let text = \"no_test\";"),
        ]);
        tests
    }

    #[test]
    fn tests_for_node_are_found_by_their_sentences() {
        let text = "// test(\"a comment\", x);\ntest(\"it holds\", { skip }, async () => {\n  other(\"no test\");\n});\ntest('so does it', f);\n";
        assert_eq!(node_tests(text).collect::<Vec<_>>(), ["it holds", "so does it"]);
    }

    #[test]
    fn rows_are_those_of_tables_that_name_tests() {
        let document = "| a | b |\n| - | - |\n| `x` | `y` |\n\n| attack | shown by |\n| --- | :-- |\n\
                        | A `q` | `m::one`, `two` |\n| B | none |\n\n| `after` |\n";
        let row = |line, names: &[&str]| Row { line, names: names.iter().map(|name| (*name).to_owned()).collect() };
        assert_eq!(rows(document), [row(7, &["m::one", "two"]), row(8, &[])]);
        assert_eq!(rows("| a | b |\n| - | - |\n| 1 | `c` |\n"), []);
    }

    #[test]
    fn names_of_tests_of_every_kind_are_known() {
        let tests = tests();
        for name in [
            "a_flipped_bit_is_refused",
            "attacks_token::a_flipped_bit_is_refused",
            "shared::behaviour::attacks_token::a_flipped_bit_is_refused",
            "a_property_holds",
            "waits",
            "browser::a_page_reads_it",
            "jws::…",
            "vectors::rfc-keys::…",
        ] {
            assert_eq!(tests.fault(name), None, "{name}");
        }
    }

    #[test]
    fn the_tests_of_this_workspace_are_found() {
        let root = crate::paths::Paths::find().expect("the repository").root;
        let mut tests = Tests::default();
        for package in PACKAGES {
            tests.read(&root, &root.join(package)).expect("sources");
        }
        for name in [
            "security::the_tests_of_this_workspace_are_found",
            "behaviour::attacks_token::crit_is_refused_whatever_it_lists",
            "target::an_accepted_path_is_the_only_writing_of_what_it_decodes_to",
            "target::everything_else_is_refused_with_its_reason",
            "browser::a_page_that_the_policy_does_not_name_is_refused_by_the_browser",
            "rfc-keys::…",
            "all agree::…",
        ] {
            assert_eq!(tests.fault(name), None, "{name}");
        }
    }

    #[test]
    fn a_missing_name_is_told_with_the_nearest_and_the_mend() {
        let tests = tests();
        for (name, told) in [
            (
                "a_flipped_bit_is_refuse",
                "SECURITY.md:3: `a_flipped_bit_is_refuse` names no test; the nearest is `a_flipped_bit_is_refused` in \
                 shared/tests/behaviour/attacks_token.rs: correct the name, or write the test",
            ),
            (
                "bearer::a_flipped_bit_is_refused",
                "SECURITY.md:3: `a_flipped_bit_is_refused` is not in `bearer` but in \
                 shared/tests/behaviour/attacks_token.rs: correct the name",
            ),
            ("jwe::…", "SECURITY.md:3: no test program has a suite `jwe`: correct `jwe::…`"),
        ] {
            assert_eq!(tests.faults(&Row { line: 3, names: vec![name.to_owned()] }), [told]);
        }
        for name in ["helper", "in_a_comment", "no_test", "jws", "", "…"] {
            assert!(tests.fault(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_row_without_a_name_is_told() {
        let told = "SECURITY.md:9: the row names no test: write its name, in backticks, under `shown by`";
        assert_eq!(tests().faults(&Row { line: 9, names: Vec::new() }), [told]);
    }

    #[test]
    fn a_document_without_such_a_table_fails() {
        let folder = std::env::temp_dir().join(format!("postern-security-{}", std::process::id()));
        for package in PACKAGES {
            fs::create_dir_all(folder.join(package)).expect("a folder");
        }
        let outcome = |text: &str| {
            fs::write(folder.join(DOCUMENT), text).expect("a file");
            check(&folder).map_err(|error| error.to_string())
        };
        fs::write(folder.join("shared/lib.rs"), "#[test]\nfn holds() {}\n").expect("a file");
        let good = outcome("| attack | shown by |\n|---|---|\n| a | `lib::holds` |\n");
        let bad = outcome("| attack | shown by |\n|---|---|\n| a | `holdz` |\n| b | |\n");
        let none = outcome("# Security\n| attack | promise |\n|---|---|\n| a | `holds` |\n");
        let _ = fs::remove_dir_all(&folder);
        assert_eq!(good, Ok(()));
        assert!(
            bad.is_err_and(|told| told.starts_with("2 of SECURITY.md's promises") && told.contains("SECURITY.md:4"))
        );
        assert!(none.is_err_and(|told| told.contains("no table")));
    }
}
