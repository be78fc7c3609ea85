//! Which behaviour a route's paths go to, for every path, with a path for each that there is.
//!
//! CloudFront asks its path patterns in their order, and the first that matches decides; `*` is any text, slashes too, and
//! `?` one character. The policy asks its templates, and the most specific decides. Both are walked together, a character
//! at a time, over all canonical paths: what has been walked is known by the places that are still possible in each.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
};

use anyhow::{Result, ensure};
use postern::{
    Policy,
    policy::Route,
    target::{CanonicalTarget, MAX_SEGMENTS},
};

/// Most states that are looked at.
const MAX_STATES: usize = 1 << 17;

/// Paths of a route that a behaviour serves.
#[derive(Debug)]
pub(super) struct Served {
    /// The behaviour's place in the distribution's order.
    pub(super) behaviour: usize,
    /// The route's place in the policy.
    pub(super) route: usize,
    /// Methods of the route that decide there.
    pub(super) methods: BTreeSet<String>,
    /// One of the paths.
    pub(super) path: String,
}

#[derive(Debug)]
enum Part {
    Rest,
    Parameter,
    Literal(Vec<String>),
}

/// A place in a template: the segment, and how much of it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    part: usize,
    read: usize,
}

/// What is still possible: templates with their places, and the places in each pattern.
type State = (Vec<(usize, Place)>, Vec<Vec<usize>>);

/// Everything that serves something. `patterns` in their order; the default behaviour comes after them.
pub(super) fn served(policy: &Policy, patterns: &[&str]) -> Result<Vec<Served>> {
    let routes: Vec<(usize, &Route)> =
        policy.routes().iter().enumerate().filter(|(_, route)| !route.is_shadow()).collect();
    let templates: Vec<Vec<Part>> = routes.iter().map(|(_, route)| template(route.path())).collect();
    let patterns: Vec<Vec<char>> = patterns.iter().map(|pattern| pattern_of(pattern)).collect();
    let tokens = tokens(&templates, &patterns);
    let start = Place { part: 0, read: 0 };
    let mut begun: State = (
        (0..templates.len()).map(|index| (index, start)).collect(),
        patterns.iter().map(|pattern| closed(pattern, vec![0])).collect(),
    );
    for (pattern, places) in patterns.iter().zip(&mut begun.1) {
        *places = after(pattern, places, '/');
    }
    let mut seen = HashSet::from([begun.clone()]);
    let mut next = VecDeque::from([(begun, "/".to_owned())]);
    let mut found: BTreeMap<(usize, usize), Served> = BTreeMap::new();
    while let Some(((places, matching), path)) = next.pop_front() {
        let matched: Vec<usize> =
            places.iter().filter(|(index, place)| ends(&templates[*index], *place)).map(|(index, _)| *index).collect();
        if !matched.is_empty() {
            let first = matching.iter().zip(&patterns).position(|(places, pattern)| places.contains(&pattern.len()));
            let behaviour = first.unwrap_or(patterns.len());
            for (template, method) in deciding(&templates, &routes, &matched) {
                let route = routes[template].0;
                let entry = found.entry((behaviour, route)).or_insert_with(|| Served {
                    behaviour,
                    route,
                    methods: BTreeSet::new(),
                    path: path.clone(),
                });
                entry.methods.insert(method.to_owned());
            }
        }
        for token in &tokens {
            let on: Vec<(usize, Place)> = places
                .iter()
                .filter_map(|(index, place)| Some((*index, step(&templates[*index], *place, token)?)))
                .collect();
            if on.is_empty() || path.matches('/').count() > MAX_SEGMENTS {
                continue;
            }
            let on_in_patterns = patterns
                .iter()
                .zip(&matching)
                .map(|(pattern, places)| {
                    token.chars().fold(places.clone(), |places, character| after(pattern, &places, character))
                })
                .collect();
            let state = (on, on_in_patterns);
            if seen.insert(state.clone()) {
                ensure!(
                    seen.len() <= MAX_STATES,
                    "the routes and the path patterns cross each other too often to be compared"
                );
                next.push_back((state, format!("{path}{token}")));
            }
        }
    }
    Ok(found.into_values().collect())
}

fn template(path: &str) -> Vec<Part> {
    let part = |text: &str| match text.strip_prefix('{') {
        Some(name) if name.starts_with('*') => Part::Rest,
        Some(_) => Part::Parameter,
        None => Part::Literal(characters(text)),
    };
    path.split('/').skip(1).map(part).collect()
}

/// Characters as a canonical path has them: bare, or all the escapes of one.
fn characters(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match rest.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(octet) if first == '%' => match octet {
                0xc0..=0xdf => 6,
                0xe0..=0xef => 9,
                0xf0..=0xff => 12,
                _ => 3,
            },
            _ => first.len_utf8(),
        };
        let (character, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        found.push(character.to_owned());
        rest = after;
    }
    found
}

