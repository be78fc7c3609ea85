//! Header fields as CloudFront writes them, `{"lower-case name": [{"key": "Name", "value": "…"}, …]}`, and the names
//! that a function must leave as they are ("Restrictions on all edge functions": Read-only headers).

use postern::{policy::cloudfront::is_disallowed, request::folded};
use serde_json::{Map, Value, json};

use super::{EventError, EventKind};

/// Read-only in viewer request events.
pub const READ_ONLY_IN_VIEWER_REQUEST: [&str; 4] = ["content-length", "host", "transfer-encoding", "via"];

/// Read-only in origin request events. `Range` stands on some editions of the page and not on others; left alone it
/// does no harm.
pub const READ_ONLY_IN_ORIGIN_REQUEST: [&str; 9] = [
    "accept-encoding",
    "content-length",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
    "transfer-encoding",
    "via",
];

/// Read-only in origin response events.
pub const READ_ONLY_IN_ORIGIN_RESPONSE: [&str; 2] = ["transfer-encoding", "via"];

/// Read-only in viewer response events.
pub const READ_ONLY_IN_VIEWER_RESPONSE: [&str; 5] =
    ["content-encoding", "content-length", "transfer-encoding", "via", "warning"];

/// Whether a function may set or remove a field of this name in such an event.
pub(super) fn is_free(kind: EventKind, name: &str) -> bool {
    !is_disallowed(name) && !kind.read_only().iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Whether fields may stand under this: in lower case, as CloudFront has all names.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Whether a field under `name` may be written `key`: CloudFront sends on what `key` says, and Postern decides by the name.
pub(super) fn is_its_name(name: &str, key: &str) -> bool {
    key.eq_ignore_ascii_case(name)
}

/// The fields of a request or a response. Each name leads to a list of objects with a string `value`: `read` has seen
/// to it.
pub(super) struct Headers(Map<String, Value>);

impl Headers {
    /// The fields, when each stands under the name that it has.
    pub(super) fn read(members: &mut Map<String, Value>, place: &'static str) -> Result<Self, EventError> {
        let fields = super::object(members, "headers", place)?;
        let is_field = |name: &str, field: &Value| {
            let Some(field) = field.as_object() else { return false };
            let is_its_name = match field.get("key") {
                None => true,
                Some(key) => key.as_str().is_some_and(|key| is_its_name(name, key)),
            };
            is_its_name && field.get("value").is_some_and(Value::is_string)
        };
        let is_well_formed = fields.iter().all(|(name, list)| {
            is_name(name) && list.as_array().is_some_and(|list| list.iter().all(|field| is_field(name, field)))
        });
        if is_well_formed { Ok(Self(fields)) } else { Err(EventError::Malformed(place)) }
    }

    /// Every value of every name: names in order of the alphabet, a name's values as they came.
    pub(super) fn fields(&self) -> Vec<(&str, &str)> {
        let values = |(name, list)| Self::values_in(list).map(move |value| (name, value));
        self.0.iter().map(|(name, list)| (name.as_str(), list)).flat_map(values).collect()
    }

    /// The values of a field whose name is given in lower case.
    pub(super) fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.get(name).into_iter().flat_map(Self::values_in)
    }

    fn values_in(list: &Value) -> impl Iterator<Item = &str> {
        list.as_array().into_iter().flatten().filter_map(|field| field.get("value").and_then(Value::as_str))
    }

    /// Removes the fields that `is_removed` names, where that is allowed.
    pub(super) fn remove(&mut self, kind: EventKind, is_removed: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| !(is_removed(name) && is_free(kind, name)));
    }

    /// Sets a field, where that is allowed, in place of all whose names fold alike.
    pub(super) fn set(&mut self, kind: EventKind, name: &str, value: &str) {
        if is_free(kind, name) {
            self.remove(kind, |other| folded(other).eq(folded(name)));
            self.append(kind, name, value);
        }
    }

    /// Adds a value to a field, where that is allowed.
    pub(super) fn append(&mut self, kind: EventKind, name: &str, value: &str) {
        if !is_free(kind, name) {
            return;
        }
        let list = self.0.entry(name.to_ascii_lowercase()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(json!({"key": name, "value": value}));
        }
    }

    /// The fields that a function must hand back as they came.
    pub(super) fn only_read_only(mut self, kind: EventKind) -> Self {
        self.0.retain(|name, _| kind.read_only().contains(&name.as_str()));
        self
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}
