//! What API Gateway lets an authorizer say, and which of it each reason becomes.
//!
//! | the authorizer ends with | the caller sees | cached |
//! | --- | --- | --- |
//! | a result that denies | 403 | yes |
//! | the error `Unauthorized` | 401 | no |
//! | any other error | 500, which a REST API's gateway responses can make a 503 | no |
//!
//! So 400, 404, 405 and 413 become 403: no other token would help. The mapping is total and has no catch-all; a table in
//! `docs/authorizers.md` has it for people, and a test holds the two together.

use std::fmt;

use postern::PublicCode;

use super::{event::EventError, list::Unlistable};

/// What becomes of a request that is not permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 401: the error [`UNAUTHORIZED`].
    Unauthorized,
    /// 403: a result that denies.
    Forbidden,
    /// 500, or what the API's gateway responses make of it: any other error.
    Error,
}

/// The one error message that API Gateway makes a 401 of.
pub const UNAUTHORIZED: &str = "Unauthorized";

impl Verdict {
    /// What API Gateway is told for this code.
    #[must_use]
    pub const fn of(code: PublicCode) -> Option<Self> {
        // `PublicCode` may grow: a code that nobody has placed ends as an error, and the test of the table fails.
        match code {
            PublicCode::MissingToken | PublicCode::InvalidToken => Some(Self::Unauthorized),
            PublicCode::InvalidRequest
            | PublicCode::InsufficientScope
            | PublicCode::AccessDenied
            | PublicCode::NotFound
            | PublicCode::MethodNotAllowed
            | PublicCode::ContentTooLarge => Some(Self::Forbidden),
            PublicCode::BadGateway | PublicCode::TemporarilyUnavailable => Some(Self::Error),
            _ => None,
        }
    }

    /// The status that API Gateway answers with, where nobody has changed its gateway responses.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::Error => 500,
        }
    }
}

/// Why an authorizer ends without a result. None is ever cached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The caller's credential is no good: 401. The reason is in the log.
    Unauthorized,
    /// Nobody can tell right now, and the log says why.
    Unavailable,
    /// The function is not configured, and the log of its start says how.
    Unconfigured,
    /// The event cannot be read.
    Event(EventError),
    /// The ARN's API or stage stands for more than one.
    Arn,
    /// The list of what the caller may do cannot be made.
    Unlistable(Unlistable),
    /// The result is longer than API Gateway takes.
    TooLong,
}

impl Failure {
    /// A stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
            Self::Unconfigured => "unconfigured",
            Self::Event(error) => error.code(),
            Self::Arn => "arn_of_more_than_one",
            Self::Unlistable(error) => error.code(),
            Self::TooLong => "result_too_long",
        }
    }
}

/// The text that API Gateway looks at, and that nobody but an operator sees.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => formatter.write_str(UNAUTHORIZED),
            Self::Unavailable => formatter.write_str("the request cannot be decided right now"),
            Self::Unconfigured => formatter.write_str("the authorizer is not configured"),
            Self::Event(error) => error.fmt(formatter),
            Self::Arn => formatter.write_str("the ARN's API or stage stands for more than one"),
            Self::Unlistable(error) => error.fmt(formatter),
            Self::TooLong => formatter.write_str(
                "the list of what the caller may do is longer than a result may be: set `POSTERN_AUTHORIZER_KEY` to `request` \
                 with its identity sources, or do not cache",
            ),
        }
    }
}

impl std::error::Error for Failure {}
