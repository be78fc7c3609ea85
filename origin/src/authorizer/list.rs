//! The complete list of what a caller may use, as resources: the one result that is right for whatever is asked with the
//! same token.
//!
//! Each resource is a method and a path. A segment that the caller's company or subject fills stands as that value. Any
//! other parameter is a `*`, made exact by denials: a `*` crosses `/`, and an explicit denial wins. That works where no
//! other route lies in what the `*` takes or in what the denials take; a policy where it does not is told so when the
//! function starts, and cannot have results cached by the token.
//!
//! A `*` takes any spelling of an identifier, and so [`NEVER_CANONICAL`] denies whatever would be another path to someone
//! who decodes once more. What is left is one identifier in a spelling that the core would have refused for being two.
//!
//! A path that the core refuses, since an origin may take it for a stricter route's, is not in the list. Where that is so of
//! paths that a `*` takes, no list can be made, but for one case: a last segment that is nothing but a space or an extension.
//! Every last segment that begins with a space or a dot is denied there, which is a little more than the core refuses.
//!
//! Identifiers that hold `*`, `?` or `$` never stand in a resource: who has one is refused there.
//!
//! Not here: who may do what. The core's survey says that.

use std::{collections::HashMap, fmt};

use postern::{
    Policy,
    authorizer::{Companies, Entitlements},
    policy::{BodyRule, CompanyRule, Route},
    target::{CanonicalTarget, encode_segment},
};

use super::{
    arn::{CONNECT, is_plain},
    pattern::{Pattern, Segment},
};

/// What no canonical path holds, and a reader may take for another path: empty segments, segments that end in a dot,
/// `;`, `\`, and the escapes of those, of `/`, `?`, `#` and `%`, and of control characters; the longer forms of them in
/// UTF-8 that is none, and `%u` for an escape. As resources, after the method. A `%` without two digits has no pattern, nor
/// has a bare `?`.
pub const NEVER_CANONICAL: [&str; 38] = [
    "*//*", "*./*", "*.", "*;*", "*\\*", "*#*", "*%2e*", "*%2E*", "*%2f*", "*%2F*", "*%3b*", "*%3B*", "*%3f*", "*%3F*",
    "*%5c*", "*%5C*", "*%23*", "*%25*", "*%0*", "*%1*", "*%7f*", "*%7F*", "*%c2%8*", "*%c2%9*", "*%C2%8*", "*%C2%9*",
    "*%c0*", "*%C0*", "*%c1*", "*%C1*", "*%e0%8*", "*%e0%9*", "*%E0%8*", "*%E0%9*", "*%f0%8*", "*%F0%8*", "*%u*",
    "*%U*",
];

/// Most paths that a list can have: a resource is longer than 40 octets, and a result no longer than
/// [`MAX_RESULT_BYTES`](super::answer::MAX_RESULT_BYTES).
const MAX_PATHS: usize = 200;

/// What a result cached by the token says: both are methods with paths, without the ARN's beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) allow: Vec<String>,
    pub(super) deny: Vec<String>,
    /// Whether some resource takes more than one path.
    pub(super) has_wildcards: bool,
}

/// Why a route cannot stand in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unlistable {
    /// A header field or a query parameter names its company: no resource has those.
    Elsewhere {
        /// The route.
        route: String,
    },
    /// Its literals hold what means something else in a resource.
    Literal {
        /// The route.
        route: String,
    },
    /// There is more of it than any result has room for.
    TooMany,
    /// A parameter that nothing binds takes paths of another route, or its denials do.
    Other {
        /// The route with the parameter.
        route: String,
        /// The route in its way.
        other: String,
    },
}

/// Whom the routes are bound to.
#[derive(Clone, Copy)]
enum Whom<'e> {
    /// Nobody in particular: whether lists can be made at all.
    Anyone,
    /// One caller; for one of these companies, where the route binds one in its path.
    Caller(&'e str, Option<&'e str>),
}

/// A route that the list has, and the paths that the caller may use there.
struct Open<'a> {
    route: &'a Route,
    paths: Vec<Vec<Segment>>,
}

