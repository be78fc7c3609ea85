//! From path and method to route: one step a segment and one for the method, however many routes there are.
//!
//! The templates are one deterministic automaton over segments. After each segment it is in one state, which stands for
//! all the templates that are still possible, so nothing is tried and taken back. A state that ends a path knows by
//! method which route decides: the most specific, as [`super::template`] defines it, chosen when the table is built.
//! A step is a look-up in a hash table that holds the policy's texts alone; a caller adds nothing to it.
//!
//! How the automaton comes about: [`super::determinise`].

use alloc::{string::String, vec::Vec};

use hashbrown::HashMap;

/// Templates, all at once: a state for each set of places in them that some segments may have led to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Automaton {
    /// Each literal segment has a number; a table's methods have one too.
    pub(super) texts: HashMap<String, usize>,
    /// For each state, where any segment leads that is neither empty nor a literal of it. A path begins in the first.
    pub(super) others: Vec<Option<usize>>,
    /// From a state and a segment's text to the next state.
    pub(super) literals: HashMap<(usize, usize), usize>,
}

/// Every route of a policy, ready to be found.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteTable {
    pub(super) automaton: Automaton,
    /// For each state, the methods of all routes that the path has, HEAD included where it follows GET; sorted.
    pub(super) methods: Vec<Vec<String>>,
    /// From a state and a method to the index of the route that decides.
    pub(super) routes: HashMap<(usize, usize), usize>,
}

/// Which templates have a path: of all of them, not only the most specific.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnerTable {
    pub(super) automaton: Automaton,
    /// For each state, the number of each template that has the path.
    pub(super) owners: Vec<Vec<usize>>,
}

/// What the table knows of a path and a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RouteMatch {
    /// The index of the route that decides.
    Route(usize),
    /// The path has routes, for these methods only.
    OtherMethods(Vec<String>),
    /// No route has this path.
    NoRoute,
}

impl RouteTable {
    /// The most specific route for `segments` and `method`; HEAD follows GET (RFC 9110 §9.3.2).
    pub(crate) fn find<'s>(&self, mut segments: impl Iterator<Item = &'s str>, method: &str) -> RouteMatch {
        let last = segments.try_fold(0, |state, segment| self.automaton.step(state, segment));
        let Some((last, methods)) = last.and_then(|last| Some((last, self.methods.get(last)?))) else {
            return RouteMatch::NoRoute;
        };
        match self.automaton.text(method).and_then(|method| self.routes.get(&(last, method))) {
            Some(index) => RouteMatch::Route(*index),
            None if methods.is_empty() => RouteMatch::NoRoute,
            None => RouteMatch::OtherMethods(methods.clone()),
        }
    }

    /// The index of each route that answers a method on some path, with the number of the method.
    #[cfg(feature = "toml")]
    pub(super) fn deciding(&self) -> hashbrown::HashSet<(usize, usize)> {
        self.routes.iter().map(|((_, method), index)| (*index, *method)).collect()
    }

    /// The number of `method`.
    #[cfg(feature = "toml")]
    pub(super) fn number(&self, method: &str) -> Option<usize> {
        self.automaton.texts.get(method).copied()
    }
}

impl OwnerTable {
    /// The state after `segment`; `None` if no template continues with it.
    pub(super) fn step(&self, state: usize, segment: &str) -> Option<usize> {
        self.automaton.step(state, segment)
    }

