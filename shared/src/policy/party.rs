//! Which path parameters name a company or a user.
//!
//! This is the one list of such names. `[names]` of a policy adds to it. A name matches in any letter case, with or
//! without `_`, and with `id` after it: `{tenant}`, `{tenantId}` and `{tenant_id}` are one name. Plural segments such as
//! `/tenants/` are literals and name nobody.
//!
//! Not here: what such a parameter needs ([`super::bindings`]).

use alloc::{format, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{PolicyFault, compile::Faults, template::is_identifier};

/// Names of companies, folded.
const COMPANIES: [&str; 8] =
    ["company", "tenant", "org", "organisation", "organization", "account", "customer", "workspace"];
/// Names of users, folded.
const SUBJECTS: [&str; 5] = ["user", "username", "subject", "sub", "member"];

/// Whom a path parameter names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// A company, which `company` binds.
    Company,
    /// A user, whom `subject` binds.
    Subject,
}

impl Party {
    /// The party that a parameter of this name usually names, before `[names]` of a policy adds any.
    #[must_use]
    pub fn usual(parameter: &str) -> Option<Self> {
        let folded = folded(parameter);
        let is_one_of = |names: &[&str]| names.iter().any(|name| matches(&folded, name));
        if is_one_of(&COMPANIES) { Some(Self::Company) } else { is_one_of(&SUBJECTS).then_some(Self::Subject) }
    }

    /// The member of a route that binds it: `company` or `subject`.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Subject => "subject",
        }
    }

    /// Whom it is about, for people: `company` or `user`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Subject => "user",
        }
    }
}

/// `[names]`: parameters that name a company or a user in this policy, next to the usual ones.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PartyNamesFile {
    /// Parameters that name a company, such as `"merchant"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "alloc::vec::Vec<super::schema::ParameterName>"))]
    pub(crate) company: Vec<String>,
    /// Parameters that name a user, such as `"employee"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "alloc::vec::Vec<super::schema::ParameterName>"))]
    pub(crate) subject: Vec<String>,
}

/// The usual names and those that the policy adds.
#[derive(Clone, Debug, Default)]
pub(super) struct PartyNames {
    /// Folded, without `id` at the end.
    added: Vec<(String, Party)>,
}

impl PartyNames {
    /// Reads `[names]`. A name that cannot be a parameter's, or that names a party already, is a fault.
    pub(super) fn compile(file: Option<&PartyNamesFile>, faults: &mut Faults) -> Self {
        let mut names = Self::default();
        let Some(file) = file else { return names };
        for (party, list) in [(Party::Company, &file.company), (Party::Subject, &file.subject)] {
            for (index, name) in list.iter().enumerate() {
                let at = format!("names.{}[{index}]", party.rule());
                if !is_identifier(name) {
                    faults.add(at, PolicyFault::ParameterName(name.clone()));
                } else if let Some(known) = names.party(name) {
                    faults.add(at, PolicyFault::NameKnown(name.clone(), known.rule()));
                } else {
                    names.added.push((folded(without_id(name)), party));
                }
            }
        }
        names
    }

    /// The party that a parameter of this name names; `None`: it names neither a company nor a user.
    pub(super) fn party(&self, parameter: &str) -> Option<Party> {
        let folded = folded(parameter);
        let added = || self.added.iter().find(|(name, _)| matches(&folded, name)).map(|(_, party)| *party);
        Party::usual(parameter).or_else(added)
    }
}

fn folded(name: &str) -> String {
    name.chars().filter(|char| *char != '_').map(|char| char.to_ascii_lowercase()).collect()
}

fn matches(folded: &str, name: &str) -> bool {
    folded == name || folded.strip_suffix("id") == Some(name)
}

/// `merchant` of `merchantId` and `merchant_id`; other endings in `id`, as in `bid`, belong to the word.
fn without_id(name: &str) -> &str {
    let ends = ["_id", "_ID", "_Id", "Id", "ID"];
    let short = ends.into_iter().find_map(|end| name.strip_suffix(end));
    short.filter(|short| !short.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_match_in_any_case_and_with_id_after_them() {
        for (party, names) in [(Party::Company, &COMPANIES[..]), (Party::Subject, &SUBJECTS[..])] {
            for name in names {
                for form in ["", "Id", "ID", "_id", "id"] {
                    assert_eq!(Party::usual(&format!("{name}{form}")), Some(party), "{name}{form}");
                }
            }
        }
        for name in ["Tenant", "TENANT_ID", "work_space", "workSpaceId", "userName"] {
            assert!(Party::usual(name).is_some(), "{name}");
        }
        for name in ["order", "tenants", "companyName", "id", "_id", "users", "accounting", "orgs", "tenantIdId", ""] {
            assert_eq!(Party::usual(name), None, "{name}");
        }
    }

    #[test]
    fn added_names_match_like_the_usual_ones() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        let file = PartyNamesFile { company: list(&["merchantId", "bid"]), subject: list(&["employee"]) };
        let names = PartyNames::compile(Some(&file), &mut Faults::default());
        for (name, party) in [
            ("merchant", Some(Party::Company)),
            ("merchant_id", Some(Party::Company)),
            ("bid", Some(Party::Company)),
            ("bidId", Some(Party::Company)),
            ("b", None),
            ("employeeId", Some(Party::Subject)),
            ("tenant", Some(Party::Company)),
            ("order", None),
        ] {
            assert_eq!(names.party(name), party, "{name}");
        }
    }
}
