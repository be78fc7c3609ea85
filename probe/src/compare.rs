//! Answers of an origin without an echo handler: what tells the answer to a known path from that to an unknown one.
//!
//! Some parts of an answer change with every request, and some are alike for every path. Only what is stable and differs
//! between the two paths tells anything. Where nothing does, nothing can be said.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

/// An origin's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub fields: Vec<(String, String)>,
    /// The body, or its beginning.
    pub body: Vec<u8>,
}

const PARTS: usize = 5;

impl Answer {
    /// The first value of a field; `name` in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The status, if it is a redirect.
    pub(crate) fn redirect(&self) -> Option<u16> {
        Some(self.status).filter(|status| (300..400).contains(status))
    }

    /// Whether `mark` occurs in a field or in the body.
    pub(crate) fn shows(&self, mark: &str) -> bool {
        let in_body = String::from_utf8_lossy(&self.body).contains(mark);
        in_body || self.fields.iter().any(|(_, value)| value.contains(mark))
    }

    fn parts(&self) -> [u64; PARTS] {
        let hashed = |octets: &[u8]| {
            let mut hasher = DefaultHasher::new();
            octets.hash(&mut hasher);
            hasher.finish()
        };
        let field = |name: &str| hashed(self.field(name).unwrap_or_default().as_bytes());
        [self.status.into(), field("content-type"), field("allow"), field("location"), hashed(&self.body)]
    }
}

/// What tells two kinds of answers apart: for each part that does, its value in the one and in the other.
#[derive(Clone, Debug)]
pub(crate) struct Telling(Vec<(usize, u64, u64)>);

/// Which of two kinds an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    One,
    Other,
    Neither,
}

impl Telling {
    /// What differs between `one` and `other`, of which each is two answers to the same request. `None` if nothing does.
    pub(crate) fn between(one: [&Answer; 2], other: [&Answer; 2]) -> Option<Self> {
        let [one, one_again] = one.map(Answer::parts);
        let [other, other_again] = other.map(Answer::parts);
        let telling = |part: &usize| {
            one[*part] == one_again[*part] && other[*part] == other_again[*part] && one[*part] != other[*part]
        };
        let parts: Vec<_> = (0..PARTS).filter(telling).map(|part| (part, one[part], other[part])).collect();
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// Which of the two `answer` is like in every part that tells.
    pub(crate) fn kind(&self, answer: &Answer) -> Kind {
        let own = answer.parts();
        if self.0.iter().all(|(part, one, _)| own[*part] == *one) {
            Kind::One
        } else if self.0.iter().all(|(part, _, other)| own[*part] == *other) {
            Kind::Other
        } else {
            Kind::Neither
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, fields: Vec::new(), body: body.into() }
    }

    #[test]
    fn answers_that_are_alike_tell_nothing() {
        let [one, other] = [answer(401, "no"), answer(401, "no")];
        assert!(Telling::between([&one, &one], [&other, &other]).is_none());
        // The bodies differ, but differ each time.
        let [first, second, third, fourth] = ["1", "2", "3", "4"].map(|body| answer(200, body));
        assert!(Telling::between([&first, &second], [&third, &fourth]).is_none());
    }

    #[test]
    fn an_answer_is_of_the_kind_that_it_agrees_with_in_every_part_that_tells() {
        let [one, one_again, other] = [answer(200, "a"), answer(200, "b"), answer(404, "none")];
        let telling = Telling::between([&one, &one_again], [&other, &other]).expect("the status tells");
        assert_eq!(telling.kind(&answer(200, "c")), Kind::One);
        assert_eq!(telling.kind(&answer(404, "x")), Kind::Other);
        assert_eq!(telling.kind(&answer(400, "none")), Kind::Neither);
    }
}
