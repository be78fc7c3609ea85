//! The documents' table of reasons is the function's.

use postern::Reason;
use postern_origin::authorizer::verdict::Verdict;

const DOCUMENT: &str = include_str!("../../../docs/authorizers.md");

/// The rows `| `reason` | status | … |`.
fn rows() -> Vec<(&'static str, u16)> {
    let table = DOCUMENT.split("## Reasons").nth(1).expect("a table of reasons");
    table
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((name, cells.next()?.parse().ok()?))
        })
        .collect()
}

#[test]
fn each_reason_stands_in_the_table_with_the_status_that_the_caller_sees() {
    let of_function: Vec<(&str, u16)> = Reason::ALL
        .iter()
        .map(|reason| (reason.code(), Verdict::of(reason.public_code()).expect("a verdict").status()))
        .collect();
    assert_eq!(rows(), of_function);
}

#[test]
fn every_public_code_has_a_verdict() {
    for code in postern::PublicCode::ALL {
        assert!(Verdict::of(code).is_some(), "{code}");
    }
}
