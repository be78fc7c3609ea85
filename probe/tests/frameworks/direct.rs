//! The first table: `postern probe-origin` finds exactly the readings that are written down.

use std::{collections::BTreeMap, fmt::Write as _, process::Command};

use serde_json::Value;

use crate::described::{Described, described};

/// Framework → disguise → what is read.
type Readings = BTreeMap<String, BTreeMap<String, String>>;

fn expected() -> Readings {
    toml::from_str(include_str!("readings.toml")).expect("`readings.toml` is TOML")
}

fn found(described: &Described, url: &str) -> BTreeMap<String, String> {
    let output = Command::new(&described.command)
        .args(["probe-origin", "--format", "json", "--unsafe-methods", "--insecure-loopback"])
        .args(["--url", url, "--policy", &described.policy, "--key-file", &described.key_file])
        .output()
        .expect("the command runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{url}: every framework reads some disguise in its own way: {errors}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["echo"], true, "{url} has no echo handler");
    let results = report["results"].as_array().expect("results");
    let mark = report["mark"].as_str().expect("the mark");
    let changed = results.iter().filter(|result| result["outcome"] == "changed");
    changed
        .map(|result| {
            let text = |member: &str| result[member].as_str().unwrap_or_default().replace(mark, "MARK");
            assert!(!text("setting").is_empty(), "no setting: {result}");
            (text("disguise"), format!("{} {}", text("changed"), text("read")))
        })
        .collect()
}

fn differences(framework: &str, expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (disguise, read) in expected {
        if found.get(disguise) != Some(read) {
            let now = found.get(disguise).map_or("as sent", String::as_str);
            let _ = writeln!(text, "{framework}: `{disguise}` was read as {read}, and now is {now}");
        }
    }
    for (disguise, read) in found.iter().filter(|(disguise, _)| !expected.contains_key(*disguise)) {
        let _ = writeln!(text, "{framework}: `{disguise}` is unexpectedly read as {read}");
    }
    text
}

#[test]
#[ignore = "takes frameworks that run: `cargo xtask test --only frameworks`"]
fn each_framework_reads_disguises_as_is_written_down() {
    let (described, expected) = (described(), expected());
    let mut all = String::new();
    for (framework, url) in &described.frameworks {
        let known = expected.get(framework).unwrap_or_else(|| panic!("`readings.toml` has no [{framework}]"));
        let found = found(&described, url);
        println!("{framework}: {} disguises work", found.len());
        all += &differences(framework, known, &found);
    }
    assert!(all.is_empty(), "the frameworks read disguises in another way than `readings.toml` says:\n{all}");
}

#[test]
fn a_reading_that_is_new_gone_or_another_is_a_difference() {
    let table = |rows: &[(&str, &str)]| rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let expected: BTreeMap<String, String> = table(&[("letter case", "path /a"), ("X-Host", "host b")]);
    assert_eq!(differences("f", &expected, &expected), "");
    for found in [
        table(&[("letter case", "path /a")]),
        table(&[("letter case", "path /a"), ("X-Host", "host c")]),
        table(&[("letter case", "path /a"), ("X-Host", "host b"), ("Forwarded: host", "host b")]),
        table(&[]),
    ] {
        assert_ne!(differences("f", &expected, &found), "", "{found:?}");
    }
}

#[test]
fn the_known_readings_of_the_frameworks_are_written_down() {
    let expected = expected();
    for (framework, disguise, read) in [
        ("express-4", "letter case", "path /postern/echo"),
        ("express-4", "closing slash", "path /postern/echo"),
        ("express-5", "letter case and closing slash", "path /postern/echo"),
        ("gunicorn-flask", "SCRIPT_NAME", "path /postern/echo"),
        ("hono-3", "second question mark", "company 2222"),
        ("uvicorn-fastapi", "X-Forwarded-For", "address 192.0.2.77"),
        ("rack", "X-Forwarded-Host", "host MARK.example"),
    ] {
        let known = expected.get(framework).and_then(|readings| readings.get(disguise));
        assert_eq!(known.map(String::as_str), Some(read), "{framework}: {disguise}");
    }
}
