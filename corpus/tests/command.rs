//! The corpus through `postern decide`, the program itself.

use std::{env, fs, path::PathBuf, process::Command};

use postern_corpus::{Corpus, driver::run, drivers::command::Decide};

/// Set where the program was built already.
const PROGRAM: &str = "POSTERN_PROGRAM";

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

/// The program, beside this one in the target folder, where cargo puts it.
fn program() -> PathBuf {
    if let Some(program) = env::var_os(PROGRAM) {
        return program.into();
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--quiet", "--package", "postern-cli"]).status().expect("cargo");
    assert!(built.success(), "the command does not build");
    let own = env::current_exe().expect("this program has a path");
    own.ancestors().nth(2).expect("a folder above `deps`").join("postern")
}
