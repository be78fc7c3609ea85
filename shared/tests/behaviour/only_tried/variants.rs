//! Every way in which what is only tried may differ from what is enforced: one for each field of the policy.

use std::collections::BTreeSet;

use postern::{Policy, policy::from_toml};
use serde_json::{Value, json};

/// The name of the edge that the permissions service knows.
pub(crate) const EDGE: &str = "edge-one";

/// What is enforced. Every section is there, so that each can be changed.
const ENFORCED: &str = r#"
edge = "edge-one"
roles = ["Manager", "Standard"]

[defaults]
origin = "orders"
issuer = "users"

[limits]
max_body_bytes = 4096

[log]
permits = 1.0

[permissions]
origin = "permissions"

[cors]
origins = ["https://app.example"]

[cloudfront]
secret = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:edge-AbCdEf"

[issuer.users]
url = "https://issuer.example"
jwks_url = "https://issuer.example/keys"
algorithms = ["EdDSA"]
audience = ["api"]
token_use = "access"
permissions = "service"

[issuer.partners]
url = "https://auth.partners.ljg-sushi.example"
jwks_url = "https://auth.partners.ljg-sushi.example/keys"
algorithms = ["EdDSA"]
audience = ["api"]
token_use = "access"
permissions = "claims"

[origin.orders]
url = "https://orders.example"
key = "KEY_ORDERS"

[origin.permissions]
url = "https://permissions.example"
key = "KEY_PERMISSIONS"
token = "forwarded"

[[route]]
name = "orders"
methods = ["GET"]
path = "/companies/{company}/orders"
company = "{company}"
roles = ["Manager"]
permissions_max_age = "2s"
permissions_stale_if_error = "60s"

[[route]]
name = "slow"
methods = ["GET"]
path = "/companies/{company}/slow"
origin = "orders"
company = "{company}"
roles = ["Manager"]
permissions_max_age = "20s"
permissions_stale_if_error = "60s"

[[route]]
name = "create"
methods = ["POST"]
path = "/companies/{company}/orders"
company = "{company}"
roles = ["Manager"]

[[route]]
name = "reports"
methods = ["GET"]
path = "/companies/{company}/reports"
issuer = "partners"
company = "{company}"

[[field]]
name = "Query.orders"
issuer = "users"
company = { argument = "company" }

[[test]]
name = "anybody"
method = "GET"
target = "/nowhere"
expect = "no_route"
"#;

/// An enforced policy, and the one that is tried next to it.
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) policy: Policy,
    /// A whole policy; `None`: the enforced one has shadow routes.
    pub(crate) shadow: Option<Policy>,
}

