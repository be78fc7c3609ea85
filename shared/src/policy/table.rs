//! From path and method to route, in as many steps as the path has segments.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use super::template::{Segment, Template};

/// A tree of segments; a literal is tried before a parameter, which is what precedence asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteTable {
    root: Node,
}

#[derive(Clone, Debug, Default)]
struct Node {
    literals: BTreeMap<String, Node>,
    parameter: Option<alloc::boxed::Box<Node>>,
    /// Method and index of each route that ends here.
    routes: Vec<(String, usize)>,
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
    pub(crate) fn insert(&mut self, template: &Template, methods: &[String], index: usize) {
        let mut node = &mut self.root;
        for segment in template.segments() {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Parameter(_) => node.parameter.get_or_insert_default(),
            };
        }
        node.routes.extend(methods.iter().map(|method| (method.clone(), index)));
    }

    /// The most specific route for `segments` and `method`; HEAD follows GET (RFC 9110 §9.3.2).
    pub(crate) fn find(&self, segments: &[String], method: &str) -> RouteMatch {
        let mut others = Vec::new();
        if let Some(index) = self.root.descend(segments, method, &mut others) {
            return RouteMatch::Route(index);
        }
        if others.is_empty() {
            return RouteMatch::NoRoute;
        }
        if others.iter().any(|other| other == "GET") {
            others.push("HEAD".into());
        }
        others.sort_unstable();
        others.dedup();
        RouteMatch::OtherMethods(others)
    }
}

impl Node {
    fn descend(&self, segments: &[String], method: &str, others: &mut Vec<String>) -> Option<usize> {
        let Some((segment, rest)) = segments.split_first() else {
            return self.route(method, others);
        };
        let literal = self.literals.get(segment).and_then(|node| node.descend(rest, method, others));
        if literal.is_some() || segment.is_empty() {
            return literal;
        }
        self.parameter.as_ref().and_then(|node| node.descend(rest, method, others))
    }

    fn route(&self, method: &str, others: &mut Vec<String>) -> Option<usize> {
        let exact = |wanted: &str| self.routes.iter().find(|(own, _)| own == wanted).map(|(_, index)| *index);
        let found = exact(method).or_else(|| if method == "HEAD" { exact("GET") } else { None });
        if found.is_none() {
            others.extend(self.routes.iter().map(|(own, _)| own.clone()));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    fn table() -> RouteTable {
        let mut table = RouteTable::default();
        for (index, (path, methods)) in [
            ("/users/{user}", &["GET", "PUT"][..]),
            ("/users/me", &["GET"]),
            ("/a/{x}/c", &["GET"]),
            ("/{y}/b/d", &["POST"]),
            ("/list/", &["GET"]),
        ]
        .iter()
        .enumerate()
        {
            let methods: Vec<String> = methods.iter().map(|method| (*method).to_owned()).collect();
            table.insert(&Template::parse(path).unwrap(), &methods, index);
        }
        table
    }

    fn find(path: &str, method: &str) -> RouteMatch {
        let segments: Vec<String> = path.split('/').skip(1).map(ToOwned::to_owned).collect();
        table().find(&segments, method)
    }

    #[test]
    fn the_more_specific_route_decides_per_method() {
        assert_eq!(find("/users/me", "GET"), RouteMatch::Route(1));
        assert_eq!(find("/users/me", "PUT"), RouteMatch::Route(0));
        assert_eq!(find("/users/you", "HEAD"), RouteMatch::Route(0));
        assert_eq!(find("/a/b/d", "POST"), RouteMatch::Route(3));
        assert_eq!(find("/a/b/c", "GET"), RouteMatch::Route(2));
    }

    #[test]
    fn other_methods_are_listed_and_other_paths_are_not_found() {
        assert_eq!(
            find("/users/me", "DELETE"),
            RouteMatch::OtherMethods(["GET", "HEAD", "PUT"].map(ToOwned::to_owned).into())
        );
        assert_eq!(find("/users/you", "get"), find("/users/me", "DELETE"));
        for path in ["/", "/users", "/users/", "/users/me/", "/Users/me", "/list", "/list/x"] {
            assert_eq!(find(path, "GET"), RouteMatch::NoRoute, "{path}");
        }
        assert_eq!(find("/list/", "GET"), RouteMatch::Route(4));
    }
}
