//! The collection of requests that a person can run in Postman, and the environment that points it at a running stack.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::paths::Paths;
use crate::process::run_quietly;
use crate::setup::node;
use crate::stack::{Stack, write_private};

/// The collection, from the repository's root.
const COLLECTION: &str = "collection/postern.postman_collection.json";

/// Writes the environment of a running stack: where its parts are, and the keys that the permissions service knows.
pub(crate) fn environment(stack: &Stack, edge: &str) -> Result<PathBuf> {
    let text = fs::read_to_string(&stack.description)
        .with_context(|| format!("cannot read `{}`", stack.description.display()))?;
    let described: Value = serde_json::from_str(&text)?;
    let lambda = described["lambda"].as_str().context("the stack's description names no functions")?;
    let values = [
        ("edge", edge.to_owned()),
        ("permissions", format!("{lambda}/lambda-url/permissions")),
        ("control", stack.control.clone()),
        ("page", described["page"].as_str().unwrap_or_default().to_owned()),
        ("admin_key", described["keys"]["permissions-admin"].to_string()),
        ("edge_key", described["keys"]["permissions"].to_string()),
    ];
    let values: Vec<Value> =
        values.iter().map(|(key, value)| json!({ "key": key, "value": value, "enabled": true })).collect();
    let path = stack.folder.join("postman_environment.json");
    write_private(&path, &format!("{:#}\n", json!({ "name": "Postern, local stack", "values": values })))?;
    Ok(path)
}

/// What a person does with the collection and this environment.
pub(crate) fn hint(environment: &std::path::Path) -> String {
    format!(
        "Or import `{COLLECTION}` and `{}` into Postman, or run them:\n\
         local/node_modules/.bin/newman run {COLLECTION} -e {}",
        environment.display(),
        environment.display()
    )
}

/// Runs the whole collection against an edge of a running stack, without a window.
pub(crate) fn run(paths: &Paths, stack: &Stack, edge: &str) -> Result<()> {
    let environment = environment(stack, edge)?;
    let (log, outcome) = (stack.folder.join("logs/newman.log"), stack.folder.join("newman.json"));
    let mut command = Command::new(node(paths));
    command
        .arg(paths.local.join("node_modules/newman/bin/newman.js"))
        .args(["run", COLLECTION, "--environment"])
        .arg(&environment)
        .env("FORCE_COLOR", "0")
        .args(["--color", "off", "--timeout-request", "30000", "--reporters", "cli,json"])
        .args(["--reporter-cli-no-banner", "--reporter-cli-no-success-assertions", "--reporter-json-export"])
        .arg(&outcome)
        .current_dir(&paths.root);
    run_quietly(&mut command, &log)?;
    let outcome: Value = serde_json::from_str(&fs::read_to_string(&outcome).context("newman wrote no outcome")?)?;
    let count = |what: &str| outcome["run"]["stats"][what]["total"].as_u64().unwrap_or(0);
    let (requests, assertions) = (count("requests"), count("assertions"));
    ensure!(requests > 0 && assertions > requests, "newman ran {requests} requests and {assertions} assertions");
    say!("  {requests} requests, {assertions} assertions, all as the collection says");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each request: its method, where it goes, its path, and the status that its test expects.
    fn requests(items: &Value, found: &mut Vec<(String, String, String, u64)>) {
        for item in items.as_array().into_iter().flatten() {
            requests(&item["item"], found);
            let Some(raw) = item["request"]["url"]["raw"].as_str() else { continue };
            let (base, path) = raw.split_once("}}").expect("a variable first");
            let scripts = item["event"].as_array().into_iter().flatten();
            let lines = scripts.flat_map(|event| event["script"]["exec"].as_array().into_iter().flatten());
            let status = lines.filter_map(Value::as_str).find_map(|line| {
                let (_, after) = line.split_once("to.have.status(")?;
                after.split_once(')')?.0.parse().ok()
            });
            let status = status.unwrap_or_else(|| panic!("`{}` expects no status", item["name"]));
            let method = item["request"]["method"].as_str().expect("a method").to_owned();
            found.push((method, base.trim_start_matches('{').to_owned(), path.to_owned(), status));
        }
    }

    fn matches(template: &str, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or(path);
        template.split('/').count() == path.split('/').count()
            && template.split('/').zip(path.split('/')).all(|(own, segment)| {
                own == segment || (own.starts_with('{') && !segment.is_empty() && !segment.contains('%'))
            })
    }

    #[test]
    fn every_endpoint_is_asked_with_leave_and_without() {
        let paths = Paths::find().expect("the repository");
        let read = |name: &str| fs::read_to_string(paths.root.join(name)).expect(name);
        let collection: Value = serde_json::from_str(&read(COLLECTION)).expect("JSON");
        let mut found = Vec::new();
        requests(&collection["item"], &mut found);
        let policy: toml::Table = read("postern.toml").parse().expect("TOML");
        let mut endpoints: Vec<(String, String, &str, bool)> = Vec::new();
        for route in policy["route"].as_array().expect("routes") {
            let is_public = route.get("public").is_some();
            for method in route["methods"].as_array().expect("methods") {
                let (method, path) = (method.as_str().expect("text"), route["path"].as_str().expect("text"));
                endpoints.push((method.to_owned(), path.to_owned(), "edge", is_public));
            }
        }
        for (method, path) in [
            ("GET", "/users/{user}"),
            ("PUT", "/users/{user}"),
            ("DELETE", "/users/{user}"),
            ("GET", "/users/{user}/history"),
            ("GET", "/users"),
        ] {
            endpoints.push((method.to_owned(), path.to_owned(), "permissions", false));
        }
        for (method, path, base, is_public) in endpoints {
            let statuses: Vec<u64> = found
                .iter()
                .filter(|(own, at, asked, _)| *own == method && at == base && matches(&path, asked))
                .map(|(_, _, _, status)| *status)
                .collect();
            assert!(statuses.iter().any(|status| (200..300).contains(status)), "{method} {path}: {statuses:?}");
            let is_refused = statuses.iter().any(|status| [401, 403].contains(status));
            assert!(is_refused || is_public, "{method} {path}: {statuses:?}");
        }
    }

    #[test]
    fn nothing_secret_stands_in_the_collection() {
        let paths = Paths::find().expect("the repository");
        let text = fs::read_to_string(paths.root.join(COLLECTION)).expect("the collection");
        assert!(!text.contains("eyJhbGci") && !text.contains("\"k\""), "a token or a key");
    }
}
