//! Every parameter that names a company or a user needs a rule, and not only `{company}`, `{user}` and `{subject}`.

use postern::policy::Party;
use serde_json::Value;

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written, written::Table};

/// What earlier versions asked for a rule too.
const KNOWN_BEFORE: [&str; 3] = ["company", "user", "subject"];

pub(super) const CHANGE: Change = Change {
    code: "tenant_names",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a policy does not build if the path of a route has a parameter that names a company or a user (`{tenant}`, \
              `{orgId}`, `{customer}`, `{member}` and more) and the route neither binds it nor says `\"any\"` or `unbound`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[[route]]\npath = \"/v1/tenants/{tenant}/invoices/{invoice}\"\n\
                    [[route]]\npath = \"/companies/{company}/customers/{customer}\"\ncompany = \"{company}\"\n\
                    [[route]]\npath = \"/members/{member_id}\"\ncompany = \"any\"\n\
                    [[route]]\npath = \"/{org}/{*account}\"\npublic = true\n",
        pointers: &["route[0].path", "route[1].path", "route[2].path", "route[3].path", "route[3].path"],
        unconcerned: "[[route]]\npath = \"/v1/tenants/{tenant}\"\ncompany = \"{tenant}\"\n\
                      [[route]]\npath = \"/v1/{org}/{account}/x\"\ncompany = \"any\"\n\
                      [[route]]\npath = \"/members/{member}\"\nsubject = \"any\"\n\
                      [[route]]\npath = \"/members/{member}/photo\"\npublic = true\n\
                      [[route]]\npath = \"/c/{company}/{customer}\"\ncompany = \"{company}\"\nunbound = [\"customer\"]\n\
                      [[route]]\npath = \"/companies/{company}/users/{user}\"\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    written.routes().iter().flat_map(|route| unbound(route).into_iter().map(|unbound| unbound.place(route))).collect()
}

/// A parameter that nothing is said of.
struct Unbound<'a> {
    name: &'a str,
    party: Party,
    /// Whether `company` or `subject` could bind it: not on a public route, and not several segments.
    can_be_bound: bool,
}

fn unbound<'a>(route: &Table<'a>) -> Vec<Unbound<'a>> {
    let rules = ["company", "subject"].map(|rule| route.text(rule));
    let is_bound = |name: &str| rules.iter().flatten().any(|rule| *rule == format!("{{{name}}}"));
    let listed = route.get("unbound").and_then(Value::as_array);
    let is_listed = |name: &str| listed.is_some_and(|listed| listed.iter().any(|own| own == name));
    let is_public = route.get("public") == Some(&Value::Bool(true));
    let is_freed = |party: Party| route.text(party.rule()) == Some("any") || (party == Party::Subject && is_public);
    let named = |segment: &'a str| {
        let segment = segment.strip_prefix('{')?.strip_suffix('}')?;
        let name = segment.trim_start_matches('*');
        Some(Unbound { name, party: Party::usual(name)?, can_be_bound: !is_public && name == segment })
    };
    let segments = route.text("path").unwrap_or_default().split('/');
    let is_unbound = |own: &Unbound<'_>| {
        !KNOWN_BEFORE.contains(&own.name) && !is_bound(own.name) && !is_listed(own.name) && !is_freed(own.party)
    };
    segments.filter_map(named).filter(is_unbound).collect()
}

impl Unbound<'_> {
    fn place(&self, route: &Table<'_>) -> Place {
        let (name, rule) = (self.name, self.party.rule());
        let mut words = Vec::new();
        if self.can_be_bound {
            words.push(format!("`{rule} = \"{{{name}}}\"` to bind it to the caller"));
        }
        if ["company", "subject"].iter().any(|rule| route.get(rule).is_some_and(|rule| rule != "any")) {
            words.push(format!(
                "`unbound = [\"{name}\"]` if it names a resource of the company or the user that the route binds"
            ));
        }
        words.push(format!("`{rule} = \"any\"` if it may name any"));
        Place {
            pointer: route.at("path"),
            old: format!("`{{{name}}}` needs no rule"),
            new: format!("the route does not build, because `{{{name}}}` names a {}", self.party.noun()),
            help: format!("write {}", words.join(", or ")),
        }
    }
}
