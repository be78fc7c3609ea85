//! From templates to the automaton of [`super::table`], by the subset construction.
//!
//! The templates are laid into a tree first, which may have two ways on for one text (a literal and a parameter, say).
//! A state of the automaton is the set of *all* places in the tree that the segments so far may have led to. Templates
//! that share their ways share places, so a policy's table is about as large as the policy; only routes that cross each
//! other again and again make it larger, and one that would pass [`MAX_PLACES`] does not build.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};

use hashbrown::HashMap;

use super::{
    table::{Automaton, OwnerTable, RouteTable},
    template::{Segment, Template},
};

/// Most places that the states of one table may stand for, all in all; a state stands for one at least. Ten thousand
/// routes of six segments take some 60,000; a table at the limit takes a few tens of megabytes while it is made.
pub(crate) const MAX_PLACES: usize = 1 << 18;

/// The states would stand for more than [`MAX_PLACES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableTooLarge;

/// The table of `routes`: of each its index, its template and its methods. Those that overlap are ordered where they
/// share a method; where they are not, the first of them decides.
pub(crate) fn build<'a>(
    routes: impl Iterator<Item = (usize, &'a Template, &'a [String])>,
) -> Result<RouteTable, TableTooLarge> {
    let mut tree = Tree::default();
    for (index, template, methods) in routes {
        tree.insert(index, template, methods);
    }
    tree.text("HEAD");
    Ok(Subsets::new(tree).build()?.route_table())
}

/// The table of `templates`, each with its number.
pub(crate) fn build_owners<'a>(
    templates: impl Iterator<Item = (usize, &'a Template)>,
) -> Result<OwnerTable, TableTooLarge> {
    let mut tree = Tree::default();
    for (number, template) in templates {
        tree.insert(number, template, &[]);
    }
    Ok(Subsets::new(tree).build()?.owner_table())
}

/// The templates as they are written.
struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    texts: HashMap<String, usize>,
}

/// One place: what was passed on the way to it is one beginning of templates.
#[derive(Default)]
struct Node<'a> {
    literals: BTreeMap<usize, usize>,
    parameter: Option<usize>,
    rest: Option<usize>,
    /// Within a rest: any segment stays here.
    is_rest: bool,
    /// Of the routes that end here: one of their templates, which all have the same paths.
    template: Option<&'a Template>,
    /// Method and index of each route that ends here.
    routes: Vec<(&'a str, usize)>,
    /// The index of each, also of one without methods.
    owners: Vec<usize>,
}

impl Default for Tree<'_> {
    fn default() -> Self {
        Self { nodes: Vec::from([Node::default()]), texts: HashMap::new() }
    }
}

impl<'a> Tree<'a> {
    fn text(&mut self, text: &str) -> usize {
        let next = self.texts.len();
        *self.texts.entry_ref(text).or_insert(next)
    }

    fn insert(&mut self, index: usize, template: &'a Template, methods: &'a [String]) {
        let mut at = 0;
        for segment in template.segments() {
            let text = match segment {
                Segment::Literal(text) => Some(self.text(text)),
                Segment::Parameter(_) | Segment::Rest(_) => None,
            };
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            at = match (segment, text) {
                (Segment::Literal(_), Some(text)) => *node.literals.entry(text).or_insert(fresh),
                (Segment::Rest(_), _) => *node.rest.get_or_insert(fresh),
                _ => *node.parameter.get_or_insert(fresh),
            };
            if at == fresh {
                self.nodes.push(Node { is_rest: matches!(segment, Segment::Rest(_)), ..Node::default() });
            }
        }
        for method in methods {
            self.text(method);
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.template = Some(template);
            node.owners.push(index);
            node.routes.extend(methods.iter().map(|method| (method.as_str(), index)));
        }
    }
}

/// Places in the tree, in order and each once.
type Places = Vec<usize>;

/// What the segments so far may have led to, and whether the last of them was empty: nothing follows such a one.
type Reached = (Places, bool);

/// The construction on its way: states that are known, and those whose ways on are not.
struct Subsets<'a> {
    tree: Tree<'a>,
    known: HashMap<Reached, usize>,
    waiting: Vec<(usize, Reached)>,
    places: usize,
    automaton: Automaton,
}

impl<'a> Subsets<'a> {
    fn new(tree: Tree<'a>) -> Self {
        Self { tree, known: HashMap::new(), waiting: Vec::new(), places: 0, automaton: Automaton::default() }
    }

