//! Parameters of paths that a rule binds in one policy only.
//!
//! [`super::access`] reports who gains access. This module reports which parameter has no rule any more, also if another
//! parameter is bound instead.

use postern::Policy;

/// A parameter of a route that a rule binds in one of the policies only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Freed {
    pub(super) route: String,
    pub(super) parameter: String,
    /// Whether it becomes unbound: the new policy is looser there. Otherwise the new one binds it, and is stricter.
    pub(super) is_looser: bool,
}

/// Every parameter that becomes unbound or bound, in the order of the new policy.
pub(super) fn changes([old, new]: [&Policy; 2]) -> Vec<Freed> {
    let mut found = Vec::new();
    for route in new.routes() {
        let before = old.routes().iter().find(|before| before.name() == route.name());
        for name in route.parameters() {
            let was_bound =
                before.filter(|before| before.parameters().any(|own| own == name)).map(|own| own.binds(name));
            let is_named = route.free_parameters().iter().any(|free| free.name == name);
            let is_looser = match (was_bound, route.binds(name)) {
                (Some(true), false) => true,
                (Some(false), true) => false,
                // A new parameter is reported if it names a company or a user.
                (None, false) if is_named => true,
                _ => continue,
            };
            found.push(Freed { route: route.name().to_owned(), parameter: name.to_owned(), is_looser });
        }
    }
    found
}
