//! Which route decides: every route is looked at, and of those that fit the one whose paths are a subset of the others'.

use std::collections::BTreeMap;

use super::policy::Route;

/// One piece of a path template.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Literal(String),
    Parameter(String),
    Rest(String),
}

fn pieces(path: &str) -> Vec<Piece> {
    let named = |text: &str| text.strip_prefix('{')?.strip_suffix('}').map(str::to_owned);
    path.trim_start_matches('/')
        .split('/')
        .map(|text| match named(text) {
            Some(name) if name.starts_with('*') => Piece::Rest(name[1..].to_owned()),
            Some(name) => Piece::Parameter(name),
            None => Piece::Literal(decoded(text)),
        })
        .collect()
}

/// A literal of a template is written as in a canonical path.
fn decoded(text: &str) -> String {
    super::target::parse(&format!("/{text}"), usize::MAX)
        .map_or_else(|_| text.to_owned(), |target| target.segments[0].clone())
}

/// The parameters of a path that the template has; `None` when it has not.
pub fn matches(path: &str, segments: &[String]) -> Option<BTreeMap<String, String>> {
    let pieces = pieces(path);
    let mut found = BTreeMap::new();
    for (place, piece) in pieces.iter().enumerate() {
        let segment = segments.get(place)?;
        match piece {
            Piece::Literal(text) if text == segment => {}
            Piece::Parameter(name) if !segment.is_empty() => {
                found.insert(name.clone(), segment.clone());
            }
            // All that follows its slash, which may be nothing.
            Piece::Rest(name) => {
                found.insert(name.clone(), segments[place..].join("/"));
                return Some(found);
            }
            _ => return None,
        }
    }
    (pieces.len() == segments.len()).then_some(found)
}

/// Whether each path of the first template is one of the second.
pub fn is_within(narrow: &str, wide: &str) -> bool {
    let (narrow, wide) = (pieces(narrow), pieces(wide));
    for place in 0.. {
        match (narrow.get(place), wide.get(place)) {
            (None, None) => return true,
            (Some(_), Some(Piece::Rest(_))) => return true,
            (Some(Piece::Literal(own)), Some(Piece::Literal(other))) if own == other => {}
            (Some(Piece::Literal(text)), Some(Piece::Parameter(_))) if !text.is_empty() => {}
            (Some(Piece::Parameter(_)), Some(Piece::Parameter(_))) => {}
            _ => return false,
        }
    }
    unreachable!("templates end")
}

/// Which route a request falls to.
#[derive(Debug)]
pub enum Found<'p> {
    /// This one, with its parameters.
    Route(&'p Route, BTreeMap<String, String>),
    /// The path has routes for other methods.
    OtherMethod,
    /// No route has the path.
    Nothing,
}

/// The route for a path and a method among those that are enforced, or those that are not.
pub fn find<'p>(routes: &'p [Route], shadow: bool, segments: &[String], method: &str) -> Found<'p> {
    let of_path: Vec<&Route> =
        routes.iter().filter(|route| route.shadow == shadow && matches(&route.path, segments).is_some()).collect();
    let has = |route: &Route, method: &str| route.methods.iter().any(|own| own == method);
    let fits = |route: &&Route| has(route, method) || (method == "HEAD" && has(route, "GET"));
    let fitting: Vec<&Route> = of_path.iter().copied().filter(fits).collect();
    let narrowest = fitting.iter().filter(|route| fitting.iter().all(|other| is_within(&route.path, &other.path)));
    // Two of the very same paths: HEAD follows GET only where nobody has HEAD itself.
    match narrowest.max_by_key(|route| has(route, method)) {
        Some(route) => Found::Route(route, matches(&route.path, segments).unwrap_or_default()),
        None if of_path.is_empty() => Found::Nothing,
        None => Found::OtherMethod,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_within_parameters_and_both_within_rests() {
        for (narrow, wide, within) in [
            ("/a/{b}", "/a/{*c}", true),
            ("/a/{*b}", "/a/{c}", false),
            ("/a/b", "/{x}/{y}", true),
            ("/a/", "/a/{b}", false),
            ("/a", "/a/{*b}", false),
            ("/a/", "/a/{*b}", true),
            ("/a/b/c", "/a/{*b}", true),
            ("/a/{*b}", "/{*c}", true),
        ] {
            assert_eq!(is_within(narrow, wide), within, "{narrow} {wide}");
        }
    }
}
