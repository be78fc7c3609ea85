//! `postern routes`: the table that a reviewer reads.

use postern::{Policy, policy::Route};
use serde_json::{Value, json};

use crate::{
    exit::Outcome,
    output::{self, Format, table},
};

/// Prints a row for each method of each route.
pub(crate) fn print(policy: &Policy, format: Format) -> anyhow::Result<Outcome> {
    match format {
        Format::Json => output::print_json(&to_json(policy))?,
        Format::Text => output::print(&to_text(policy))?,
    }
    Ok(Outcome::Done)
}

fn to_text(policy: &Policy) -> String {
    let mut rows = Vec::new();
    for route in policy.routes() {
        for method in route.methods() {
            rows.push([
                method.clone(),
                route.path().to_owned(),
                origin(policy, route).to_owned(),
                if route.is_public() { "-".to_owned() } else { issuers(policy, route).join(", ") },
                who_may(route),
            ]);
        }
    }
    table(["METHOD", "PATH", "ORIGIN", "ISSUER", "WHO MAY"], &rows)
}

fn to_json(policy: &Policy) -> Value {
    let routes: Vec<Value> = policy
        .routes()
        .iter()
        .map(|route| {
            json!({
                "name": route.name(),
                "methods": route.methods(),
                "path": route.path(),
                "origin": origin(policy, route),
                "public": route.is_public(),
                "issuers": issuers(policy, route),
                "subject": route.subject_parameter(),
                "company": route.company_parameter(),
                "roles": route.roles(),
                "scopes": route.scopes(),
                "permissions_max_age_ms": route.permissions_max_age().as_millis(),
            })
        })
        .collect();
    json!({"version": policy.version(), "routes": routes})
}

fn origin<'p>(policy: &'p Policy, route: &Route) -> &'p str {
    policy.origin_of(route).map_or("", |origin| origin.name())
}

fn issuers<'p>(policy: &'p Policy, route: &'p Route) -> Vec<&'p str> {
    policy.issuers_of(route).map(|issuer| issuer.name()).collect()
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
    if let Some(parameter) = route.company_parameter() {
        rules.push(format!("company {{{parameter}}}"));
    }
    if !route.roles().is_empty() {
        rules.push(format!("role {}", route.roles().join(" or ")));
    }
    if !route.scopes().is_empty() {
        rules.push(format!("scope {}", route.scopes().join(" and ")));
    }
    if rules.is_empty() { "any caller of the issuer".to_owned() } else { rules.join(", ") }
}
