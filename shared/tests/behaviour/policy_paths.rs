//! Which paths a template has: each sentence and each example of docs/policy.md.

use postern::{Decision, Policy, Reason, policy::from_toml};
use proptest::prelude::*;

use crate::support::{Call, World, policies};

const DOCUMENT: &str = include_str!("../../../docs/policy.md");

fn policy(template: &str) -> Policy {
    let head = policies::SMALL.split("[[route]]").next().unwrap();
    let route = format!(
        "[[route]]\nname = \"r\"\nmethods = [\"GET\"]\npath = \"{template}\"\norigin = \"orders\"\npublic = true\n"
    );
    from_toml(&format!("{head}{route}"), None).unwrap_or_else(|errors| panic!("{template}: {errors}"))
}

fn has(policy: &Policy, path: &str) -> bool {
    match World::new(policy.clone()).decide(&Call::new("GET", path)) {
        Decision::Permit(permit) => permit.route() == "r",
        Decision::Deny(denial) => {
            assert_eq!(denial.reason(), Reason::NoRoute, "{path}");
            false
        }
        Decision::Preflight(_) => panic!("{path}"),
    }
}

/// The texts in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn each_example_of_the_document_is_as_it_says() {
    let table = DOCUMENT.split("| template | has | has not |\n").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 4, "{rows:?}");
    for row in rows {
        let cells: Vec<&str> = row.split('|').skip(1).collect();
        let policy = policy(quoted(cells[0])[0]);
        assert!(!quoted(cells[1]).is_empty(), "{row}");
        for (cell, expected) in [(cells[1], true), (cells[2], false)] {
            for path in quoted(cell) {
                assert_eq!(has(&policy, path), expected, "{row}: {path}");
            }
        }
    }
}

/// A sentence that the document must have.
fn says(sentence: &str) {
    assert!(DOCUMENT.contains(&format!("- {sentence}\n")), "docs/policy.md no longer says: {sentence}");
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("A".to_owned()), Just("b".to_owned()), "[a-cA-C]{1,3}"]
}

fn segments() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(segment(), 1..4)
}

fn path(segments: &[String]) -> String {
    segments.iter().map(|segment| format!("/{segment}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_literal_has_its_own_text_alone(own in segments(), other in segments()) {
        says("A literal segment has its own text alone, in its own letter case.");
        let policy = policy(&path(&own));
        prop_assert_eq!(has(&policy, &path(&own)), true);
        prop_assert_eq!(has(&policy, &path(&other)), own == other);
    }

    #[test]
    fn a_parameter_has_any_one_segment(before in segments(), asked in segments(), after in proptest::option::of(segment())) {
        says("A `{parameter}` has any one segment that is not empty.");
        let after = after.map(|segment| format!("/{segment}")).unwrap_or_default();
        let policy = policy(&format!("{}/{{x}}{after}", path(&before)));
        prop_assert_eq!(has(&policy, &format!("{}{}{after}", path(&before), path(&asked))), asked.len() == 1);
        prop_assert_eq!(has(&policy, &format!("{}{after}", path(&before))), false);
        prop_assert_eq!(has(&policy, &format!("{}/", path(&before))), false);
    }

    #[test]
    fn a_rest_has_all_that_follows_its_slash(before in segments(), asked in segments(), slash in proptest::bool::ANY) {
        let sentence = "A `{*rest}` at the end has all that follows its slash: nothing, or one segment or more, of which only the last may be empty.";
        says(sentence);
        let policy = policy(&format!("{}/{{*rest}}", path(&before)));
        let slash = if slash { "/" } else { "" };
        prop_assert_eq!(has(&policy, &format!("{}/", path(&before))), true);
        prop_assert_eq!(has(&policy, &format!("{}{}{slash}", path(&before), path(&asked))), true);
        prop_assert_eq!(has(&policy, &path(&before)), false);
        prop_assert_eq!(has(&policy, &format!("{}x/{}", path(&before), asked[0])), false);
    }

    #[test]
    fn a_closing_slash_makes_another_path(own in segments()) {
        says("A path with a closing slash is another path than the same one without it.");
        let (plain, slash) = (path(&own), format!("{}/", path(&own)));
        prop_assert_eq!(has(&policy(&plain), &slash), false);
        prop_assert_eq!(has(&policy(&slash), &plain), false);
        prop_assert_eq!(has(&policy(&slash), &slash), true);
    }
}