/// A leading `/` may be left out of a pattern.
fn pattern_of(pattern: &str) -> Vec<char> {
    let slash = if pattern.starts_with('/') { "" } else { "/" };
    slash.chars().chain(pattern.chars()).collect()
}

/// One for each kind of character that something tells from the others.
fn tokens(templates: &[Vec<Part>], patterns: &[Vec<char>]) -> Vec<String> {
    let mut told: BTreeSet<String> = patterns.iter().flatten().map(char::to_string).collect();
    for part in templates.iter().flatten() {
        if let Part::Literal(characters) = part {
            told.extend(characters.iter().cloned());
        }
    }
    let is_canonical =
        |text: &String| CanonicalTarget::parse(&format!("/{text}")).is_ok_and(|target| target.query().is_none());
    let bare =
        (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9').chain(b'!'..=b'~').map(|byte| char::from(byte).to_string());
    let other = bare.clone().find(|text| text != "/" && !told.contains(text) && is_canonical(text));
    // No pattern can have `%`, but `?` and what follows it may take an escape apart.
    let escapes = (0x20..0x7f_u8).map(|byte| format!("%{byte:02X}")).chain(["%C3%A9".to_owned()]);
    let mut tokens: Vec<String> = other.into_iter().chain(told.into_iter().filter(|text| text != "/")).collect();
    tokens.extend(escapes);
    tokens.retain(is_canonical);
    tokens.sort_by_key(|text| text.len());
    tokens.dedup();
    tokens.push("/".to_owned());
    tokens
}

fn step(template: &[Part], place: Place, token: &str) -> Option<Place> {
    let part = template.get(place.part)?;
    if token != "/" {
        return match part {
            Part::Literal(characters) => {
                (characters.get(place.read)? == token).then(|| Place { read: place.read.saturating_add(1), ..place })
            }
            Part::Parameter | Part::Rest => Some(Place { read: 1, ..place }),
        };
    }
    match part {
        Part::Rest => (place.read > 0).then_some(Place { read: 0, ..place }),
        _ if !ends_part(part, place) => None,
        _ => {
            let part = place.part.saturating_add(1);
            (part < template.len()).then_some(Place { part, read: 0 })
        }
    }
}

fn ends_part(part: &Part, place: Place) -> bool {
    match part {
        Part::Literal(characters) => place.read == characters.len(),
        Part::Parameter => place.read > 0,
        // Only the last segment of a rest may be empty; it may be all of it.
        Part::Rest => true,
    }
}

fn ends(template: &[Part], place: Place) -> bool {
    place.part.saturating_add(1) == template.len()
        && template.get(place.part).is_some_and(|part| ends_part(part, place))
}

/// The methods that some route has on these paths, each with the most specific one that has it.
fn deciding<'r>(templates: &[Vec<Part>], routes: &[(usize, &'r Route)], matched: &[usize]) -> Vec<(usize, &'r str)> {
    let methods: BTreeSet<&str> =
        matched.iter().flat_map(|index| routes[*index].1.methods()).map(String::as_str).collect();
    let has = |index: usize, method: &str| routes[index].1.methods().iter().any(|own| own == method);
    let of = |method: &str| {
        let candidates = matched.iter().copied().filter(|index| has(*index, method));
        candidates.max_by(|one, other| specificity(&templates[*one], &templates[*other]))
    };
    methods.into_iter().filter_map(|method| Some((of(method)?, method))).collect()
}

/// Of two templates for one path that are ordered, the more specific one is it at the first segment in which they differ.
fn specificity(one: &[Part], other: &[Part]) -> Ordering {
    let kind = |part: &Part| match part {
        Part::Rest => 0,
        Part::Parameter => 1,
        Part::Literal(_) => 2,
    };
    one.iter().map(kind).cmp(other.iter().map(kind))
}

/// The places after one more character.
fn after(pattern: &[char], places: &[usize], character: char) -> Vec<usize> {
    let on = places.iter().filter_map(|place| match pattern.get(*place)? {
        '*' => Some(*place),
        '?' => Some(place.saturating_add(1)),
        own => (*own == character).then(|| place.saturating_add(1)),
    });
    closed(pattern, on.collect())
}

/// With those that are reached without a character: `*` may be nothing.
fn closed(pattern: &[char], mut places: Vec<usize>) -> Vec<usize> {
    let mut index = 0;
    while let Some(place) = places.get(index).copied() {
        let next = place.saturating_add(1);
        if pattern.get(place) == Some(&'*') && !places.contains(&next) {
            places.push(next);
        }
        index = index.saturating_add(1);
    }
    places.sort_unstable();
    places.dedup();
    places
}
