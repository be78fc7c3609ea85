//! What a run of tests found, as test runners say it.

use std::fmt::Write as _;

use postern::Policy;
use serde_json::{Value, json};

use super::{coverage::Coverage, rules::RouteRules, run::TestOutcome};
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
    let rules: usize = coverage.rules.iter().map(|rules| rules.of).sum();
    let shown: usize = coverage.rules.iter().map(RouteRules::covered).sum();
    let summary = format!(
        "coverage: {permitted} of {routes} routes permitted, {shown} of {rules} rules of routes, {covered} of {of} deny reasons"
    );
    let mut text = styled(DIM, summary) + "\n";
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
    for rules in &coverage.rules {
        if !rules.undenied.is_empty() {
            let names = rules.undenied.join(", ");
            let _ = writeln!(text, "{}: no test of {} is denied by {names}", styled(WARNING, "uncovered"), rules.route);
        }
        if !rules.untried.is_empty() {
            let _ = writeln!(
                text,
                "{}: no test of {} is permitted with another {} than the caller's",
                styled(WARNING, "uncovered"),
                rules.route,
                rules.untried.join(", ")
            );
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
            "rules": coverage.rules.iter().filter(|rules| rules.covered() < rules.of).map(|rules| json!({
                "route": rules.route, "never_denied": rules.undenied, "never_permitted": rules.untried,
            })).collect::<Vec<_>>(),
            "rules_counted": coverage.rules.iter().map(|rules| rules.of).sum::<usize>(),
            "reasons": coverage.reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>(),
            "reasons_counted": coverage.of,
            "whole": coverage.is_whole(),
        })),
    })
}