    /// The numbers of the templates that have the path which ends in `state`.
    pub(super) fn owners(&self, state: usize) -> &[usize] {
        self.owners.get(state).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Automaton {
    fn step(&self, state: usize, segment: &str) -> Option<usize> {
        let literal = self.text(segment).and_then(|text| self.literals.get(&(state, text)));
        match literal {
            Some(next) => Some(*next),
            None if segment.is_empty() => None,
            None => *self.others.get(state)?,
        }
    }

    /// The one place where a request's text is looked up.
    fn text(&self, text: &str) -> Option<usize> {
        #[cfg(test)]
        tests::count();
        self.texts.get(text).copied()
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use std::thread_local;

    use alloc::{borrow::ToOwned, format};

    use super::*;
    use crate::policy::{determinise::build, template::Template};

    thread_local! {
        static LOOKUPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        LOOKUPS.with(|lookups| lookups.set(lookups.get() + 1));
    }

    fn table(routes: &[(&str, &[&str])]) -> RouteTable {
        let routes: Vec<(Template, Vec<String>)> = routes
            .iter()
            .map(|(path, methods)| {
                (Template::parse(path).unwrap(), methods.iter().map(|method| (*method).to_owned()).collect())
            })
            .collect();
        build(routes.iter().enumerate().map(|(index, (template, methods))| (index, template, methods.as_slice())))
            .unwrap()
    }

    fn segments(path: &str) -> impl Iterator<Item = &str> {
        path.split('/').skip(1)
    }

    fn find(path: &str, method: &str) -> RouteMatch {
        let table = table(&[
            ("/users/{user}", &["GET", "PUT"]),
            ("/users/me", &["GET"]),
            ("/a/{x}/c", &["GET"]),
            ("/{y}/b/d", &["POST"]),
            ("/list/", &["GET"]),
            ("/files/{*path}", &["GET", "DELETE"]),
            ("/files/{name}/meta", &["GET"]),
        ]);
        table.find(segments(path), method)
    }

    #[test]
    fn the_more_specific_route_decides_per_method() {
        assert_eq!(find("/users/me", "GET"), RouteMatch::Route(1));
        assert_eq!(find("/users/me", "PUT"), RouteMatch::Route(0));
        assert_eq!(find("/users/you", "HEAD"), RouteMatch::Route(0));
        assert_eq!(find("/a/b/d", "POST"), RouteMatch::Route(3));
        assert_eq!(find("/a/b/c", "GET"), RouteMatch::Route(2));
        for path in ["/files/", "/files/a", "/files/a/", "/files/a/b", "/files/a/b/c/", "/files/a/meta/"] {
            assert_eq!(find(path, "GET"), RouteMatch::Route(5), "{path}");
        }
        assert_eq!(find("/files/a/meta", "GET"), RouteMatch::Route(6));
        assert_eq!(find("/files/a/meta", "DELETE"), RouteMatch::Route(5));
    }

    #[test]
    fn other_methods_are_listed_and_other_paths_are_not_found() {
        let methods =
            |methods: &[&str]| RouteMatch::OtherMethods(methods.iter().map(|method| (*method).to_owned()).collect());
        assert_eq!(find("/users/me", "DELETE"), methods(&["GET", "HEAD", "PUT"]));
        assert_eq!(find("/users/you", "get"), find("/users/me", "DELETE"));
        assert_eq!(find("/files/a/meta", "PUT"), methods(&["DELETE", "GET", "HEAD"]));
        for path in ["/", "/users", "/users/", "/users/me/", "/Users/me", "/list", "/list/x", "/files"] {
            assert_eq!(find(path, "GET"), RouteMatch::NoRoute, "{path}");
        }
        assert_eq!(find("/list/", "GET"), RouteMatch::Route(4));
    }

    #[test]
    fn a_look_up_takes_as_many_steps_among_ten_thousand_routes_as_among_ten() {
        let steps = |count: usize, path: &str| {
            let literal: Vec<String> =
                (0..count).map(|index| format!("/companies/{{company}}/r{index}/{{id}}")).collect();
            let first: Vec<String> = (0..count).map(|index| format!("/r{index}/{{*rest}}")).collect();
            let mut routes: Vec<(&str, &[&str])> = Vec::new();
            routes.extend(literal.iter().chain(&first).map(|path| (path.as_str(), &["GET"][..])));
            routes.push(("/{*rest}", &["GET"]));
            let table = table(&routes);
            LOOKUPS.with(|lookups| lookups.set(0));
            let found = table.find(segments(path), "GET");
            assert!(matches!(found, RouteMatch::Route(_)), "{path}");
            LOOKUPS.with(Cell::get)
        };
        for path in ["/companies/1/r7/x", "/companies/1/none/x", "/r9/a/b/c/", "/nowhere/at/all"] {
            let few = steps(10, path);
            assert_eq!(few, segments(path).count() + 1, "{path}");
            assert_eq!((steps(1_000, path), steps(10_000, path)), (few, few), "{path}");
        }
    }
}
