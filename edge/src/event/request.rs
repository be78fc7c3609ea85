//! The request in an event.

use core::fmt;

use serde_json::{Map, Value};

use super::{EventBody, EventError, EventOrigin, error::place, header::Headers};

/// A request as CloudFront shows it, and all that it must be handed back with.
pub struct Request {
    method: String,
    uri: String,
    query: String,
    client_ip: Option<String>,
    pub(super) headers: Headers,
    body: Option<EventBody>,
    origin: Option<EventOrigin>,
    /// What came beside these; the origin too, whose settings go back as they are.
    rest: Map<String, Value>,
}

impl Request {
    pub(super) fn read(mut members: Map<String, Value>) -> Result<Self, EventError> {
        let uri = super::string(&mut members, "uri", place::URI)?;
        // The first `?` begins the query, and that is a member of its own: else what was decided on and what CloudFront
        // sends could be two targets.
        if uri.contains('?') {
            return Err(EventError::Malformed(place::URI));
        }
        let body = match members.remove("body") {
            None => None,
            Some(Value::Object(body)) => Some(EventBody::read(body)?),
            Some(_) => return Err(EventError::Malformed(place::BODY)),
        };
        Ok(Self {
            uri,
            method: super::string(&mut members, "method", place::METHOD)?,
            query: super::string(&mut members, "querystring", place::QUERY)?,
            client_ip: super::optional(&mut members, "clientIp", place::CLIENT_IP)?,
            headers: Headers::read(&mut members, place::REQUEST_HEADERS)?,
            body,
            origin: members.get("origin").map(EventOrigin::read).transpose()?,
            rest: members,
        })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Whether the answer has no body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The target as it came: the path, and behind a `?` the query unless it is empty. Nothing is decoded or repaired.
    #[must_use]
    pub fn target(&self) -> String {
        target(&self.uri, &self.query)
    }

    /// Every value of every field once: names in lower case and in order, a name's values as they came.
    #[must_use]
    pub fn fields(&self) -> Vec<(&str, &str)> {
        self.headers.fields()
    }

    /// The first value of a field whose name is given in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.headers.values(name).next()
    }

    /// The value of a field that stands exactly once; its name is given in lower case.
    #[must_use]
    pub fn sole_field(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.values(name);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The address that the request came from, where the event has it.
    #[must_use]
    pub fn client_ip(&self) -> Option<&str> {
        self.client_ip.as_deref()
    }

    /// What the event shows of the body: `None` when the behaviour does not include bodies, which does not say that
    /// there is none.
    #[must_use]
    pub const fn body(&self) -> Option<&EventBody> {
        self.body.as_ref()
    }

    /// Where the request goes: in origin events. There, `None` means that nobody knows, and that the request must not go.
    #[must_use]
    pub const fn origin(&self) -> Option<&EventOrigin> {
        self.origin.as_ref()
    }

    /// The members of the request to go on with.
    pub(super) fn into_members(self) -> Map<String, Value> {
        let Self { method, uri, query, client_ip, headers, body, origin: _, rest: mut members } = self;
        for (name, text) in [("method", method), ("uri", uri), ("querystring", query)] {
            members.insert(name.to_owned(), Value::String(text));
        }
        if let Some(client_ip) = client_ip {
            members.insert("clientIp".to_owned(), Value::String(client_ip));
        }
        members.insert("headers".to_owned(), headers.into_value());
        if let Some(body) = body {
            members.insert("body".to_owned(), body.into_value());
        }
        members
    }
}

/// The target of path and query.
pub(super) fn target(uri: &str, query: &str) -> String {
    if query.is_empty() { uri.to_owned() } else { [uri, "?", query].concat() }
}

/// The target names people and companies, and the fields hold credentials.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}