/// One path that stands in the list with a `*`, and takes more than it should.
struct Excess<'a> {
    route: &'a Route,
    method: &'a str,
    /// What to deny, for this method and this caller.
    exact: String,
    /// The same for any method, company and subject: shorter, where it hits nothing that is allowed.
    general: String,
}

impl List {
    /// All that a caller may do.
    pub(super) fn of(policy: &Policy, entitlements: &Entitlements<'_>) -> Result<Self, Unlistable> {
        let mut open = Vec::new();
        for entitlement in entitlements.list().iter().filter(|entitlement| !is_connect(entitlement.route())) {
            let (route, subject) = (entitlement.route(), entitlements.subject());
            let companies: Vec<Option<&str>> = match (entitlement.companies(), route.company()) {
                (Companies::Among(_), CompanyRule::Header(_) | CompanyRule::Query(_)) => {
                    return Err(Unlistable::Elsewhere { route: route.name().to_owned() });
                }
                (Companies::Among(companies), _) => companies.iter().map(|company| Some(company.as_str())).collect(),
                _ => vec![None],
            };
            let paths = companies.into_iter().map(|company| segments(route, Whom::Caller(subject, company)));
            open.push(Open { route, paths: paths.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect() });
        }
        written(policy, &open)
    }

    /// Whether a list can be made for each section's callers, whoever they are.
    pub(super) fn is_possible(policy: &Policy) -> Result<(), Unlistable> {
        for issuer in policy.issuers() {
            let routes = deciding(policy)
                .filter(|route| route.is_public() || policy.issuers_of(route).any(|own| own.name() == issuer.name()));
            let mut open = Vec::new();
            for route in routes {
                if matches!(route.company(), CompanyRule::Header(_) | CompanyRule::Query(_)) {
                    return Err(Unlistable::Elsewhere { route: route.name().to_owned() });
                }
                open.push(Open { route, paths: segments(route, Whom::Anyone)?.into_iter().collect() });
            }
            written(policy, &open)?;
        }
        Ok(())
    }
}

/// The routes that decide requests which have a path, and results that may be cached.
pub(super) fn deciding(policy: &Policy) -> impl Iterator<Item = &Route> {
    policy.routes().iter().filter(|route| !route.is_shadow() && !is_connect(route))
}

/// A WebSocket's: its result is never cached, and stands in no list.
fn is_connect(route: &Route) -> bool {
    route.path().strip_prefix('/') == Some(CONNECT)
}

/// The methods of a route that an authorizer can decide: it never sees a body, and so none whose body is bound.
fn methods<'r>(policy: &Policy, route: &'r Route) -> Vec<&'r str> {
    let mut methods: Vec<&str> = route.methods().iter().map(String::as_str).collect();
    let names_head = |other: &Route| {
        let has_its_paths = covers(&template(other), &template(route)) && covers(&template(route), &template(other));
        has_its_paths && other.methods().iter().any(|method| method == "HEAD")
    };
    if methods.contains(&"GET") && !deciding(policy).any(names_head) {
        methods.push("HEAD");
    }
    methods.retain(|method| is_decided(route, method));
    methods
}

/// Whether an authorizer can decide a request with this method on the route: where a body is bound, only those without.
pub(super) fn is_decided(route: &Route, method: &str) -> bool {
    route.body() == BodyRule::Streamed || matches!(method, "GET" | "HEAD")
}

/// The template's own segments, nothing filled in.
fn template(route: &Route) -> Vec<Segment> {
    let parts = route.path().strip_prefix('/').unwrap_or_default().split('/');
    parts
        .map(|part| match part.strip_prefix('{') {
            Some(name) if name.starts_with('*') => Segment::Rest,
            Some(_) => Segment::Free,
            None => Segment::Literal(part.to_owned()),
        })
        .collect()
}

