//! What differs between two policies that is not who may: where routes lead, how old records may be, what goes with a
//! request, what pages may read, how much is taken and written down.

use std::collections::BTreeSet;

use postern::{
    Policy,
    policy::{Field, Route},
};
use serde_json::{Value, json};

/// Something that is set to another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// Where, as a pointer: `route.orders.body`, `cors.origins`.
    pub(super) at: String,
    /// `null` where it is not set.
    pub(super) old: Value,
    pub(super) new: Value,
}

/// Tables that are compared as they are written; routes are compared as they work, with what they take by default.
const TABLES: [&str; 8] = ["edge", "permissions", "cloudfront", "cors", "limits", "log", "origin", "development"];

/// Every setting that differs.
pub(super) fn changes(policies: [&Policy; 2]) -> Vec<Setting> {
    let documents = policies.map(|policy| serde_json::from_str::<Value>(policy.to_json()).unwrap_or_default());
    let mut found = Vec::new();
    for table in TABLES {
        let [old, new] = [&documents[0], &documents[1]].map(|document| &document[table]);
        let changed = members(table, old, new).into_iter();
        found.extend(changed.map(|(at, old, new)| Setting { at, old, new }));
    }
    let mut names: Vec<&str> = policies.iter().flat_map(|policy| policy.routes()).map(Route::name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let [old, new] = policies.map(|policy| {
            let route = policy.routes().iter().find(|route| route.name() == name);
            route.map_or(Value::Null, |route| described(policy, route))
        });
        let changed = match (&old, &new) {
            // What a route that is there in one alone is like, its name tells; but a shadow decides nothing, and is told.
            (Value::Null, there) | (there, Value::Null) if there["shadow"] == false => {
                let path = |value: &Value| value.get("path").cloned().unwrap_or_default();
                vec![(format!("route.{name}"), path(&old), path(&new))]
            }
            _ => members(&format!("route.{name}"), &old, &new),
        };
        found.extend(changed.into_iter().map(|(at, old, new)| Setting { at, old, new }));
    }
    let mut names: Vec<&str> = policies.iter().flat_map(|policy| policy.fields()).map(Field::name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let [old, new] = policies.map(|policy| {
            let field = policy.fields().iter().find(|field| field.name() == name);
            field.map_or(Value::Null, |field| crate::routes::field_json(policy, field))
        });
        let changed = match (&old, &new) {
            (Value::Null, _) | (_, Value::Null) => {
                let who = |value: &Value| value.get("who_may").cloned().unwrap_or_default();
                vec![(format!("field.{name}"), who(&old), who(&new))]
            }
            _ => members(&format!("field.{name}"), &old, &new),
        };
        found.extend(changed.into_iter().map(|(at, old, new)| Setting { at, old, new }));
    }
    found
}

/// A route as it works.
fn described(policy: &Policy, route: &Route) -> Value {
    let headers: Vec<Value> = route.headers().iter().map(|handed| json!([handed.field(), handed.claim()])).collect();
    let required: Vec<Value> = route.required().iter().map(|claim| json!([claim.name, claim.values])).collect();
    let mut described = json!({
        "path": route.path(),
        // Which of two routes decides is no gain and no loss where both let the same callers in; where it leads may be.
        "methods": route.methods(),
        "origin": policy.origin_of(route).map(postern::policy::Origin::name),
        "shadow": route.is_shadow(),
        "company": crate::rules::company(route.company()),
        "permissions_max_age": format!("{}ms", route.permissions_max_age().as_millis()),
        "permissions_stale_if_error": format!("{}ms", route.permissions_stale_if_error().as_millis()),
        "body": route.body().name(),
        "query_method_override": route.allows_query_method_override(),
        "headers": headers,
    });
    // Who may use a route that decides is compared caller by caller; of one that is only tried, by its rules.
    if route.is_shadow() {
        let issuers: Vec<&str> = policy.issuers_of(route).map(postern::policy::Issuer::name).collect();
        described["rules"] = json!([
            issuers,
            route.subject_parameter(),
            route.roles(),
            route.scopes().all_of,
            route.scopes().any_of,
            required
        ]);
    }
    described
}

/// The members that differ, each at its pointer below `at`.
pub(super) fn members(at: &str, old: &Value, new: &Value) -> Vec<(String, Value, Value)> {
    if old == new {
        return Vec::new();
    }
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return vec![(at.to_owned(), old.clone(), new.clone())];
    };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    let member = |name: &&String| {
        let value = |members: &serde_json::Map<String, Value>| members.get(*name).cloned().unwrap_or_default();
        members(&below(name), &value(before), &value(after))
    };
    names.iter().flat_map(member).collect()
}
