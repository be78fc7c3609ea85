//! A caller and a request for whom some clauses hold and one does not, or that there is none.
//!
//! Atoms are independent but for three ties, which are kept here. Two of them say that two texts are the same, and then
//! what holds of the one holds of the other. Who holds a role in a company has the company. And a claim that holds a
//! value is there. What need not be the same is made different, and all that need not be false is made true, so that a
//! caller is found wherever there is one.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    clauses::{Atom, Clause, Place, Source},
    paths::{PathClass, Text, fresh},
};

/// A text of a request, or the caller's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Caller,
    At(Place),
}

/// Texts that are the same.
#[derive(Clone, Debug, Default)]
struct Group {
    nodes: BTreeSet<Node>,
    fixed: Option<String>,
    excluded: BTreeSet<String>,
}

/// Which texts are the same.
#[derive(Clone, Debug)]
struct Texts(Vec<Group>);

/// What a caller has and a request says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) subject: String,
    /// Texts of segments of the path.
    pub(super) segments: BTreeMap<usize, String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) queries: BTreeMap<String, String>,
    pub(super) scopes: BTreeSet<String>,
    /// Values of claims; none: it is there, whatever it says.
    pub(super) claims: BTreeMap<String, BTreeSet<String>>,
    /// Companies with the roles held there, as each source says.
    pub(super) companies: BTreeMap<Source, BTreeMap<String, BTreeSet<String>>>,
}

/// A request to a path of `class` for which every clause of `needed` holds and `unmet` does not; of the rest of
/// `others` as much holds as can.
pub(super) fn solve(class: &PathClass, needed: &[Clause], others: &[Clause], unmet: Option<&Clause>) -> Option<Answer> {
    let mut texts = Texts::of(class);
    if !needed.iter().flatten().filter_map(same).all(|(one, other)| texts.join(&one, &other)) {
        return None;
    }
    let question = Question { needed, others, unmet: unmet.map(Vec::as_slice).unwrap_or_default() };
    let mut fuller = texts.clone();
    for (one, other) in others.iter().flatten().filter(|atom| !question.unmet.contains(atom)).filter_map(same) {
        let mut joined = fuller.clone();
        if joined.join(&one, &other) && question.holds(&joined) {
            fuller = joined;
        }
    }
    question.holds(&fuller).then(|| question.answer(&fuller))
}

/// The texts that an atom says to be the same.
fn same(atom: &Atom) -> Option<(Node, Node)> {
    match atom {
        Atom::Subject(position) => Some((Node::Caller, Node::At(Place::Segment(*position)))),
        Atom::CompanyIsCaller(place) => Some((Node::Caller, Node::At(place.clone()))),
        _ => None,
    }
}

impl Texts {
    fn of(class: &PathClass) -> Self {
        let segment = |(position, text): (usize, &Text)| {
            let (fixed, excluded) = match text {
                Text::Fixed(text) => (Some(text.clone()), BTreeSet::new()),
                Text::Free(excluded) => (None, excluded.clone()),
            };
            Group { nodes: BTreeSet::from([Node::At(Place::Segment(position))]), fixed, excluded }
        };
        Self(class.segments.iter().enumerate().map(segment).collect())
    }

    fn group(&mut self, node: &Node) -> usize {
        if let Some(index) = self.0.iter().position(|group| group.nodes.contains(node)) {
            return index;
        }
        self.0.push(Group { nodes: BTreeSet::from([node.clone()]), ..Group::default() });
        self.0.len() - 1
    }

    /// Makes the two the same; `false` where they cannot be.
    fn join(&mut self, one: &Node, other: &Node) -> bool {
        let (one, other) = (self.group(one), self.group(other));
        if one == other {
            return true;
        }
        let joined = self.0[other].clone();
        let group = &mut self.0[one];
        if let (Some(own), Some(others)) = (&group.fixed, &joined.fixed)
            && own != others
        {
            return false;
        }
        group.fixed = group.fixed.clone().or(joined.fixed);
        group.nodes.extend(joined.nodes);
        group.excluded.extend(joined.excluded);
        let stands_in_field =
            group.nodes.iter().any(|node| matches!(node, Node::At(Place::Header(_) | Place::Query(_))));
        let fits = group.fixed.as_ref().is_none_or(|text| {
            !group.excluded.contains(text)
                && (!stands_in_field
                    || text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.|".contains(&byte)))
        });
        self.0.remove(other);
        fits
    }

    fn are_same(&self, one: &Node, other: &Node) -> bool {
        one == other || self.0.iter().any(|group| group.nodes.contains(one) && group.nodes.contains(other))
    }

    fn places_are_same(&self, one: &Place, other: &Place) -> bool {
        self.are_same(&Node::At(one.clone()), &Node::At(other.clone()))
    }
}

struct Question<'a> {
    needed: &'a [Clause],
    others: &'a [Clause],
    unmet: &'a [Atom],
}

