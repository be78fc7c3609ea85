//! A record as it is stored, shown and tagged, in either of its two shapes.
//!
//! The item is what a table from before Postern holds: `id`, `companies` as a list (or set) of names or as a map of
//! name to roles, `role` beside a list, `version` in records that were written here. Other attributes are left
//! alone and not shown.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use aws_sdk_dynamodb::types::AttributeValue;
use postern::permissions::{PermissionsError, PermissionsRecord};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::http::precondition::EntityTag;

/// One attribute of the item each, named as the record's members are.
pub(super) const ID: &str = "id";
pub(super) const COMPANIES: &str = "companies";
pub(super) const ROLE: &str = "role";
pub(super) const VERSION: &str = "version";

/// Octets of the digest in a tag. It tells states apart that careful writers made; nobody gains by
/// making two alike.
const TAG_DIGEST_BYTES: usize = 8;

/// A subject's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The subject, without its section.
    pub id: String,
    /// The companies, in the shape they are stored in.
    pub companies: Companies,
    /// The one role held in all of a list of companies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Counts the writes made through this service; none in a record that had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// A record's companies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Companies {
    /// Names, with the role beside them.
    Listed(Vec<String>),
    /// Roles per company.
    WithRoles(BTreeMap<String, Vec<String>>),
}

/// Why an item is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// An attribute is missing or of a type that no shape has.
    Attribute(&'static str),
    /// The attributes are well-typed and yet no permissions record.
    Record(PermissionsError),
}

impl Record {
    /// Reads an item that was found for `subject`.
    ///
    /// # Errors
    /// [`RecordError`] names the attribute that is wrong.
    pub fn from_item(subject: &str, item: &HashMap<String, AttributeValue>) -> Result<Self, RecordError> {
        let companies =
            item.get(COMPANIES).and_then(Companies::from_attribute).ok_or(RecordError::Attribute(COMPANIES))?;
        let role = match item.get(ROLE) {
            None => None,
            Some(role) => Some(role.as_s().map_err(|_| RecordError::Attribute(ROLE))?.clone()),
        };
        let version = match item.get(VERSION) {
            None => None,
            Some(version) => Some(number(version).ok_or(RecordError::Attribute(VERSION))?),
        };
        let record = Self { id: subject.to_owned(), companies, role, version };
        PermissionsRecord::parse(record.json().as_bytes()).map_err(RecordError::Record)?;
        Ok(record)
    }

    /// The record's state as an entity tag: its version (0 where it has none) and a digest of the rest.
    ///
    /// The digest is there for writers that know no versions. A role taken away in the console, or by a tool
    /// from before Postern, leaves the version as it is, and a cache that asks `If-None-Match` must learn of it.
    #[must_use]
    pub fn tag(&self) -> EntityTag {
        let mut tag = format!("{}-", self.version.unwrap_or(0));
        for byte in Sha256::digest(self.json().as_bytes()).iter().take(TAG_DIGEST_BYTES) {
            // Writing to a string cannot fail.
            let _ = write!(tag, "{byte:02x}");
        }
        EntityTag::new(&tag)
    }

    /// One text for one state: members in order of declaration, companies in the order of their names.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Companies {
    fn from_attribute(value: &AttributeValue) -> Option<Self> {
        match value {
            AttributeValue::M(members) => members
                .iter()
                .map(|(company, roles)| Some((company.clone(), names(roles)?)))
                .collect::<Option<_>>()
                .map(Self::WithRoles),
            listed => names(listed).map(Self::Listed),
        }
    }

    /// How many companies there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Listed(companies) => companies.len(),
            Self::WithRoles(companies) => companies.len(),
        }
    }

    /// The attribute that holds these companies.
    #[must_use]
    pub fn to_attribute(&self) -> AttributeValue {
        match self {
            Self::Listed(companies) => list(companies),
            Self::WithRoles(companies) => {
                AttributeValue::M(companies.iter().map(|(company, roles)| (company.clone(), list(roles))).collect())
            }
        }
    }
}

fn list(names: &[String]) -> AttributeValue {
    AttributeValue::L(names.iter().cloned().map(AttributeValue::S).collect())
}

