//! The files are what the themes say, and no more. `cargo xtask corpus --write` renews them.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

use postern_corpus::{Corpus, themes, write};

/// Set by the command: the files are written instead of compared.
const WRITE: &str = "POSTERN_CORPUS_WRITE";

#[test]
fn the_files_are_what_the_themes_say() {
    let corpus = themes::corpus();
    let mut names: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (theme, case) in corpus.cases() {
        *names.entry((theme, &case.name)).or_default() += 1;
    }
    let twice: Vec<_> = names.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "two cases of one name: {twice:?}");
    if env::var_os(WRITE).is_some() {
        write::write(&corpus).expect("the files can be written");
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, text) in write::files(&corpus) {
        let found = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        let differing = found.lines().zip(text.lines()).find(|(found, made)| found != made);
        assert!(found == text, "`{name}` differs: {differing:?}; `cargo xtask corpus --write` renews it");
    }
    let themes: BTreeSet<String> = corpus.themes.keys().map(|theme| format!("{theme}.json")).collect();
    let found = fs::read_dir(folder.join("cases")).expect("a folder").flatten();
    let found: BTreeSet<String> = found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(found, themes, "a file without a theme");
    assert_eq!(Corpus::read().expect("the files can be read"), corpus);
}
