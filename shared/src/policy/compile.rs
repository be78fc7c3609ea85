//! From what the file says to a [`Policy`], or to everything that is wrong with it.
//!
//! All faults are gathered before any is reported, so that an author mends them in one round.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};
use core::{fmt::Write as _, time::Duration};

use sha2::{Digest, Sha256};

use super::{
    Origin, Policy, PolicyError, PolicyErrors, PolicyFault, Route, cors, duration,
    file::{PolicyFile, RouteFile},
    issuer,
    table::RouteTable,
    template::Template,
    test,
    url::{self, Profile},
};

/// Longest a permissions record may decide: the original's five minutes, which nobody should exceed.
const MAX_PERMISSIONS_AGE: Duration = Duration::from_secs(300);

pub(super) fn from_json(json: &str) -> Result<Policy, PolicyErrors> {
    let file = serde_json::from_str(json).map_err(|error| {
        let fault = PolicyFault::Syntax(format!("{error}"));
        PolicyErrors([PolicyError { pointer: String::new(), span: None, fault }].into())
    })?;
    compile(&file)
}

pub(super) fn compile(file: &PolicyFile) -> Result<Policy, PolicyErrors> {
    let mut faults = Faults::default();
    let profile = if file.development { Profile::Development } else { Profile::Deployed };
    if file.issuers.is_empty() {
        faults.add("issuer", PolicyFault::Empty("issuer"));
    }
    if file.routes.is_empty() {
        faults.add("route", PolicyFault::Empty("route"));
    }
    if !is_name(&file.edge) {
        faults.add("edge", PolicyFault::RuleForm("edge", file.edge.clone()));
    }
    let issuers = issuer::compile(file, profile, &mut faults);
    let origins = origins(file, profile, &mut faults);
    let permissions = permissions_origin(file, &mut faults);
    let cors = file.cors.as_ref().map(|cors| cors::compile(cors, profile, &mut faults));
    let routes = routes(file, &mut faults);
    let tests = test::compile(file, &mut faults);
    if !faults.0.is_empty() {
        return Err(PolicyErrors(faults.0));
    }
    let mut table = RouteTable::default();
    for (index, route) in routes.iter().enumerate() {
        table.insert(&route.template, &route.methods, index);
    }
    // The types of the file serialise whatever they hold: strings, lists, maps with string keys.
    let json = serde_json::to_string(file).unwrap_or_default();
    Ok(Policy {
        edge: file.edge.clone(),
        issuers,
        origins,
        permissions,
        cors,
        routes,
        table,
        tests,
        development: file.development,
        version: version(&json),
        json,
    })
}

fn version(json: &str) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(json.as_bytes()).iter().take(8) {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Faults found so far.
#[derive(Default)]
pub(super) struct Faults(Vec<PolicyError>);

impl Faults {
    pub(super) fn add(&mut self, pointer: impl Into<String>, fault: PolicyFault) {
        self.0.push(PolicyError { pointer: pointer.into(), span: None, fault });
    }

    /// The duration that `text` says; a fault when it says none, or one over `max`.
    pub(super) fn duration(&mut self, pointer: String, text: Option<&String>, max: Duration) -> Option<Duration> {
        let text = text?;
        match duration::parse(text) {
            Some(duration) if duration <= max => return Some(duration),
            Some(_) => self.add(pointer, PolicyFault::TooLong(text.clone(), max)),
            None => self.add(pointer, PolicyFault::Duration(text.clone())),
        }
        None
    }

    /// The place of `name` among `known`; a fault with the nearest known name when it is not there.
    pub(super) fn place<'a>(
        &mut self,
        pointer: &str,
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'a String> + Clone,
    ) -> usize {
        known.clone().position(|other| other == name).unwrap_or_else(|| {
            let near = known.min_by_key(|other| distance(name, other)).filter(|other| distance(name, other) <= 3);
            self.add(pointer, PolicyFault::UnknownName(kind, name.to_owned(), near.cloned()));
            0
        })
    }
}

/// Levenshtein distance, for suggestions.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.chars().zip(row.iter_mut().skip(1)) {
            let substituted = diagonal.saturating_add(usize::from(x != y));
            diagonal = *cell;
            *cell = substituted.min(left.saturating_add(1)).min(cell.saturating_add(1));
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Names that go into assertions, logs and headers as they are.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn origins(file: &PolicyFile, profile: Profile, faults: &mut Faults) -> Vec<Origin> {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    let mut compiled = Vec::new();
    for (name, origin) in &file.origins {
        let at = format!("origin.{name}");
        if !is_name(name) {
            faults.add(at.as_str(), PolicyFault::RuleForm("name", name.clone()));
        }
        if !url::is_allowed(&origin.url, profile, true) {
            faults.add(format!("{at}.url"), PolicyFault::Url(origin.url.clone()));
        }
        let binding = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if origin.key.is_empty() || !origin.key.bytes().all(binding) {
            faults.add(format!("{at}.key"), PolicyFault::KeyName(origin.key.clone()));
        }
        if let Some(other) = keys.insert(&origin.key, name) {
            faults.add(format!("{at}.key"), PolicyFault::SharedKey(other.to_owned()));
        }
        compiled.push(Origin { name: name.clone(), url: origin.url.clone(), key: origin.key.clone() });
    }
    compiled
}

fn permissions_origin(file: &PolicyFile, faults: &mut Faults) -> Option<usize> {
    let permissions = file.permissions.as_ref()?;
    Some(faults.place("permissions.origin", "origin", &permissions.origin, file.origins.keys()))
}