    fn build(mut self) -> Result<Self, TableTooLarge> {
        let empty = self.tree.text("");
        self.state((Vec::from([0]), false))?;
        while let Some((state, (places, has_ended))) = self.waiting.pop() {
            if has_ended {
                continue;
            }
            let nodes = || places.iter().filter_map(|place| self.tree.nodes.get(*place));
            // What any text leads to, and what an empty one does: the beginning of a rest, and the inside of one.
            let in_rest = |node: &Node<'_>, own: usize| [node.rest, node.is_rest.then_some(own)];
            let within: Places =
                sorted(places.iter().zip(nodes()).flat_map(|(place, node)| in_rest(node, *place)).flatten().collect());
            let other: Places =
                sorted(nodes().filter_map(|node| node.parameter).chain(within.iter().copied()).collect());
            let mut literals: BTreeMap<usize, Places> = BTreeMap::new();
            for (text, next) in nodes().flat_map(|node| &node.literals) {
                literals.entry(*text).or_default().push(*next);
            }
            if !within.is_empty() {
                literals.entry(empty).or_default();
            }
            for (text, mut next) in literals {
                // No parameter is empty.
                next.extend_from_slice(if text == empty { &within } else { &other });
                let next = self.state((sorted(next), text == empty))?;
                self.automaton.literals.insert((state, text), next);
            }
            if !other.is_empty() {
                let next = self.state((other, false))?;
                if let Some(own) = self.automaton.others.get_mut(state) {
                    *own = Some(next);
                }
            }
        }
        Ok(self)
    }

    /// The state that stands for what is `reached`, made when it is not known yet.
    fn state(&mut self, reached: Reached) -> Result<usize, TableTooLarge> {
        if let Some(state) = self.known.get(&reached) {
            return Ok(*state);
        }
        self.places = self.places.saturating_add(reached.0.len());
        if self.places > MAX_PLACES {
            return Err(TableTooLarge);
        }
        let state = self.automaton.others.len();
        self.automaton.others.push(None);
        self.known.insert(reached.clone(), state);
        self.waiting.push((state, reached));
        Ok(state)
    }

    /// The table of who decides, by method, where a path ends.
    fn route_table(mut self) -> RouteTable {
        let mut routes = HashMap::new();
        let mut methods = Vec::new();
        methods.resize(self.automaton.others.len(), Vec::new());
        for ((places, _), state) in &self.known {
            let deciding = self.deciding(places);
            for (method, (index, _)) in &deciding {
                if let Some(text) = self.tree.texts.get(*method) {
                    routes.insert((*state, *text), *index);
                }
            }
            if let Some(methods) = methods.get_mut(*state) {
                *methods = deciding.into_keys().map(ToOwned::to_owned).collect();
            }
        }
        self.automaton.texts = self.tree.texts;
        RouteTable { automaton: self.automaton, methods, routes }
    }

    /// The table of the templates that have a path.
    fn owner_table(mut self) -> OwnerTable {
        let mut owners = Vec::new();
        owners.resize(self.automaton.others.len(), Vec::new());
        for ((places, _), state) in &self.known {
            let nodes = places.iter().filter_map(|place| self.tree.nodes.get(*place));
            if let Some(own) = owners.get_mut(*state) {
                *own = sorted(nodes.flat_map(|node| node.owners.iter().copied()).collect());
            }
        }
        self.automaton.texts = self.tree.texts;
        OwnerTable { automaton: self.automaton, owners }
    }

    /// Who decides, by method, where a path ends at `places`.
    fn deciding(&self, places: &[usize]) -> BTreeMap<&'a str, (usize, &'a Template)> {
        let mut deciding: BTreeMap<&str, (usize, &Template)> = BTreeMap::new();
        for node in places.iter().filter_map(|place| self.tree.nodes.get(*place)) {
            let Some(template) = node.template else { continue };
            let head = node.routes.iter().find(|(method, _)| *method == "GET").map(|(_, get)| ("HEAD", *get));
            let head = head.filter(|_| node.routes.iter().all(|(method, _)| *method != "HEAD"));
            for (method, index) in node.routes.iter().copied().chain(head) {
                let best = deciding.entry(method).or_insert((index, template));
                if template.is_more_specific_than(best.1) {
                    *best = (index, template);
                }
            }
        }
        deciding
    }
}