/// Whether each path of `inner` is one of `outer`.
fn covers(outer: &[Segment], inner: &[Segment]) -> bool {
    let has_rest = |segments: &[Segment]| segments.last() == Some(&Segment::Rest);
    let lengths =
        if has_rest(outer) { inner.len() >= outer.len() } else { !has_rest(inner) && inner.len() == outer.len() };
    lengths
        && outer.iter().zip(inner).all(|(outer, inner)| match (outer, inner) {
            (Segment::Literal(outer), Segment::Literal(inner)) => outer == inner,
            (Segment::Literal(_), _) => false,
            (Segment::Rest, _) => true,
            (_, Segment::Literal(inner)) => !inner.is_empty(),
            (_, inner) => *inner != Segment::Rest,
        })
}

/// The paths of `route` that are `whom`'s; none where an identifier cannot stand in a resource.
fn segments(route: &Route, whom: Whom<'_>) -> Result<Option<Vec<Segment>>, Unlistable> {
    let mut segments = Vec::new();
    let company_parameter = match route.company() {
        CompanyRule::Parameter(name, _) => Some(name.as_str()),
        _ => None,
    };
    for part in route.path().strip_prefix('/').unwrap_or_default().split('/') {
        let parameter = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let is_company = parameter.is_some() && parameter == company_parameter;
        let is_subject = parameter.is_some() && parameter == route.subject_parameter();
        segments.push(match (parameter, whom) {
            (None, _) if is_plain(part) => Segment::Literal(part.to_owned()),
            (None, _) => return Err(Unlistable::Literal { route: route.name().to_owned() }),
            (Some(name), _) if name.starts_with('*') => Segment::Rest,
            (Some(_), Whom::Anyone) if is_company || is_subject => Segment::Bound,
            (Some(_), Whom::Caller(subject, company)) if is_company || is_subject => {
                let company = company.filter(|_| is_company);
                let value = if is_subject { subject } else { company.unwrap_or_default() };
                let agree = !(is_subject && is_company) || company == Some(subject);
                let segment = encode_segment(value);
                // A text that no canonical path can hold is nobody's path, and one that means more is refused.
                let fits = CanonicalTarget::parse(&format!("/{segment}")).is_ok();
                if !agree || value.is_empty() || !fits || !is_plain(value) {
                    return Ok(None);
                }
                Segment::Literal(segment)
            }
            (Some(_), _) => Segment::Free,
        });
    }
    Ok(Some(segments))
}

