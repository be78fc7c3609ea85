//! One change to one record, and its audit entry, in one conditional update.
//!
//! A write reads the record, checks what it is meant for, and updates on condition that version, role and number of
//! companies are as they were read; the version is counted up, so that of two writers of one state the second finds
//! another. Tools that know no versions change a record and leave its version: that is seen in the entity tag of the
//! read, and between that read and the write in the role and in how many companies there are. (DynamoDB can compare whole
//! lists and maps; the emulators that tests run on cannot, and what no test covers is not relied on.)
//!
//! A request whose answer was lost on the way is sent again by the SDK, and then fails on the change that it made itself:
//! its audit entry says that it was made, the newest or under those of whoever has written since.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue},
};

use super::{Item, Store, StoreError, bounded, unavailable};
use crate::{
    http::precondition::Precondition,
    services::permissions::{
        audit::{self, AUDIT, Entry, MAX_WAS_BYTES},
        record::{COMPANIES, Companies, ID, ROLE, Record, VERSION},
    },
};

/// Most tries of a write that is meant for any state, while others change the record under it. A dozen administrators at
/// once are more than anyone has.
const MAX_TRIES: u32 = 16;
/// Longest pause between two of them; how long each is, is drawn.
const MAX_PAUSE_MILLIS: u64 = 20;

/// What is to become of a record.
#[derive(Clone, Debug)]
pub struct Change {
    /// The companies.
    pub companies: Companies,
    /// The one role in all of a list of companies.
    pub role: Option<String>,
    /// The version that the change is meant for, where its body named one.
    pub version: Option<u64>,
    /// Who does what.
    pub entry: Entry,
}

/// How an update ended that the table has answered.
enum Outcome {
    Written(Record),
    /// The record was not as it was read.
    Overtaken,
}

impl Store {
    /// Makes the change to the record of `subject` where `precondition` holds, and returns the record as it made it.
    ///
    /// A write that states no precondition is none: it is answered as a mismatch.
    ///
    /// # Errors
    /// [`StoreError::Mismatch`] where the precondition does not hold, [`StoreError::Conflict`] where it held and somebody
    /// else was faster, or the version is another; otherwise the write may or may not have been made.
    pub async fn write(
        &self,
        section: &str,
        subject: &str,
        change: &Change,
        precondition: &Precondition,
    ) -> Result<Record, StoreError> {
        let id = self.id(section, subject)?;
        bounded(async {
            for _ in 0..MAX_TRIES {
                let item = self.fetch(&id, true).await?;
                check(subject, item.as_ref(), change, precondition)?;
                if let Outcome::Written(record) = self.update(&id, subject, item, change).await? {
                    return Ok(record);
                }
                // Our own change, whose answer was lost? Others may have written since, and it is not made again over
                // theirs: what is said is what the lost answer said.
                if let Some(item) = self.fetch(&id, true).await?
                    && let Some(made) = audit::entries(&item).into_iter().find(|entry| entry.id == change.entry.id)
                {
                    let Change { companies, role, .. } = change.clone();
                    return Ok(Record { id: subject.to_owned(), companies, role, version: Some(made.to) });
                }
                match precondition {
                    Precondition::Absent => return Err(StoreError::Mismatch),
                    // Any state will do: the new one is one.
                    Precondition::Present if change.version.is_none() => tokio::time::sleep(pause()).await,
                    _ => return Err(StoreError::Conflict),
                }
            }
            Err(StoreError::Conflict)
        })
        .await
    }

