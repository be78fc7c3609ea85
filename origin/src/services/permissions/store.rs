//! The DynamoDB table of permissions: partition key `id`, read consistently, written conditionally.
//!
//! Every write is one conditional `UpdateItem` that also counts the version up, so that of two writers of
//! one state the second finds another version. Tools that know no versions change a record and leave its
//! version: that is seen in the entity tag, which a tagged write compares with a read of its own, and, between
//! that read and the write, in the role and in how many companies there are. (DynamoDB can compare whole lists and
//! maps; the emulators that tests run on cannot, and what no test covers is not relied on.)
//!
//! An answer that was lost on the way makes the SDK try once more and then find its own write: that reads as
//! a mismatch, the caller reads again and sees what it wrote.

use std::{collections::HashMap, fmt, future::Future};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue},
};

use super::{
    record::{COMPANIES, Companies, ID, ROLE, Record, RecordError, VERSION},
    settings::{BUDGET, Settings},
    subject::BareSection,
};
use crate::{
    config::{ConfigError, Environment},
    http::precondition::Precondition,
};

/// The table of permissions.
pub struct Store {
    client: Client,
    table: String,
    bare_section: BareSection,
}

/// Why the store did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, is too slow, or refuses: with its code.
    Unavailable(String),
    /// The record is not in the state that the write is meant for.
    Mismatch,
    /// The item is no permissions record.
    Malformed(RecordError),
    /// No item can be about this subject.
    Subject,
}

type Item = HashMap<String, AttributeValue>;

impl Store {
    /// The table that the environment names.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is missing or cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let Settings { client, table, bare_section } = Settings::from_environment(environment)?;
        Ok(Self { client, table, bare_section })
    }

    /// The record of `subject` in the issuer section `section`; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`], none of which says whether there is a record.
    pub async fn read(&self, section: &str, subject: &str) -> Result<Option<Record>, StoreError> {
        let id = self.id(section, subject)?;
        let item = bounded(self.fetch(&id)).await?;
        item.map(|item| Record::from_item(subject, &item)).transpose().map_err(StoreError::Malformed)
    }

    /// Replaces companies and role of `subject` where `precondition` holds, and returns the record as it then is.
    ///
    /// A write that states no precondition is none: it is answered as a mismatch.
    ///
    /// # Errors
    /// [`StoreError::Mismatch`] where the precondition does not hold; otherwise the write may or may not have been made.
    pub async fn write(
        &self,
        section: &str,
        subject: &str,
        companies: &Companies,
        role: Option<&str>,
        precondition: &Precondition,
    ) -> Result<Record, StoreError> {
        let id = self.id(section, subject)?;
        let update = self.update(&id, companies, role);
        let written = bounded(async {
            let update = match precondition {
                Precondition::Unstated => return Err(StoreError::Mismatch),
                Precondition::Absent => {
                    update.condition_expression("attribute_not_exists(#id)").expression_attribute_names("#id", ID)
                }
                Precondition::Present => {
                    update.condition_expression("attribute_exists(#id)").expression_attribute_names("#id", ID)
                }
                Precondition::Matching(tags) => {
                    let item = self.fetch(&id).await?.ok_or(StoreError::Mismatch)?;
                    let current = Record::from_item(subject, &item).map_err(StoreError::Malformed)?;
                    if !tags.contains(&current.tag()) {
                        return Err(StoreError::Mismatch);
                    }
                    only_as_read(update, &current)
                }
            };
            update.send().await.map_err(write_error)
        })
        .await?;
        let item = written.attributes.unwrap_or_default();
        Record::from_item(subject, &item).map_err(StoreError::Malformed)
    }

    fn id(&self, section: &str, subject: &str) -> Result<String, StoreError> {
        self.bare_section.item_id(section, subject).ok_or(StoreError::Subject)
    }

    async fn fetch(&self, id: &str) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).key(ID, AttributeValue::S(id.to_owned()));
        // A downgrade must be seen by the next read, not by one some time later.
        let answer = request.consistent_read(true).send().await.map_err(|error| unavailable(&error))?;
        Ok(answer.item)
    }

    fn update(&self, id: &str, companies: &Companies, role: Option<&str>) -> UpdateItemFluentBuilder {
        let number = |number: u8| AttributeValue::N(number.to_string());
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(ID, AttributeValue::S(id.to_owned()))
            .expression_attribute_names("#companies", COMPANIES)
            .expression_attribute_names("#role", ROLE)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":companies", companies.to_attribute())
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        let set = "SET #companies = :companies, #version = if_not_exists(#version, :none) + :one";
        match role {
            Some(role) => update
                .update_expression(format!("{set}, #role = :role"))
                .expression_attribute_values(":role", AttributeValue::S(role.to_owned())),
            None => update.update_expression(format!("{set} REMOVE #role")),
        }
    }
}

/// Makes an update conditional on the record being in the state of `current` still.
fn only_as_read(update: UpdateItemFluentBuilder, current: &Record) -> UpdateItemFluentBuilder {
    let (version, update) =
        same("version", current.version.map(|version| AttributeValue::N(version.to_string())), update);
    let (role, update) = same("role", current.role.clone().map(AttributeValue::S), update);
    update
        .condition_expression(format!("{version} AND {role} AND size(#companies) = :companies_read"))
        .expression_attribute_values(":companies_read", AttributeValue::N(current.companies.len().to_string()))
}

/// The condition that the attribute behind `#name` is as it was read, or was not there and is not.
fn same(
    name: &str,
    read: Option<AttributeValue>,
    update: UpdateItemFluentBuilder,
) -> (String, UpdateItemFluentBuilder) {
    match read {
        Some(value) => {
            (format!("#{name} = :{name}_read"), update.expression_attribute_values(format!(":{name}_read"), value))
        }
        None => (format!("attribute_not_exists(#{name})"), update),
    }
}

async fn bounded<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(BUDGET, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::Unavailable("budget".to_owned())),
    }
}

fn write_error<R: fmt::Debug>(error: SdkError<UpdateItemError, R>) -> StoreError {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(_)) => StoreError::Mismatch,
        _ => unavailable(&error),
    }
}

fn unavailable<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> StoreError {
    // The kind and the service's code alone: a message may hold a key of the table.
    let kind = match error {
        SdkError::ConstructionFailure(_) => "construction",
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "dispatch",
        SdkError::ResponseError(_) => "response",
        SdkError::ServiceError(context) => context.err().code().unwrap_or("service"),
        _ => "unknown",
    };
    StoreError::Unavailable(kind.to_owned())
}

impl StoreError {
    /// A stable name for logs; of an unavailable store, its own.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Unavailable(code) => code,
            Self::Mismatch => "mismatch",
            Self::Malformed(RecordError::Attribute(attribute)) => attribute,
            Self::Malformed(RecordError::Record(_)) => "record",
            Self::Subject => "subject",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(code) => write!(formatter, "the store of permissions does not answer (`{code}`)"),
            Self::Mismatch => formatter.write_str("the record is not in the state that the precondition names"),
            Self::Malformed(RecordError::Attribute(attribute)) => {
                write!(formatter, "the attribute `{attribute}` of the stored record cannot be read")
            }
            Self::Malformed(RecordError::Record(error)) => {
                write!(formatter, "the stored record cannot be read: {error}")
            }
            Self::Subject => formatter.write_str("no record can be about this subject"),
        }
    }
}

impl std::error::Error for StoreError {}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("table", &self.table).finish_non_exhaustive()
    }
}
