//! What a run of tests found, as test runners say it.

use std::fmt::Write as _;

use postern::Policy;
use serde_json::{Value, json};

use super::{coverage::Coverage, run::TestOutcome};
use crate::{
    explain::lines_text,
    output::{BAD, DIM, GOOD, HEADING, WARNING, counted, styled},
};

pub(super) fn to_text(policy: &Policy, outcomes: &[TestOutcome<'_>], coverage: Option<&Coverage>) -> String {
    let mut text = format!("running {}\n", counted(outcomes.len(), "test"));
    for outcome in outcomes {
        let verdict = if outcome.difference.is_some() { styled(BAD, "FAILED") } else { styled(GOOD, "ok") };
        let _ = writeln!(text, "{} ... {verdict}", outcome.test.name);
    }
    for outcome in outcomes {
        let Some(difference) = &outcome.difference else { continue };
        let test = outcome.test;
        let _ = writeln!(text, "\n{}", styled(HEADING, &test.name));
        let _ = writeln!(text, "{} {}: {difference}", test.method, test.target);
        text += &lines_text(&outcome.explanation.rules_and_failure());
    }
    let failed = outcomes.iter().filter(|outcome| outcome.difference.is_some()).count();
    let passed = outcomes.len().saturating_sub(failed);
    let left_out = policy.tests().len().saturating_sub(outcomes.len());
    let left_out = if left_out == 0 { String::new() } else { format!("; {left_out} left out") };
    let verdict = if failed == 0 { styled(GOOD, "ok") } else { styled(BAD, "FAILED") };
    let _ = writeln!(text, "\nresult: {verdict}; {passed} passed; {failed} failed{left_out}");
    if let Some(coverage) = coverage {
        text += &coverage_text(policy, coverage);
    }
    text
}

fn coverage_text(policy: &Policy, coverage: &Coverage) -> String {
    let covered = coverage.of.saturating_sub(coverage.reasons.len());
    let routes = policy.routes().iter().filter(|route| !route.is_shadow()).count();
    let permitted = routes.saturating_sub(coverage.never_permitted.len());
    let of = coverage.of;
    let mut text =
        styled(DIM, format!("coverage: {permitted} of {routes} routes permitted, {covered} of {of} deny reasons"))
            + "\n";
    let reasons: Vec<String> = coverage.reasons.iter().map(|reason| reason.code().to_owned()).collect();
    for (what, names) in [
        ("no test permits", &coverage.never_permitted),
        ("no test denies", &coverage.never_denied),
        ("no test is denied for", &reasons),
    ] {
        if !names.is_empty() {
            let _ = writeln!(text, "{}: {what} {}", styled(WARNING, "uncovered"), names.join(", "));
        }
    }
    text
}

pub(super) fn to_json(outcomes: &[TestOutcome<'_>], coverage: Option<&Coverage>) -> Value {
    let tests: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "name": outcome.test.name,
                "passed": outcome.difference.is_none(),
                "difference": outcome.difference,
                "why": outcome.difference.as_ref().and_then(|_| outcome.explanation.failure()),
            })
        })
        .collect();
    let failed = outcomes.iter().filter(|outcome| outcome.difference.is_some()).count();
    json!({
        "tests": tests,
        "passed": outcomes.len().saturating_sub(failed),
        "failed": failed,
        "coverage": coverage.map(|coverage| json!({
            "routes_never_permitted": coverage.never_permitted,
            "routes_never_denied": coverage.never_denied,
            "reasons": coverage.reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>(),
            "reasons_counted": coverage.of,
            "whole": coverage.is_whole(),
        })),
    })
}
