//! Routes that gain the path which ends at the slash of their `{*rest}`.

use serde_json::Value;

use super::{Table, Written};

/// Whether anyone may use the route.
pub(super) fn is_public(route: &Table<'_>) -> bool {
    route.get("public") == Some(&Value::Bool(true))
}

/// Each route that decides and gains such a path, with the path, and the path of the route that had it before.
pub(super) fn gained<'a>(written: &Written<'a>) -> Vec<(Table<'a>, String, Option<String>)> {
    let routes: Vec<Table<'a>> =
        written.routes().into_iter().filter(|route| route.get("shadow") != Some(&Value::Bool(true))).collect();
    let mut found = Vec::new();
    for route in &routes {
        let Some(folder) = route.text("path").and_then(folder) else { continue };
        let methods = methods(route);
        let has_itself = |method: &&str| {
            let is_it = |other: &&Table<'_>| other.text("path").is_some_and(|path| unnamed(path) == unnamed(folder));
            routes.iter().filter(is_it).any(|other| self::methods(other).contains(method))
        };
        if !methods.is_empty() && methods.iter().all(has_itself) {
            continue;
        }
        // The most specific is the longest.
        let wider = routes.iter().filter(|other| self::methods(other).iter().any(|method| methods.contains(method)));
        let wider = wider.filter_map(|other| other.text("path")).filter(|path| had(path, folder));
        let wider = wider.max_by_key(|path| path.split('/').count()).map(str::to_owned);
        found.push((route.clone(), folder.to_owned(), wider));
    }
    found
}

/// The path up to a `{*rest}`.
fn folder(path: &str) -> Option<&str> {
    let at = path.rfind('/')?.checked_add(1)?;
    path.get(at..)?.starts_with("{*").then(|| path.get(..at)).flatten()
}

fn methods<'a>(route: &Table<'a>) -> Vec<&'a str> {
    let methods = route.get("methods").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    methods.iter().filter_map(Value::as_str).collect()
}

/// Whether the template `path`, whose rest had one segment at least, had `folder`.
fn had(path: &str, folder: &str) -> bool {
    let Some(own) = self::folder(path) else { return false };
    let (own, asked): (Vec<&str>, Vec<&str>) = (segments(own), segments(folder));
    let fits = |(own, asked): (&&str, &&str)| own.starts_with('{') || own == asked;
    own.len() < asked.len() && own.iter().zip(&asked).all(fits)
}

fn segments(folder: &str) -> Vec<&str> {
    folder.split('/').filter(|segment| !segment.is_empty()).collect()
}

fn unnamed(path: &str) -> Vec<&str> {
    path.split('/')
        .map(|segment| if segment.starts_with('{') && !segment.starts_with("{*") { "{}" } else { segment })
        .collect()
}
