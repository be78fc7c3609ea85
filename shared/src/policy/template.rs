//! Path templates: literal segments, `{parameter}` segments, and one `{*rest}` at the end.
//!
//! # Paths and sets
//! A *path* is a canonical one ([`crate::target`]): 1 to [`MAX_SEGMENTS`] decoded segments, of which the last alone may
//! be empty. A template *t*₁…*t*ₙ stands for a *set of paths*:
//!
//! * without a rest parameter, the paths *s*₁…*s*ₙ in which each *s*ᵢ is the text of *t*ᵢ where that is a literal, and
//!   any text but the empty one where it is a parameter;
//! * with one (*t*ₙ is `{*rest}`), the paths *s*₁…*s*ₘ with *m* ≥ *n* whose first *n* − 1 segments are such. So
//!   `/files/{*path}` has `/files/`, `/files/a`, `/files/a/` and `/files/a/b`, and not `/files`. An origin that serves a
//!   folder serves it at its slash too: without `/files/`, a wider route would decide there.
//!
//! # Precedence
//! * Two templates *overlap* when some path is in both sets.
//! * Template A is *strictly more specific* than B when A's set is a proper subset of B's. Segment by segment: a literal
//!   is narrower than a parameter, a parameter narrower than a rest.
//! * Of the routes whose set holds the path and that answer the method, the one decides whose template is strictly more
//!   specific than those of all the others. HEAD follows GET: a route for GET answers HEAD too, unless a route with the
//!   very same set names HEAD.
//! * A policy in which there could be no such one does not build: any two routes that overlap and answer one method must
//!   be ordered. Being a proper subset is a strict partial order, so that the routes that match one path and method are
//!   then a chain, which has a least element; the order of the file plays no part.
//!
//! Not here: which route a request has ([`super::table`]).

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::cmp::Ordering;

use crate::target::{CanonicalTarget, MAX_SEGMENTS, decode_segment};

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Matches this decoded text alone; the empty text is the end of a path that closes with `/`.
    Literal(String),
    /// Matches any one segment that is not empty.
    Parameter(String),
    /// The last of its template: matches one or more segments, of which only the last may be empty.
    Rest(String),
}

/// A parsed path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Segment>);

impl Template {
    /// `None` unless every literal is canonical, every parameter has a proper name, none stands twice, and a rest
    /// parameter is the last segment.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut segments: Vec<Segment> = Vec::new();
        let relative = text.strip_prefix('/')?;
        let count = relative.split('/').count();
        for (index, part) in relative.split('/').enumerate() {
            let is_last = index.saturating_add(1) == count;
            let segment = if let Some(name) = part.strip_prefix('{') {
                let name = name.strip_suffix('}')?;
                let (name, is_rest) = name.strip_prefix('*').map_or((name, false), |name| (name, true));
                let known = segments.iter().any(|other| other.name() == Some(name));
                if !is_identifier(name) || known || (is_rest && !is_last) {
                    return None;
                }
                if is_rest { Segment::Rest(name.to_owned()) } else { Segment::Parameter(name.to_owned()) }
            } else {
                if part.is_empty() && !is_last {
                    return None;
                }
                Segment::Literal(decode_segment(part).ok()?.into_owned())
            };
            segments.push(segment);
        }
        let template = Self(segments);
        // A rest at the last place that a path can have could be but one segment: that is a parameter.
        let most = if template.has_rest() { MAX_SEGMENTS.saturating_sub(1) } else { MAX_SEGMENTS };
        (template.0.len() <= most).then_some(template)
    }

    /// The path `/`, to go on with when a template does not parse.
    pub(crate) fn root() -> Self {
        Self([Segment::Literal(String::new())].into())
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The template of these segments, which may hold texts that no policy could write.
    pub(crate) const fn of_segments(segments: Vec<Segment>) -> Self {
        Self(segments)
    }

    /// Whether the path of these segments is one of this template's.
    pub(crate) fn has<'s>(&self, mut segments: impl Iterator<Item = &'s str>) -> bool {
        for own in &self.0 {
            let Some(segment) = segments.next() else { return false };
            match own {
                Segment::Literal(text) if text == segment => {}
                Segment::Parameter(_) if !segment.is_empty() => {}
                Segment::Rest(_) => return true,
                Segment::Literal(_) | Segment::Parameter(_) => return false,
            }
        }
        segments.next().is_none()
    }

    /// The place of the parameter `name`; a rest parameter has none, for it is several segments.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|segment| matches!(segment, Segment::Parameter(own) if own == name))
    }

    /// The parameters, a rest among them, each with its segment counted from 0.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0.iter().enumerate().filter_map(|(position, segment)| Some((position, segment.name()?)))
    }

    /// The name of the parameter at `position`.
    pub(crate) fn parameter(&self, position: usize) -> Option<&str> {
        match self.0.get(position)? {
            Segment::Parameter(name) => Some(name),
            Segment::Literal(_) | Segment::Rest(_) => None,
        }
    }

    /// The name of the rest parameter, where there is one.
    pub(crate) fn rest(&self) -> Option<&str> {
        match self.0.last()? {
            Segment::Rest(name) => Some(name),
            Segment::Literal(_) | Segment::Parameter(_) => None,
        }
    }

    fn has_rest(&self) -> bool {
        self.rest().is_some()
    }

    /// What the parameter at `position` stands for in `target`, which this template matched.
    pub(crate) fn value(target: &CanonicalTarget, position: usize) -> Option<&str> {
        target.segments().nth(position)
    }

    /// Whether some path matches both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let lengths = match self.0.len().cmp(&other.0.len()) {
            Ordering::Less => self.has_rest(),
            Ordering::Equal => true,
            Ordering::Greater => other.has_rest(),
        };
        lengths
            && self.0.iter().zip(&other.0).all(|(a, b)| match (a, b) {
                (Segment::Literal(a), Segment::Literal(b)) => a == b,
                (Segment::Literal(text), Segment::Parameter(_)) | (Segment::Parameter(_), Segment::Literal(text)) => {
                    !text.is_empty()
                }
                _ => true,
            })
    }

    /// Whether both have the same paths, whatever their parameters are called.
    pub(crate) fn has_the_paths_of(&self, other: &Self) -> bool {
        self.is_within(other) && other.is_within(self)
    }

    /// Whether this template's paths are a proper subset of `other`'s.
    pub(crate) fn is_more_specific_than(&self, other: &Self) -> bool {
        self.is_within(other) && !other.is_within(self)
    }

    /// Whether each of this template's paths is one of `other`'s.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let lengths = if other.has_rest() {
            self.0.len() >= other.0.len()
        } else {
            !self.has_rest() && self.0.len() == other.0.len()
        };
        // What stands beyond the shorter one is `other`'s rest, which takes anything.
        lengths
            && self.0.iter().zip(&other.0).all(|(own, other)| match (own, other) {
                (Segment::Literal(own), Segment::Literal(other)) => own == other,
                (_, Segment::Literal(_)) => false,
                (Segment::Literal(text), Segment::Parameter(_)) => !text.is_empty(),
                (_, Segment::Rest(_)) | (Segment::Parameter(_), Segment::Parameter(_)) => true,
                // Only a template without a rest has one here, and the lengths have ruled it out.
                (Segment::Rest(_), Segment::Parameter(_)) => false,
            })
    }
}

