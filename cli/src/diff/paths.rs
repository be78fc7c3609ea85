//! Every class of paths that two policies tell apart, with a path of each.
//!
//! The templates of both are walked together, segment by segment. What has been walked is known by the places that are
//! still possible in either policy's templates, so there are finitely many ways on: the literals that some template has
//! next, any other text, nothing (the end of a path that closes with `/`). Two paths that lead to the same places have
//! the same routes in both policies, and so one of them speaks for all, but for two things: a segment that a rule
//! compares with the caller may be a text of its own or one that is written in a template, which is kept apart; and a path
//! may be another spelling of a stricter route's ([`super::spellings`]).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::ensure;

use super::spellings::{Excluded, Meant, Spellings};
use postern::{
    Policy,
    policy::{CompanyRule, Route},
    target::{CanonicalTarget, MAX_SEGMENTS},
};

/// Most classes that are looked at; policies that cross themselves so often do not build.
const MAX_CLASSES: usize = 1 << 18;

/// One segment of the paths of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// This text, decoded.
    Fixed(String),
    /// Any text that is not empty and none of these.
    Free(Excluded),
}

/// Paths that have the same routes.
#[derive(Clone, Debug)]
pub(super) struct PathClass {
    pub(super) segments: Vec<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Parameter,
    Rest,
}

pub(super) struct Template {
    pub(super) segments: Vec<Segment>,
    /// Places of the segments that a rule compares with the caller.
    bound: Vec<usize>,
}

/// The templates that are possible, each with the number of its segments that have been walked.
pub(super) type State = BTreeSet<(usize, usize)>;

/// All that is known of what has been walked: the templates, what the path may be meant for, the texts that are kept apart,
/// and whether the path has ended.
type Known = (State, Option<Meant>, Vec<Option<String>>, bool);

impl Template {
    fn of(route: &Route) -> Self {
        let names: Vec<&str> = route.path().split('/').skip(1).collect();
        let segment = |text: &&str| match text.strip_prefix('{') {
            Some(name) if name.starts_with('*') => Segment::Rest,
            Some(_) => Segment::Parameter,
            None => Segment::Literal(decoded(text)),
        };
        let company = match route.company() {
            CompanyRule::Parameter(_, position) => Some(*position),
            _ => None,
        };
        Self {
            segments: names.iter().map(segment).collect(),
            bound: subject_position(route).into_iter().chain(company).collect(),
        }
    }

    fn has_rest(&self) -> bool {
        self.segments.last() == Some(&Segment::Rest)
    }
}

/// The place of the segment that must be the caller's subject.
pub(super) fn subject_position(route: &Route) -> Option<usize> {
    let wanted = format!("{{{}}}", route.subject_parameter()?);
    route.path().split('/').skip(1).position(|segment| segment == wanted)
}

/// A template's literal as requests are compared with it.
fn decoded(text: &str) -> String {
    let target = CanonicalTarget::parse(&format!("/{text}"));
    target.ok().and_then(|target| target.segments().next().map(str::to_owned)).unwrap_or_default()
}

/// Every class of paths that some route of either policy has.
pub(super) fn classes(policies: [&Policy; 2]) -> anyhow::Result<Vec<PathClass>> {
    let routes = policies.into_iter().flat_map(|policy| policy.routes()).filter(|route| !route.is_shadow());
    let templates: Vec<Template> = routes.map(Template::of).collect();
    let is_told = |policy: &&Policy| policy.routes().iter().any(|route| policy.rivals(route).next().is_some());
    let spellings = policies.iter().any(is_told).then(|| Spellings::of(&templates));
    let start: State = (0..templates.len()).map(|index| (index, 0)).collect();
    let mut waiting: Vec<(State, Vec<Text>)> = vec![(start, Vec::new())];
    let mut known: HashSet<Known> = HashSet::new();
    let mut classes = Vec::new();
    while let Some((state, segments)) = waiting.pop() {
        let has_ended = segments.last() == Some(&Text::Fixed(String::new()));
        let class = PathClass { segments };
        let texts = texts(&class, &BTreeMap::new());
        let meant = spellings.as_ref().map(|spellings| spellings.meant(&texts));
        let apart = told_apart(&templates, &state, &class.segments);
        if !known.insert((state.clone(), meant.clone(), apart, has_ended)) {
            continue;
        }
        ensure!(known.len() <= MAX_CLASSES, "the two policies tell too many classes of paths apart to compare them");
        let ends = |(index, walked): &(usize, usize)| *walked == templates[*index].segments.len();
        if !class.segments.is_empty() && state.iter().any(ends) {
            classes.push(class.clone());
        }
        if has_ended || class.segments.len() == MAX_SEGMENTS {
            continue;
        }
        let literals: BTreeSet<String> = state
            .iter()
            .filter_map(|(index, walked)| match templates[*index].segments.get(*walked) {
                Some(Segment::Literal(text)) if !text.is_empty() => Some(text.clone()),
                _ => None,
            })
            .collect();
        let (spelt, excluded) = match (&spellings, &meant) {
            (Some(spellings), Some(meant)) => spellings.next(meant, literals.clone()),
            _ => (Vec::new(), Excluded::texts(literals.clone())),
        };
        // The last is walked first: texts of their own before those of templates.
        let ways = spelt.into_iter().chain(literals).map(Text::Fixed);
        let ways = ways.chain([Text::Fixed(String::new()), Text::Free(excluded)]);
        for way in ways {
            let next = advance(&templates, &state, &way);
            if !next.is_empty() {
                let mut segments = class.segments.clone();
                segments.push(way);
                waiting.push((next, segments));
            }
        }
    }
    Ok(classes)
}

