//! `postern routes`: the table that a reviewer reads.

use postern::{
    Policy,
    policy::{CompanyRule, Route},
};

const HEADINGS: [&str; 5] = ["METHOD", "PATH", "ORIGIN", "ISSUER", "WHO MAY"];

/// Prints a row for each method of each route.
pub(crate) fn print(policy: &Policy) {
    let mut rows = vec![HEADINGS.map(String::from)];
    for route in policy.routes() {
        for method in route.methods() {
            let issuers: Vec<&str> = policy.issuers_of(route).map(|issuer| issuer.name()).collect();
            rows.push([
                method.clone(),
                route.path().to_owned(),
                policy.origin_of(route).map_or_else(String::new, |origin| origin.name().to_owned()),
                if route.is_public() { "-".to_owned() } else { issuers.join(", ") },
                who_may(route),
            ]);
        }
    }
    let widths: Vec<usize> =
        (0..HEADINGS.len()).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
}

/// The route's rules as one clause.
fn who_may(route: &Route) -> String {
    if route.is_public() {
        return "anyone".to_owned();
    }
    let mut rules = Vec::new();
    if let Some(parameter) = route.subject_parameter() {
        rules.push(format!("the subject {{{parameter}}}"));
    }
    match route.company() {
        CompanyRule::Parameter(name, _) => rules.push(format!("company {{{name}}}")),
        CompanyRule::Subject => rules.push("the company itself".to_owned()),
        CompanyRule::Header(name) => rules.push(format!("company in field {name}")),
        CompanyRule::Query(name) => rules.push(format!("company in parameter {name}")),
        _ => {}
    }
    if !route.roles().is_empty() {
        rules.push(format!("role {}", route.roles().join(" or ")));
    }
    if !route.scopes().all_of.is_empty() {
        rules.push(format!("scope {}", route.scopes().all_of.join(" and ")));
    }
    if !route.scopes().any_of.is_empty() {
        rules.push(format!("scope {}", route.scopes().any_of.join(" or ")));
    }
    if rules.is_empty() { "any caller of the issuer".to_owned() } else { rules.join(", ") }
}
