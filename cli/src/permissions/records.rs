//! Records as values: what a change makes of one, and how two of them differ.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Context as _, ensure};
use postern::PermissionsRecord;
use serde_json::{Value, json};

use crate::output::{BAD, GOOD, WARNING, shown, styled};

/// Roles by company.
pub(super) type Companies = BTreeMap<String, Vec<String>>;

/// What a record says.
pub(super) fn companies(record: Option<&PermissionsRecord>) -> Companies {
    let companies = record.into_iter().flat_map(PermissionsRecord::companies);
    companies.map(|(company, roles)| (company.to_owned(), roles.to_vec())).collect()
}

/// `1111=Manager,Standard`.
pub(super) fn company(text: &str) -> anyhow::Result<(String, Vec<String>)> {
    let (company, roles) = text.split_once('=').with_context(|| {
        format!("`{}`: say which roles, as `--company 1111=Manager`, or `--role` for all", shown(text))
    })?;
    let roles: Vec<String> = roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
    ensure!(!company.is_empty() && !roles.is_empty(), "`{}`: a company and its roles, as `1111=Manager`", shown(text));
    Ok((company.to_owned(), roles))
}

/// The record with roles by company.
pub(super) fn by_company(user: &str, companies: &Companies) -> Value {
    json!({"id": user, "companies": companies})
}

/// The record in the older shape.
pub(super) fn listed(user: &str, companies: &[String], role: &str) -> Value {
    json!({"id": user, "companies": companies, "role": role})
}

/// Whether two records say the same in the same shape, whatever their versions.
pub(super) fn are_equal(one: &Value, other: &Value) -> bool {
    let rest = |record: &Value| {
        let mut members = record.as_object().cloned().unwrap_or_default();
        members.remove("version");
        members
    };
    rest(one) == rest(other)
}

/// One line for each company that is gained, lost or held with other roles.
pub(super) fn difference(before: &Companies, after: &Companies) -> String {
    let roles = |roles: &[String]| if roles.is_empty() { "no role".to_owned() } else { shown(&roles.join(", ")) };
    let mut text = String::new();
    for company in before.keys().chain(after.keys().filter(|company| !before.contains_key(*company))) {
        let name = shown(company);
        let line = match (before.get(company), after.get(company)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => styled(WARNING, format!("~ {name}: {} -> {}", roles(old), roles(new))),
            (Some(old), None) => styled(BAD, format!("- {name}: {}", roles(old))),
            (None, Some(new)) => styled(GOOD, format!("+ {name}: {}", roles(new))),
            (None, None) => continue,
        };
        let _ = writeln!(text, "{line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_is_named_with_its_roles() {
        assert_eq!(
            company("1111=Manager,Standard").unwrap(),
            ("1111".into(), vec!["Manager".into(), "Standard".into()])
        );
        for text in ["1111", "1111=", "=Manager", "1111=,"] {
            assert!(company(text).is_err(), "{text}");
        }
    }

    #[test]
    fn records_are_equal_whatever_their_versions_and_in_the_same_shape() {
        let record = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let old = record(r#"{"id":"u","companies":["1"],"role":"M","version":7}"#);
        assert!(are_equal(&old, &record(r#"{"role":"M","id":"u","companies":["1"]}"#)));
        assert!(!are_equal(&old, &record(r#"{"id":"u","companies":{"1":["M"]}}"#)));
        assert!(!are_equal(&old, &record(r#"{"id":"u","companies":["1"]}"#)));
    }
}
