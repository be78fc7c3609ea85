//! Whether an origin may take a path for one of a stricter route's: docs/policy.md, "Paths that differ in spelling".
//!
//! Every route is looked at for every request, and every way of leaving something out of a path is written out as text.

use std::collections::{BTreeMap, BTreeSet};

use super::policy::{Company, Policy, Required, Route, Scopes, seconds};

/// A text, and whether an extension was left out of it.
type Left = (String, bool);

/// Whether a request of `route` for the path of these segments is refused.
#[must_use]
pub fn is_refused(policy: &Policy, route: &Route, segments: &[String]) -> bool {
    let origin = route.origin.as_ref().or(policy.defaults.origin.as_ref());
    let origin = origin.and_then(|name| policy.origins.get(name));
    if origin.is_some_and(|origin| origin.paths.as_deref() == Some("exact")) {
        return false;
    }
    let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
    policy.routes.iter().any(|other| {
        !other.shadow
            && super::routes::matches(&other.path, segments).is_none()
            && is_spelling(&path, &other.path)
            && !lets_in_all_of(policy, other, route)
    })
}

fn is_spelling(path: &str, template: &str) -> bool {
    let template = decoded(template);
    let forms: BTreeSet<Left> = if ends_in_literal(&template) {
        let depth = |text: &str| text.trim_end_matches('/').split('/').count();
        let names_its_last =
            |(text, _): &Left| depth(text) == depth(&template) && !text.trim_end_matches('/').ends_with(' ');
        let short = all_left(&template).into_iter().filter(names_its_last);
        short.chain([(folded(&template), false)]).collect()
    } else {
        BTreeSet::from([(folded(&template), false)])
    };
    all_left(path).iter().any(|(text, lost_own)| {
        forms.iter().any(|(form, lost)| !(*lost_own && *lost) && fits(form, text.trim_end_matches('/')))
    })
}

/// Everything that can be left of a text, its letter case folded.
fn all_left(text: &str) -> BTreeSet<Left> {
    let mut found = BTreeSet::new();
    let mut open = vec![(folded(text), false)];
    while let Some((text, lost)) = open.pop() {
        if !found.insert((text.clone(), lost)) {
            continue;
        }
        for end in ['/', ' '] {
            open.extend(text.strip_suffix(end).map(|short| (short.to_owned(), lost)));
        }
        let last = text.rsplit('/').next().unwrap_or_default();
        if let (false, Some(dot)) = (lost, last.rfind('.')) {
            open.push((text[..text.len() - last.len() + dot].to_owned(), true));
        }
    }
    found
}

/// Whether the path, without closing slash, is one that the form has with or without one.
fn fits(form: &str, path: &str) -> bool {
    let wanted: Vec<&str> = form.split('/').skip(1).filter(|piece| !piece.is_empty()).collect();
    let found: Vec<&str> = path.split('/').skip(1).collect();
    let rest = wanted.iter().position(|piece| piece.starts_with("{*"));
    let count = rest.unwrap_or(wanted.len());
    let lengths = if rest.is_some() { found.len() >= count } else { found.len() == count };
    let is_named = |piece: &str| piece.starts_with('{');
    lengths && wanted.iter().zip(&found).take(count).all(|(own, found)| is_named(own) || own == found)
}

fn ends_in_literal(template: &str) -> bool {
    let last = template.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    !last.is_empty() && !last.starts_with('{')
}