impl Question<'_> {
    /// Whether `needed` can hold while `unmet` does not.
    fn holds(&self, texts: &Texts) -> bool {
        let differ = self.unmet.iter().filter_map(same).all(|(one, other)| !texts.are_same(&one, &other));
        differ && self.needed.iter().all(|clause| clause.iter().any(|atom| !self.is_false(texts, atom)))
    }

    /// Whether the atom must not hold, lest `unmet` does.
    fn is_false(&self, texts: &Texts, atom: &Atom) -> bool {
        self.unmet.contains(atom)
            || self.unmet.iter().any(|unmet| match (unmet, atom) {
                (Atom::Claim(name, None), Atom::Claim(own, Some(_))) => name == own,
                (Atom::Member(source, place), Atom::Member(own, at) | Atom::Role(own, at, _)) => {
                    source == own && texts.places_are_same(place, at)
                }
                (Atom::Role(source, place, role), Atom::Role(own, at, name)) => {
                    source == own && role == name && texts.places_are_same(place, at)
                }
                (Atom::Given(place), Atom::Member(_, at) | Atom::Role(_, at, _) | Atom::CompanyIsCaller(at)) => {
                    place == at
                }
                _ => false,
            })
    }

    fn answer(&self, texts: &Texts) -> Answer {
        let mut answer = Answer::default();
        let atoms: BTreeSet<&Atom> =
            self.needed.iter().chain(self.others).flatten().filter(|atom| !self.is_false(texts, atom)).collect();
        let mut texts = texts.clone();
        let given = atoms.iter().filter_map(|atom| match atom {
            Atom::Given(place) => Some(Node::At(place.clone())),
            _ => None,
        });
        for node in given.chain([Node::Caller]) {
            texts.group(&node);
        }
        let taken: BTreeSet<String> =
            texts.0.iter().flat_map(|group| group.fixed.iter().chain(&group.excluded)).cloned().collect();
        for (index, group) in texts.0.iter().enumerate() {
            let begin = if group.nodes.contains(&Node::Caller) { "caller".to_owned() } else { format!("v{index}") };
            let text = group.fixed.clone().unwrap_or_else(|| fresh(&begin, |text| !taken.contains(text)));
            for node in &group.nodes {
                match node {
                    Node::Caller => answer.subject.clone_from(&text),
                    Node::At(Place::Segment(position)) => drop(answer.segments.insert(*position, text.clone())),
                    Node::At(place) if self.unmet.contains(&Atom::Given(place.clone())) => {}
                    Node::At(Place::Header(name)) => drop(answer.headers.insert(name.clone(), text.clone())),
                    Node::At(Place::Query(name)) => drop(answer.queries.insert(name.clone(), text.clone())),
                }
            }
        }
        for atom in atoms {
            answer.take(atom);
        }
        answer
    }
}

impl Answer {
    fn take(&mut self, atom: &Atom) {
        match atom {
            Atom::Scope(name) => drop(self.scopes.insert(name.clone())),
            Atom::Claim(name, value) => self.claims.entry(name.clone()).or_default().extend(value.clone()),
            Atom::Member(source, place) => {
                if let Some(company) = self.text(place) {
                    self.companies.entry(*source).or_default().entry(company).or_default();
                }
            }
            Atom::Role(source, place, role) => {
                if let Some(company) = self.text(place) {
                    self.companies.entry(*source).or_default().entry(company).or_default().insert(role.clone());
                }
            }
            Atom::Subject(_) | Atom::Given(_) | Atom::CompanyIsCaller(_) => {}
        }
    }

    fn text(&self, place: &Place) -> Option<String> {
        match place {
            Place::Segment(position) => self.segments.get(position),
            Place::Header(name) => self.headers.get(name),
            Place::Query(name) => self.queries.get(name),
        }
        .cloned()
    }
}
