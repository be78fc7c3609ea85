//! Warnings about a route compared with its neighbours: paths shared with a stricter route, a public path among protected
//! ones, a parameter that only the other route binds.

use postern::{Policy, policy::Route};

/// Describes the stricter routes that share paths with `route`, or whose paths differ from its own in spelling alone.
pub(super) fn overlap(policy: &Policy, route: &Route) -> Option<String> {
    let is_taken_for =
        |other: &Route| policy.rivals(route).any(|(rival, needs_tail)| !needs_tail && rival.name() == other.name());
    let is_stricter = |other: &&Route| {
        let is_same = route.is_within(other) && other.is_within(route);
        !other.is_shadow()
            && !is_same
            && (route.overlaps(other) || is_taken_for(other))
            && !policy.is_as_open(other, route)
    };
    let stricter: Vec<&Route> = policy.routes().iter().filter(is_stricter).collect();
    let [first, more @ ..] = stricter.as_slice() else { return None };
    let others = match more.len() {
        0 => format!("`{}`", first.name()),
        1 => format!("`{}` and one other route", first.name()),
        more => format!("`{}` and {more} other routes", first.name()),
    };
    let relation =
        if route.overlaps(first) { "shares paths with" } else { "has paths that an origin may take for those of" };
    let whom = if route.is_public() { "anyone may call this" } else { "this lets in callers whom the other does not" };
    Some(format!("{whom}, and it {relation} {others}"))
}

/// A protected route that has all but the last segment of a public one's path.
pub(super) fn beside<'p>(policy: &'p Policy, public: &Route) -> Option<&'p Route> {
    let (folder, _) = public.path().rsplit_once('/')?;
    let unnamed = |path: &str| {
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned()).collect::<Vec<_>>()
    };
    let folder = unnamed(folder);
    // The root has everything beside it.
    let inside = |route: &&Route| folder.len() > 1 && unnamed(route.path()).starts_with(&folder);
    policy.routes().iter().filter(|route| !route.is_public() && !route.is_shadow()).find(inside)
}

/// Returns an unbound parameter of `route` and a route that binds the same segment below the same path, such as
/// `/shops/{shop}/refunds` next to `/shops/{shop}/orders`. The place is compared and not the name, so that a forgotten rule
/// is found under any name. Only parameters that `concerns` accepts count.
pub(super) fn bound_elsewhere<'p>(
    policy: &'p Policy,
    route: &'p Route,
    concerns: impl Fn(&str) -> bool,
) -> Option<(&'p str, &'p Route)> {
    let segments: Vec<&str> = segments(route).collect();
    segments.iter().enumerate().find_map(|(position, segment)| {
        let name = parameter(segment).filter(|name| !route.binds(name) && concerns(name))?;
        let is_sibling = |other: &&Route| !other.is_shadow() && binds_place(other, &segments, position);
        Some((name, policy.routes().iter().find(is_sibling)?))
    })
}

/// Whether `other` binds its segment at `position`, and has the same path before it as `segments`.
fn binds_place(other: &Route, own: &[&str], position: usize) -> bool {
    let others: Vec<&str> = segments(other).collect();
    let has_prefix =
        own.iter().zip(&others).take(position).all(|(own, other)| match (parameter(own), parameter(other)) {
            (Some(_), Some(_)) => true,
            (None, None) => own == other,
            _ => false,
        });
    has_prefix && others.get(position).copied().and_then(parameter).is_some_and(|name| other.binds(name))
}

fn segments(route: &Route) -> impl Iterator<Item = &str> {
    route.path().split('/').skip(1)
}

/// The name of the parameter that the segment is. A rest is several segments: what it overlaps has a warning of its own.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}').filter(|name| !name.starts_with('*'))
}
