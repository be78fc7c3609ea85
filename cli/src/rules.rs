//! A route's rules in words, for tables and explanations.

use postern::policy::{CompanyRule, Field, RequiredClaim, Route, ScopeRule};

/// The route's rules as one clause.
pub(crate) fn who_may(route: &Route) -> String {
    if route.is_public() {
        return "anyone".to_owned();
    }
    let subject = route.subject_parameter().map(|parameter| format!("the subject {{{parameter}}}"));
    clause(subject, route.company(), route.roles(), route.scopes(), route.required())
}

/// A field's rules as one clause.
pub(crate) fn who_may_select(field: &Field) -> String {
    let subject = field.subject_argument().map(|argument| format!("the subject in argument `{argument}`"));
    clause(subject, field.company(), field.roles(), field.scopes(), field.required())
}

fn clause(
    subject: Option<String>,
    bound: &CompanyRule,
    roles: &[String],
    asked: &ScopeRule,
    required: &[RequiredClaim],
) -> String {
    let mut rules: Vec<String> = subject.into_iter().chain(company(bound)).collect();
    if !roles.is_empty() {
        rules.push(format!("role {}", listed(roles, "or")));
    }
    if !asked.is_empty() {
        rules.push(format!("scope {}", scopes(asked)));
    }
    rules.extend(required.iter().map(|claim| format!("claim {}", condition(claim))));
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
        CompanyRule::Argument(name) => Some(format!("company in argument `{name}`")),
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