fn advance(templates: &[Template], state: &State, way: &Text) -> State {
    let is_empty = *way == Text::Fixed(String::new());
    state
        .iter()
        .filter_map(|(index, walked)| {
            let template = &templates[*index];
            match (template.segments.get(*walked), way) {
                (Some(Segment::Literal(own)), Text::Fixed(text)) if own == text => Some((*index, walked + 1)),
                (Some(Segment::Literal(_)), _) => None,
                (Some(Segment::Parameter), _) => (!is_empty).then_some((*index, walked + 1)),
                (Some(Segment::Rest), _) => Some((*index, walked + 1)),
                (None, _) => template.has_rest().then_some((*index, *walked)),
            }
        })
        .collect()
}

/// The texts of those segments that a rule of a template still possible compares with the caller.
fn told_apart(templates: &[Template], state: &State, segments: &[Text]) -> Vec<Option<String>> {
    let bound: BTreeSet<usize> = state.iter().flat_map(|(index, _)| templates[*index].bound.iter().copied()).collect();
    let text = |position: &usize| match segments.get(*position) {
        Some(Text::Fixed(text)) => Some(text.clone()),
        _ => None,
    };
    bound.iter().map(text).collect()
}

/// Texts that stand in a path of the class: those given, and for the others ones that no template has.
fn texts(class: &PathClass, given: &BTreeMap<usize, String>) -> Vec<String> {
    let text = |(position, segment): (usize, &Text)| match (given.get(&position), segment) {
        (Some(text), _) | (None, Text::Fixed(text)) => text.clone(),
        (None, Text::Free(others)) => fresh(&format!("v{position}"), |text| !others.has(text)),
    };
    class.segments.iter().enumerate().map(text).collect()
}

/// A path of the class with the texts that are given.
pub(super) fn target(class: &PathClass, given: &BTreeMap<usize, String>) -> String {
    texts(class, given).iter().map(|text| format!("/{}", postern::target::encode_segment(text))).collect()
}

/// A text that begins so and fits.
pub(super) fn fresh(begin: &str, fits: impl Fn(&str) -> bool) -> String {
    let mut text = begin.to_owned();
    while !fits(&text) {
        text.push('x');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(paths: &[&str]) -> Policy {
        let routes: String = paths
            .iter()
            .enumerate()
            .map(|(index, path)| {
                format!("[[route]]\nname = \"r{index}\"\nmethods = [\"GET\"]\npath = \"{path}\"\norigin = \"o\"\npublic = true\n")
            })
            .collect();
        let head = "[issuer.i]\nurl = \"https://i.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
                    token_use = \"access\"\npermissions = \"claims\"\n[origin.o]\nurl = \"https://o.example\"\nkey = \"O\"\n";
        postern::policy::from_toml(&format!("{head}{routes}"), None).unwrap()
    }

    fn witnesses(old: &[&str], new: &[&str]) -> BTreeSet<String> {
        let classes = classes([&policy(old), &policy(new)]).unwrap();
        classes.iter().map(|class| target(class, &BTreeMap::new())).collect()
    }

    #[test]
    fn each_class_has_a_path() {
        let paths = |paths: &[&str]| -> BTreeSet<String> { paths.iter().map(|path| (*path).to_owned()).collect() };
        assert_eq!(witnesses(&["/a"], &["/b"]), paths(&["/a", "/b"]));
        assert_eq!(witnesses(&["/a/{x}"], &["/a/b"]), paths(&["/a/b", "/a/v1"]));
        assert_eq!(witnesses(&["/a/{x}"], &["/a/"]), paths(&["/a/", "/a/v1"]));
        assert_eq!(witnesses(&["/{x}/b"], &["/a/{y}"]), paths(&["/a/b", "/a/v1", "/v0/b"]));
        assert_eq!(witnesses(&["/v0"], &["/{x}"]), paths(&["/v0", "/v0x"]));
        assert_eq!(witnesses(&["/a/{*r}"], &["/a/{x}"]), paths(&["/a/v1", "/a/v1/v2", "/a/v1/v2/"]));
        assert_eq!(witnesses(&["/caf%C3%A9"], &["/caf%C3%A9/{x}"]), paths(&["/caf%C3%A9", "/caf%C3%A9/v1"]));
    }
}