/// One change: values by JSON pointer; missing objects on the way are made.
type Change = Vec<(&'static str, Value)>;

fn change(pointer: &'static str, value: Value) -> Change {
    vec![(pointer, value)]
}

/// What is changed, by the path of the field in the policy's schema. `*` stands for an author's own name.
fn changes() -> Vec<(&'static str, Change)> {
    let route = |member: &'static str, value: Value| change(member, value);
    vec![
        ("edge.name", change("/edge", json!("edge-two"))),
        ("edge.url", change("/edge", json!({"name": EDGE, "url": "https://api.example"}))),
        ("roles", change("/roles", json!(["Manager", "Standard", "Clerk"]))),
        ("defaults.origin", change("/defaults/origin", json!("permissions"))),
        ("defaults.issuer", change("/defaults/issuer", json!(["users", "partners"]))),
        ("defaults.permissions_max_age", change("/defaults/permissions_max_age", json!("1s"))),
        ("defaults.permissions_stale_if_error", {
            let mut both = change("/defaults/permissions_stale_if_error", json!("50s"));
            both.push(("/defaults/permissions_max_age", json!("1s")));
            both
        }),
        ("defaults.body", change("/defaults/body", json!("buffered"))),
        ("limits.max_token_bytes", change("/limits/max_token_bytes", json!(64))),
        ("limits.max_target_bytes", change("/limits/max_target_bytes", json!(24))),
        ("limits.max_body_bytes", change("/limits/max_body_bytes", json!(16))),
        (
            "names.company",
            vec![
                ("/names/company", json!(["merchant"])),
                ("/route/3/path", json!("/companies/{merchant}/reports")),
                ("/route/3/company", json!("{merchant}")),
            ],
        ),
        (
            "names.subject",
            vec![
                ("/names/subject", json!(["buyer"])),
                ("/route/0/path", json!("/companies/{company}/{buyer}")),
                ("/route/0/subject", json!("{buyer}")),
            ],
        ),
        ("log.permits", change("/log/permits", json!(0.5))),
        ("log.denials", change("/log/denials", json!(0.5))),
        ("log.unidentified_denials_per_second", change("/log/unidentified_denials_per_second", json!(1))),
        ("log.shadow", change("/log/shadow", json!(0.5))),
        ("log.subject_key", change("/log/subject_key", json!("KEY_LOG"))),
        (
            "permissions.origin",
            vec![("/permissions/origin", json!("orders")), ("/route/3/origin", json!("permissions"))],
        ),
        ("cors.origins", change("/cors/origins", json!(["https://other.example"]))),
        ("cors.headers", change("/cors/headers", json!(["x-a"]))),
        ("cors.expose", change("/cors/expose", json!(["x-b"]))),
        ("cors.credentials", change("/cors/credentials", json!(true))),
        ("cors.max_age", change("/cors/max_age", json!("1m"))),
        (
            "cloudfront.secret",
            change("/cloudfront/secret", json!("arn:aws:secretsmanager:eu-west-2:123456789012:secret:two-AbCdEf")),
        ),
        ("cloudfront.decides_twice", change("/cloudfront/decides_twice", json!(true))),
        ("issuer.*.url", change("/issuer/users/url", json!("https://other.example"))),
        ("issuer.*.preset", {
            let mut preset = change("/issuer/users/preset", json!("cognito"));
            preset.push(("/issuer/users/url", json!("https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example")));
            preset.push(("/issuer/users/clients", json!(["p4iondtoa9aljeoultesa4nvc"])));
            preset
        }),
        ("issuer.*.jwks_url", change("/issuer/users/jwks_url", json!("https://issuer.example/other"))),
        ("issuer.*.jwks_max_stale", change("/issuer/users/jwks_max_stale", json!("15m"))),
        ("issuer.*.algorithms", change("/issuer/users/algorithms", json!(["ES256"]))),
        ("issuer.*.audience", change("/issuer/users/audience", json!(["other"]))),
        ("issuer.*.clients", change("/issuer/users/clients", json!(["nobody"]))),
        ("issuer.*.token_use", change("/issuer/users/token_use", json!("other"))),
        ("issuer.*.token_type", change("/issuer/users/token_type", json!("at+jwt"))),
        ("issuer.*.require", change("/issuer/users/require", json!({"tier": "gold"}))),
        ("issuer.*.claims.subject", change("/issuer/users/claims", json!({"subject": "username"}))),
        ("issuer.*.claims.client", change("/issuer/users/claims", json!({"client": "azp"}))),
        ("issuer.*.claims.scopes.claim", change("/issuer/users/claims", json!({"scopes": {"claim": "permissions"}}))),
        ("issuer.*.claims.scopes.form", change("/issuer/users/claims", json!({"scopes": {"form": "json"}}))),
        ("issuer.*.claims.roles.claim", change("/issuer/partners/claims", json!({"roles": {"claim": "groups"}}))),
        ("issuer.*.claims.roles.form", change("/issuer/partners/claims", json!({"roles": {"form": "text"}}))),
        ("issuer.*.claims.companies.claim", change("/issuer/partners/claims", json!({"companies": {"claim": "orgs"}}))),
        ("issuer.*.claims.companies.form", change("/issuer/partners/claims", json!({"companies": {"form": "spaces"}}))),
        ("issuer.*.permissions", change("/issuer/partners/permissions", json!("service"))),
        ("issuer.*.leeway", change("/issuer/users/leeway", json!("1s"))),
        ("issuer.*.max_lifetime", change("/issuer/users/max_lifetime", json!("10m"))),
        ("issuer.*.allow", change("/issuer/users/allow", json!({"old_keys": "why"}))),
        ("issuer.*.max_age", change("/issuer/users/max_age", json!("5s"))),
        ("origin.*.url", change("/origin/permissions/url", json!("https://other.example"))),
        ("origin.*.verifies", {
            let mut verifies = change("/origin/orders/verifies", json!("token"));
            verifies.push(("/origin/orders/key", Value::Null));
            verifies
        }),
        ("origin.*.token", change("/origin/permissions/token", Value::Null)),
        ("origin.*.request_headers", change("/origin/orders/request_headers", json!(["legacy_id"]))),
        ("origin.*.paths", change("/origin/orders/paths", json!("exact"))),
        ("origin.*.allow", change("/origin/orders/allow", json!({"function_url": "why"}))),
        ("origin.*.key", change("/origin/permissions/key", json!("KEY_OTHER"))),
        ("origin.*.auth_type", {
            let mut signs = change("/origin/orders/auth_type", json!("AWS_IAM"));
            signs.push(("/origin/orders/url", json!("https://abcdefghij.lambda-url.eu-west-2.on.aws")));
            signs
        }),
        ("origin.*.region", {
            let mut signs = change("/origin/orders/auth_type", json!("AWS_IAM"));
            signs.push(("/origin/orders/region", json!("eu-west-1")));
            signs
        }),
        ("origin.*.credentials", {
            let mut signs = change("/origin/orders/auth_type", json!("AWS_IAM"));
            signs.push(("/origin/orders/region", json!("eu-west-1")));
            signs.push(("/origin/orders/credentials", json!("AWS")));
            signs
        }),
        ("route.name", route("/route/0/name", json!("other"))),
        ("route.methods", route("/route/0/methods", json!(["GET", "PUT"]))),
        ("route.path", route("/route/0/path", json!("/companies/{company}/{what}"))),
        ("route.origin", route("/route/0/origin", json!("permissions"))),
        (
            "route.public",
            vec![
                ("/route/0/public", json!(true)),
                ("/route/0/roles", Value::Null),
                ("/route/0/permissions_max_age", Value::Null),
                ("/route/0/permissions_stale_if_error", Value::Null),
                ("/route/0/path", json!("/companies/{id}/orders")),
                ("/route/0/company", Value::Null),
                ("/defaults/issuer", Value::Null),
                ("/route/0/issuer", Value::Null),
                ("/route/1/issuer", json!("users")),
                ("/route/2/issuer", json!("users")),
            ],
        ),
        ("route.shadow", route("/route/0/shadow", json!(true))),
        ("route.query_method_override", route("/route/0/query_method_override", json!(true))),
        ("route.issuer", route("/route/0/issuer", json!(["users", "partners"]))),
        (
            "route.subject",
            vec![("/route/0/subject", json!("{user}")), ("/route/0/path", json!("/companies/{company}/{user}"))],
        ),
        ("route.company", route("/route/3/company", json!("any"))),
        (
            "route.company.header",
            vec![
                ("/route/0/company", json!({"header": "x-company"})),
                ("/route/0/path", json!("/companies/{id}/orders")),
            ],
        ),
        (
            "route.company.query",
            vec![("/route/0/company", json!({"query": "company"})), ("/route/0/path", json!("/companies/{id}/orders"))],
        ),
        (
            "route.unbound",
            vec![
                ("/route/0/unbound", json!(["customer"])),
                ("/route/0/path", json!("/companies/{company}/{customer}")),
            ],
        ),
        ("route.roles", route("/route/0/roles", json!(["Standard"]))),
        ("route.scopes.all_of", route("/route/0/scopes", json!({"all_of": ["a"]}))),
        ("route.scopes.any_of", route("/route/0/scopes", json!({"any_of": ["a", "b"]}))),
        ("route.require", route("/route/0/require", json!({"tier": "gold"}))),
        (
            "route.permissions_max_age",
            vec![
                ("/route/0/permissions_max_age", Value::Null),
                ("/route/0/permissions_stale_if_error", Value::Null),
                ("/route/1/permissions_max_age", Value::Null),
                ("/route/1/permissions_stale_if_error", Value::Null),
            ],
        ),
        ("route.permissions_stale_if_error", route("/route/0/permissions_stale_if_error", json!("1s"))),
        ("route.body", route("/route/2/body", json!("buffered"))),
        ("route.allow", route("/route/0/allow", json!({"any_caller": "why"}))),
        ("route.headers", route("/route/0/headers", json!({"x-user": "sub"}))),
        (
            "route.token",
            vec![
                ("/route/2/public", json!(true)),
                ("/route/2/roles", Value::Null),
                ("/route/2/company", json!("any")),
                ("/route/2/origin", json!("permissions")),
                ("/route/2/token", json!("forwarded")),
            ],
        ),
        ("field.name", change("/field/0/name", json!("Query.others"))),
        ("field.issuer", change("/field/0/issuer", json!(["users", "partners"]))),
        ("field.subject.argument", change("/field/0/subject", json!({"argument": "user"}))),
        (
            "field.company",
            vec![
                ("/field/0/company", json!("subject")),
                ("/field/0/issuer", json!("partners")),
                ("/issuer/partners/permissions", json!("subject")),
            ],
        ),
        ("field.company.argument", change("/field/0/company", json!({"argument": "tenant"}))),
        ("field.roles", change("/field/0/roles", json!(["Manager"]))),
        ("field.scopes.all_of", change("/field/0/scopes", json!({"all_of": ["a"]}))),
        ("field.scopes.any_of", change("/field/0/scopes", json!({"any_of": ["a", "b"]}))),
        ("field.require", change("/field/0/require", json!({"tier": "gold"}))),
        ("field.permissions_max_age", change("/field/0/permissions_max_age", json!("5s"))),
        (
            "field.permissions_stale_if_error",
            vec![("/field/0/permissions_max_age", json!("5s")), ("/field/0/permissions_stale_if_error", json!("5s"))],
        ),
    ]
}

/// The fields of the schema, but those of tests, which no edge reads.
pub(crate) fn fields() -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(&postern::policy::json_schema()).unwrap();
    let mut found = BTreeSet::new();
    walk(&schema, &schema, "", &mut found);
    found.retain(|path| path != "test" && !path.starts_with("test."));
    let leads_on = |path: &String| found.iter().any(|other| other.starts_with(&format!("{path}.")));
    found.iter().filter(|path| path.ends_with(".company") || !leads_on(path)).cloned().collect()
}