/// The corpus has letters whose upper and lower case are one character each, and `ſ`.
fn folded(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

fn decoded(template: &str) -> String {
    let piece = |text: &str| match text.starts_with('{') {
        true => text.to_owned(),
        false => super::target::parse(&format!("/{text}"), usize::MAX)
            .map_or_else(|_| text.to_owned(), |target| target.segments[0].clone()),
    };
    format!("/{}", template.split('/').skip(1).map(piece).collect::<Vec<_>>().join("/"))
}

/// Whether everyone whom `narrow` permits may use `wide`, as far as each rule alone shows it.
fn lets_in_all_of(policy: &Policy, wide: &Route, narrow: &Route) -> bool {
    let body = |route: &Route| route.body.clone().unwrap_or_else(|| "streamed".to_owned());
    if body(wide) != "streamed" && body(wide) != body(narrow) {
        return false;
    }
    if wide.public || narrow.public {
        return wide.public;
    }
    let sections = |route: &Route| route.issuer.as_ref().map(super::policy::OneOrMany::names).unwrap_or_default();
    let url = |name: &String| policy.issuers[name].url.clone();
    let own: Vec<String> = sections(wide);
    let others = sections(narrow);
    let takes_all = others.iter().all(|name| own.contains(name));
    let adds_none = own.iter().all(|name| others.contains(name) || others.iter().all(|other| url(other) != url(name)));
    takes_all
        && adds_none
        && same_place(wide.subject.as_deref(), wide, narrow.subject.as_deref(), narrow)
        && companies(wide, narrow)
        && scopes(&wide.scopes, &narrow.scopes)
        && claims(&wide.require, &narrow.require)
}

/// Whether the first rule asks for nothing, or both for the same segment.
fn same_place(own: Option<&str>, wide: &Route, other: Option<&str>, narrow: &Route) -> bool {
    let place = |rule: Option<&str>, route: &Route| {
        let rule = rule.filter(|rule| *rule != "any")?.to_owned();
        route.path.split('/').position(|piece| piece == rule)
    };
    let own = place(own, wide);
    own.is_none() || own == place(other, narrow)
}

fn companies(wide: &Route, narrow: &Route) -> bool {
    let same = match (&wide.company, &narrow.company) {
        (None, _) => return true,
        (Some(Company::Text(text)), _) if text == "any" => return true,
        (Some(Company::Text(own)), Some(Company::Text(other))) if own.starts_with('{') && other.starts_with('{') => {
            same_place(Some(own), wide, Some(other), narrow)
        }
        (Some(Company::Text(own)), Some(Company::Text(other))) => own == other,
        (Some(Company::Elsewhere(own)), Some(Company::Elsewhere(other))) => own == other,
        _ => false,
    };
    let role = wide.roles.is_empty()
        || (!narrow.roles.is_empty() && narrow.roles.iter().all(|role| wide.roles.contains(role)));
    let age = |text: &Option<String>| text.as_deref().map_or(0.0, seconds);
    let fresh = |route: &Route| age(&route.permissions_max_age);
    let longest = |route: &Route| fresh(route) + age(&route.permissions_stale_if_error);
    same && role && fresh(wide) >= fresh(narrow) && longest(wide) >= longest(narrow)
}

fn scopes(wide: &Scopes, narrow: &Scopes) -> bool {
    let lists = |scopes: &Scopes| match scopes {
        Scopes::All(all) => (all.clone(), Vec::new()),
        Scopes::Sets { all_of, any_of } => (all_of.clone(), any_of.clone()),
    };
    let ((all, any), (mut had, choice)) = (lists(wide), lists(narrow));
    if choice.len() == 1 {
        had.extend(choice.clone());
    }
    let has = |scope: &String| had.contains(scope);
    let has_any =
        any.is_empty() || any.iter().any(has) || (!choice.is_empty() && choice.iter().all(|scope| any.contains(scope)));
    all.iter().all(has) && has_any
}

fn claims(wide: &BTreeMap<String, Required>, narrow: &BTreeMap<String, Required>) -> bool {
    let values = |required: &Required| match required {
        Required::Present(_) => Vec::new(),
        Required::One(value) => vec![value.clone()],
        Required::Many(values) => values.clone(),
    };
    wide.iter().all(|(name, own)| {
        let Some(other) = narrow.get(name) else { return false };
        let (own, other) = (values(own), values(other));
        let is_denial = |value: &String| ["false", "null"].contains(&value.to_lowercase().as_str());
        if own.is_empty() {
            return !other.iter().any(is_denial);
        }
        !other.is_empty() && other.iter().all(|value| own.contains(value))
    })
}
