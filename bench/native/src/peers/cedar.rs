//! Cedar on the bench's policy, two ways: as its users have it, with an action for each route that their router has
//! found; and with the paths in its policies, so that it finds the route itself as Postern does.
//!
//! Policies and the caller's entity are made once; the request and its context are made for each request, as they must.

use std::str::FromStr as _;

use anyhow::{Result, anyhow};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use postern::{
    Policy,
    policy::{CompanyRule, Route},
};

use super::jwt;

/// One evaluator with its policies and its one caller.
pub(crate) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    principal: EntityUid,
    resource: EntityUid,
}

impl Cedar {
    /// An action for each route.
    pub(crate) fn with_actions(policy: &Policy) -> Result<Self> {
        let text = |route: &Route| {
            format!(
                "permit(principal, action == Action::\"{}\", resource)\nwhen {{ {} }};\n",
                route.name(),
                conditions(route, "context.company", "context.user")
            )
        };
        Self::new(&policy.routes().iter().map(text).collect::<String>())
    }

    /// An action for each method; paths are conditions.
    pub(crate) fn with_paths(policy: &Policy) -> Result<Self> {
        let text = |route: &Route| {
            let segments: Vec<&str> = route.path().split('/').skip(1).collect();
            let mut path = vec![format!("context.count == {}", segments.len())];
            let place = |name: &str| segments.iter().position(|segment| *segment == name).unwrap_or_default();
            for (index, segment) in segments.iter().enumerate().filter(|(_, segment)| !segment.starts_with('{')) {
                path.push(format!("context.s{index} == \"{segment}\""));
            }
            let (company, user) = (format!("context.s{}", place("{company}")), format!("context.s{}", place("{user}")));
            format!(
                "permit(principal, action == Action::\"{}\", resource)\nwhen {{ {} && {} }};\n",
                route.methods()[0],
                path.join(" && "),
                conditions(route, &company, &user)
            )
        };
        Self::new(&policy.routes().iter().map(text).collect::<String>())
    }

    fn new(policies: &str) -> Result<Self> {
        let principal = uid("Caller", "users:b0a1c2d3")?;
        let text = |value: &str| RestrictedExpression::new_string(value.to_owned());
        let set = |values: &[&str]| RestrictedExpression::new_set(values.iter().map(|value| text(value)));
        let attributes = [
            ("subject", text("b0a1c2d3")),
            ("role", text("Manager")),
            ("companies", set(&["1111", "2222", "3333"])),
            ("scopes", set(&["orders/get.order", "orders/list.orders", "orders/create.order"])),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        let entity = Entity::new(principal.clone(), attributes, [].into())?;
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(policies).map_err(|error| anyhow!("{error}\n{policies}"))?,
            entities: Entities::from_entities([entity], None)?,
            principal,
            resource: uid("Api", "api")?,
        })
    }

    /// Whether the caller may get `target`; its route is found here, by hand.
    pub(crate) fn permits_action(&self, target: &str) -> bool {
        let Some((company, scope, _)) = jwt::rules(target) else { return false };
        let action = if scope == "orders/get.order" { "orders-get" } else { "orders-list" };
        self.permits(action, [("company".to_owned(), RestrictedExpression::new_string(company.to_owned()))])
    }

    /// Whether the caller may get `target`; Cedar finds the route.
    pub(crate) fn permits_path(&self, target: &str) -> bool {
        let segments: Vec<&str> = target.trim_start_matches('/').split('/').collect();
        let count = RestrictedExpression::new_long(segments.len() as i64);
        let texts = segments
            .iter()
            .enumerate()
            .map(|(index, segment)| (format!("s{index}"), RestrictedExpression::new_string((*segment).to_owned())));
        self.permits("GET", std::iter::once(("count".to_owned(), count)).chain(texts))
    }

    fn permits(&self, action: &str, context: impl IntoIterator<Item = (String, RestrictedExpression)>) -> bool {
        let (Ok(context), Ok(action)) = (Context::from_pairs(context), uid("Action", action)) else { return false };
        let request = Request::new(self.principal.clone(), action, self.resource.clone(), context, None);
        let Ok(request) = request else { return false };
        self.authorizer.is_authorized(&request, &self.policies, &self.entities).decision() == Decision::Allow
    }
}

/// What a route asks of a caller, with these expressions for what the request names.
fn conditions(route: &Route, company: &str, user: &str) -> String {
    let set = |names: &[String]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let mut conditions = vec![format!("principal.scopes.containsAll([{}])", set(&route.scopes().all_of))];
    if route.subject_parameter().is_some() {
        conditions.push(format!("principal.subject == {user}"));
    }
    if let CompanyRule::Parameter(..) = route.company() {
        conditions.push(format!("principal.companies.contains({company})"));
        conditions.push(format!("[{}].contains(principal.role)", set(route.roles())));
    }
    conditions.join(" && ")
}

fn uid(kind: &str, name: &str) -> Result<EntityUid> {
    Ok(EntityUid::from_type_name_and_id(EntityTypeName::from_str(kind)?, EntityId::new(name)))
}
