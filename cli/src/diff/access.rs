//! What callers gain and lose, cell by cell.
//!
//! A cell is a class of paths, a method, and whose callers. In each, either policy has at most one route, whose rules are
//! clauses. Somebody gains when some clause of the old route can fail while all of the new route hold; so each clause is
//! asked for by itself, and nothing is sampled. Each difference is replayed: what both policies really decide must show
//! it, and where it does not, this command is wrong and says so.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use postern::{Decision, Policy, policy::Route};

use super::{
    clauses::{self, Atom, Clause},
    paths::{self, PathClass},
    replay::{Replay, Witness, is_read_otherwise},
    sections::{self, Common},
    solve::solve,
};

/// A method that no policy has, for rules about all others.
const NOBODYS: &str = "POSTERN-DIFF";

/// Whose callers a cell is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Callers {
    /// Anyone, without a token.
    Anyone,
    /// Those with tokens of this section.
    Of(String),
}

/// Who gains or loses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) callers: Callers,
    pub(super) is_gain: bool,
    /// Of which of them, as the end of a sentence; of all where it is empty.
    pub(super) which: String,
    /// The clause of the route that denies which does not hold for them; none where that policy lets none of them in.
    clause: Option<Clause>,
}

/// A gain or a loss.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) who: Who,
    pub(super) methods: Vec<String>,
    /// The deciding routes.
    pub(super) routes: [Option<String>; 2],
    /// The path template of the route that permits.
    pub(super) path: String,
    pub(super) witness: Witness,
    /// Whether both policies were seen to decide so. Only a rule about a claim that Postern reads itself may not be, and
    /// what a limit is too small for.
    pub(super) is_replayed: bool,
}

/// What a route that is not public asks of a section's callers.
enum Asked {
    /// None of them may.
    Nobody,
    /// Those for whom all of these hold may.
    All(Vec<Clause>),
}

/// One cell but for its callers.
struct Cell<'a> {
    class: &'a PathClass,
    method: &'a str,
    routes: &'a [Option<String>; 2],
}

/// Every gain and loss.
pub(super) fn differences(policies: [&Policy; 2]) -> anyhow::Result<Vec<Difference>> {
    let mut comparison = Comparison { replay: Replay::new(policies)?, policies, found: Vec::new() };
    let mut methods: BTreeSet<&str> = ["HEAD", NOBODYS].into();
    methods.extend(policies.iter().flat_map(|policy| policy.routes()).flat_map(Route::methods).map(String::as_str));
    for class in paths::classes(policies)? {
        let target = paths::target(&class, &BTreeMap::new());
        for method in &methods {
            let routes = comparison.replay.deciding(method, &target);
            if routes != [None, None] {
                comparison.cell(&Cell { class: &class, method, routes: &routes })?;
            }
        }
    }
    // As the routes stand in their files, not as paths were walked.
    let place = |difference: &Difference| {
        let index = |side: usize| {
            let name = difference.routes[side].as_deref()?;
            policies[side].routes().iter().position(|route| route.name() == name)
        };
        (index(1).or(index(0)), index(0))
    };
    comparison.found.sort_by_key(place);
    Ok(comparison.found)
}

/// Whether a limit of one of the policies is smaller than any token or target that shows the difference.
fn is_too_large(witness: &Witness) -> bool {
    witness.decisions.iter().any(|decision| {
        let reason = match decision {
            Decision::Deny(denial) => denial.reason().code(),
            _ => return false,
        };
        ["token_too_large", "target_too_long"].contains(&reason)
    })
}

fn route_of<'p>(policy: &'p Policy, name: &str) -> Option<&'p Route> {
    policy.routes().iter().find(|route| route.name() == name)
}

struct Comparison<'p> {
    replay: Replay,
    policies: [&'p Policy; 2],
    found: Vec<Difference>,
}

impl<'p> Comparison<'p> {
    fn cell(&mut self, cell: &Cell<'_>) -> anyhow::Result<()> {
        let routes = [0, 1].map(|index| route_of(self.policies[index], cell.routes[index].as_deref()?));
        let are_public = routes.map(|route| route.is_some_and(Route::is_public));
        if are_public == [true, true] {
            return Ok(());
        }
        if are_public != [false, false] {
            let which = String::new();
            let who = Who { callers: Callers::Anyone, is_gain: are_public[1], which, clause: None };
            if !self.knows(cell, &who) {
                let witness = self.replay.anonymous(cell.method, cell.class)?;
                self.add(cell, who, witness, false)?;
            }
            return Ok(());
        }
        for name in self.sections(routes) {
            // Of tokens that only one policy knows, or that both read differently, the change of their section tells.
            let Some(common) = sections::pair(self.policies, &name).and_then(Common::of) else { continue };
            let asked = [0, 1].map(|index| self.asked(index, routes[index], &name));
            for is_gain in [true, false] {
                self.direction(cell, &common, &asked, is_gain)?;
            }
        }
        Ok(())
    }

