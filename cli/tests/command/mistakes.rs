//! A policy with twenty mistakes: each is told, with its line, its column and its mend, in one run.

use std::{collections::BTreeSet, fs};

use crate::support::{ROOT, assert_kept, run};

const FILE: &str = "cli/tests/golden/twenty-mistakes.toml";

/// The lines that say which mistake is planted there, in the order of their numbers.
fn planted() -> Vec<usize> {
    let text = fs::read_to_string(format!("{ROOT}/{FILE}")).unwrap();
    let number = |line: &str| line.split_once("# ")?.1.split_once(": ")?.0.parse::<usize>().ok();
    let mut planted: Vec<(usize, usize)> =
        text.lines().enumerate().filter_map(|(index, line)| Some((number(line)?, index + 1))).collect();
    planted.sort_unstable();
    assert!(planted.iter().map(|(number, _)| *number).eq(1..=20), "{planted:?}");
    planted.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn twenty_mistakes_are_twenty_diagnostics_each_with_line_column_and_mend() {
    let told = run(&["check", FILE, "--format", "json"]);
    assert_eq!((told.code, told.err.as_str()), (1, ""));
    assert_kept("cli/tests/golden/twenty-mistakes.json", &told.out);
    let told = told.json();
    let faults = told["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 20);
    let lines: Vec<usize> = faults.iter().map(|fault| fault["line"].as_u64().unwrap() as usize).collect();
    assert_eq!(lines, planted());
    for fault in faults {
        assert!(fault["column"].as_u64().is_some_and(|column| column > 0), "{fault}");
        for member in ["message", "mend", "code", "pointer"] {
            assert!(fault[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {fault}");
        }
    }
    // Names of origins, issuers and roles are of one kind.
    let codes: BTreeSet<&str> = faults.iter().map(|fault| fault["code"].as_str().unwrap()).collect();
    assert_eq!(codes.len(), 18, "{codes:?}");
}

#[test]
fn twenty_mistakes_are_shown_to_people_with_excerpt_and_mend() {
    let told = run(&["check", FILE]);
    assert_eq!((told.code, told.out.as_str()), (1, ""));
    assert_kept("cli/tests/golden/twenty-mistakes.txt", &told.err);
    assert_eq!(told.err.matches("error[").count(), 20);
    assert_eq!(told.err.matches("= help: ").count(), 20);
    for line in planted() {
        assert!(told.err.contains(&format!("twenty-mistakes.toml:{line}:")), "{line}");
    }
    // What may be a secret is not shown.
    assert!(!told.err.contains("postern-key-permissions"), "{}", told.err);
    assert!(told.err.ends_with(": 20 faults\n"), "{}", told.err);
}
