//! From what the file says to a [`Policy`], or to everything that is wrong with it.
//!
//! All faults are gathered before any is reported, so that an author mends them in one round.

use alloc::{borrow::ToOwned, format, string::String, sync::Arc, vec::Vec};
use core::{fmt::Write as _, time::Duration};

use sha2::{Digest, Sha256};

use crate::{claims::ClaimPath, purpose::Purpose};

use super::{
    Limits, Policy, PolicyError, PolicyErrors, PolicyFault, Route, cloudfront, compile_route, cors,
    determinise::{self, MAX_PLACES},
    duration, edge, field,
    file::PolicyFile,
    issuer, origin, settings,
    spelling::Spellings,
    table::RouteTable,
    url::Profile,
    vary,
};

pub(super) fn from_json(json: &str) -> Result<Policy, PolicyErrors> {
    let file = serde_json::from_str(json).map_err(|error| {
        let fault = PolicyFault::Syntax(format!("{error}"));
        PolicyErrors([PolicyError { pointer: String::new(), span: None, fault }].into())
    })?;
    compile(&file, json.to_owned())
}

/// `json` is the file as JSON: what a build embeds, and what the version is the hash of.
pub(super) fn compile(file: &PolicyFile, json: String) -> Result<Policy, PolicyErrors> {
    let mut faults = Faults::default();
    let profile = if file.development { Profile::Development } else { Profile::Deployed };
    if file.issuers.is_empty() {
        faults.add("issuer", PolicyFault::Empty("issuer"));
    }
    // A GraphQL API has fields, and need not have routes.
    if file.routes.is_empty() && file.fields.is_empty() {
        faults.add("route", PolicyFault::Empty("route"));
    }
    let edge = edge::compile(&file.edge, profile, &mut faults);
    let mut issuers = issuer::compile(file, profile, &mut faults);
    let origins = origin::compile(file, profile, &mut faults);
    let permissions = permissions_origin(file, &mut faults);
    let cloudfront = file.cloudfront.as_ref().and_then(|said| cloudfront::compile(said, profile, &mut faults));
    let cors = file.cors.as_ref().map(|cors| cors::compile(cors, profile, &mut faults));
    let limits = settings::limits(file.limits.as_ref(), &mut faults);
    let log = settings::log(file.log.as_ref(), &mut faults);
    let mut routes = compile_route::routes(file, &mut faults);
    let fields = field::fields(file, &mut faults);
    #[cfg(feature = "toml")]
    let tests = super::test::compile(file, &mut faults);
    if let Some(key) = file.log.as_ref().and_then(|log| log.subject_key.as_ref())
        && let Some((name, _)) = file.origins.iter().find(|(_, origin)| origin.key.as_ref() == Some(key))
    {
        faults.add("log.subject_key", PolicyFault::SubjectKeyShared(name.clone()));
    }
    // What means nothing harms nobody who decides; its author is told, once, where the file is read.
    #[cfg(feature = "toml")]
    super::unused::all(file, &routes, &fields, &mut faults);
    let tables = tables(&routes, &limits, &mut faults);
    let Some((table, shadow_table)) = tables.filter(|_| faults.0.is_empty()) else {
        return Err(PolicyErrors(faults.0));
    };
    let Ok(spellings) = Spellings::of(&routes, &issuers, &origins) else {
        faults.add("route", PolicyFault::RoutesTooEntangled(MAX_PLACES));
        return Err(PolicyErrors(faults.0));
    };
    for (index, issuer) in issuers.iter_mut().enumerate() {
        for route in routes.iter().filter(|route| route.issuers.contains(&index)) {
            // What only a shadow route looks at is not handed on by an authorizer either: it could make the caller too large.
            let purposes: &[Purpose] = if route.is_shadow { &[Purpose::Try] } else { &BOTH };
            issuer.keep(purposes, route.required.iter().map(|required| ClaimPath::top(&required.name)));
            issuer.keep(purposes, route.headers.iter().map(|handed| handed.path.clone()));
        }
        for field in fields.iter().filter(|field| field.issuers.contains(&index)) {
            issuer.keep(&BOTH, field.required.iter().map(|required| ClaimPath::top(&required.name)));
        }
    }
    // Routes next to each other mostly have the same, and share it.
    let mut vary: Arc<str> = Arc::default();
    for route in &mut routes {
        let own = vary::of_route(route, origins.get(route.origin), cors.as_ref());
        if *vary != *own {
            vary = own.into();
        }
        route.vary = Arc::clone(&vary);
    }
    let mut identity_fields: Vec<String> = routes
        .iter()
        .filter(|route| !route.is_shadow)
        .flat_map(|route| &route.headers)
        .map(|handed| handed.field.clone())
        .collect();
    identity_fields.sort_unstable();
    identity_fields.dedup();
    Ok(Policy {
        edge,
        issuers,
        origins,
        permissions,
        cloudfront,
        cors,
        limits,
        log,
        routes,
        fields,
        table,
        spellings,
        #[cfg(feature = "toml")]
        tests,
        shadow_table,
        identity_fields,
        development: file.development,
        version: version(&json).into(),
        json,
    })
}

const BOTH: [Purpose; 2] = [Purpose::Enforce, Purpose::Try];

/// The routes that decide and those that shadow them, each to be found by path and method.
fn tables(
    routes: &[Route],
    #[cfg_attr(not(feature = "toml"), allow(unused_variables, reason = "for authors alone"))] limits: &Limits,
    faults: &mut Faults,
) -> Option<(RouteTable, RouteTable)> {
    let table = |is_shadow: bool| {
        let placed = routes.iter().enumerate().filter(|(_, route)| route.is_shadow == is_shadow);
        determinise::build(placed.map(|(index, route)| (index, &route.template, route.methods.as_slice())))
    };
    let (Ok(decides), Ok(shadows)) = (table(false), table(true)) else {
        faults.add("route", PolicyFault::RoutesTooEntangled(MAX_PLACES));
        return None;
    };
    #[cfg(feature = "toml")]
    // Where two routes have no order, or one no path, who decides means nothing.
    if !faults.any(|fault| matches!(fault, PolicyFault::Ambiguous(_) | PolicyFault::Path(_) | PolicyFault::Method(_))) {
        super::unused::reach(routes, [&decides, &shadows], limits, faults);
    }
    Some((decides, shadows))
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
    /// Whether some fault satisfies `is_such`.
    #[cfg(feature = "toml")]
    pub(super) fn any(&self, is_such: impl Fn(&PolicyFault) -> bool) -> bool {
        self.0.iter().any(|error| is_such(&error.fault))
    }

    pub(super) fn add(&mut self, pointer: impl Into<String>, fault: PolicyFault) {
        let error = PolicyError { pointer: pointer.into(), span: None, fault };
        // What `[defaults]` says wrong is wrong once, not once for each route that takes it.
        if !self.0.contains(&error) {
            self.0.push(error);
        }
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
pub(super) fn distance(a: &str, b: &str) -> usize {
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

/// What a secret's binding may be called.
pub(super) fn is_secret_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn permissions_origin(file: &PolicyFile, faults: &mut Faults) -> Option<usize> {
    let permissions = file.permissions.as_ref()?;
    // The edge's credential there is an assertion too.
    origin::check_assertion(file, &permissions.origin, "origin", "permissions.origin", faults);
    Some(faults.place("permissions.origin", "origin", &permissions.origin, file.origins.keys()))
}
