//! The body that an event shows of a request, for behaviours with "Include body".

use core::fmt;

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value};

use super::{EventError, error::place};

/// What an event shows of a request's body. CloudFront sends the body on as it came unless a function replaces it, which
/// this module never does.
pub struct EventBody {
    is_truncated: bool,
    is_base64: bool,
    /// All that came, to be handed back.
    members: Map<String, Value>,
}

impl EventBody {
    pub(super) fn read(members: Map<String, Value>) -> Result<Self, EventError> {
        let malformed = EventError::Malformed(place::BODY);
        let is_base64 = match members.get("encoding").and_then(Value::as_str) {
            Some("base64") => true,
            Some("text") => false,
            _ => return Err(malformed),
        };
        let is_truncated = members.get("inputTruncated").and_then(Value::as_bool).ok_or(malformed)?;
        if !members.get("data").is_some_and(Value::is_string) {
            return Err(EventError::Malformed(place::BODY_DATA));
        }
        Ok(Self { is_truncated, is_base64, members })
    }

    /// Whether the event shows only the beginning: 40 KB of it for a viewer request, 1 MB for an origin request.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Whether there is none: behaviours that include bodies include empty ones.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data().is_empty() && !self.is_truncated
    }

    /// The octets that the event shows: all of them, unless it is truncated.
    ///
    /// # Errors
    /// When the text is not of the encoding that the event names.
    pub fn octets(&self) -> Result<Vec<u8>, EventError> {
        if !self.is_base64 {
            return Ok(self.data().as_bytes().to_vec());
        }
        Base64::decode_vec(self.data()).map_err(|_| EventError::Malformed(place::BODY_DATA))
    }

    fn data(&self) -> &str {
        self.members.get("data").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.members)
    }
}

/// What callers send stays out of debug output.
impl fmt::Debug for EventBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventBody").field("is_truncated", &self.is_truncated).finish_non_exhaustive()
    }
}
