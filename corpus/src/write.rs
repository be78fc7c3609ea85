//! The files' text: one line for each part of a case, so that a change reads as what it is.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::case::{Case, Corpus, Facts};

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

/// Worlds, with a line for each key and each record.
fn pretty(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("strings, lists and maps");
    let member = |(name, value): (&String, &serde_json::Value)| match value {
        serde_json::Value::Object(members) if !members.is_empty() => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("  {}: {value}", json(name))).collect();
            format!(" {}: {{\n{}\n }}", json(name), members.join(",\n"))
        }
        value => format!(" {}: {value}", json(name)),
    };
    let members: Vec<String> = value.as_object().into_iter().flatten().map(member).collect();
    format!("{{\n{}\n}}", members.join(",\n"))
}
