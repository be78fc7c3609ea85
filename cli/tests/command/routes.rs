//! `postern routes`.

use serde_json::json;

use crate::support::{Scratch, example, run};

#[test]
fn routes_are_a_table_of_who_may_do_what() {
    let told = run(&["routes"]);
    assert_eq!(told.code, 0);
    let rows: Vec<String> =
        told.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows.len(), 9);
    let vouchers = "GET /companies/{company}/users/{user}/vouchers/{voucher} vouchers users the subject {user}, company \
                    {company}, role Manager";
    assert!(rows.contains(&vouchers.to_owned()), "{rows:?}");
    assert!(rows.contains(&"GET /health external-orders - anyone".to_owned()), "{rows:?}");
}

#[test]
fn every_rule_is_in_the_table_and_in_the_document() {
    let scratch = Scratch::new();
    let rules = example().split_once("\n[[test]]").unwrap().0.to_owned();
    let file = scratch.file(
        "policy.toml",
        &format!(
            "{rules}\n[[route]]\nname = \"files\"\nmethods = [\"GET\", \"PUT\"]\npath = \"/files/{{*path}}\"\n\
             origin = \"vouchers\"\nissuer = \"users\"\ncompany = {{ header = \"x-company\" }}\n\
             roles = [\"Manager\", \"Standard\"]\nscopes = {{ all_of = [\"a\", \"b\"], any_of = [\"c\", \"d\"] }}\n\
             require.tier = [\"gold\", \"silver\"]\nrequire.email_verified = true\npermissions_max_age = \"30s\"\n\
             permissions_stale_if_error = \"1m\"\nbody = \"buffered\"\nheaders.x-user-email = \"email\"\n\
             [[route]]\nname = \"shadow\"\nmethods = [\"GET\"]\npath = \"/health\"\norigin = \"vouchers\"\n\
             issuer = \"users\"\nscopes = [\"health\"]\nshadow = true\n"
        ),
    );
    let told = run(&["routes", &file]);
    assert_eq!(told.code, 0, "{told:?}");
    let put = told.out.lines().find(|line| line.starts_with("PUT")).unwrap();
    assert!(
        put.ends_with(
            "company in field `x-company`, role Manager or Standard, scope a and b, and one of c or d, claim \
             email_verified, claim tier is gold or silver [body buffered]"
        ),
        "{put}"
    );
    assert!(told.out.contains("scope health [shadow: decides nothing]"), "{}", told.out);
    let told = run(&["routes", &file, "--format", "json"]).json();
    let files = told["routes"].as_array().unwrap().iter().find(|route| route["name"] == "files").unwrap().clone();
    assert_eq!(files["company"], json!({"from": "header", "name": "x-company"}));
    assert_eq!(files["scopes"], json!({"all_of": ["a", "b"], "any_of": ["c", "d"]}));
    assert_eq!(files["conditions"][1], json!({"claim": "tier", "one_of": ["gold", "silver"]}));
    assert_eq!(files["headers"], json!([{"field": "x-user-email", "claim": ["email"]}]));
    assert_eq!((&files["body"], &files["permissions_stale_if_error_ms"]), (&json!("buffered"), &json!(60_000)));
}

#[test]
fn what_no_rule_binds_is_in_the_table_and_in_the_document() {
    let scratch = Scratch::new();
    let rules = example().split_once("\n[[test]]").unwrap().0.to_owned();
    let route = |name: &str, path: &str, rules: &str| {
        format!(
            "\n[[route]]\nname = \"{name}\"\nmethods = [\"GET\"]\norigin = \"vouchers\"\nissuer = \"users\"\n\
             path = \"{path}\"\n{rules}\n"
        )
    };
    let text = rules
        + &route(
            "unbound",
            "/t/{tenant}/{customer}/{accountId}",
            "company = \"{tenant}\"\nunbound = [\"accountId\", \"customer\"]",
        )
        + &route("any", "/u/{orgId}/{member}", "company = \"any\"\nsubject = \"any\"");
    let file = scratch.file("policy.toml", &text);
    let told = run(&["routes", &file]).out;
    assert!(told.contains("company {tenant} [unbound {customer}, {accountId}]\n"), "{told}");
    assert!(told.contains("any company [any {orgId}, {member}]\n"), "{told}");
    let told = run(&["routes", &file, "--format", "json"]).json();
    let free = |name: &str| {
        let routes = told["routes"].as_array().unwrap();
        routes.iter().find(|route| route["name"] == name).unwrap()["free_parameters"].clone()
    };
    let company = |name: &str| json!({"name": name, "names": "company", "by": "unbound"});
    assert_eq!(free("unbound"), json!([company("customer"), company("accountId")]));
    assert_eq!(free("any")[1], json!({"name": "member", "names": "subject", "by": "any"}));
    assert_eq!(free("health"), json!([]));
}

const FIELD: &str = "\n[[field]]\nname = \"Query.orders\"\nissuer = \"users\"\nsubject = { argument = \"userId\" }\n\
                     company = { argument = \"companyId\" }\nroles = [\"Manager\"]\npermissions_max_age = \"30s\"\n";

#[test]
fn fields_stand_below_the_routes() {
    let scratch = Scratch::new();
    let file = scratch.file("policy.toml", &(example() + FIELD));
    let told = run(&["routes", &file]);
    let row = told.out.lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let who = "the subject in argument `userId`, company in argument `companyId`, role Manager";
    assert_eq!(row, format!("field Query.orders - users {who}"));
    let told = run(&["routes", &file, "--format", "json"]).json();
    assert_eq!(told["fields"][0]["company"], json!({"from": "argument", "name": "companyId"}));
    assert_eq!(told["fields"][0]["permissions_max_age_ms"], json!(30_000));
}

#[test]
fn a_field_that_changes_is_a_difference() {
    let scratch = Scratch::new();
    let with = |name: &str, field: &str| scratch.file(name, &(example() + field));
    let (none, old) = (with("none.toml", ""), with("old.toml", FIELD));
    let new = with("new.toml", &FIELD.replace("roles = [\"Manager\"]\n", ""));
    let settings = |old: &str, new: &str| {
        let told = run(&["diff", old, new, "--format", "json"]).json();
        let settings = told["settings"].as_array().unwrap().clone();
        settings.iter().map(|setting| setting["at"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(settings(&none, &old), ["field.Query.orders"]);
    assert_eq!(settings(&old, &none), ["field.Query.orders"]);
    assert_eq!(settings(&old, &new), ["field.Query.orders.roles", "field.Query.orders.who_may"]);
    assert!(settings(&old, &old).is_empty());
}
