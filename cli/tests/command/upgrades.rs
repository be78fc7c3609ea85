//! `postern check --since`: what a newer version decides differently under this policy.

use crate::support::{Output, Scratch, example, run};

fn check(text: &str, more: &[&str]) -> Output {
    let scratch = Scratch::new();
    let file = scratch.file("policy.toml", text);
    run(&[&["check", &file], more].concat())
}

/// The line of the file on which the table `heading` begins, counted from 1.
fn line_of(text: &str, heading: &str) -> usize {
    1 + text.lines().position(|line| line == heading).unwrap()
}

#[test]
fn each_place_is_noted_with_its_line_and_both_decisions() {
    let text = example();
    let line = line_of(&text, "[issuer.partners]");
    let told = check(&text, &["--since", "0.1.0"]);
    assert_eq!(told.code, 0, "{told:?}");
    for part in [
        "note[fractional_dates]: stricter since 0.2.0: a token whose `nbf` or `iat` has a fraction",
        &format!("policy.toml:{line}:1\n"),
        "issuer.partners\n",
        "= note: before 0.2.0: `nbf` and `iat` are rounded down",
        "= note: since 0.2.0: they are rounded up",
        "= help: nothing, if the issuer writes whole seconds",
    ] {
        assert!(told.err.contains(part), "{part}: {}", told.err);
    }
    assert!(told.out.trim_end().ends_with(" notes since 0.1.0"), "{}", told.out);

    let told = check(&text, &["--since", "0.1.0", "--format", "json"]).json();
    assert_eq!((&told["since"], &told["builds"]), (&"0.1.0".into(), &true.into()));
    let notes = told["notes"].as_array().unwrap();
    let note = notes
        .iter()
        .find(|note| note["code"] == "fractional_dates" && note["pointer"] == "issuer.partners")
        .unwrap_or_else(|| panic!("{told}"));
    assert_eq!(
        (&note["line"], &note["version"], &note["direction"]),
        (&line.into(), &"0.2.0".into(), &"stricter".into())
    );
    for member in ["old", "new", "mend", "message"] {
        assert!(note[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {note}");
    }
    assert!(notes.iter().all(|note| note["line"].is_u64()), "{told}");
}

#[test]
fn nothing_is_noted_unless_asked_for_or_since_this_version() {
    let told = check(&example(), &["--format", "json"]).json();
    assert!(told.get("notes").is_none() && told.get("since").is_none(), "{told}");
    let told = check(&example(), &["--since", "0.2.0"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.trim_end().ends_with(", 0 notes since 0.2.0"), "{}", told.out);
}

#[test]
fn notes_do_not_count_as_warnings() {
    assert_eq!(check(&example(), &["--since", "0.1.0", "--deny-warnings"]).code, 0);
}

#[test]
fn a_policy_with_faults_gets_its_notes_too_without_an_excerpt_that_could_show_a_secret() {
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let text = example().replacen("[issuer.partners]", &format!("[issuer.partners] # {secret}"), 1);
    let told = check(&text, &["--since", "0.1.0"]);
    assert_eq!((told.code, told.out.as_str()), (1, ""));
    assert!(told.err.contains("error[secret]"), "{}", told.err);
    assert!(told.err.contains("note[fractional_dates]") && told.err.contains(" notes since 0.1.0\n"), "{}", told.err);
    assert!(!told.err.contains(secret), "{}", told.err);
    let told = check(&text, &["--since", "0.1.0", "--format", "json"]);
    assert!(!told.out.contains(secret), "{}", told.out);
    let told = told.json();
    assert!(told["builds"] == false && !told["notes"].as_array().unwrap().is_empty(), "{told}");
    // What is not TOML has no places.
    let told = check("[issuer", &["--since", "0.1.0"]);
    assert!(told.code == 1 && told.err.ends_with("1 fault, 0 notes since 0.1.0\n"), "{told:?}");
}

#[test]
fn a_version_that_is_not_known_is_refused_with_the_known_ones() {
    for version in ["0.0.9", "0.1.1", "7.0.0", "main"] {
        let told = check(&example(), &["--since", version]);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{version}");
        assert!(told.err.contains("known versions: 0.1.0, 0.2.0"), "{version}: {}", told.err);
    }
}