    /// The sections whose callers either route is for.
    fn sections(&self, routes: [Option<&'p Route>; 2]) -> BTreeSet<String> {
        let of = |index: usize| {
            let issuers = routes[index].into_iter().flat_map(move |route| self.policies[index].issuers_of(route));
            issuers.map(|issuer| issuer.name().to_owned())
        };
        of(0).chain(of(1)).collect()
    }

    fn asked(&self, index: usize, route: Option<&Route>, section: &str) -> Asked {
        let Some(route) = route else { return Asked::Nobody };
        match self.policies[index].issuers_of(route).find(|issuer| issuer.name() == section) {
            Some(issuer) => Asked::All(clauses::of_route(route, issuer)),
            None => Asked::Nobody,
        }
    }

    fn direction(
        &mut self,
        cell: &Cell<'_>,
        common: &Common<'_>,
        asked: &[Asked; 2],
        is_gain: bool,
    ) -> anyhow::Result<()> {
        let [old, new] = asked;
        let (denying, permitting) = if is_gain { (old, new) } else { (new, old) };
        let Asked::All(needed) = permitting else { return Ok(()) };
        // What a token must have to be of the section at all is no difference between the routes.
        let premises = [clauses::of_issuer(common.old), clauses::of_issuer(common.new)].concat();
        let needed: Vec<Clause> = needed.iter().cloned().chain(premises).collect();
        let (others, unmet): (&[Clause], Vec<Option<&Clause>>) = match denying {
            Asked::Nobody => (&[], vec![None]),
            Asked::All(clauses) => (clauses, clauses.iter().map(Some).collect()),
        };
        let is_special = |clause: &Clause| {
            clause.iter().any(|atom| matches!(atom, Atom::Claim(name, _) if is_read_otherwise(common, name)))
        };
        let is_special = needed.iter().chain(others).any(is_special);
        for unmet in unmet {
            let path = self.path(cell, usize::from(!is_gain));
            let which = unmet.map(|clause| clauses::without(clause, &path)).unwrap_or_default();
            let callers = Callers::Of(common.old.name().to_owned());
            let who = Who { callers, is_gain, which, clause: unmet.cloned() };
            if self.knows(cell, &who) {
                continue;
            }
            let unmet = unmet.map(Vec::as_slice).unwrap_or_default();
            let Some(answer) = solve(cell.class, &needed, others, unmet) else { continue };
            let witness = self.replay.caller(cell.method, cell.class, common, &answer)?;
            self.add(cell, who, witness, is_special)?;
        }
        Ok(())
    }

    /// The path template of the route that one of the policies has in the cell.
    fn path(&self, cell: &Cell<'_>, index: usize) -> String {
        let route = cell.routes[index].as_deref().and_then(|name| route_of(self.policies[index], name));
        route.map(|route| route.path().to_owned()).unwrap_or_default()
    }

    /// Whether the difference is told already; it may be for one more method.
    fn knows(&mut self, cell: &Cell<'_>, who: &Who) -> bool {
        let same = |known: &&mut Difference| known.routes == *cell.routes && known.who == *who;
        let Some(known) = self.found.iter_mut().find(same) else { return false };
        if !known.methods.iter().any(|own| own == cell.method) {
            known.methods.push(cell.method.to_owned());
        }
        true
    }

    fn add(&mut self, cell: &Cell<'_>, who: Who, witness: Witness, is_special: bool) -> anyhow::Result<()> {
        let permits = witness.decisions.each_ref().map(|decision| matches!(decision, Decision::Permit(_)));
        let is_replayed = permits == [!who.is_gain, who.is_gain];
        if !is_replayed && !is_special && !is_too_large(&witness) {
            bail!(
                "this is a fault of `postern diff`: {} {} should be decided differently, and is not",
                witness.method,
                witness.target
            );
        }
        let path = self.path(cell, usize::from(who.is_gain));
        self.found.push(Difference {
            who,
            methods: vec![cell.method.to_owned()],
            routes: cell.routes.clone(),
            path,
            witness,
            is_replayed,
        });
        Ok(())
    }
}
