//! Who changed a record when, and what it was before: kept in the record's own item.
//!
//! An entry is written in the same conditional update as its change, so that there is neither without the other. The
//! last [`MAX_ENTRIES`] are kept, newest first; what is older is for the table's own stream or backups to keep.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use postern::UnixTime;
use serde::Serialize;

/// The attribute, named so that no tool from before has one of that name.
pub(super) const AUDIT: &str = "postern_audit";

/// Most entries of one record. With [`MAX_WAS_BYTES`] they stay far below DynamoDB's 400 KB for an item, whatever the
/// record itself takes.
pub const MAX_ENTRIES: usize = 20;
/// Longest former state that is kept, in octets of JSON; a longer one is left out of its entry.
pub const MAX_WAS_BYTES: usize = 4 * 1024;

/// What was done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Companies and roles were set.
    Set,
    /// All of them were taken away.
    Revoke,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Tells the write apart from all others.
    #[serde(skip)]
    pub id: String,
    /// When, in seconds since the epoch by the service's clock.
    pub at: u64,
    /// Who, by the name under which the key is trusted.
    pub by: String,
    /// What was done.
    pub what: What,
    /// The version before; 0 where there was none.
    pub from: u64,
    /// The version after.
    pub to: u64,
    /// The record before, as JSON; absent where there was none, or it was longer than is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
}

impl Entry {
    /// A change by `by`, at `now`.
    #[must_use]
    pub fn new(by: &str, now: UnixTime, what: What) -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        Self { id, at: now.as_secs(), by: by.to_owned(), what, from: 0, to: 0, was: None }
    }

    fn to_attribute(&self) -> AttributeValue {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |number: u64| AttributeValue::N(number.to_string());
        let mut members = HashMap::from([
            ("id".to_owned(), text(&self.id)),
            ("at".to_owned(), number(self.at)),
            ("by".to_owned(), text(&self.by)),
            ("what".to_owned(), text(self.what.name())),
            ("from".to_owned(), number(self.from)),
            ("to".to_owned(), number(self.to)),
        ]);
        members.extend(self.was.as_deref().map(|was| ("was".to_owned(), text(was))));
        AttributeValue::M(members)
    }

    fn from_attribute(value: &AttributeValue) -> Option<Self> {
        let members = value.as_m().ok()?;
        let text = |name: &str| members.get(name)?.as_s().ok().cloned();
        let number = |name: &str| members.get(name)?.as_n().ok()?.parse().ok();
        Some(Self {
            id: text("id")?,
            at: number("at")?,
            by: text("by")?,
            what: [What::Set, What::Revoke].into_iter().find(|what| text("what").as_deref() == Some(what.name()))?,
            from: number("from")?,
            to: number("to")?,
            was: text("was"),
        })
    }
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Revoke => "revoke",
        }
    }
}

/// The changes that an item tells of, newest first. What is no entry is read over.
pub(super) fn entries(item: &HashMap<String, AttributeValue>) -> Vec<Entry> {
    listed(item).iter().filter_map(Entry::from_attribute).collect()
}

/// The attribute with one more entry, and without those that are too many.
pub(super) fn with(entry: &Entry, item: &HashMap<String, AttributeValue>) -> AttributeValue {
    let older = listed(item).iter().take(MAX_ENTRIES.saturating_sub(1)).cloned();
    AttributeValue::L(std::iter::once(entry.to_attribute()).chain(older).collect())
}

fn listed(item: &HashMap<String, AttributeValue>) -> &[AttributeValue] {
    item.get(AUDIT).and_then(|audit| audit.as_l().ok()).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_changes_are_kept_newest_first_and_in_bounds() {
        let mut item = HashMap::new();
        for to in 1..=30_u64 {
            let was = Some("x".repeat(MAX_WAS_BYTES));
            let entry = Entry { from: to - 1, to, was, ..Entry::new("admin", UnixTime::from_secs(7), What::Set) };
            item.insert(AUDIT.to_owned(), with(&entry, &item));
        }
        let kept = entries(&item);
        assert_eq!(kept.iter().map(|entry| entry.to).collect::<Vec<_>>(), (11..=30).rev().collect::<Vec<_>>());
        let size: usize = kept.iter().map(|entry| serde_json::to_string(entry).unwrap().len()).sum();
        assert!(size < 100 * 1024, "{size}");
    }

    #[test]
    fn what_is_no_entry_is_read_over() {
        let text = AttributeValue::S("x".to_owned());
        let item = HashMap::from([(AUDIT.to_owned(), text.clone())]);
        assert!(entries(&item).is_empty());
        let entry = Entry::new("admin", UnixTime::from_secs(7), What::Revoke);
        let item = HashMap::from([(AUDIT.to_owned(), AttributeValue::L(vec![text, entry.to_attribute()]))]);
        assert_eq!(entries(&item), [entry]);
    }
}
