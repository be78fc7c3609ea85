//! JSON read strictly: a member named twice is an error (RFC 8725 §2.4, RFC 7515 §4).
//!
//! `serde_json` keeps the last of two members with one name; another reader may keep the first,
//! and what one part of a system checked is then not what the next one uses.

use alloc::{
    borrow::{Cow, ToOwned},
    string::String,
    sync::Arc,
    vec::Vec,
};
use core::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Members up to which each new name is compared with all before it; past that they are sorted, so that an object of
/// thousands costs little more than its length.
const FEW: usize = 24;
/// Members that access tokens have, at most, as a rule.
const USUAL: usize = 16;

/// A JSON value in which, at every depth, no member is named twice. Texts without escapes are borrowed from where they
/// were read: of most claims no rule ever asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'t> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'t, str>),
    Array(Vec<Self>),
    Object(Object<'t>),
}

/// The members of an object, in their order, no two of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'t>(Vec<(Cow<'t, str>, Json<'t>)>);

impl<'t> Object<'t> {
    /// Reads an object of which no member, at any depth, is named twice.
    pub(crate) fn parse(bytes: &'t [u8]) -> Result<Self, serde_json::Error> {
        // All of it at once, so that it need not be looked at again string by string.
        serde_json::from_str(core::str::from_utf8(bytes).map_err(serde_json::Error::custom)?)
    }

    /// The member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'t>> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Name and value of each member.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'t>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    fn to_map(&self) -> Map<String, Value> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_value())).collect()
    }
}

impl<'t> Json<'t> {
    /// The text, where it is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The same, owning all of it.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::String(text) => Value::String(text.clone().into_owned()),
            Self::Array(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(members) => Value::Object(members.to_map()),
        }
    }
}

/// Borrowed from what somebody else has read, in which no member stands twice.
impl<'t> From<&'t Value> for Json<'t> {
    fn from(value: &'t Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::String(text.as_str().into()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(members.into()),
        }
    }
}

impl<'t> From<&'t Map<String, Value>> for Object<'t> {
    fn from(members: &'t Map<String, Value>) -> Self {
        Self(members.iter().map(|(name, value)| (name.as_str().into(), value.into())).collect())
    }
}

impl<'de: 't, 't> Deserialize<'de> for Object<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_map(JsonVisitor { room: USUAL })? {
            Json::Object(members) => Ok(members),
            _ => Err(D::Error::custom("no JSON object")),
        }
    }
}

impl<'de: 't, 't> Deserialize<'de> for Json<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor { room: 0 })
    }
}

struct JsonVisitor {
    /// For how many members there is room from the start.
    room: usize,
}

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(value.to_owned().into()))
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let twice = || A::Error::custom("a member is named twice");
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(self.room);
        let mut kinds = 0_u64;
        while let Some(Name(name)) = access.next_key()? {
            // Names of different kinds are different; most are the first of theirs.
            let kind = kind(&name);
            if kinds & kind != 0 && members.len() < FEW && members.iter().any(|(own, _)| *own == name) {
                return Err(twice());
            }
            kinds |= kind;
            members.push((name, access.next_value()?));
        }
        if members.len() > FEW {
            let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
            names.sort_unstable();
            if names.array_windows().any(|[one, next]| one == next) {
                return Err(twice());
            }
        }
        Ok(Json::Object(Object(members)))
    }
}

/// One bit for a name, by its length and its last octet.
fn kind(name: &str) -> u64 {
    let last = name.as_bytes().last().copied().map_or(0, u32::from);
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    1_u64.rotate_left(last.wrapping_add(length.wrapping_mul(5)) % 64)
}

/// The name of a member, borrowed where it has no escapes.
struct Name<'t>(Cow<'t, str>);

impl<'de: 't, 't> Deserialize<'de> for Name<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(name.into()))
    }

    fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(name.to_owned().into()))
    }
}

