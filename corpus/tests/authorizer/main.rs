//! The corpus through the authorizer, in each shape of event that it is asked in: keys and records over HTTP, and what API
//! Gateway makes of the answer.
//!
//! ```text
//!  case ─▶ event ─▶ answer ── document ─▶ does it let this request's ARN be invoked? ─▶ Expect
//!                      │   └─ context, or the decision log's line
//!                      └─▶ key sets and records, on loopback
//! ```
//! A WebSocket's event has no path, and carries no case.

mod driver;
mod event;
#[allow(dead_code, reason = "here it is asked for its evaluation of documents alone")]
#[path = "../../../origin/tests/authorizer/gateway.rs"]
mod gateway;
#[path = "../tower/outside.rs"]
mod outside;

use postern_corpus::{Case, Corpus, Driver as _, Expect, World, driver::run};
use postern_origin::authorizer::event::Shape;

use driver::{Authorizer, Reply};

/// Why a case is left out that the authorizer is to deny all the same.
const DENIED: [&str; 2] = [event::NO_BODY, event::NO_NAME];

#[test]
fn the_authorizer_decides_as_the_corpus_says_in_each_shape() {
    let corpus = Corpus::read().expect("the corpus");
    for (shape, reply, least) in [
        (Shape::RestToken, Reply::Iam, 40),
        (Shape::RestRequest, Reply::Iam, 80),
        (Shape::HttpVersion1, Reply::Iam, 70),
        (Shape::HttpVersion2, Reply::Iam, 70),
        (Shape::HttpVersion2, Reply::Simple, 70),
    ] {
        let mut authorizer = Authorizer::new(shape, reply, &corpus);
        let report = run(&mut authorizer, &corpus).expect("the driver runs");
        println!("{report}");
        let denied = denied(&mut authorizer, &corpus);
        println!("  {denied} of those left out are denied, as they must be");
        assert!(report.differences.is_empty(), "{report}");
        assert!(report.carried * 100 > corpus.cases().count() * least, "too many cases are left out: {report}");
        assert!(denied > 10, "nothing is denied that cannot be decided");
    }
}

/// Sends what cannot be decided without a body or a name, and counts it; none may be permitted.
fn denied(authorizer: &mut Authorizer, corpus: &Corpus) -> usize {
    let mut count = 0;
    for (name, world) in &corpus.worlds {
        let is_left_out =
            |case: &Case, world: &World| authorizer.cannot(world, case).is_some_and(|why| DENIED.contains(&why));
        let cases: Vec<&Case> = corpus
            .cases()
            .map(|(_, case)| case)
            .filter(|case| case.world == *name && is_left_out(case, world))
            .collect();
        if cases.is_empty() {
            continue;
        }
        authorizer.enter(world).expect("a world");
        for case in cases {
            let seen = authorizer.decide(&[case]).expect("a decision");
            assert!(!matches!(seen.as_slice(), [Expect::Permit(_)]), "{}: {seen:?}", case.name);
            count += 1;
        }
    }
    count
}
