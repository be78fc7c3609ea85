//! The corpus through the core on the host, by both native backends: no difference, cold or warm.

use postern_corpus::{Corpus, driver::run, drivers::host::Host};

fn holds(mut driver: Host) {
    let corpus = Corpus::read().expect("the corpus");
    let report = run(&mut driver, &corpus).expect("the driver runs");
    println!("{report}");
    assert!(report.differences.is_empty(), "{report}");
    assert_eq!(report.carried, corpus.cases().count(), "the host carries every case");
    assert_eq!(report.decisions, 2 * report.carried);
}

#[test]
fn the_core_decides_as_the_corpus_says_with_portable_signatures() {
    holds(Host::portable());
}

#[test]
fn the_core_decides_as_the_corpus_says_with_aws_lc() {
    holds(Host::native());
}
