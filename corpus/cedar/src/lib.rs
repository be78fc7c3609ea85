//! The same routes as Cedar policies: another mind's language and evaluator, to be of one opinion with.
//!
//! Each route is a `permit` over what is so of the caller and of the path; that a narrower route takes a request from a
//! wider one is its `unless`. Cedar sees no token: which claims hold is told by whoever made it.
//!
//! A package of its own, tested by itself: Cedar's features of `serde_json` would else be those of the whole workspace,
//! and every JSON text that is written in a test would have its members in another order than what ships.

use std::str::FromStr as _;

use cedar_policy::{Context, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, RestrictedExpression};
use postern_corpus::{
    case::Request,
    model::routes::is_within,
    random::{Caller, Place, RandomPolicy, RandomRoute},
};

/// `when` conditions that say that a path is one of the template's.
fn path_condition(route: &RandomRoute) -> String {
    let count = route.path.len();
    let is_rest = route.path.last() == Some(&"{*rest}");
    let mut conditions = vec![format!("context.count {} {count}", if is_rest { ">=" } else { "==" })];
    // A rest may be one empty segment, and no path has an empty one before its last.
    for (place, piece) in route.path.iter().enumerate().filter(|(_, piece)| **piece != "{*rest}") {
        conditions.push(match piece.starts_with('{') {
            true => format!("context.s{place} != \"\""),
            false => format!("context.s{place} == \"{piece}\""),
        });
    }
    conditions.join(" && ")
}

fn place_of(route: &RandomRoute, parameter: &str) -> String {
    let place = route.path.iter().position(|piece| *piece == parameter).expect("the template has it");
    format!("context.s{place}")
}

fn set(names: &[&str]) -> String {
    format!("[{}]", names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "))
}

/// What the route asks of its caller.
fn caller_conditions(route: &RandomRoute) -> Vec<String> {
    if route.issuers.is_empty() {
        return Vec::new();
    }
    let mut conditions = vec![format!("{}.contains(principal.section)", set(&route.issuers))];
    if !route.all_of.is_empty() {
        conditions.push(format!("principal.scopes.containsAll({})", set(&route.all_of)));
    }
    if !route.any_of.is_empty() {
        conditions.push(format!("principal.scopes.containsAny({})", set(&route.any_of)));
    }
    if route.tier {
        conditions.push("principal.tier".to_owned());
    }
    if route.subject {
        conditions.push(format!("principal.subject == {}", place_of(route, "{user}")));
    }
    let company = match route.company {
        Place::Path => place_of(route, "{company}"),
        Place::Subject => "principal.subject".to_owned(),
        Place::Nowhere | Place::Any => return conditions,
        Place::Header | Place::Query => unreachable!("not in this language"),
    };
    conditions.push(format!("principal.companies.contains({company})"));
    if !route.roles.is_empty() {
        let held: Vec<String> = route
            .roles
            .iter()
            .map(|role| format!("principal.held.contains({{company: {company}, role: \"{role}\"}})"))
            .collect();
        conditions.push(format!("({})", held.join(" || ")));
    }
    conditions
}

/// The policy's routes, each a `permit` for each of its methods.
///
/// # Panics
/// When Cedar does not take them.
#[must_use]
pub fn translate(policy: &RandomPolicy) -> PolicySet {
    let mut text = String::new();
    for route in &policy.routes {
        for method in &route.methods {
            let actions = if *method == "GET" {
                "[Action::\"GET\", Action::\"HEAD\"]".to_owned()
            } else {
                format!("[Action::\"{method}\"]")
            };
            let mut when = vec![path_condition(route)];
            when.extend(caller_conditions(route));
            let narrower: Vec<String> = policy
                .routes
                .iter()
                .filter(|other| other.name != route.name && other.methods.contains(method))
                .filter(|other| is_within(&other.template(), &route.template()))
                .map(|other| format!("({})", path_condition(other)))
                .collect();
            text += &format!("permit(principal, action in {actions}, resource)\nwhen {{ {} }}", when.join(" && "));
            if !narrower.is_empty() {
                text += &format!("\nunless {{ {} }}", narrower.join(" || "));
            }
            text += ";\n";
        }
    }
    PolicySet::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn uid(kind: &str, name: &str) -> EntityUid {
    let kind = EntityTypeName::from_str(kind).expect("a type's name");
    EntityUid::from_type_name_and_id(kind, EntityId::new(name))
}

fn texts<'t>(of: impl Iterator<Item = &'t str>) -> RestrictedExpression {
    RestrictedExpression::new_set(of.map(|text| RestrictedExpression::new_string(text.to_owned())))
}

/// The caller with what is so of it; nobody has nothing.
///
/// # Panics
/// Never: names and values are of the forms that Cedar has.
#[must_use]
pub fn principal(caller: Option<&Caller>) -> Entity {
    let nobody = Caller {
        section: "",
        subject: String::new(),
        scopes: vec![],
        companies: vec![],
        tier: false,
        compact: String::new(),
    };
    let caller = caller.unwrap_or(&nobody);
    let held = caller.companies.iter().flat_map(|(company, roles)| roles.iter().map(move |role| (company, role)));
    let held = held.map(|(company, role)| {
        let member = |name: &str, value: &str| (name.to_owned(), RestrictedExpression::new_string(value.to_owned()));
        RestrictedExpression::new_record([member("company", company), member("role", role)]).expect("two members")
    });
    let attributes = [
        ("section", RestrictedExpression::new_string(caller.section.to_owned())),
        ("subject", RestrictedExpression::new_string(caller.subject.clone())),
        ("scopes", texts(caller.scopes.iter().copied())),
        ("companies", texts(caller.companies.iter().map(|(company, _)| company.as_str()))),
        ("held", RestrictedExpression::new_set(held)),
        ("tier", RestrictedExpression::new_bool(caller.tier)),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    Entity::new(uid("Caller", &format!("{}:{}", caller.section, caller.subject)), attributes, [].into())
        .expect("an entity")
}

/// Method and path, cut at its slashes.
///
/// # Panics
/// Never: names and values are of the forms that Cedar has.
#[must_use]
pub fn asked(request: &Request, principal: &Entity) -> cedar_policy::Request {
    let path = request.target.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let mut members = vec![("count".to_owned(), RestrictedExpression::new_long(segments.len() as i64))];
    for (place, segment) in segments.iter().enumerate() {
        members.push((format!("s{place}"), RestrictedExpression::new_string((*segment).to_owned())));
    }
    let context = Context::from_pairs(members).expect("a context");
    let action = uid("Action", &request.method);
    cedar_policy::Request::new(principal.uid(), action, uid("Api", "api"), context, None).expect("a request")
}
