//! The corpus through the tower layer, as it stands before a service: keys and records over HTTP, a clock of the test's own.
//!
//! ```text
//!  case ─▶ http::Request ─▶ AuthorizeLayer ── Permit ──▶ a service that says what it was given ─▶ Expect
//!                                │   └─ the decision log's line ─▶ Expect
//!                                └─▶ key sets and records, on loopback
//! ```

mod driver;
mod outside;

use postern_corpus::{Corpus, driver::run};

#[test]
fn the_tower_layer_decides_as_the_corpus_says() {
    let corpus = Corpus::read().expect("the corpus");
    let report = run(&mut driver::Layer::new(), &corpus).expect("the driver runs");
    println!("{report}");
    assert!(report.differences.is_empty(), "{report}");
    assert!(report.carried * 20 > corpus.cases().count() * 19, "too many cases are left out: {report}");
}
