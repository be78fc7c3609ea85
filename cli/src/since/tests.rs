//! The registry: every change finds its places, and the changelog lists every change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{CHANGES, Change, Version, Written, changes_after, notes};
use crate::policy_args::Sources;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn pointers(change: &Change, text: &str) -> Vec<String> {
    let document: Value = toml::from_str(text).unwrap();
    let policy = postern::policy::from_toml(text, None).ok();
    (change.places)(&Written::new(&document, policy.as_ref())).into_iter().map(|place| place.pointer).collect()
}

#[test]
fn each_change_names_the_places_that_it_concerns_and_no_others() {
    for change in CHANGES {
        let example = &change.example;
        assert!(!example.pointers.is_empty(), "{}: the example names no place", change.code);
        assert_eq!(pointers(change, example.concerned), example.pointers, "{}", change.code);
        assert!(pointers(change, example.unconcerned).is_empty(), "{}", change.code);
        // A file may hold any type at any place, and a note must not need it to build.
        for odd in ["", "issuer = 1\norigin = []\nroute = \"x\"\n", "issuer.a = 1\norigin.a = 1\nroute = [1]\n"] {
            assert!(pointers(change, odd).is_empty(), "{}: {odd}", change.code);
        }
    }
}

#[test]
fn each_note_about_a_policy_of_this_repository_has_a_line() {
    for file in ["postern.toml", "corpus/policy.toml"] {
        let sources = Sources::read(format!("{ROOT}/{file}").as_ref(), None).unwrap();
        let policy = sources.policy().unwrap();
        let document = sources.document().unwrap();
        let notes = notes(Version::V0_1_0, &Written::new(&document, Some(&policy)));
        assert!(!notes.is_empty(), "{file}");
        let spans = crate::lint::places(notes.iter().map(|note| note.place.pointer.as_str()), sources.text());
        for (note, span) in notes.iter().zip(spans) {
            assert!(span.is_some(), "{file} has no `{}` ({})", note.place.pointer, note.change.code);
        }
    }
}

#[test]
fn codes_are_unique_and_texts_follow_the_house_style() {
    let codes: BTreeSet<&str> = CHANGES.iter().map(|change| change.code).collect();
    assert_eq!(codes.len(), CHANGES.len());
    for change in CHANGES {
        assert!(change.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", change.code);
        assert!(!change.summary.ends_with('.') && !change.summary.contains('\n'), "{}", change.summary);
    }
}

#[test]
fn nothing_changes_since_this_version() {
    assert!(changes_after(Version::V0_2_0).is_empty());
    assert_eq!(changes_after(Version::V0_1_0).len(), CHANGES.len());
}

/// The items under "Decisions that change" by version, each on one line.
fn changelog() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(format!("{ROOT}/CHANGELOG.md")).unwrap();
    let (mut found, mut version, mut is_here) = (BTreeMap::<String, Vec<String>>::new(), String::new(), false);
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            version = heading.split(' ').next().unwrap_or_default().to_owned();
            found.entry(version.clone()).or_default();
            is_here = false;
        } else if let Some(heading) = line.strip_prefix("### ") {
            is_here = heading == "Decisions that change";
        } else if is_here && line.starts_with("- ") {
            found.entry(version.clone()).or_default().push(line.to_owned());
        } else if is_here && let Some(last) = found.get_mut(&version).and_then(|items| items.last_mut()) {
            let more = line.trim();
            *last += if more.is_empty() { "" } else { " " };
            *last += more;
        }
    }
    found
}

#[test]
fn the_changelog_lists_every_change_and_looser_ones_first() {
    let changelog = changelog();
    for version in Version::ALL {
        let listed = changelog.get(version.number()).unwrap_or_else(|| panic!("CHANGELOG.md has no `## {version}`"));
        let changes = CHANGES.iter().filter(|change| change.version == version);
        let registered: BTreeSet<String> = changes.map(|change| change.changelog_line()).collect();
        for line in &registered {
            assert!(listed.contains(line), "CHANGELOG.md lacks this line under `## {version}`:\n{line}");
        }
        for line in listed {
            assert!(registered.contains(line), "no change is registered for this line of CHANGELOG.md:\n{line}");
        }
        let directions: Vec<bool> = listed.iter().map(|line| line.contains("` (stricter): ")).collect();
        assert!(directions.is_sorted(), "looser changes come first: {listed:#?}");
    }
}
