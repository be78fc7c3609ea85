//! What an authorizer is asked: the events of API Gateway's four kinds of API, read into one request.
//!
//! The events are read member by member. `aws_lambda_events` has types for them, which keep one value of each header
//! field, lower a WebSocket's event to another's shape, and refuse an event for members that nobody here looks at.
//!
//! | shape | told by | method and path from | path | query | fields |
//! | --- | --- | --- | --- | --- | --- |
//! | REST `TOKEN` | `type` | the ARN | in either spelling | not there | the token alone |
//! | REST `REQUEST` | `type`, no `version` | `httpMethod`, `path` | as it was sent | put together from the decoded map | all |
//! | HTTP API, 1.0 | `version` | `httpMethod`, `path` | decoded | put together from the decoded map | all, repeated ones joined |
//! | HTTP API, 2.0 | `version` | `requestContext.http.method`, `rawPath` | decoded | as it was sent | all, repeated ones joined |
//! | WebSocket | `requestContext.eventType` | `GET`, `/$connect` | — | put together | all |
//!
//! A query that is put together has each name's values in their order, and says nothing of the order of names or of how
//! they were escaped: enough to find a company in, and not to compare with what was sent.
//!
//! Source: the developer guide's "Input to an API Gateway Lambda authorizer" and "Control access to HTTP APIs with AWS
//! Lambda authorizers". Not here: what is decided.

use std::{borrow::Cow, fmt};

use postern::{Request, target::encode_path};
use serde_json::{Map, Value};

use super::arn::{CONNECT, RequestArn};
use crate::{assertion::BasePath, http::query::escaped};

/// The shapes that an authorizer is asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A REST API's authorizer of type `TOKEN`.
    RestToken,
    /// A REST API's authorizer of type `REQUEST`.
    RestRequest,
    /// An HTTP API's, payload format 1.0.
    HttpVersion1,
    /// An HTTP API's, payload format 2.0.
    HttpVersion2,
    /// A WebSocket API's, which is asked at `$connect` and no more.
    WebSocket,
}

/// An event.
#[derive(Clone, Debug)]
pub enum Event {
    /// Of API Gateway.
    Request(Asked),
    /// Of AppSync; read where it is judged.
    AppSync(Map<String, Value>),
}

/// A request that an authorizer is asked about.
#[derive(Clone)]
pub struct Asked {
    shape: Shape,
    arn: RequestArn,
    method: String,
    /// `None` for a path outside the base path.
    target: Option<String>,
    headers: Vec<(String, String)>,
    request_id: Option<String>,
}

/// Why an event cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// It is no JSON object.
    NotAnObject,
    /// It is of no shape that an authorizer is asked in.
    Unknown,
    /// This member is missing or of another type.
    Member(&'static str),
    /// Its ARN is none of a request to an API.
    Arn,
    /// A WebSocket's, and not of its `$connect`.
    NotConnect,
}

impl Event {
    /// Reads an event; paths begin with `base_path` where the shape has the platform's path.
    ///
    /// # Errors
    /// [`EventError`] says what is wrong with it.
    pub fn read(event: Value, base_path: &BasePath) -> Result<Self, EventError> {
        let Value::Object(event) = event else { return Err(EventError::NotAnObject) };
        let shape = match shape(&event)? {
            Some(shape) => shape,
            None => return Ok(Self::AppSync(event)),
        };
        let arn =
            RequestArn::parse(text(&event, if shape == Shape::HttpVersion2 { "routeArn" } else { "methodArn" })?)?;
        let context = event.get("requestContext");
        let request_id = context.and_then(|context| context.get("requestId")).and_then(Value::as_str);
        let (method, target) = match shape {
            Shape::RestToken => {
                let (method, path) = arn.method_and_path().ok_or(EventError::Arn)?;
                (method.to_owned(), Some(without_query(&in_either_spelling(&path))))
            }
            Shape::RestRequest | Shape::HttpVersion1 => {
                let path = base_path.strip(text(&event, "path")?);
                let path = path.map(|path| match shape {
                    Shape::RestRequest => Cow::Borrowed(path),
                    _ => encoded(path),
                });
                let query = put_together(&event);
                (text(&event, "httpMethod")?.to_owned(), path.map(|path| with_query(&path, &query)))
            }
            Shape::HttpVersion2 => {
                let method = context
                    .and_then(|context| context.get("http")?.get("method")?.as_str())
                    .ok_or(EventError::Member("requestContext.http.method"))?;
                let query = event.get("rawQueryString").and_then(Value::as_str).unwrap_or_default();
                let path = base_path.strip(text(&event, "rawPath")?).map(encoded);
                (method.to_owned(), path.map(|path| with_query(&path, query)))
            }
            Shape::WebSocket => ("GET".to_owned(), Some(with_query(&format!("/{CONNECT}"), &put_together(&event)))),
        };
        let headers = match shape {
            Shape::RestToken => {
                vec![("authorization".to_owned(), text(&event, "authorizationToken")?.to_owned())]
            }
            _ => fields(&event)?,
        };
        Ok(Self::Request(Asked { shape, arn, method, target, headers, request_id: request_id.map(str::to_owned) }))
    }
}