    async fn update(
        &self,
        id: &str,
        subject: &str,
        item: Option<Item>,
        change: &Change,
    ) -> Result<Outcome, StoreError> {
        let item = item.unwrap_or_default();
        let before = Record::from_item(subject, &item).ok();
        let from = version(&item);
        let to = from.saturating_add(1);
        let was = before.as_ref().map(Record::json).filter(|json| json.len() <= MAX_WAS_BYTES);
        let entry = Entry { from, to, was, ..change.entry.clone() };
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(ID, AttributeValue::S(id.to_owned()))
            .expression_attribute_names("#companies", COMPANIES)
            .expression_attribute_names("#role", ROLE)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#audit", AUDIT)
            .expression_attribute_values(":companies", change.companies.to_attribute())
            .expression_attribute_values(":version", AttributeValue::N(to.to_string()))
            .expression_attribute_values(":audit", audit::with(&entry, &item))
            .return_values(ReturnValue::AllNew);
        let set = "SET #companies = :companies, #version = :version, #audit = :audit";
        let update = match &change.role {
            Some(role) => update
                .update_expression(format!("{set}, #role = :role"))
                .expression_attribute_values(":role", AttributeValue::S(role.clone())),
            None => update.update_expression(format!("{set} REMOVE #role")),
        };
        match only_as_read(update, &item, before.as_ref()).send().await {
            Ok(written) => {
                let record = Record::from_item(subject, &written.attributes.unwrap_or_default());
                record.map(Outcome::Written).map_err(StoreError::Malformed)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Outcome::Overtaken),
                _ => Err(unavailable(&error)),
            },
        }
    }
}

/// Whether the change is meant for the record as it is.
fn check(subject: &str, item: Option<&Item>, change: &Change, precondition: &Precondition) -> Result<(), StoreError> {
    match (precondition, item) {
        (Precondition::Absent, None) | (Precondition::Present, Some(_)) => {}
        (Precondition::Matching(tags), Some(item)) => {
            let current = Record::from_item(subject, item).map_err(StoreError::Malformed)?;
            if !tags.contains(&current.tag()) {
                return Err(StoreError::Mismatch);
            }
        }
        _ => return Err(StoreError::Mismatch),
    }
    match change.version {
        Some(meant) if meant != item.map_or(0, version) => Err(StoreError::Conflict),
        _ => Ok(()),
    }
}

/// The version that an item has; 0 where it has none, or none that can be counted up.
fn version(item: &Item) -> u64 {
    item.get(VERSION).and_then(|version| version.as_n().ok()?.parse().ok()).unwrap_or(0)
}

/// Makes an update conditional on the item being as it was read still; a new one on there being none.
fn only_as_read(update: UpdateItemFluentBuilder, item: &Item, before: Option<&Record>) -> UpdateItemFluentBuilder {
    if item.is_empty() {
        return update.condition_expression("attribute_not_exists(#id)").expression_attribute_names("#id", ID);
    }
    let (version, update) = same("version", item.get(VERSION), update);
    let (role, update) = same("role", item.get(ROLE), update);
    let condition = format!("attribute_exists(#id) AND {version} AND {role}");
    let update = update.expression_attribute_names("#id", ID);
    match before {
        Some(record) => update
            .condition_expression(format!("{condition} AND size(#companies) = :companies_read"))
            .expression_attribute_values(":companies_read", AttributeValue::N(record.companies.len().to_string())),
        // What is no record is replaced by whoever says so.
        None => update.condition_expression(condition),
    }
}

/// The condition that the attribute behind `#name` is as it was read, or was not there and is not.
fn same(
    name: &str,
    read: Option<&AttributeValue>,
    update: UpdateItemFluentBuilder,
) -> (String, UpdateItemFluentBuilder) {
    match read {
        Some(value) => (
            format!("#{name} = :{name}_read"),
            update.expression_attribute_values(format!(":{name}_read"), value.clone()),
        ),
        None => (format!("attribute_not_exists(#{name})"), update),
    }
}

/// A drawn time, so that writers who met do not meet again.
fn pause() -> Duration {
    let [octet, ..] = *uuid::Uuid::new_v4().as_bytes();
    Duration::from_millis(u64::from(octet).checked_rem(MAX_PAUSE_MILLIS).unwrap_or_default())
}