/// Reads a JSON object of which no member, at any depth, is named twice.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    Object::parse(bytes).map(|members| members.to_map())
}

/// The items of an array when every one of them is a string; else `None`.
pub(crate) fn strings(items: &[Value]) -> Option<Vec<String>> {
    items.iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect()
}

/// These names, as a list that may be the same one as that of `like`.
pub(crate) fn shared<'n>(names: impl Iterator<Item = &'n str> + Clone, like: Option<&Arc<[String]>>) -> Arc<[String]> {
    match like {
        Some(like) if names.clone().eq(like.iter().map(String::as_str)) => Arc::clone(like),
        _ => names.map(ToOwned::to_owned).collect(),
    }
}

/// What a list takes of memory, in octets and roughly.
pub(crate) fn octets_of(names: &[String]) -> usize {
    names.iter().map(|name| name.len().saturating_add(size_of::<String>())).fold(0, usize::saturating_add)
}

/// What a value takes of memory, in octets and roughly.
pub(crate) fn octets(value: &Value) -> usize {
    let held = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(octets).fold(0, usize::saturating_add),
        // A member lies in a node, of which some of the room is not used.
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len().saturating_add(size_of::<(String, Value)>()).saturating_add(octets(value)))
            .fold(0, usize::saturating_add),
    };
    held.saturating_add(size_of::<Value>())
}

/// Octets of a text, or else of a value's JSON.
pub(crate) fn length(value: &Value) -> usize {
    if let Value::String(text) = value {
        return text.len();
    }
    let mut counted = Counted(0);
    // Never fails, and must not: `serde_json` panics where what it writes to fails.
    let _ = write!(counted, "{value}");
    counted.0
}

/// Counts octets and keeps none.
struct Counted(usize);

impl fmt::Write for Counted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

/// The items of an array when every one of them is a string; else `None`.
pub(crate) fn texts<'j>(items: &'j [Json<'_>]) -> Option<Vec<&'j str>> {
    items.iter().map(Json::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn members_named_twice_are_refused_at_every_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"b":2}}"#, r#"{"a":[{"b":1,"b":2}]}"#, r#"{"a":1,"\u0061":2}"#]
        {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn members_named_twice_are_refused_however_many_there_are() {
        let text = |names: &[String]| {
            let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        for count in [2, FEW - 1, FEW, FEW + 1, FEW + 2, 20 * FEW] {
            let names: Vec<String> = (0..count).map(|number| format!("n{number:04}")).collect();
            let members = text(&names);
            let members = Object::parse(members.as_bytes()).unwrap();
            assert!(names.iter().all(|name| members.get(name) == Some(&Json::Number(0.into()))), "{count}");
            assert_eq!(members.get("n"), None);
            for (one, other) in [(0, count - 1), (count - 1, 0), (count / 2, 0), (count - 1, count - 2)] {
                let mut twice = names.clone();
                twice[one] = twice[other].clone();
                assert!(Object::parse(text(&twice).as_bytes()).is_err(), "{one} as {other} of {count}");
            }
        }
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"x","\u0041\n"],"\u0062":{"c":{}}}"#;
        let members = Object::parse(text.as_bytes()).unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(members.to_map()), value);
        assert_eq!(Some(&members), value.as_object().map(Object::from).as_ref());
        for (text, why) in [("{\"a\":\"\u{0}\"}", "control"), ("{\"a\":1e999}", "infinite")] {
            assert!(Object::parse(text.as_bytes()).is_err(), "{why}");
        }
        assert!(Object::parse(b"{\"a\":\"\xFF\"}").is_err());
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Object::parse(deep(126).as_bytes()).is_ok());
        assert!(Object::parse(deep(127).as_bytes()).is_err());
    }

    #[test]
    fn only_objects_are_taken() {
        for text in ["[]", "1", "\"a\"", "null", "", "{", "{} {}"] {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
        assert!(object(br#"{"a":{"a":1}}"#).is_ok());
    }
}
