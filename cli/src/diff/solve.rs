//! Finds a caller and a request for which some clauses hold and one does not, or shows that there is none.
//!
//! Atoms are independent, with these exceptions:
//!
//! - Two segments with the same literal, and a segment and the caller that it must name, are the same text. What holds
//!   for one of them holds for the other.
//! - A role in a company implies membership of the company, and both imply that the request names the company.
//! - A claim with a value is there, unless its only value is `false` or `null` in words.
//! - Servers may read one query parameter as another, so a request names its company in one parameter only. A path with
//!   `&` and the parameter's name in it cannot name one so at all.
//!
//! Texts that may differ are made different, and atoms that may hold are made to hold. So a caller is found wherever
//! there is one.

use std::collections::{BTreeMap, BTreeSet};

use postern::policy::CompanyRule;

use super::{
    clauses::{Atom, Clause, Place, Source, is_denial},
    paths::{PathClass, Text, fresh},
    spellings::Excluded,
};

/// A text of a request, or the caller's subject.
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
    excluded: Excluded,
}

/// Which texts are the same. Two groups never have the same fixed text.
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
    /// Values of claims. Without a value, the claim is there and says anything.
    pub(super) claims: BTreeMap<String, BTreeSet<String>>,
    /// Claims whose one value must count as absent.
    pub(super) denied: BTreeSet<String>,
    /// Companies with the roles held there, as each source says.
    pub(super) companies: BTreeMap<Source, BTreeMap<String, BTreeSet<String>>>,
}

/// A request to a path of `class` for which every clause of `needed` holds and no atom of `unmet` does. As many clauses
/// of `others` hold as possible.
pub(super) fn solve(class: &PathClass, needed: &[Clause], others: &[Clause], unmet: &[Atom]) -> Option<Answer> {
    let mut texts = Texts::of(class);
    if !needed.iter().flatten().filter_map(same).all(|(one, other)| texts.join(&one, &other)) {
        return None;
    }
    let question = Question { class, needed, others, unmet, denied: denied(needed, unmet)? };
    let mut fuller = texts.clone();
    for (one, other) in others.iter().flatten().filter(|atom| !question.is_false(&texts, atom)).filter_map(same) {
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

/// The claims that a rule must find absent, each with the text that makes it count as absent or without one. A text is
/// chosen where `needed` asks for one of them. Returns `None` where `needed` asks for another value.
fn denied<'a>(needed: &'a [Clause], unmet: &'a [Atom]) -> Option<BTreeMap<&'a str, Option<&'a str>>> {
    let absent = unmet.iter().filter_map(|atom| match atom {
        Atom::Claim(name, None) => Some(name.as_str()),
        _ => None,
    });
    let text_of = |name: &str| {
        let about = |clause: &&Clause| clause.iter().any(|atom| matches!(atom, Atom::Claim(own, _) if own == name));
        let clauses: Vec<&Clause> = needed.iter().filter(about).collect();
        let Some(first) = clauses.first() else { return Some(None) };
        let fits = |atom: &&Atom| !unmet.contains(atom) && clauses.iter().all(|clause| clause.contains(atom));
        first.iter().filter(fits).find_map(|atom| match atom {
            Atom::Claim(_, Some(text)) if is_denial(text) => Some(Some(text.as_str())),
            _ => None,
        })
    };
    absent.map(|name| Some((name, text_of(name)?))).collect()
}

impl Node {
    /// Whether this can be the text.
    fn can_be(&self, text: &str) -> bool {
        match self {
            Self::At(Place::Header(name)) => CompanyRule::Header(name.clone()).can_name(text),
            Self::At(Place::Query(name)) => CompanyRule::Query(name.clone()).can_name(text),
            Self::Caller | Self::At(Place::Segment(_)) => true,
        }
    }
}

impl Texts {
    fn of(class: &PathClass) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for (position, text) in class.segments.iter().enumerate() {
            let node = Node::At(Place::Segment(position));
            let (fixed, excluded) = match text {
                Text::Fixed(text) => (Some(text.clone()), Excluded::default()),
                Text::Free(excluded) => (None, excluded.clone()),
            };
            match groups.iter_mut().find(|group| fixed.is_some() && group.fixed == fixed) {
                Some(group) => drop(group.nodes.insert(node)),
                None => groups.push(Group { nodes: BTreeSet::from([node]), fixed, excluded }),
            }
        }
        Self(groups)
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
        let fits = group
            .fixed
            .as_ref()
            .is_none_or(|text| !group.excluded.has(text) && group.nodes.iter().all(|node| node.can_be(text)));
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
    class: &'a PathClass,
    needed: &'a [Clause],
    others: &'a [Clause],
    unmet: &'a [Atom],
    denied: BTreeMap<&'a str, Option<&'a str>>,
}

impl Question<'_> {
    /// Whether `needed` can hold while `unmet` does not.
    fn holds(&self, texts: &Texts) -> bool {
        let differ = self.unmet.iter().filter_map(same).all(|(one, other)| !texts.are_same(&one, &other));
        differ && self.needed.iter().all(|clause| clause.iter().any(|atom| !self.is_false(texts, atom)))
    }

    /// Whether the atom must not hold, because an atom of `unmet` would then hold or one of `needed` would not.
    fn is_false(&self, texts: &Texts, atom: &Atom) -> bool {
        let is_other_value = |atom: &Atom| match atom {
            Atom::Claim(name, value) => {
                self.denied.get(name.as_str()).is_some_and(|text| text.is_none() || *text != value.as_deref())
            }
            _ => false,
        };
        let is_other_parameter = |needed: &Atom| match (needed, atom.place()) {
            (Atom::Given(Place::Query(name)), Some(Place::Query(own))) => name != own,
            _ => false,
        };
        let is_closed = |place: &Place| match place {
            Place::Query(name) => self
                .class
                .segments
                .iter()
                .any(|text| matches!(text, Text::Fixed(text) if text.contains(&format!("&{name}")))),
            Place::Segment(_) | Place::Header(_) => false,
        };
        self.unmet.contains(atom)
            || is_other_value(atom)
            || atom.place().is_some_and(is_closed)
            || self.needed.iter().flatten().any(is_other_parameter)
            || self.unmet.iter().any(|unmet| match (unmet, atom) {
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
        let mut answer =
            Answer { denied: self.denied.keys().map(|name| (*name).to_owned()).collect(), ..Answer::default() };
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
        let mut taken = Excluded::texts(texts.0.iter().filter_map(|group| group.fixed.clone()).collect());
        for group in &texts.0 {
            taken.extend(group.excluded.clone());
        }
        for (index, group) in texts.0.iter().enumerate() {
            let begin = if group.nodes.contains(&Node::Caller) { "caller".to_owned() } else { format!("v{index}") };
            let text = group.fixed.clone().unwrap_or_else(|| fresh(&begin, |text| !taken.has(text)));
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