fn names(value: &AttributeValue) -> Option<Vec<String>> {
    match value {
        AttributeValue::L(items) => items.iter().map(|item| item.as_s().ok().cloned()).collect(),
        // A set has no order of its own; sorted, one state has one text.
        AttributeValue::Ss(items) => {
            let mut items = items.clone();
            items.sort_unstable();
            Some(items)
        }
        _ => None,
    }
}

fn number(value: &AttributeValue) -> Option<u64> {
    value.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn item(attributes: &[(&str, AttributeValue)]) -> HashMap<String, AttributeValue> {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn roles() -> AttributeValue {
        let roles = |role: &str| AttributeValue::L(vec![text(role)]);
        AttributeValue::M(HashMap::from([
            ("2222".to_owned(), roles("Standard")),
            ("1111".to_owned(), roles("Manager")),
        ]))
    }

    #[test]
    fn the_shape_from_before_is_shown_as_it_is_stored() {
        let listed = AttributeValue::L(vec![text("1111")]);
        let record =
            Record::from_item("alice", &item(&[("id", text("alice")), (COMPANIES, listed), (ROLE, text("Manager"))]));
        assert_eq!(record.unwrap().json(), r#"{"id":"alice","companies":["1111"],"role":"Manager"}"#);
        let set = AttributeValue::Ss(vec!["2222".to_owned(), "1111".to_owned()]);
        let record = Record::from_item("alice", &item(&[(COMPANIES, set), (ROLE, text("Manager"))]));
        assert_eq!(record.unwrap().json(), r#"{"id":"alice","companies":["1111","2222"],"role":"Manager"}"#);
    }

    #[test]
    fn roles_per_company_are_shown_with_the_version() {
        let record =
            Record::from_item("alice", &item(&[(COMPANIES, roles()), (VERSION, AttributeValue::N("7".to_owned()))]))
                .unwrap();
        assert_eq!(record.json(), r#"{"id":"alice","companies":{"1111":["Manager"],"2222":["Standard"]},"version":7}"#);
        assert_eq!(
            Record {
                companies: Companies::from_attribute(&record.companies.to_attribute()).unwrap(),
                ..record.clone()
            },
            record
        );
    }

    #[test]
    fn the_id_shown_is_the_subject_whatever_the_item_is_called() {
        let record = Record::from_item("1111", &item(&[("id", text("partners#1111")), (COMPANIES, roles())])).unwrap();
        assert_eq!(record.id, "1111");
    }

    #[test]
    fn an_item_that_is_no_record_names_the_attribute() {
        let listed = AttributeValue::L(vec![text("1111")]);
        for (attributes, why) in [
            (vec![], RecordError::Attribute(COMPANIES)),
            (vec![(COMPANIES, text("1111"))], RecordError::Attribute(COMPANIES)),
            (
                vec![(COMPANIES, AttributeValue::L(vec![AttributeValue::N("1".to_owned())]))],
                RecordError::Attribute(COMPANIES),
            ),
            (vec![(COMPANIES, listed.clone()), (ROLE, AttributeValue::Bool(true))], RecordError::Attribute(ROLE)),
            (vec![(COMPANIES, listed.clone()), (ROLE, AttributeValue::Null(true))], RecordError::Attribute(ROLE)),
            (vec![(COMPANIES, listed.clone()), (VERSION, text("7"))], RecordError::Attribute(VERSION)),
            (
                vec![(COMPANIES, listed), (VERSION, AttributeValue::N("1.5".to_owned()))],
                RecordError::Attribute(VERSION),
            ),
            (vec![(COMPANIES, roles()), (ROLE, text("Manager"))], RecordError::Record(PermissionsError::Role)),
        ] {
            assert_eq!(Record::from_item("alice", &item(&attributes)), Err(why));
        }
    }

    #[test]
    fn a_change_by_a_writer_without_versions_changes_the_tag() {
        let record = |role: &str| Record {
            id: "alice".to_owned(),
            companies: Companies::Listed(vec!["1111".to_owned()]),
            role: Some(role.to_owned()),
            version: None,
        };
        assert_ne!(record("Manager").tag(), record("Standard").tag());
        assert_eq!(record("Manager").tag(), record("Manager").tag());
        assert!(record("Manager").tag().to_string().starts_with("\"0-"));
    }
}
