//! Warnings that a policy accepts where they arise: `allow = { any_caller = "every partner may" }`.
//!
//! Each must have a reason, be about a warning that there is, and be needed; else it is itself a warning, which cannot be
//! accepted. The core knows of `allow` only that it may be there; it is no part of what is deployed.

use serde_json::{Map, Value};

use crate::{
    lint::{Lint, Warning},
    since::{Table, Written},
};

/// A warning that the policy accepts, and why.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) warning: Warning,
    pub(crate) reason: String,
}

/// The warnings that are left, and those that are accepted.
pub(crate) fn sort(warnings: Vec<Warning>, written: &Written<'_>) -> (Vec<Warning>, Vec<Accepted>) {
    let tables: Vec<Table<'_>> =
        [written.issuers(), written.origins(), written.routes()].into_iter().flatten().collect();
    let owner = |warning: &Warning| {
        let is_within = |table: &&Table<'_>| {
            let after = warning.pointer.strip_prefix(&table.pointer);
            after.is_some_and(|after| after.is_empty() || after.starts_with('.'))
        };
        // A name may hold a dot, and so begin as another one does.
        tables.iter().filter(is_within).max_by_key(|table| table.pointer.len())
    };
    let (mut left, mut accepted, mut used) = (Vec::new(), Vec::new(), Vec::new());
    for warning in warnings {
        let table = owner(&warning);
        let said =
            table.and_then(|table| said(table)?.get(warning.lint.code())?.as_str().map(|reason| (table, reason)));
        match said.filter(|(_, reason)| !reason.trim().is_empty()) {
            Some((table, reason)) => {
                used.push((table.pointer.clone(), warning.lint.code()));
                accepted.push(Accepted { warning, reason: reason.to_owned() });
            }
            None => left.push(warning),
        }
    }
    for table in &tables {
        for (code, reason) in said(table).into_iter().flatten() {
            let is_used = used.iter().any(|(pointer, own)| pointer == &table.pointer && own == code);
            if let Some(message) = fault(code, reason, is_used) {
                let pointer = format!("{}.{code}", table.at("allow"));
                left.push(Warning { lint: Lint::UnusedAllow, pointer, message });
            }
        }
    }
    (left, accepted)
}

fn said<'a>(table: &Table<'a>) -> Option<&'a Map<String, Value>> {
    table.get("allow")?.as_object()
}

/// What is wrong with one entry of `allow`.
fn fault(code: &str, reason: &Value, is_used: bool) -> Option<String> {
    if is_used {
        return None;
    }
    if code == Lint::UnusedAllow.code() || Lint::ALL.iter().all(|lint| lint.code() != code) {
        return Some(format!("`{code}` is not a warning that can be accepted"));
    }
    if reason.as_str().is_none_or(|reason| reason.trim().is_empty()) {
        return Some(format!("`{code}` is accepted without a reason, and so it is not accepted"));
    }
    Some(format!("the warning `{code}` does not arise here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(text: &str, warnings: &[(Lint, &str)]) -> (Vec<String>, Vec<String>) {
        let document: Value = toml::from_str(text).unwrap();
        let warning = |(lint, pointer): &(Lint, &str)| Warning {
            lint: *lint,
            pointer: (*pointer).to_owned(),
            message: String::new(),
        };
        let (left, accepted) = sort(warnings.iter().map(warning).collect(), &Written::new(&document, None));
        let left = left.iter().map(|warning| format!("{} {}", warning.lint.code(), warning.pointer)).collect();
        (left, accepted.iter().map(|one| format!("{}: {}", one.warning.pointer, one.reason)).collect())
    }

    #[test]
    fn a_warning_is_accepted_only_where_it_arises_and_with_a_reason() {
        let text = "[issuer.a]\nallow = { old_keys = \"offline\" }\n[issuer.\"a.b\"]\n[[route]]\n[[route]]\n\
                    allow = { any_caller = \"all may\", any_company = \" \", nonsense = \"x\", unused_allow = \"x\", old_keys = \"x\" }\n";
        let (left, accepted) = sorted(
            text,
            &[
                (Lint::OldKeys, "issuer.a.jwks_max_stale"),
                (Lint::OldKeys, "issuer.a.b.jwks_max_stale"),
                (Lint::AnyCaller, "route[0].issuer"),
                (Lint::AnyCaller, "route[1].issuer"),
                (Lint::AnyCompany, "route[1].company"),
            ],
        );
        assert_eq!(accepted, ["issuer.a.jwks_max_stale: offline", "route[1].issuer: all may"]);
        assert_eq!(
            left,
            [
                "old_keys issuer.a.b.jwks_max_stale",
                "any_caller route[0].issuer",
                "any_company route[1].company",
                "unused_allow route[1].allow.any_company",
                "unused_allow route[1].allow.nonsense",
                "unused_allow route[1].allow.old_keys",
                "unused_allow route[1].allow.unused_allow",
            ]
        );
    }
}
