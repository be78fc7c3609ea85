//! CloudFront's events and what a function may answer them with, as types (Amazon CloudFront Developer Guide,
//! "Lambda@Edge event structure").
//!
//! ```text
//!  Event::parse(text) ─┬─ viewer-request, origin-request ──▶ forwarded: the request with other fields, nothing else changed
//!                      │                                     answer:    a generated response instead
//!                      └─ origin-response, viewer-response ▶ passed_on: the response with other fields
//!                                                            replaced:  another response (origin-response alone)
//! ```
//! [`ViewerRequest`] is the first of them in few words, for the kind of event that is decided on most.
//!
//! What goes back is what came: members that this module does not know, too. A field that CloudFront forbids a
//! function to set, or to change in this event, is never set or changed, since CloudFront answers 502 for the whole
//! request then; so a caller of `forwarded` and `passed_on` needs no lists of its own.
//!
//! It decides nothing, decodes and repairs no target, and does no I/O. CloudFront leaves the `?` before an empty query
//! out of an event, so such a target cannot be told from one without a query here.

mod answer;
mod body;
mod error;
mod header;
mod origin;
mod request;
mod response;
mod viewer;

use std::fmt;

use serde_json::{Map, Value};

pub use self::{
    answer::{MAX_ANSWER_OCTETS, answer},
    body::EventBody,
    error::EventError,
    header::{
        READ_ONLY_IN_ORIGIN_REQUEST, READ_ONLY_IN_ORIGIN_RESPONSE, READ_ONLY_IN_VIEWER_REQUEST,
        READ_ONLY_IN_VIEWER_RESPONSE,
    },
    origin::{EventOrigin, OriginProtocol},
    request::Request,
    response::Response,
    viewer::ViewerRequest,
};
use crate::event::error::place;

/// Longest text that is parsed as an event: the body of an origin request is cut at 1 MB and comes in base64, and what
/// else is in a request at 20,480 octets, up to six in JSON for one ("Quotas": Lambda@Edge, General).
pub const MAX_EVENT_OCTETS: usize = 2 * 1024 * 1024;

/// At which of its four places CloudFront has called the function.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EventKind {
    /// A caller's request has come, before the cache is looked at.
    ViewerRequest,
    /// A request is about to go to the origin, which the event names.
    OriginRequest,
    /// The origin's response has come; its body is not in the event.
    OriginResponse,
    /// A response is about to go to the caller.
    ViewerResponse,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ViewerRequest, Self::OriginRequest, Self::OriginResponse, Self::ViewerResponse];

    /// CloudFront's name for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ViewerRequest => "viewer-request",
            Self::OriginRequest => "origin-request",
            Self::OriginResponse => "origin-response",
            Self::ViewerResponse => "viewer-response",
        }
    }

    /// Whether there is a response in such an event.
    #[must_use]
    pub const fn has_response(self) -> bool {
        match self {
            Self::OriginResponse | Self::ViewerResponse => true,
            Self::ViewerRequest | Self::OriginRequest => false,
        }
    }

    /// The fields that a function may read here, and neither add nor change nor remove.
    #[must_use]
    pub const fn read_only(self) -> &'static [&'static str] {
        match self {
            Self::ViewerRequest => &READ_ONLY_IN_VIEWER_REQUEST,
            Self::OriginRequest => &READ_ONLY_IN_ORIGIN_REQUEST,
            Self::OriginResponse => &READ_ONLY_IN_ORIGIN_RESPONSE,
            Self::ViewerResponse => &READ_ONLY_IN_VIEWER_RESPONSE,
        }
    }
}