fn written(policy: &Policy, open: &[Open<'_>]) -> Result<List, Unlistable> {
    // Before any work that grows with it: a result is as long at least.
    if open.iter().map(|open| open.paths.len()).sum::<usize>() > MAX_PATHS {
        return Err(Unlistable::TooMany);
    }
    let mut list = List::default();
    // All that anyone might be allowed on these routes: what a general denial must not hit.
    let mut templates: Vec<Pattern> = Vec::new();
    let mut excesses: Vec<Excess<'_>> = Vec::new();
    let mut allowed: Vec<(&str, Pattern, &Route)> = Vec::new();
    let mut has_closing_slash = false;
    let mut tails: Vec<(&str, String, &Route)> = Vec::new();
    for Open { route, paths } in open {
        let taken_for: Vec<(&Route, bool)> = policy.rivals(route).collect();
        let for_anyone = segments(route, Whom::Anyone)?.unwrap_or_default();
        let (_, general) = Pattern::as_resource(&for_anyone);
        templates.push(Pattern::of_path(&for_anyone));
        for method in methods(policy, route) {
            for path in paths {
                let is_exact = !path.iter().any(|segment| matches!(segment, Segment::Free | Segment::Rest));
                match more_specific(policy, route, method, path) {
                    // That route decides there.
                    Some(_) if is_exact && !path.contains(&Segment::Bound) => continue,
                    Some(other) if !is_exact => return Err(in_the_way(route, other)),
                    _ => {}
                }
                // Nothing can tell a segment's `*` from the rest's.
                if path.contains(&Segment::Rest) && path.contains(&Segment::Free) {
                    return Err(in_the_way(route, route));
                }
                if is_exact && is_refused(policy, route, path) {
                    continue;
                }
                if let Some((rival, needs_tail)) = taken_for.iter().min_by_key(|(_, needs_tail)| *needs_tail)
                    && !is_exact
                {
                    // Nothing can leave out of a `*` what differs from the rival's path in letter case, say.
                    if !needs_tail {
                        return Err(in_the_way(route, rival));
                    }
                    tails.extend(blank_ends(path).into_iter().map(|tail| (method, tail, *route)));
                }
                list.has_wildcards |= !is_exact;
                has_closing_slash |= path.last().is_some_and(Segment::may_be_empty);
                let (resource, excess) = Pattern::as_resource(path);
                for spelling in spellings(&resource) {
                    list.allow.push(format!("{method}{spelling}"));
                }
                let excess = excess.into_iter().zip(general.iter().map(|text| Pattern::generalised(text)));
                excesses.extend(excess.map(|(exact, general)| Excess { route, method, exact, general }));
                allowed.push((method, Pattern::of_path(path), route));
            }
        }
    }
    if list.has_wildcards && !has_closing_slash {
        // Every path that ends before its last parameter, at one stroke.
        list.deny.push("*/".to_owned());
        excesses.retain(|excess| !excess.exact.ends_with('/'));
    }
    let mut judged: HashMap<String, bool> = HashMap::new();
    for Excess { route, method, exact, general } in excesses {
        let hits = judged.entry(general).or_insert_with_key(|general| {
            let any_method = Pattern::of_resource(&format!("*{general}"));
            let hits = templates.iter().any(|template| any_method.meets(template));
            if !hits {
                list.deny.extend(spellings(general).into_iter().map(|spelling| format!("*{spelling}")));
            }
            hits
        });
        if !*hits {
            continue;
        }
        let pattern = Pattern::of_resource(&exact);
        if let Some((_, _, other)) = allowed.iter().find(|(own, path, _)| *own == method && pattern.meets(path)) {
            return Err(in_the_way(route, other));
        }
        list.deny.extend(spellings(&exact).into_iter().map(|spelling| format!("{method}{spelling}")));
    }
    for (method, tail, route) in tails {
        let pattern = Pattern::of_resource(&tail);
        let is_hit = |(own, path, other): &&(&str, Pattern, &Route)| {
            *own == method && other.name() != route.name() && pattern.meets(path)
        };
        if let Some((_, _, other)) = allowed.iter().find(is_hit) {
            return Err(in_the_way(route, other));
        }
        list.deny.push(format!("{method}{tail}"));
    }
    list.deny.sort_unstable();
    list.deny.dedup();
    Ok(list)
}

/// Whether the core refuses this one path, because an origin may take it for another route's.
fn is_refused(policy: &Policy, route: &Route, path: &[Segment]) -> bool {
    let (text, _) = Pattern::as_resource(path);
    // Until the caller is known it is no path.
    CanonicalTarget::parse(&text).is_ok_and(|target| policy.is_ambiguous(route, &target))
}

/// Resources for the paths whose last segment may be nothing but a space or an extension, which an origin may take for
/// the path before it. They hold every segment that begins so: a resource cannot say where such a segment ends.
fn blank_ends(path: &[Segment]) -> Vec<String> {
    let Some((Segment::Free | Segment::Rest, before)) = path.split_last() else { return Vec::new() };
    let (before, _) = Pattern::as_resource(before);
    ["%20*", " *", ".*"].iter().map(|end| format!("{before}/{end}")).collect()
}

/// A route that takes some of these paths away from `route`, for this method.
fn more_specific<'p>(policy: &'p Policy, route: &Route, method: &str, path: &[Segment]) -> Option<&'p Route> {
    let (own, pattern) = (template(route), Pattern::of_path(path));
    deciding(policy).find(|other| {
        let answers = |named: &str| other.methods().iter().any(|own| own == named);
        let template = template(other);
        (answers(method) || (method == "HEAD" && answers("GET")))
            && !covers(&template, &own)
            && Pattern::of_path(&template).meets(&pattern)
    })
}

fn in_the_way(route: &Route, other: &Route) -> Unlistable {
    Unlistable::Other { route: route.name().to_owned(), other: other.name().to_owned() }
}