fn routes(file: &PolicyFile, faults: &mut Faults) -> Vec<Route> {
    let compiled: Vec<Route> = file
        .routes
        .iter()
        .enumerate()
        .map(|(index, route)| one_route(&format!("route[{index}]"), route, file, faults))
        .collect();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, route) in compiled.iter().enumerate() {
        if names.insert(&route.name, index).is_some() {
            faults.add(format!("route[{index}].name"), PolicyFault::DuplicateName("route", route.name.clone()));
        }
        for other in compiled.iter().take(index) {
            let ordered = route.template.is_more_specific_than(&other.template)
                || other.template.is_more_specific_than(&route.template);
            if share_method(route, other) && route.template.overlaps(&other.template) && !ordered {
                faults.add(format!("route[{index}].path"), PolicyFault::Ambiguous(other.name.clone()));
            }
        }
    }
    compiled
}

/// Whether there is a method that both answer. HEAD follows GET, unless the very same paths have a route for it.
fn share_method(route: &Route, other: &Route) -> bool {
    let has = |route: &Route, method: &str| route.methods.iter().any(|own| own == method);
    let follows = |get: &Route, head: &Route| has(get, "GET") && has(head, "HEAD");
    route.methods.iter().any(|method| has(other, method))
        || (!route.template.has_the_paths_of(&other.template) && (follows(route, other) || follows(other, route)))
}

fn one_route(at: &str, route: &RouteFile, file: &PolicyFile, faults: &mut Faults) -> Route {
    let sub = |member: &str| format!("{at}.{member}");
    if !is_name(&route.name) {
        faults.add(sub("name"), PolicyFault::RuleForm("name", route.name.clone()));
    }
    if route.methods.is_empty() {
        faults.add(sub("methods"), PolicyFault::Empty("method"));
    }
    for (index, method) in route.methods.iter().enumerate() {
        let upper = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if !upper || method == "CONNECT" || method == "TRACE" {
            faults.add(format!("{at}.methods[{index}]"), PolicyFault::Method(method.clone()));
        }
    }
    let template = Template::parse(&route.path).unwrap_or_else(|| {
        faults.add(sub("path"), PolicyFault::Path(route.path.clone()));
        Template::root()
    });
    let issuers: Vec<usize> = route
        .issuer
        .iter()
        .flat_map(|issuer| issuer.names())
        .map(|name| faults.place(&sub("issuer"), "issuer", name, file.issuers.keys()))
        .collect();
    for (index, role) in route.roles.iter().enumerate() {
        faults.place(&format!("{at}.roles[{index}]"), "role", role, file.roles.iter());
    }
    let subject = rule_position(&sub("subject"), "subject", route.subject.as_deref(), &template, faults);
    let company = rule_position(&sub("company"), "company", route.company.as_deref(), &template, faults);
    check_rules(at, route, file, &template, faults);
    Route {
        name: route.name.clone(),
        methods: route.methods.clone(),
        path: route.path.clone(),
        origin: faults.place(&sub("origin"), "origin", &route.origin, file.origins.keys()),
        issuers,
        subject,
        company,
        roles: route.roles.clone(),
        scopes: route.scopes.clone(),
        permissions_max_age: faults
            .duration(sub("permissions_max_age"), route.permissions_max_age.as_ref(), MAX_PERMISSIONS_AGE)
            .unwrap_or_default(),
        template,
    }
}

/// `{name}` as the place of that parameter; `any` and absence as `None`.
fn rule_position(
    pointer: &str,
    rule: &'static str,
    text: Option<&str>,
    template: &Template,
    faults: &mut Faults,
) -> Option<usize> {
    let text = text.filter(|text| *text != "any")?;
    let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        faults.add(pointer, PolicyFault::RuleForm(rule, text.to_owned()));
        return None;
    };
    let position = template.position(name);
    if position.is_none() {
        faults.add(pointer, PolicyFault::UndefinedParameter(name.to_owned()));
    }
    position
}

/// What the rules of one route must be to one another.
fn check_rules(at: &str, route: &RouteFile, file: &PolicyFile, template: &Template, faults: &mut Faults) {
    if route.public {
        let rules = [
            ("issuer", route.issuer.is_some()),
            ("subject", route.subject.as_deref().is_some_and(|rule| rule != "any")),
            ("company", route.company.as_deref().is_some_and(|rule| rule != "any")),
            ("roles", !route.roles.is_empty()),
            ("scopes", !route.scopes.is_empty()),
        ];
        for (rule, _) in rules.iter().filter(|(_, present)| *present) {
            faults.add(format!("{at}.{rule}"), PolicyFault::PublicWithRule(rule));
        }
    } else if route.issuer.as_ref().is_none_or(|issuer| issuer.names().is_empty()) {
        faults.add(at, PolicyFault::NoIssuer);
    }
    if template.position("company").is_some() && route.company.is_none() {
        faults.add(at, PolicyFault::UnboundCompany);
    }
    let binds_company = route.company.as_deref().is_some_and(|rule| rule != "any");
    if !route.roles.is_empty() && !binds_company {
        faults.add(format!("{at}.roles"), PolicyFault::RolesWithoutCompany);
    }
    let sections = || {
        let names = route.issuer.iter().flat_map(|issuer| issuer.names());
        names.filter_map(|name| file.issuers.get_key_value(name))
    };
    if let Some((name, _)) = sections().find(|(_, issuer)| !route.roles.is_empty() && issuer.permissions == "subject") {
        faults.add(format!("{at}.roles"), PolicyFault::RolesUnobtainable(name.clone()));
    }
    let uses_service = binds_company && sections().any(|(_, issuer)| issuer.permissions == "service");
    if route.permissions_max_age.is_some() && !uses_service {
        faults.add(format!("{at}.permissions_max_age"), PolicyFault::MaxAgeUnused);
    }
}
