//! What a policy defines and nothing uses, and routes that no request reaches.
//!
//! Each is a mistake that is not seen otherwise: a section that nobody may call with, an origin whose secret is deployed
//! for nothing, a default that no route takes. `roles` is a vocabulary, which may hold what only records hold; `[cors]`,
//! `[limits]` and `[log]` are for every request, so none of these is ever unused.

use alloc::{borrow::ToOwned, collections::BTreeSet, format, string::String};

use super::{
    CompanyRule, Field, Limits, PolicyFault, Route, compile::Faults, file::PolicyFile, pointer, table::RouteTable,
};

/// What the policy defines and never uses. `routes` are those of the file, in its order.
pub(super) fn all(file: &PolicyFile, routes: &[Route], fields: &[Field], faults: &mut Faults) {
    definitions(file, routes, fields, faults);
    defaults(file, routes, fields, faults);
    header_fields(routes, faults);
}

fn definitions(file: &PolicyFile, routes: &[Route], fields: &[Field], faults: &mut Faults) {
    // A name that is misspelt where it is used is told there.
    let is_misspelt = |kind: &str, faults: &Faults| {
        faults.any(|fault| matches!(fault, PolicyFault::UnknownName(own, ..) if *own == kind))
    };
    let of_fields = fields.iter().flat_map(|field| field.issuers.iter().copied());
    let used: BTreeSet<usize> =
        routes.iter().flat_map(|route| route.issuers.iter().copied()).chain(of_fields).collect();
    // There must be an issuer, even where nobody needs one.
    let are_public = fields.is_empty() && routes.iter().all(Route::is_public);
    if !are_public && !is_misspelt("issuer", faults) && !faults.any(|fault| *fault == PolicyFault::NoIssuer) {
        for (_, name) in file.issuers.keys().enumerate().filter(|(index, _)| !used.contains(index)) {
            faults.add(pointer::entry("issuer", name), PolicyFault::Unused("issuer", name.clone()));
        }
    }
    let used: BTreeSet<usize> = routes.iter().map(|route| route.origin).collect();
    let permissions = file.permissions.as_ref().map(|permissions| &permissions.origin);
    if !is_misspelt("origin", faults) && !faults.any(|fault| *fault == PolicyFault::NoOrigin) {
        let unused = |(index, name): &(usize, &String)| !used.contains(index) && permissions != Some(*name);
        for (_, name) in file.origins.keys().enumerate().filter(unused) {
            faults.add(pointer::entry("origin", name), PolicyFault::Unused("origin", name.clone()));
        }
    }
    let asks = |source: &str| file.issuers.values().any(|issuer| issuer.permissions == source);
    let is_wrong = faults.any(|fault| matches!(fault, PolicyFault::PermissionsSource(_)));
    if file.permissions.is_some() && !asks("service") && !is_wrong {
        faults.add("permissions", PolicyFault::PermissionsUnused);
    }
}

/// Members of `[defaults]` that no route takes.
fn defaults(file: &PolicyFile, routes: &[Route], fields: &[Field], faults: &mut Faults) {
    let Some(defaults) = &file.defaults else { return };
    let routes = || file.routes.iter().zip(routes);
    let fields = || file.fields.iter().zip(fields);
    let service = |issuers: &[usize], company: &CompanyRule| {
        let sources = issuers.iter().filter_map(|index| file.issuers.values().nth(*index));
        company.binds() && sources.map(|issuer| issuer.permissions.as_str()).any(|source| source == "service")
    };
    let asks = |route: &Route| service(&route.issuers, &route.company);
    let asked = |field: &Field| service(&field.issuers, &field.company);
    for (member, is_there, is_taken) in [
        ("origin", defaults.origin.is_some(), routes().any(|(written, _)| written.origin.is_none())),
        (
            "issuer",
            defaults.issuer.is_some(),
            routes().any(|(written, _)| written.issuer.is_none() && !written.public)
                || fields().any(|(written, _)| written.issuer.is_none()),
        ),
        (
            "permissions_max_age",
            defaults.permissions_max_age.is_some(),
            routes().any(|(written, route)| written.permissions_max_age.is_none() && asks(route))
                || fields().any(|(written, field)| written.permissions_max_age.is_none() && asked(field)),
        ),
        (
            "permissions_stale_if_error",
            defaults.permissions_stale_if_error.is_some(),
            routes().any(|(written, route)| {
                written.permissions_stale_if_error.is_none() && asks(route) && !route.permissions_max_age.is_zero()
            }) || fields().any(|(written, field)| {
                written.permissions_stale_if_error.is_none() && asked(field) && !field.permissions_max_age.is_zero()
            }),
        ),
        ("body", defaults.body.is_some(), routes().any(|(written, _)| written.body.is_none())),
    ] {
        if is_there && !is_taken {
            faults.add(format!("defaults.{member}"), PolicyFault::Unused("default", member.to_owned()));
        }
    }
}

/// Fields that routes both take from the caller and promise to have made themselves.
fn header_fields(routes: &[Route], faults: &mut Faults) {
    let handed = |field: &String| routes.iter().any(|route| route.headers.iter().any(|own| own.field == *field));
    for (index, route) in routes.iter().enumerate() {
        if let CompanyRule::Header(field) = &route.company
            && handed(field)
        {
            faults.add(format!("route[{index}].company"), PolicyFault::FieldIsHanded(field.clone()));
        }
    }
}

/// Routes whose every request is another's, and routes whose paths are longer than a target may be.
pub(super) fn reach(routes: &[Route], tables: [&RouteTable; 2], limits: &Limits, faults: &mut Faults) {
    let deciding = tables.map(RouteTable::deciding);
    for (index, route) in routes.iter().enumerate() {
        if shortest(&route.path) > limits.target {
            faults.add(format!("route[{index}].path"), PolicyFault::PathTooLong(limits.target));
            continue;
        }
        let decides = |method: &String| {
            tables
                .iter()
                .zip(&deciding)
                .any(|(table, deciding)| table.number(method).is_some_and(|method| deciding.contains(&(index, method))))
        };
        if !route.methods.is_empty() && !route.methods.iter().any(decides) {
            faults.add(format!("route[{index}].path"), PolicyFault::NeverDecides(route.path.clone()));
            continue;
        }
        for (at, method) in route.methods.iter().enumerate().filter(|(_, method)| !decides(method)) {
            faults.add(format!("route[{index}].methods[{at}]"), PolicyFault::NeverDecides(method.clone()));
        }
    }
}

/// The length of the shortest path: each parameter is one octet.
fn shortest(path: &str) -> usize {
    let length = |segment: &str| if segment.starts_with('{') { 2 } else { segment.len().saturating_add(1) };
    path.split('/').skip(1).map(length).fold(0, usize::saturating_add)
}