impl Asked {
    /// The shape of the event.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The request's ARN.
    #[must_use]
    pub const fn arn(&self) -> &RequestArn {
        &self.arn
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The request's target as far as the event has it; `None` for a path outside the base path.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// The target without its query.
    pub(super) fn path(&self) -> Option<&str> {
        self.target().map(|target| target.split_once('?').map_or(target, |(path, _)| path))
    }

    /// API Gateway's name for the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The request's fields, borrowed.
    pub(super) fn fields(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The request as the core takes it, with its target.
    pub(super) fn request<'r>(&'r self, target: &'r str, fields: &'r [(&'r str, &'r str)]) -> Request<'r> {
        Request { method: &self.method, target, headers: fields }
    }
}

/// `None` for AppSync's.
fn shape(event: &Map<String, Value>) -> Result<Option<Shape>, EventError> {
    let context = event.get("requestContext");
    let of_context = |name: &str| context.and_then(|context| context.get(name));
    match (event.get("type").and_then(Value::as_str), event.get("version").and_then(Value::as_str)) {
        (Some("TOKEN"), None) => Ok(Some(Shape::RestToken)),
        (Some("REQUEST"), Some("1.0")) => Ok(Some(Shape::HttpVersion1)),
        (Some("REQUEST"), Some("2.0")) => Ok(Some(Shape::HttpVersion2)),
        (Some("REQUEST"), None) => match of_context("eventType").map(Value::as_str) {
            None => Ok(Some(Shape::RestRequest)),
            Some(Some("CONNECT")) => Ok(Some(Shape::WebSocket)),
            Some(_) => Err(EventError::NotConnect),
        },
        // An event that opens a connection has no document.
        (None, None) if event.contains_key("authorizationToken") && of_context("apiId").is_some() => Ok(None),
        _ => Err(EventError::Unknown),
    }
}

fn text<'e>(event: &'e Map<String, Value>, member: &'static str) -> Result<&'e str, EventError> {
    event.get(member).and_then(Value::as_str).ok_or(EventError::Member(member))
}

/// A path of which nobody says whether it was decoded. A canonical path's decoded segments hold no `%`, so one with a
/// `%` is as it was sent, and one without is encoded, which leaves a path that needed no escapes as it is.
fn in_either_spelling(path: &str) -> Cow<'_, str> {
    if path.contains('%') { Cow::Borrowed(path) } else { encoded(path) }
}

/// A path that the platform has decoded. What no canonical path decodes to stays as it is: the core refuses it by name.
fn encoded(path: &str) -> Cow<'_, str> {
    encode_path(path).map_or(Cow::Borrowed(path), Cow::Owned)
}

fn with_query(path: &str, query: &str) -> String {
    let path = without_query(path);
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// A path of which no part is taken for a query: a `?` in it was sent as an escape, which the core refuses by name.
fn without_query(path: &str) -> String {
    path.replace('?', "%3F")
}

/// The query that a decoded map represents.
fn put_together(event: &Map<String, Value>) -> String {
    let pairs = values(event, "queryStringParameters", "multiValueQueryStringParameters").into_iter();
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}

/// Every field with its values. What stands in either of the two members counts: neither may hide a second credential.
fn fields(event: &Map<String, Value>) -> Result<Vec<(String, String)>, EventError> {
    if !event.get("headers").is_none_or(|headers| headers.is_object() || headers.is_null()) {
        return Err(EventError::Member("headers"));
    }
    let pairs = values(event, "headers", "multiValueHeaders");
    Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The pairs of the map with lists, and those of the other whose name it lacks.
fn values<'e>(event: &'e Map<String, Value>, single: &str, multiple: &str) -> Vec<(&'e str, &'e str)> {
    let members = |name: &str| event.get(name).and_then(Value::as_object).into_iter().flatten();
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (name, list) in members(multiple) {
        pairs.extend(list.as_array().into_iter().flatten().filter_map(|value| Some((name.as_str(), value.as_str()?))));
    }
    for (name, value) in members(single) {
        let known = pairs.iter().any(|(other, _)| other == name);
        pairs.extend(value.as_str().filter(|_| !known).map(|value| (name.as_str(), value)));
    }
    pairs
}

impl EventError {
    /// The error's stable name, for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAnObject => "event_not_an_object",
            Self::Unknown => "event_unknown",
            Self::Member(_) => "event_member",
            Self::Arn => "event_arn",
            Self::NotConnect => "event_not_connect",
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => formatter.write_str("the event is not a JSON object"),
            Self::Unknown => formatter.write_str("the event is of no shape that an authorizer is asked in"),
            Self::Member(name) => write!(formatter, "the event's `{name}` is missing or of another type"),
            Self::Arn => formatter.write_str("the event's ARN is none of a request to an API"),
            Self::NotConnect => formatter.write_str("a WebSocket is judged at `$connect` alone"),
        }
    }
}

impl std::error::Error for EventError {}

/// Method, path and fields name people and hold credentials: they stay out of debug output.
impl fmt::Debug for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Asked").field("shape", &self.shape).finish_non_exhaustive()
    }
}