fn walk(schema: &Value, at: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = at["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        walk(schema, &schema["$defs"][name], path, found);
    }
    for forms in ["anyOf", "oneOf", "allOf"] {
        at[forms].as_array().into_iter().flatten().for_each(|form| walk(schema, form, path, found));
    }
    for (name, member) in at["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}{}{name}", if path.is_empty() { "" } else { "." });
        walk(schema, member, &path, found);
        found.insert(path);
    }
    if at["additionalProperties"].is_object() {
        let named = format!("{path}.*");
        walk(schema, &at["additionalProperties"], &named, found);
    }
    walk_items(schema, at, path, found);
}

fn walk_items(schema: &Value, at: &Value, path: &str, found: &mut BTreeSet<String>) {
    if at["items"].is_object() {
        walk(schema, &at["items"], path, found);
    }
}

/// The fields that some change is about.
pub(crate) fn changed_fields() -> BTreeSet<String> {
    changes().iter().map(|(field, _)| (*field).to_owned()).collect()
}

/// Every whole policy that differs in one field, and every route that does as a shadow of its own.
pub(crate) fn all() -> Vec<Variant> {
    let policy = from_toml(ENFORCED, None).unwrap_or_else(|errors| panic!("{errors}"));
    let document: Value = serde_json::from_str(policy.to_json()).unwrap();
    let mut variants = Vec::new();
    for (field, change) in changes() {
        let mut changed = document.clone();
        change.iter().for_each(|(pointer, value)| set(&mut changed, pointer, value));
        let name = format!("a policy with another `{field}`");
        let shadow = built(&name, &changed);
        assert_ne!(shadow.version(), policy.version(), "{name} is the same policy");
        variants.push(Variant { name, policy: policy.clone(), shadow: Some(shadow) });
        if field.starts_with("route.") {
            variants.push(as_shadow_route(field, &document, &changed));
        }
    }
    variants
}

