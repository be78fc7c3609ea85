//! Why the store did not do as asked.

use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::services::permissions::record::RecordError;

/// Why the store did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, is too slow, or refuses: with its code.
    Unavailable(String),
    /// The record is not in the state that the precondition names.
    Mismatch,
    /// Somebody else has changed the record meanwhile, or it has another version than the one that was meant.
    Conflict,
    /// The item is no permissions record.
    Malformed(RecordError),
    /// No item can be about this subject.
    Subject,
}

/// An error of the SDK that is none of the store's own answers.
pub(super) fn unavailable<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> StoreError {
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
            Self::Conflict => "conflict",
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
            Self::Conflict => formatter.write_str("somebody else has changed the record meanwhile"),
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
