//! The trigger's event, and the same event as its answer.
//!
//! It is kept as JSON: Cognito wants back what it sent, members that are not known here among them, and emulators leave
//! out what the typed events of the field insist on. Only what is used is looked at.

use std::fmt;

use lambda_http::lambda_runtime::Diagnostic;
use serde_json::{Map, Value};

use super::claims::Additions;

/// Longest subject or client that is asked about, in octets; Cognito's own have 36.
const MAX_NAME_BYTES: usize = 2_048;

/// Which tokens an event may change, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// ID tokens, by claims that are strings.
    V1,
    /// Access tokens as well, by any JSON.
    V2,
    /// The same, of machine clients too.
    V3,
}

/// Why no token is issued. Never quotes the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreTokenError {
    /// A member of the event is missing or of another type than it can have.
    Event(&'static str),
    /// A version of the event that is not known here, and nobody is to sign in without the claims.
    Version,
    /// Another trigger's event.
    Trigger,
    /// The permissions service cannot tell, and nobody is to sign in then.
    Outage,
}

/// An event that could be read.
#[derive(Clone)]
pub(super) struct Event {
    members: Map<String, Value>,
    version: Version,
    subject: Option<String>,
    client: String,
    is_machine: bool,
}

/// What has been read.
pub(super) enum Read {
    Event(Event),
    /// One of this trigger's, of a version that is not known here: as it came.
    UnknownVersion(Value),
}

impl Event {
    /// # Errors
    /// [`PreTokenError`] names the member that cannot be read.
    pub(super) fn read(event: Value) -> Result<Read, PreTokenError> {
        let Value::Object(members) = event else { return Err(PreTokenError::Event("event")) };
        let version = match members.get("version").and_then(Value::as_str) {
            // cognito-local says 0.
            Some("0" | "1") => Some(Version::V1),
            Some("2") => Some(Version::V2),
            Some("3") => Some(Version::V3),
            Some(_) => None,
            None => return Err(PreTokenError::Event("version")),
        };
        let source = text(members.get("triggerSource"), "triggerSource")?;
        // The name in AWS's published example of the first version; user pools have never sent it.
        if !source.starts_with("TokenGeneration_") && source != "PreTokenGen" {
            return Err(PreTokenError::Trigger);
        }
        let is_machine = source == "TokenGeneration_ClientCredentials";
        let request = object(members.get("request"), "request")?;
        // Where its other members stand is not known either.
        let Some(version) = version else { return Ok(Read::UnknownVersion(Value::Object(members))) };
        let context = object(members.get("callerContext"), "callerContext")?;
        let client = text(context.get("clientId"), "callerContext.clientId")?.to_owned();
        let subject = if is_machine {
            // A machine client is its own subject, as in the token it is given.
            Some(client.clone())
        } else {
            let attributes = object(request.get("userAttributes"), "request.userAttributes")?;
            // Of the three names that a user has, the one that no user chooses and no other user is ever given.
            attributes
                .get("sub")
                .map(|sub| text(Some(sub), "request.userAttributes.sub"))
                .transpose()?
                .map(str::to_owned)
        };
        let event = Self { subject, client, version, is_machine, members };
        // Before anybody is asked: an answer that has no place to stand is none.
        event.clone().tokens()?;
        Ok(Read::Event(event))
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// Whose token it is; `None` where the event does not say.
    pub(super) fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    pub(super) fn client(&self) -> &str {
        &self.client
    }

    /// The answer that adds nothing.
    pub(super) fn unchanged(self) -> Result<Value, PreTokenError> {
        Ok(Value::Object(self.members))
    }

    /// The answer with these additions beside what the event had already.
    pub(super) fn answer(mut self, additions: Additions) -> Result<Value, PreTokenError> {
        let Additions { claims, scopes } = additions;
        for (name, token) in self.tokens()? {
            entry(token, "claimsToAddOrOverride")?.extend(claims.clone());
            if name == ACCESS && !scopes.is_empty() {
                let added = token.entry("scopesToAdd").or_insert(Value::Null);
                if added.is_null() {
                    *added = Value::Array(Vec::new());
                }
                let added = added.as_array_mut().ok_or(PreTokenError::Event("response"))?;
                for scope in &scopes {
                    if !added.iter().any(|there| there.as_str() == Some(scope)) {
                        added.push(Value::from(scope.as_str()));
                    }
                }
            }
        }
        Ok(Value::Object(self.members))
    }

    /// The places in the response for each token that the event may change, made where the event left them out.
    fn tokens(&mut self) -> Result<Vec<Place<'_>>, PreTokenError> {
        let response = entry(&mut self.members, "response")?;
        if self.version == Version::V1 {
            return Ok(vec![(ID, entry(response, "claimsOverrideDetails")?)]);
        }
        let details = entry(response, "claimsAndScopeOverrideDetails")?;
        // A machine client is given no ID token.
        let wanted: &[&'static str] = if self.is_machine { &[ACCESS] } else { &[ID, ACCESS] };
        for name in wanted {
            entry(details, name)?;
        }
        let places = details.iter_mut().filter_map(|(name, token)| {
            let name = wanted.iter().find(|wanted| *wanted == name)?;
            Some((*name, token.as_object_mut()?))
        });
        Ok(places.collect())
    }
}

/// A token's name, and where its changes stand.
type Place<'e> = (&'static str, &'e mut Map<String, Value>);

const ID: &str = "idTokenGeneration";
const ACCESS: &str = "accessTokenGeneration";

impl Version {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
            Self::V3 => "3",
        }
    }
}

fn object<'v>(value: Option<&'v Value>, member: &'static str) -> Result<&'v Map<String, Value>, PreTokenError> {
    value.and_then(Value::as_object).ok_or(PreTokenError::Event(member))
}

fn text<'v>(value: Option<&'v Value>, member: &'static str) -> Result<&'v str, PreTokenError> {
    let text = value.and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= MAX_NAME_BYTES);
    text.ok_or(PreTokenError::Event(member))
}

/// The object that is a member of the response; a new one where there is none or a `null`, as Cognito sends.
fn entry<'m>(members: &'m mut Map<String, Value>, name: &str) -> Result<&'m mut Map<String, Value>, PreTokenError> {
    let value = members.entry(name).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().ok_or(PreTokenError::Event("response"))
}

impl PreTokenError {
    /// The error's stable name, for logs and for Cognito.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Event(_) => "event_malformed",
            Self::Version => "version_unknown",
            Self::Trigger => "trigger_unknown",
            Self::Outage => "outage",
        }
    }
}

impl fmt::Display for PreTokenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(member) => write!(formatter, "`{member}` of the event cannot be read"),
            Self::Version => formatter.write_str("the event's version is none of 1, 2 and 3"),
            Self::Trigger => formatter.write_str("the event is another trigger's"),
            Self::Outage => formatter.write_str("permissions cannot be looked up now; try again in a moment"),
        }
    }
}

impl std::error::Error for PreTokenError {}

/// What Cognito is told, and shows whoever signs in.
impl From<PreTokenError> for Diagnostic {
    fn from(error: PreTokenError) -> Self {
        Self { error_type: error.code().to_owned(), error_message: error.to_string() }
    }
}