/// One event: what CloudFront called the function for.
pub struct Event {
    kind: EventKind,
    request_id: Option<String>,
    distribution_id: Option<String>,
    request: Request,
    response: Option<Response>,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// For a text that is too long or no JSON, for more or less than one record, and for every member that is not of
    /// the kind that CloudFront sends.
    pub fn parse(text: &str) -> Result<Self, EventError> {
        if text.len() > MAX_EVENT_OCTETS {
            return Err(EventError::TooLong);
        }
        let Ok(Value::Object(mut event)) = serde_json::from_str(text) else { return Err(EventError::NotJson) };
        let Some(Value::Array(records)) = event.remove("Records") else { return Err(EventError::NoRecords) };
        let Ok([Value::Object(mut record)]) = <[Value; 1]>::try_from(records) else {
            return Err(EventError::NotOneRecord);
        };
        let mut cf = object(&mut record, "cf", place::CF)?;
        let mut config = object(&mut cf, "config", place::CONFIG)?;
        let named = string(&mut config, "eventType", place::EVENT_TYPE)?;
        let kind = EventKind::ALL.into_iter().find(|kind| kind.as_str() == named).ok_or(EventError::UnknownKind)?;
        let response = match kind.has_response() {
            true => Some(Response::read(object(&mut cf, "response", place::RESPONSE)?)?),
            false => None,
        };
        Ok(Self {
            kind,
            request_id: optional(&mut config, "requestId", place::REQUEST_ID)?,
            distribution_id: optional(&mut config, "distributionId", place::DISTRIBUTION_ID)?,
            request: Request::read(object(&mut cf, "request", place::REQUEST)?)?,
            response,
        })
    }

    /// What the function was called for.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        self.kind
    }

    /// CloudFront's name for the request, where the event has it: letters, digits, and `-`, `_`, `=`.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The distribution that the request came to, where the event has it.
    #[must_use]
    pub fn distribution_id(&self) -> Option<&str> {
        self.distribution_id.as_deref()
    }

    /// The request: the caller's, and in the events that come later the one that CloudFront made of it.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// The response, in the events that have one.
    #[must_use]
    pub const fn response(&self) -> Option<&Response> {
        self.response.as_ref()
    }

    /// The request to go on with: as it came, less the fields that `is_removed` names, and with those of `set`, which
    /// take the place of all whose names fold alike.
    ///
    /// Names are given to `is_removed` in lower case. Fields that are disallowed or read-only here are left as they are.
    #[must_use]
    pub fn forwarded(self, is_removed: impl Fn(&str) -> bool, set: &[(&str, &str)]) -> String {
        let Self { kind, mut request, .. } = self;
        request.headers.remove(kind, is_removed);
        for (name, value) in set {
            request.headers.set(kind, name, value);
        }
        Value::Object(request.into_members()).to_string()
    }

    /// The response to go on with: as it came, less the fields that `is_withheld` names, and with those of `set`, each in
    /// place of all of its name.
    ///
    /// `None` in an event that has no response.
    #[must_use]
    pub fn passed_on(self, is_withheld: impl Fn(&str) -> bool, set: &[(&str, &str)]) -> Option<String> {
        let Self { kind, response, .. } = self;
        let mut response = response?;
        response.headers.remove(kind, is_withheld);
        for (name, value) in set {
            response.headers.set(kind, name, value);
        }
        Some(Value::Object(response.into_members()).to_string())
    }

    /// Another response in place of the origin's. What is read-only of the origin's stays, as CloudFront asks.
    ///
    /// `None` where a function may not do that: only at the origin's response may it change the status.
    #[must_use]
    pub fn replaced(self, answer: &postern::Answer) -> Option<String> {
        match self.kind {
            EventKind::OriginResponse => {
                let is_head = self.request.is_head();
                self.response.map(|response| response.replaced(self.kind, answer, is_head))
            }
            EventKind::ViewerRequest | EventKind::OriginRequest | EventKind::ViewerResponse => None,
        }
    }
}

/// Tokens, assertions and people's names are in requests: what is shown is the kind alone.
impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Event").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Takes a member that must be an object.
fn object(members: &mut Map<String, Value>, name: &str, place: &'static str) -> Result<Map<String, Value>, EventError> {
    match members.remove(name) {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(EventError::Malformed(place)),
    }
}

/// Takes a member that must be a string.
fn string(members: &mut Map<String, Value>, name: &str, place: &'static str) -> Result<String, EventError> {
    match members.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(EventError::Malformed(place)),
    }
}

/// Takes a member on which nothing is decided: it may be missing, and is else a string.
fn optional(members: &mut Map<String, Value>, name: &str, place: &'static str) -> Result<Option<String>, EventError> {
    if members.contains_key(name) { string(members, name, place).map(Some) } else { Ok(None) }
}