impl Segment {
    /// The parameter's name; none for a literal.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Parameter(name) | Self::Rest(name) => Some(name),
        }
    }
}

/// Whether it is a parameter's name: `tenant`, `tenant_id` or `tenantId`.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn templates_are_literals_and_parameters_and_one_rest_at_the_end() {
        assert_eq!(template("/users/{user}").position("user"), Some(1));
        assert_eq!(template("/files/{*path}").rest(), Some("path"));
        assert_eq!(template("/files/{*path}").position("path"), None);
        assert_eq!(template("/files/{path}").rest(), None);
        assert_eq!(template("/tenants/{tenantId}/{*restOfIt}").position("tenantId"), Some(1));
        let all = template("/tenants/{tenant_id}/x/{*restOfIt}");
        assert_eq!(all.parameters().collect::<Vec<_>>(), [(1, "tenant_id"), (3, "restOfIt")]);
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
            "/{*}",
            "/{*A}",
            "/{**a}",
            "/{a*}",
            "/{*a}/b",
            "/{*a}/",
            "/{a}/{*a}",
            "/a{*b}",
        ] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_template_is_no_longer_than_a_path_and_its_rest_has_room() {
        let deep = |count: usize, last: &str| format!("{}/{last}", "/a".repeat(count));
        assert!(Template::parse(&deep(MAX_SEGMENTS - 1, "b")).is_some());
        assert!(Template::parse(&deep(MAX_SEGMENTS, "b")).is_none());
        assert!(Template::parse(&deep(MAX_SEGMENTS - 2, "{*b}")).is_some());
        assert!(Template::parse(&deep(MAX_SEGMENTS - 1, "{*b}")).is_none());
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
            ("/a/{b}", "/a/{*r}", true, true),
            ("/a/{b}/", "/a/{*r}", true, true),
            ("/a/b/c/d", "/a/{*r}", true, true),
            ("/a/b/{*r}", "/a/{*r}", true, true),
            ("/a/{b}/{*r}", "/a/{*r}", true, true),
            ("/a/{*r}", "/a/{*s}", true, false),
            ("/a/{*r}", "/a/{b}", true, false),
            ("/a", "/a/{*r}", false, false),
            ("/a/", "/a/{*r}", true, true),
            ("/", "/{*r}", true, true),
            ("/{x}", "/{*r}", true, true),
            ("/{x}/b", "/a/{*r}", true, false),
            ("/{x}/{*r}", "/a/{b}", true, false),
            ("/{x}/b/{*r}", "/a/{*s}", true, false),
            ("/b/{*r}", "/a/{*s}", false, false),
        ] {
            assert_eq!(template(a).overlaps(&template(b)), overlap, "{a} {b}");
            assert_eq!(template(b).overlaps(&template(a)), overlap, "{b} {a}");
            assert_eq!(template(a).is_more_specific_than(&template(b)), more_specific, "{a} {b}");
        }
    }
}
