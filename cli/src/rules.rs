//! A route's rules in words, for tables and explanations.

use postern::policy::{CompanyRule, RequiredClaim, Route, ScopeRule};

/// The route's rules as one clause.
pub(crate) fn who_may(route: &Route) -> String {
    if route.is_public() {
        return "anyone".to_owned();
    }
    let mut rules = Vec::new();
    if let Some(parameter) = route.subject_parameter() {
        rules.push(format!("the subject {{{parameter}}}"));
    }
    rules.extend(company(route.company()));
    if !route.roles().is_empty() {
        rules.push(format!("role {}", listed(route.roles(), "or")));
    }
    if !route.scopes().is_empty() {
        rules.push(format!("scope {}", scopes(route.scopes())));
    }
    rules.extend(route.required().iter().map(|claim| format!("claim {}", condition(claim))));
    if rules.is_empty() { "any caller of the issuer".to_owned() } else { rules.join(", ") }
}

/// The company that a caller must belong to; nothing where none is bound.
pub(crate) fn company(rule: &CompanyRule) -> Option<String> {
    match rule {
        CompanyRule::None => None,
        CompanyRule::Any => Some("any company".to_owned()),
        CompanyRule::Parameter(name, _) => Some(format!("company {{{name}}}")),
        CompanyRule::Subject => Some("the company is the caller".to_owned()),
        CompanyRule::Header(name) => Some(format!("company in field `{name}`")),
        CompanyRule::Query(name) => Some(format!("company in parameter `{name}`")),
        _ => Some("company".to_owned()),
    }
}

/// `a and b`, `a or b`, or both with a semicolon between.
pub(crate) fn scopes(rule: &ScopeRule) -> String {
    let parts = [(&rule.all_of, "and"), (&rule.any_of, "or")];
    let parts: Vec<String> =
        parts.iter().filter(|(names, _)| !names.is_empty()).map(|(names, word)| listed(names, word)).collect();
    parts.join(", and one of ")
}

/// `tier is gold or silver`, `email_verified`.
pub(crate) fn condition(claim: &RequiredClaim) -> String {
    required((&claim.name, &claim.values))
}

/// The same, of a name and its acceptable values.
pub(crate) fn required((name, values): (&str, &[String])) -> String {
    if values.is_empty() { name.to_owned() } else { format!("{name} is {}", listed(values, "or")) }
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn listed(names: &[String], word: &str) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_people_say_them() {
        let names =
            |count: usize| ["a", "b", "c"].iter().take(count).map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(listed(&names(0), "or"), "none");
        assert_eq!(listed(&names(1), "or"), "a");
        assert_eq!(listed(&names(2), "or"), "a or b");
        assert_eq!(listed(&names(3), "and"), "a, b and c");
        assert_eq!(scopes(&ScopeRule { all_of: names(2), any_of: names(2) }), "a and b, and one of a or b");
    }
}
