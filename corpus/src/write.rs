//! The files' text: one line for each part of a case, so that a change reads as what it is.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

use crate::case::{Case, Corpus, Facts, World};

/// Each file's path from this folder, and its text.
///
/// # Panics
/// Never: what is written are strings, lists and maps.
#[must_use]
pub fn files(corpus: &Corpus) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let worlds: Vec<String> =
        corpus.worlds.iter().map(|(name, world)| format!("{}: {}", json(name), pretty(world))).collect();
    files.insert("worlds.json".to_owned(), format!("{{\n{}\n}}\n", worlds.join(",\n")));
    for (theme, cases) in &corpus.themes {
        let cases: Vec<String> = cases.iter().map(case).collect();
        files.insert(format!("cases/{theme}.json"), format!("[\n{}\n]\n", cases.join(",\n")));
    }
    files
}

/// Writes the files into this folder, and removes cases of themes that are gone.
///
/// # Errors
/// When that fails.
pub fn write(corpus: &Corpus) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = files(corpus);
    for entry in fs::read_dir(folder.join("cases")).into_iter().flatten().flatten() {
        let name = format!("cases/{}", entry.file_name().to_string_lossy());
        if !files.contains_key(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    for (name, text) in files {
        fs::write(folder.join(&name), text).with_context(|| format!("cannot write `{name}`"))?;
    }
    Ok(())
}

fn case(case: &Case) -> String {
    let mut lines = vec![
        format!("\"name\": {}", json(&case.name)),
        format!("\"world\": {}, \"by\": {}", json(&case.world), json(&case.by)),
    ];
    if let Some(attack) = &case.attack {
        lines.push(format!("\"attack\": {}", json(attack)));
    }
    if case.facts != Facts::default() {
        lines.push(format!("\"facts\": {}", json(&case.facts)));
    }
    lines.push(format!("\"request\": {}", json(&case.request)));
    lines.push(format!("\"expect\": {}", json(&case.expect)));
    format!("{{{}}}", lines.join(",\n "))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, lists and maps")
}

/// A value as JSON, members in the order of their names at every depth: the same text whatever `serde_json` was built
/// with, which keeps or sorts them as the features of the whole build say.
#[must_use]
pub fn in_order(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<&String, &Value> = members.iter().collect();
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}:{}", json(name), in_order(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(in_order).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Worlds, with a line for each key and each record.
fn pretty(world: &World) -> String {
    let value = serde_json::to_value(world).expect("strings, lists and maps");
    let in_lines = |value: &Value| match value {
        Value::Object(members) if !members.is_empty() => {
            let members: BTreeMap<&String, &Value> = members.iter().collect();
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("  {}: {}", json(name), in_order(value))).collect();
            format!("{{\n{}\n }}", members.join(",\n"))
        }
        value => in_order(value),
    };
    let members: BTreeMap<&String, &Value> = value.as_object().into_iter().flatten().collect();
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!(" {}: {}", json(name), in_lines(value))).collect();
    format!("{{\n{}\n}}", members.join(",\n"))
}
