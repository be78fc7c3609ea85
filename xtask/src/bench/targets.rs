//! What is to be reached: every target is a row here, and nowhere else.

use super::Part;

/// How far a figure may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    /// The contender's cost as a multiple of the peer's; without a peer the figure itself, in its row's unit.
    AtMost(f64),
    /// How many times as fast as the peer the contender is: the peer's cost as a multiple of the contender's.
    AtLeast(f64),
}

impl Bound {
    /// Whether it is kept.
    pub(super) fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtMost(bound) => figure <= bound,
            Self::AtLeast(bound) => figure >= bound,
        }
    }
}

/// One target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) part: Part,
    pub(super) row: &'static str,
    pub(super) contender: &'static str,
    /// None where the figure is held against the bound itself.
    pub(super) peer: Option<&'static str>,
    pub(super) bound: Bound,
}

const fn beside(part: Part, row: &'static str, contender: &'static str, peer: &'static str, bound: Bound) -> Target {
    Target { part, row, contender, peer: Some(peer), bound }
}

const fn alone(part: Part, row: &'static str, contender: &'static str, at_most: f64) -> Target {
    Target { part, row, contender, peer: None, bound: Bound::AtMost(at_most) }
}

use Bound::{AtLeast, AtMost};
use Part::{Cloudfront, Edge, Native, Scale, Size};

const POSTERN: &str = "postern";
/// With the assertion signed anew for each request.
const ASSERTION: &str = "postern, assertion";
/// A Worker in JavaScript that forwards and sets one field.
const NOTHING: &str = "no authorisation";
const JOSE: &str = "jose";
const AWS_JWT_VERIFY: &str = "aws-jwt-verify";

/// All of them.
pub(super) const TARGETS: &[Target] = &[
    beside(Edge, "one token repeated", POSTERN, NOTHING, AtMost(1.05)),
    beside(Edge, "one token repeated", ASSERTION, NOTHING, AtLeast(0.90)),
    beside(Edge, "one token repeated", POSTERN, JOSE, AtLeast(1.35)),
    beside(Edge, "one token repeated, throughput", POSTERN, NOTHING, AtLeast(0.95)),
    beside(Edge, "one token repeated, throughput", ASSERTION, NOTHING, AtLeast(0.90)),
    beside(Edge, "one token repeated, throughput", POSTERN, JOSE, AtLeast(1.35)),
    beside(Edge, "every token new", POSTERN, JOSE, AtLeast(1.1)),
    beside(Edge, "every token new, throughput", POSTERN, JOSE, AtLeast(1.1)),
    beside(Edge, "fresh isolate, first decision", POSTERN, JOSE, AtMost(1.5)),
    beside(Cloudfront, "handler, repeated token", POSTERN, AWS_JWT_VERIFY, AtMost(0.25)),
    beside(Cloudfront, "handler, repeated token", ASSERTION, AWS_JWT_VERIFY, AtMost(0.25)),
    beside(Cloudfront, "handler, new token", POSTERN, AWS_JWT_VERIFY, AtMost(1.0)),
    beside(Cloudfront, "handler, new token", ASSERTION, AWS_JWT_VERIFY, AtMost(1.0)),
    beside(Cloudfront, "fresh container, first event", POSTERN, JOSE, AtMost(1.5)),
    beside(Cloudfront, "fresh container, first event", ASSERTION, JOSE, AtMost(1.5)),
    beside(Native, "new token, whole decision", POSTERN, "aws-lc verify", AtMost(1.15)),
    beside(Native, "new token, whole decision", POSTERN, "jsonwebtoken", AtMost(1.0)),
    alone(Native, "repeated token, whole decision", POSTERN, 1.0),
    beside(Native, "decision alone", POSTERN, "cedar-policy", AtLeast(10.0)),
    beside(Scale, "routes", "10000 routes", "10 routes", AtMost(1.5)),
    beside(Scale, "companies of a token", "10000 companies", "1 company", AtMost(2.0)),
    beside(Scale, "companies of a record", "10000 companies", "1 company", AtMost(2.0)),
    beside(Scale, "token cache", "2048 tokens", "100 tokens", AtMost(1.5)),
    alone(Size, "Worker, gzip", POSTERN, 300_000.0),
    alone(Size, "Lambda@Edge, zip", POSTERN, 400_000.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_kept_up_to_itself() {
        assert!(AtMost(1.05).holds(1.05) && !AtMost(1.05).holds(1.051));
        assert!(AtLeast(0.9).holds(0.9) && !AtLeast(0.9).holds(0.899));
        assert!(!AtMost(1.0).holds(f64::NAN) && !AtLeast(1.0).holds(f64::NAN));
    }

    #[test]
    fn no_two_targets_are_for_one_comparison() {
        let of = |target: &Target| (target.part.name(), target.row, target.contender, target.peer);
        let mut all: Vec<_> = TARGETS.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), TARGETS.len());
    }
}