/// A path as it was sent, and decoded where that differs: nobody says which of the two a request's ARN holds, and either
/// is read as the same path.
fn spellings(resource: &str) -> Vec<String> {
    let mut spellings = vec![resource.to_owned()];
    if resource.contains('%') {
        let sent = CanonicalTarget::parse(resource)
            .map(|target| format!("/{}", target.segments().collect::<Vec<_>>().join("/")));
        spellings.extend(sent.ok());
    }
    spellings
}

impl Unlistable {
    /// A stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Elsewhere { .. } => "unlistable_company_elsewhere",
            Self::Literal { .. } => "unlistable_literal",
            Self::TooMany => "unlistable_too_many",
            Self::Other { .. } => "unlistable_other_route",
        }
    }
}

impl fmt::Display for Unlistable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elsewhere { route } => {
                write!(formatter, "route `{route}` finds its company in a field or the query, which no resource names")
            }
            Self::Literal { route } => {
                write!(formatter, "the path of route `{route}` holds `*`, `?` or `$`, which mean more in a resource")
            }
            Self::TooMany => formatter.write_str("the caller may use more than a result has room for"),
            Self::Other { route, other } if route == other => {
                write!(formatter, "route `{route}` has a rest parameter behind one that nothing binds")
            }
            Self::Other { route, other } => {
                write!(
                    formatter,
                    "route `{route}` has a parameter that nothing binds, and route `{other}` lies in its way"
                )
            }
        }
    }
}

impl std::error::Error for Unlistable {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What anyone may use of these routes, `(methods, path, rules)`.
    fn list(routes: &[(&str, &str, &str)]) -> Result<List, Unlistable> {
        let mut text = "[issuer.i]\nurl = \"https://i.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
                        token_use = \"access\"\npermissions = \"claims\"\n[origin.o]\nurl = \"https://o.example\"\nkey = \"O\"\n"
            .to_owned();
        for (index, (method, path, rules)) in routes.iter().enumerate() {
            text += &format!(
                "[[route]]\nname = \"r{index}\"\nmethods = [\"{method}\"]\npath = \"{path}\"\norigin = \"o\"\n{rules}\n"
            );
        }
        let policy = postern::policy::from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"));
        let mut open = Vec::new();
        for route in policy.routes() {
            open.push(Open { route, paths: segments(route, Whom::Anyone)?.into_iter().collect() });
        }
        written(&policy, &open)
    }

    const STRICT: &str = "issuer = \"i\"\nscopes = [\"s\"]";
    const LOOSE: &str = "issuer = \"i\"";

    #[test]
    fn a_path_that_the_core_refuses_as_ambiguous_is_not_in_a_list() {
        let found = list(&[("GET", "/Admin", LOOSE), ("GET", "/admin", STRICT), ("GET", "/page", LOOSE)]).unwrap();
        assert_eq!(found.allow, ["GET/admin", "HEAD/admin", "GET/page", "HEAD/page"]);
    }

    #[test]
    fn a_wildcard_that_takes_spellings_of_a_stricter_routes_path_cannot_be_listed() {
        for stricter in ["/things/me", "/things/{x}/", "/things/me.json"] {
            let found = list(&[("GET", "/things/{thing}", "public = true"), ("POST", stricter, STRICT)]);
            assert_eq!(found, Err(Unlistable::Other { route: "r0".into(), other: "r1".into() }), "{stricter}");
            assert!(list(&[("GET", "/things/{thing}", LOOSE), ("POST", stricter, LOOSE)]).is_ok(), "{stricter}");
        }
    }

    #[test]
    fn last_segments_that_may_be_nothing_are_denied_next_to_a_stricter_route() {
        let routes = |strict| [("GET", "/orders", strict), ("GET", "/orders/{order}", LOOSE)];
        let found = list(&routes(STRICT)).unwrap();
        for path in ["/orders/%20", "/orders/ ", "/orders/.json", "/orders/%20.x", "/orders/.x%20"] {
            let is_denied =
                |deny: &String| Pattern::of_resource(deny).meets(&Pattern::of_resource(&format!("GET{path}")));
            assert!(found.deny.iter().any(is_denied), "{path}: {:?}", found.deny);
        }
        assert!(!list(&routes(LOOSE)).unwrap().deny.iter().any(|deny| deny.starts_with("GET/orders/.")));
    }
}
