//! The response in an event; its body is not shown.

use core::fmt;

use postern::Answer;
use serde_json::{Map, Value};

use super::{EventError, EventKind, answer, error::place, header::Headers};

/// A response as CloudFront shows it, and all that it must be handed back with.
pub struct Response {
    status: u16,
    pub(super) headers: Headers,
    /// What came beside the fields; the status as it was written, too.
    rest: Map<String, Value>,
}

impl Response {
    pub(super) fn read(mut members: Map<String, Value>) -> Result<Self, EventError> {
        let status = members.get("status").and_then(Value::as_str).filter(|text| text.len() == 3);
        Ok(Self {
            status: status.and_then(|text| text.parse().ok()).ok_or(EventError::Malformed(place::STATUS))?,
            headers: Headers::read(&mut members, place::RESPONSE_HEADERS)?,
            rest: members,
        })
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Every value of every field once: names in lower case and in order, a name's values as they came.
    #[must_use]
    pub fn fields(&self) -> Vec<(&str, &str)> {
        self.headers.fields()
    }

    /// The values of a field whose name is given in lower case.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers.values(name)
    }

    pub(super) fn into_members(self) -> Map<String, Value> {
        let Self { headers, rest: mut members, .. } = self;
        members.insert("headers".to_owned(), headers.into_value());
        members
    }

    /// Another response, with what is read-only of this one.
    pub(super) fn replaced(self, kind: EventKind, answer: &Answer, is_head: bool) -> String {
        answer::text(answer, is_head, &self.headers.only_read_only(kind).into_value())
    }
}

/// Fields of responses hold what origins say to callers.
impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}
