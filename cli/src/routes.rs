//! `postern routes`: the table that a reviewer reads.

use postern::{
    Policy,
    policy::{BodyRule, CompanyRule, Field, FreedBy, Party, RequiredClaim, Route, Verifies},
};
use serde_json::{Value, json};

use crate::{
    exit::Outcome,
    output::{self, Format, table},
    rules,
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
                cell(policy, route),
            ]);
        }
    }
    for field in policy.fields() {
        let issuers: Vec<&str> = policy.issuers_of_field(field).map(|issuer| issuer.name()).collect();
        let who_may = rules::who_may_select(field);
        rows.push(["field".to_owned(), field.name().to_owned(), "-".to_owned(), issuers.join(", "), who_may]);
    }
    table(["METHOD", "PATH", "ORIGIN", "ISSUER", "WHO MAY"], &rows)
}

fn gets_no_assertion(policy: &Policy, route: &Route) -> bool {
    policy.origin_of(route).is_some_and(|origin| origin.verifies() == Verifies::Token)
}

/// Who may, and what else a reviewer wants to know of the route.
fn cell(policy: &Policy, route: &Route) -> String {
    let mut cell = rules::who_may(route);
    for by in [FreedBy::Any, FreedBy::Unbound] {
        let free = route.free_parameters().iter().filter(|free| free.by == by);
        let names: Vec<String> = free.map(|free| format!("{{{}}}", free.name)).collect();
        if !names.is_empty() {
            cell += &format!(" [{} {}]", by.name(), names.join(", "));
        }
    }
    if route.body() != BodyRule::Streamed {
        cell += &format!(" [body {}]", route.body().name());
    }
    if gets_no_assertion(policy, route) {
        cell += " [the origin verifies the token]";
    }
    if route.is_shadow() {
        cell += " [shadow: decides nothing]";
    }
    cell
}

fn to_json(policy: &Policy) -> Value {
    json!({
        "version": policy.version(),
        "routes": policy.routes().iter().map(|route| route_json(policy, route)).collect::<Vec<_>>(),
        "fields": policy.fields().iter().map(|field| field_json(policy, field)).collect::<Vec<_>>(),
    })
}

fn route_json(policy: &Policy, route: &Route) -> Value {
    let headers: Vec<Value> =
        route.headers().iter().map(|handed| json!({"field": handed.field(), "claim": handed.claim()})).collect();
    let free: Vec<Value> = route
        .free_parameters()
        .iter()
        .map(|free| json!({"name": free.name, "names": free.party.map(Party::rule), "by": free.by.name()}))
        .collect();
    json!({
        "name": route.name(),
        "methods": route.methods(),
        "path": route.path(),
        "origin": origin(policy, route),
        "origin_verifies": policy.origin_of(route).map(|origin| origin.verifies().name()),
        "public": route.is_public(),
        "shadow": route.is_shadow(),
        "issuers": issuers(policy, route),
        "subject": route.subject_parameter(),
        "company": company_json(route.company()),
        "free_parameters": free,
        "roles": route.roles(),
        "scopes": {"all_of": route.scopes().all_of, "any_of": route.scopes().any_of},
        "conditions": conditions(route.required()),
        "permissions_max_age_ms": route.permissions_max_age().as_millis(),
        "permissions_stale_if_error_ms": route.permissions_stale_if_error().as_millis(),
        "body": route.body().name(),
        "query_method_override": route.allows_query_method_override(),
        "headers": headers,
        "who_may": rules::who_may(route),
    })
}

/// A field as it works, with what it takes by default.
pub(crate) fn field_json(policy: &Policy, field: &Field) -> Value {
    let issuers: Vec<&str> = policy.issuers_of_field(field).map(|issuer| issuer.name()).collect();
    json!({
        "name": field.name(),
        "issuers": issuers,
        "subject": field.subject_argument(),
        "company": company_json(field.company()),
        "roles": field.roles(),
        "scopes": {"all_of": field.scopes().all_of, "any_of": field.scopes().any_of},
        "conditions": conditions(field.required()),
        "permissions_max_age_ms": field.permissions_max_age().as_millis(),
        "permissions_stale_if_error_ms": field.permissions_stale_if_error().as_millis(),
        "who_may": rules::who_may_select(field),
    })
}

fn conditions(required: &[RequiredClaim]) -> Vec<Value> {
    required.iter().map(|claim| json!({"claim": claim.name, "one_of": claim.values})).collect()
}

fn company_json(rule: &CompanyRule) -> Value {
    match rule {
        CompanyRule::None => Value::Null,
        CompanyRule::Any => json!({"from": "any"}),
        CompanyRule::Parameter(name, _) => json!({"from": "path", "name": name}),
        CompanyRule::Subject => json!({"from": "subject"}),
        CompanyRule::Header(name) => json!({"from": "header", "name": name}),
        CompanyRule::Query(name) => json!({"from": "query", "name": name}),
        CompanyRule::Argument(name) => json!({"from": "argument", "name": name}),
        _ => json!({"from": "other"}),
    }
}

fn origin<'p>(policy: &'p Policy, route: &Route) -> &'p str {
    policy.origin_of(route).map_or("", |origin| origin.name())
}

fn issuers<'p>(policy: &'p Policy, route: &'p Route) -> Vec<&'p str> {
    policy.issuers_of(route).map(|issuer| issuer.name()).collect()
}