/// A policy of another edge that asks for each request.
pub(crate) fn that_asks_anew_as_another_edge() -> Variant {
    let policy = from_toml(ENFORCED, None).unwrap_or_else(|errors| panic!("{errors}"));
    let mut changed: Value = serde_json::from_str(policy.to_json()).unwrap();
    for (field, change) in changes() {
        if ["edge.name", "route.permissions_max_age"].contains(&field) {
            change.iter().for_each(|(pointer, value)| set(&mut changed, pointer, value));
        }
    }
    let name = "a policy of another edge that asks anew each time".to_owned();
    Variant { shadow: Some(built(&name, &changed)), policy, name }
}

/// The routes that differ, as shadows next to the enforced ones.
fn as_shadow_route(field: &str, document: &Value, changed: &Value) -> Variant {
    let mut both = document.clone();
    let pairs = document["route"].as_array().unwrap().iter().zip(changed["route"].as_array().unwrap());
    for (_, route) in pairs.filter(|(own, other)| own != other) {
        let mut route = route.clone();
        (route["shadow"], route["name"]) = (json!(true), json!(format!("tried-{}", route["name"].as_str().unwrap())));
        both["route"].as_array_mut().unwrap().push(route);
    }
    let name = format!("a shadow route with another `{field}`");
    Variant { policy: built(&name, &both), name, shadow: None }
}

fn built(name: &str, document: &Value) -> Policy {
    Policy::from_json(&document.to_string()).unwrap_or_else(|errors| panic!("{name}: {errors}"))
}

fn set(document: &mut Value, pointer: &str, value: &Value) {
    let (place, last) = pointer.rsplit_once('/').unwrap();
    let mut at = document;
    for step in place.split('/').skip(1) {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step],
        };
    }
    if value.is_null() {
        drop(at.as_object_mut().unwrap().remove(last));
    } else {
        at[last] = value.clone();
    }
}
