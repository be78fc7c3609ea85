//! The corpus through the Lambda@Edge function, as it is deployed: packed, unpacked, in real Node behind the local
//! CloudFront, everything that it asks for answered by this program.
//!
//! ```text
//!  case ─▶ raw request ─▶ front.mjs ── event ──▶ container: the zip's index.js ── asks ──▶ everything outside
//!     stand-in-request-id: case-7  ◀── request or answer ──┘     (preload.cjs)
//!                           │   └── the decision log's line
//!                           └─ what is permitted, as CloudFront sends it on ──▶ the assertion, checked ──▶ Expect
//! ```
//! `cargo xtask test --only corpus` packs the functions and runs this.

mod driver;
mod edge;
#[path = "../edges/mod.rs"]
mod edges;

use std::{env, fs, path::Path};

use postern_corpus::{Corpus, driver::run};
use serde_json::Value;

/// A JSON file: where node, the local CloudFront and the unpacked functions are, by policy.
const DESCRIPTION: &str = "POSTERN_CORPUS_FUNCTIONS";

#[test]
#[ignore = "takes functions that were packed for it: `cargo xtask test --only corpus`"]
fn the_function_at_cloudfront_decides_as_the_corpus_says() {
    let path = env::var_os(DESCRIPTION)
        .unwrap_or_else(|| panic!("{DESCRIPTION} is not set: run `cargo xtask test --only corpus`"));
    let text = fs::read_to_string(Path::new(&path)).expect("the description can be read");
    let description: Value = serde_json::from_str(&text).expect("the description is JSON");
    let corpus = Corpus::read().expect("the corpus");
    let mut function = driver::Function::new(description);
    let report = run(&mut function, &corpus).expect("the driver runs");
    println!("{report}");
    assert!(report.differences.is_empty(), "{report}");
    assert!(report.carried * 20 > corpus.cases().count() * 19, "too many cases are left out: {report}");
}