fn sorted(mut places: Places) -> Places {
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::policy::table::RouteMatch;

    /// What the definitions in `template.rs` say, path by path and with no cleverness.
    mod naive {
        use super::*;

        pub(super) fn matches(template: &Template, path: &[String]) -> bool {
            let segments = template.segments();
            let fits = |(index, segment): (usize, &Segment)| match (segment, path.get(index)) {
                (_, None) => false,
                (Segment::Literal(text), Some(own)) => own == text,
                (Segment::Parameter(_), Some(own)) => !own.is_empty(),
                (Segment::Rest(_), Some(_)) => true,
            };
            let lengths = match template.rest() {
                Some(_) => path.len() >= segments.len(),
                None => path.len() == segments.len(),
            };
            lengths && segments.iter().enumerate().all(fits)
        }

        /// Every path of up to five segments: longer ones than any template here has.
        pub(super) fn paths() -> Vec<Vec<String>> {
            let mut paths: Vec<Vec<String>> = Vec::new();
            let mut beginnings: Vec<Vec<String>> = Vec::from([Vec::new()]);
            for _ in 0..5 {
                let mut longer = Vec::new();
                for beginning in &beginnings {
                    for text in ["a", "b", "other", ""] {
                        let mut path = beginning.clone();
                        path.push(text.to_string());
                        if !text.is_empty() {
                            longer.push(path.clone());
                        }
                        paths.push(path);
                    }
                }
                beginnings = longer;
            }
            paths
        }

        pub(super) fn set(template: &Template, paths: &[Vec<String>]) -> BTreeSet<usize> {
            (0..paths.len()).filter(|index| matches(template, &paths[*index])).collect()
        }
    }

    type Route = (Template, Vec<String>);

    fn template() -> impl Strategy<Value = Template> {
        let segment = prop_oneof![3 => Just("a"), 2 => Just("b"), 3 => Just("{x}")];
        let last = prop_oneof![4 => Just("a"), 1 => Just(""), 3 => Just("{x}"), 3 => Just("{*x}")];
        (proptest::collection::vec(segment, 0..4), last).prop_map(|(segments, last)| {
            let mut text = String::new();
            for (index, segment) in segments.iter().chain([&last]).enumerate() {
                text += "/";
                text += &segment.replace('x', &format!("x{index}"));
            }
            Template::parse(&text).unwrap()
        })
    }

    fn routes() -> impl Strategy<Value = Vec<Route>> {
        let methods = proptest::collection::btree_set(prop_oneof!["GET", "HEAD", "POST"], 1..3);
        let methods = methods.prop_map(|methods| methods.into_iter().collect());
        proptest::collection::vec((template(), methods), 1..7)
    }

    fn table(routes: &[Route]) -> Result<RouteTable, TableTooLarge> {
        build(routes.iter().enumerate().map(|(index, (template, methods))| (index, template, methods.as_slice())))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn overlap_and_specificity_are_those_of_the_sets(one in template(), other in template()) {
            let paths = naive::paths();
            let (own, others) = (naive::set(&one, &paths), naive::set(&other, &paths));
            prop_assert_eq!(one.overlaps(&other), !own.is_disjoint(&others), "{:?} {:?}", one, other);
            prop_assert_eq!(one.is_within(&other), own.is_subset(&others), "{:?} {:?}", one, other);
            prop_assert_eq!(one.is_more_specific_than(&other), own.is_subset(&others) && own != others);
            prop_assert_eq!(one.has_the_paths_of(&other), own == others);
        }

        #[test]
        fn the_table_finds_what_trying_every_template_finds(routes in routes()) {
            let paths = naive::paths();
            let sets: Vec<BTreeSet<usize>> = routes.iter().map(|(template, _)| naive::set(template, &paths)).collect();
            let table = table(&routes).unwrap();
            let says = |index: usize, method: &str| routes[index].1.iter().any(|own| own == method);
            let answers = |index: usize, method: &str| {
                let twin_has_head = || (0..routes.len()).any(|twin| sets[twin] == sets[index] && says(twin, "HEAD"));
                says(index, method) || (method == "HEAD" && says(index, "GET") && !twin_has_head())
            };
            for (at, path) in paths.iter().enumerate() {
                let matching: Vec<usize> = (0..routes.len()).filter(|index| sets[*index].contains(&at)).collect();
                for method in ["GET", "HEAD", "POST", "PUT", ""] {
                    let candidates: Vec<usize> =
                        matching.iter().copied().filter(|index| answers(*index, method)).collect();
                    let narrower = |one: usize, other: usize| {
                        one == other || (sets[one] != sets[other] && sets[one].is_subset(&sets[other]))
                    };
                    let least = candidates.iter().find(|one| candidates.iter().all(|other| narrower(**one, *other)));
                    let expected = match (least, candidates.is_empty()) {
                        (Some(index), _) => RouteMatch::Route(*index),
                        // Routes without an order: such a policy does not build.
                        (None, false) => continue,
                        (None, true) if matching.is_empty() => RouteMatch::NoRoute,
                        (None, true) => RouteMatch::OtherMethods(
                            ["GET", "HEAD", "POST"]
                                .into_iter()
                                .filter(|method| matching.iter().any(|index| answers(*index, method)))
                                .map(ToString::to_string)
                                .collect(),
                        ),
                    };
                    prop_assert_eq!(table.find(path.iter().map(String::as_str), method), expected, "{} {:?} {:?}", method, path, routes);
                }
            }
        }
    }

    #[test]
    fn templates_that_cross_each_other_without_end_are_refused_and_not_built() {
        // Each with a method of its own, so that none needs an order: every subset of them is a state.
        let crossing = |count: usize| -> Vec<Route> {
            let path = |own: usize| -> String {
                (0..count).map(|at| if at == own { "/a".to_string() } else { format!("/{{x{at}}}") }).collect()
            };
            (0..count).map(|own| (Template::parse(&path(own)).unwrap(), Vec::from([format!("M{own}")]))).collect()
        };
        assert!(table(&crossing(8)).is_ok());
        assert_eq!(table(&crossing(40)).err(), Some(TableTooLarge));
    }

    #[test]
    fn a_table_is_about_as_large_as_its_policy() {
        let route = |index: usize| {
            let path = format!("/companies/{{company}}/things{index}/{{thing}}");
            (Template::parse(&path).unwrap(), Vec::from(["GET".to_string()]))
        };
        let mut routes: Vec<Route> = (0..1_000).map(route).collect();
        routes.push((Template::parse("/{*rest}").unwrap(), Vec::from(["GET".to_string()])));
        assert!(table(&routes).unwrap().methods.len() < 2_100);
    }
}
