//! The corpus through the Worker, as it is deployed, in plain workerd: raw targets on a socket, everything that it asks
//! for answered by this program.
//!
//! ```text
//!  case ─▶ raw request ─▶ workerd ── the Worker ──▶ everything outside: key sets, records, origins
//!            cf-ray: case-7    │                              │ the assertion and the fields that came
//!                              └─ the decision log's line     └─▶ checked with the core's verifier ─▶ Expect
//! ```
//! `cargo xtask test --only corpus` builds the Workers and runs this.

mod driver;
mod edge;
#[path = "../edges/mod.rs"]
mod edges;

use std::{env, fs, path::Path};

use postern_corpus::{Corpus, driver::run};
use serde_json::Value;

/// A JSON file: where node, its packages and the Workers are, by policy.
const DESCRIPTION: &str = "POSTERN_CORPUS_WORKERS";

fn holds(rewrites: bool) {
    let path = env::var_os(DESCRIPTION)
        .unwrap_or_else(|| panic!("{DESCRIPTION} is not set: run `cargo xtask test --only corpus`"));
    let text = fs::read_to_string(Path::new(&path)).expect("the description can be read");
    let description: Value = serde_json::from_str(&text).expect("the description is JSON");
    let corpus = Corpus::read().expect("the corpus");
    let mut worker = driver::Worker::new(description, rewrites);
    let report = run(&mut worker, &corpus).expect("the driver runs");
    println!("{report}");
    assert!(report.differences.is_empty(), "{report}");
    assert!(report.carried * 20 > corpus.cases().count() * 19, "too many cases are left out: {report}");
}

#[test]
#[ignore = "takes Workers that were built for it: `cargo xtask test --only corpus`"]
fn the_worker_decides_as_the_corpus_says() {
    holds(false);
}

#[test]
#[ignore = "takes Workers that were built for it: `cargo xtask test --only corpus`"]
fn behind_a_url_parser_the_worker_decides_on_what_that_makes_of_a_target() {
    holds(true);
}
