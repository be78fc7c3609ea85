//! The corpus through `postern decide`, the program itself.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use postern_corpus::{Corpus, driver::run, drivers::command::Decide};

#[test]
fn postern_decide_decides_as_the_corpus_says() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("decide");
    fs::create_dir_all(&folder).expect("a folder");
    let corpus = Corpus::read().expect("the corpus");
    let report = run(&mut Decide::new(program(), folder), &corpus).expect("the driver runs");
    println!("{report}");
    assert!(report.differences.is_empty(), "{report}");
    assert!(report.carried > 500, "{report}");
}

/// The program, beside this one in the target folder, where cargo puts it; built if it is not of these sources.
fn program() -> PathBuf {
    let own = env::current_exe().expect("this program has a path");
    let program = own.ancestors().nth(2).expect("a folder above `deps`").join("postern");
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let newest = [root.join("cli/src"), root.join("shared/src")].iter().filter_map(|folder| newest(folder)).max();
    if changed(&program) < newest {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--package", "postern-cli"]).status().expect("cargo");
        assert!(built.success(), "the command does not build");
    }
    program
}

fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let times = entries.filter_map(|entry| match entry.path() {
        path if path.is_dir() => newest(&path),
        path => fs::metadata(path).and_then(|metadata| metadata.modified()).ok(),
    });
    times.max()
}
