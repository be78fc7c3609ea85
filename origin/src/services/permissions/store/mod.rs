//! The DynamoDB table of permissions: partition key `id`, read consistently unless told otherwise, written
//! conditionally.

mod error;
mod write;

pub use error::StoreError;
pub use write::Change;

use std::{collections::HashMap, fmt, future::Future};

use aws_sdk_dynamodb::{Client, types::AttributeValue};

use super::{
    audit::{self, Entry},
    record::{COMPANIES, ID, ROLE, Record, VERSION},
    requested::Page,
    settings::{BUDGET, Settings},
    subject::BareSection,
};
use crate::config::{ConfigError, Environment};
use error::unavailable;

/// The table of permissions.
pub struct Store {
    client: Client,
    table: String,
    bare_section: BareSection,
    reads_consistently: bool,
}

/// Items looked at in one step of a listing, at most: small ones that fill what DynamoDB takes out at once, 1 MB.
const MOST_LOOKED_AT: usize = 4096;

/// A page of one section's records.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) records: Vec<Record>,
    /// Subjects whose item is no record.
    pub(super) unreadable: Vec<String>,
    /// The item after which the next page begins, which is of the section; none at the end.
    pub(super) last: Option<String>,
}

type Item = HashMap<String, AttributeValue>;

impl Store {
    /// The table that the environment names.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is missing or cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let Settings { client, table, bare_section, reads_consistently } = Settings::from_environment(environment)?;
        Ok(Self { client, table, bare_section, reads_consistently })
    }

    /// The record of `subject` in the issuer section `section`; `None` when there is none.
    ///
    /// `anew` has it read consistently, whatever is configured.
    ///
    /// # Errors
    /// [`StoreError`], none of which says whether there is a record.
    pub async fn read(&self, section: &str, subject: &str, anew: bool) -> Result<Option<Record>, StoreError> {
        let id = self.id(section, subject)?;
        let item = bounded(self.fetch(&id, anew || self.reads_consistently)).await?;
        item.map(|item| Record::from_item(subject, &item)).transpose().map_err(StoreError::Malformed)
    }

    /// What was done to the record of `subject`, newest first; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`], none of which says whether there is a record.
    pub async fn history(&self, section: &str, subject: &str) -> Result<Option<Vec<Entry>>, StoreError> {
        let id = self.id(section, subject)?;
        Ok(bounded(self.fetch(&id, true)).await?.map(|item| audit::entries(&item)))
    }

    /// A page of the records of `section`, in no order.
    ///
    /// Other sections' records in the same table are looked at and left out, so a page may be shorter than its limit and
    /// not be the last. Where it ends is said by the last item of the section itself: whoever administers one section is
    /// told no subject of another. So a page that has none goes on, and is empty only at the end; those behind the last
    /// are looked at once more by the next page.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) async fn list(&self, section: &str, page: &Page, anew: bool) -> Result<Listed, StoreError> {
        bounded(async {
            let mut after =
                page.after.as_ref().map(|id| HashMap::from([(ID.to_owned(), AttributeValue::S(id.clone()))]));
            let mut listed = Listed::default();
            let mut looked_at = page.limit;
            loop {
                let (items, last) = self.scan(after, looked_at, anew).await?;
                for item in items {
                    let Some(id) = item.get(ID).and_then(|id| id.as_s().ok()) else { continue };
                    let Some(subject) = self.bare_section.subject_of(section, id) else { continue };
                    if listed.records.len().saturating_add(listed.unreadable.len()) >= page.limit {
                        return Ok(listed);
                    }
                    match Record::from_item(subject, &item) {
                        Ok(record) => listed.records.push(record),
                        Err(_) => listed.unreadable.push(subject.to_owned()),
                    }
                    listed.last = Some(id.clone());
                }
                if last.is_none() {
                    return Ok(Listed { last: None, ..listed });
                }
                if listed.last.is_some() {
                    return Ok(listed);
                }
                after = last;
                // A section that is rare in its table is found in a few steps, however short its pages are.
                looked_at = looked_at.saturating_mul(8).min(MOST_LOOKED_AT);
            }
        })
        .await
    }

    /// The next items of the table, whoever's, and the key to go on after.
    async fn scan(
        &self,
        after: Option<Item>,
        limit: usize,
        anew: bool,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let request = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(anew || self.reads_consistently)
            .limit(i32::try_from(limit).unwrap_or(1))
            .set_exclusive_start_key(after)
            .projection_expression("#id, #companies, #role, #version")
            .expression_attribute_names("#id", ID)
            .expression_attribute_names("#companies", COMPANIES)
            .expression_attribute_names("#role", ROLE)
            .expression_attribute_names("#version", VERSION);
        let answer = request.send().await.map_err(|error| unavailable(&error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    fn id(&self, section: &str, subject: &str) -> Result<String, StoreError> {
        self.bare_section.item_id(section, subject).ok_or(StoreError::Subject)
    }

    async fn fetch(&self, id: &str, consistently: bool) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).key(ID, AttributeValue::S(id.to_owned()));
        let answer = request.consistent_read(consistently).send().await.map_err(|error| unavailable(&error))?;
        Ok(answer.item)
    }
}

async fn bounded<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(BUDGET, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::Unavailable("budget".to_owned())),
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("table", &self.table).finish_non_exhaustive()
    }
}
