//! Path templates: literal segments and `{parameter}` segments.
//!
//! **Precedence.** A template matches a set of paths. Template A is *strictly more specific* than B when
//! A's set is a proper subset of B's: both have as many segments, wherever A has a parameter B has one
//! too, and somewhere A has a literal where B has a parameter. Two templates *overlap* when some path is in
//! both sets: as many segments, and no place where both have a literal and the literals differ. Of two
//! routes that share a method and overlap, one must be strictly more specific; it is the one that decides.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::target::{CanonicalTarget, MAX_SEGMENTS, decode_segment};

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Matches this decoded text alone; the empty text is the end of a path that closes with `/`.
    Literal(String),
    /// Matches any one segment that is not empty.
    Parameter(String),
}

/// A parsed path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Segment>);

impl Template {
    /// `None` unless every literal is canonical, every parameter has a proper name, and none stands twice.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut segments: Vec<Segment> = Vec::new();
        let relative = text.strip_prefix('/')?;
        let count = relative.split('/').count();
        for (index, part) in relative.split('/').enumerate() {
            let segment = if let Some(name) = part.strip_prefix('{') {
                let name = name.strip_suffix('}')?;
                let parameter = Segment::Parameter(name.to_owned());
                if !is_identifier(name) || segments.contains(&parameter) {
                    return None;
                }
                parameter
            } else {
                if part.is_empty() && index.saturating_add(1) < count {
                    return None;
                }
                Segment::Literal(decode_segment(part).ok()?.into_owned())
            };
            segments.push(segment);
        }
        (segments.len() <= MAX_SEGMENTS).then_some(Self(segments))
    }

    /// The path `/`, to go on with when a template does not parse.
    pub(crate) fn root() -> Self {
        Self([Segment::Literal(String::new())].into())
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The place of the parameter `name`.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|segment| matches!(segment, Segment::Parameter(own) if own == name))
    }

    /// The name of the parameter at `position`.
    pub(crate) fn parameter(&self, position: usize) -> Option<&str> {
        match self.0.get(position)? {
            Segment::Parameter(name) => Some(name),
            Segment::Literal(_) => None,
        }
    }

    /// What the parameter at `position` stands for in `target`, which this template matched.
    pub(crate) fn value(target: &CanonicalTarget, position: usize) -> Option<&str> {
        target.segments().get(position).map(String::as_str)
    }

    fn pairs<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a Segment, &'a Segment)> {
        self.0.iter().zip(&other.0)
    }

    /// Whether some path matches both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.pairs(other).all(|pair| match pair {
                (Segment::Literal(a), Segment::Literal(b)) => a == b,
                (Segment::Literal(text), Segment::Parameter(_)) | (Segment::Parameter(_), Segment::Literal(text)) => {
                    !text.is_empty()
                }
                (Segment::Parameter(_), Segment::Parameter(_)) => true,
            })
    }

    /// Whether both have the same paths, whatever their parameters are called.
    pub(crate) fn has_the_paths_of(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.pairs(other).all(|pair| match pair {
                (Segment::Literal(a), Segment::Literal(b)) => a == b,
                (Segment::Parameter(_), Segment::Parameter(_)) => true,
                _ => false,
            })
    }

    /// Whether this template's paths are a proper subset of `other`'s.
    pub(crate) fn is_more_specific_than(&self, other: &Self) -> bool {
        let no_wider = |pair: (&Segment, &Segment)| !matches!(pair, (Segment::Parameter(_), Segment::Literal(_)));
        let narrower = |pair: (&Segment, &Segment)| matches!(pair, (Segment::Literal(_), Segment::Parameter(_)));
        self.overlaps(other) && self.pairs(other).all(no_wider) && self.pairs(other).any(narrower)
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn templates_are_literals_and_parameters() {
        assert_eq!(template("/users/{user}").position("user"), Some(1));
        for text in [
            "",
            "users",
            "/users//x",
            "/{}",
            "/{User}",
            "/{a}/{a}",
            "/{a",
            "/a}",
            "/a{b}",
            "/a b",
            "/..",
            "/%2F",
            "/a%7c",
        ] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }

    #[test]
    fn specificity_is_being_a_proper_subset() {
        for (a, b, overlap, more_specific) in [
            ("/users/me", "/users/{user}", true, true),
            ("/users/{user}", "/users/me", true, false),
            ("/users/{a}", "/users/{b}", true, false),
            ("/{a}/x", "/y/{b}", true, false),
            ("/a/{b}/c", "/a/{b}/d", false, false),
            ("/a", "/a/", false, false),
            ("/a/", "/a/{b}", false, false),
            ("/a/b", "/{x}/{y}", true, true),
        ] {
            assert_eq!(template(a).overlaps(&template(b)), overlap, "{a} {b}");
            assert_eq!(template(a).is_more_specific_than(&template(b)), more_specific, "{a} {b}");
        }
    }
}
