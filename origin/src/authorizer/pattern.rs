//! Sets of paths as a resource can name them, and whether two such sets meet.
//!
//! A resource of an IAM policy is text in which `*` stands for any text, `/` and nothing among it. A path of the policy's
//! is segments. Both are put as a run of pieces here, and whether some text is in both sets is walked out over the two
//! runs together.
//!
//! Source: IAM's user guide, "IAM JSON policy elements: Resource". Not here: which resources a caller gets.

use std::collections::HashSet;

/// One piece of a set of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// One character of these.
    One(Characters),
    /// Any number of these.
    Any(Characters),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Characters {
    This(char),
    /// All but `/`.
    OfSegment,
    All,
}

/// One segment of a path that stands for a set of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// This text, escaped as in a canonical path.
    Literal(String),
    /// One segment that the caller's company or subject fills, where it is not yet known which that is.
    Bound,
    /// Any one segment.
    Free,
    /// All that follows its slash, at the end.
    Rest,
}

impl Segment {
    fn in_resource(&self) -> &str {
        match self {
            Self::Literal(text) => text,
            Self::Bound => BOUND,
            Self::Free | Self::Rest => "*",
        }
    }

    /// Whether a path that ends in this segment may end in a `/`.
    pub(super) fn may_be_empty(&self) -> bool {
        match self {
            Self::Literal(text) => text.is_empty(),
            Self::Bound | Self::Free => false,
            Self::Rest => true,
        }
    }
}

/// A set of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    /// The paths that these segments stand for.
    pub(super) fn of_path(segments: &[Segment]) -> Self {
        let mut pieces = Vec::new();
        for segment in segments {
            pieces.push(Piece::One(Characters::This('/')));
            match segment {
                Segment::Literal(text) => pieces.extend(text.chars().map(|c| Piece::One(Characters::This(c)))),
                Segment::Bound | Segment::Free => {
                    pieces.extend([Piece::One(Characters::OfSegment), Piece::Any(Characters::OfSegment)]);
                }
                Segment::Rest => pieces.push(Piece::Any(Characters::All)),
            }
        }
        Self(pieces)
    }

    /// What these segments match as a resource, in which a free one is a `*`. The second is what such a resource takes
    /// too much: everything in which a `*` has a `/` in it, and the path that ends where the last `*` is nothing.
    pub(super) fn as_resource(segments: &[Segment]) -> (String, Vec<String>) {
        let written = |segments: &mut dyn Iterator<Item = &str>| {
            let mut text = String::new();
            for segment in segments {
                text.push('/');
                text.push_str(segment);
            }
            text
        };
        let plain = Segment::in_resource;
        let mut excess = Vec::new();
        for (place, segment) in segments.iter().enumerate() {
            let with = |other: &'static str| {
                let put = segments.iter().enumerate();
                written(&mut put.map(|(index, segment)| if index == place { other } else { plain(segment) }))
            };
            let is_last = place.saturating_add(1) == segments.len();
            if *segment == Segment::Free {
                excess.push(with("*/*"));
            }
            if *segment == Segment::Free && is_last {
                excess.push(with(""));
            }
        }
        (written(&mut segments.iter().map(plain)), excess)
    }

    /// A resource of [`as_resource`](Self::as_resource) for whoever is bound: a `*` in their place.
    pub(super) fn generalised(resource: &str) -> String {
        resource.replace(PLACEHOLDER, "*")
    }

    /// What a resource matches that [`as_resource`](Self::as_resource) has written.
    pub(super) fn of_resource(resource: &str) -> Self {
        let mut pieces = Vec::new();
        for c in resource.chars() {
            match c {
                '*' => pieces.push(Piece::Any(Characters::All)),
                PLACEHOLDER => pieces.extend([Piece::One(Characters::OfSegment), Piece::Any(Characters::OfSegment)]),
                other => pieces.push(Piece::One(Characters::This(other))),
            }
        }
        Self(pieces)
    }

    /// Whether some text is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![(0_usize, 0_usize)];
        while let Some((own, theirs)) = open.pop() {
            if !seen.insert((own, theirs)) {
                continue;
            }
            let (here, there) = (self.0.get(own), other.0.get(theirs));
            if here.is_none() && there.is_none() {
                return true;
            }
            let (after_own, after_theirs) = (own.saturating_add(1), theirs.saturating_add(1));
            if matches!(here, Some(Piece::Any(_))) {
                open.push((after_own, theirs));
            }
            if matches!(there, Some(Piece::Any(_))) {
                open.push((own, after_theirs));
            }
            if let (Some(here), Some(there)) = (here, there)
                && here.characters().meet(there.characters())
            {
                let next = |piece: &Piece, at, after| if matches!(piece, Piece::Any(_)) { at } else { after };
                open.push((next(here, own, after_own), next(there, theirs, after_theirs)));
            }
        }
        false
    }
}

/// Stands for a bound segment where a resource is written before any caller is known; no path holds it.
const PLACEHOLDER: char = '\u{1}';
const BOUND: &str = "\u{1}";

impl Piece {
    const fn characters(self) -> Characters {
        match self {
            Self::One(characters) | Self::Any(characters) => characters,
        }
    }
}

impl Characters {
    fn meet(self, other: Self) -> bool {
        match (self, other) {
            (Self::All, _) | (_, Self::All) | (Self::OfSegment, Self::OfSegment) => true,
            (Self::This(one), Self::This(other)) => one == other,
            (Self::This(one), Self::OfSegment) | (Self::OfSegment, Self::This(one)) => one != '/',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(template: &str) -> Vec<Segment> {
        let parts = template.split('/').skip(1);
        parts
            .map(|part| match part {
                "{}" => Segment::Free,
                "{*}" => Segment::Rest,
                text => Segment::Literal(text.to_owned()),
            })
            .collect()
    }

    #[test]
    fn a_resource_and_its_excess_leave_the_paths_of_the_template() {
        for (template, resource, excess) in [
            ("/a/b", "/a/b", &[][..]),
            ("/", "/", &[]),
            ("/a/{}", "/a/*", &["/a/*/*", "/a/"]),
            ("/a/{}/b", "/a/*/b", &["/a/*/*/b"]),
            ("/a/{}/{}", "/a/*/*", &["/a/*/*/*", "/a/*/*/*", "/a/*/"]),
            ("/a/{*}", "/a/*", &[]),
        ] {
            let (found, too_much) = Pattern::as_resource(&segments(template));
            assert_eq!(
                (found.as_str(), too_much.iter().map(String::as_str).collect::<Vec<_>>().as_slice()),
                (resource, excess)
            );
            for over in &too_much {
                assert!(!Pattern::of_resource(over).meets(&Pattern::of_path(&segments(template))), "{template} {over}");
            }
        }
    }

    #[test]
    fn two_sets_meet_when_some_text_is_in_both() {
        for (resource, template, meets) in [
            ("/a/*/*", "/a/x/y", true),
            ("/a/*/*", "/a/{}/y", true),
            ("/a/*/*", "/a/{}", false),
            ("/a/*/*", "/a/x/", true),
            ("/a/*/*", "/a/{*}", true),
            ("/a/", "/a/", true),
            ("/a/", "/a/{*}", true),
            ("/a/", "/a/{}", false),
            ("/a/*/b", "/{}/x/y/b", true),
            ("/a/*/b", "/a/b", false),
            ("/a/*/b", "/c/x/b", false),
        ] {
            assert_eq!(
                Pattern::of_resource(resource).meets(&Pattern::of_path(&segments(template))),
                meets,
                "{resource} {template}"
            );
        }
    }
}
