//! The claims of an access token whose signature holds (RFC 7519 §4, RFC 9068 §2.2).
//!
//! Read by `jwt-compact` into a set that refuses duplicates; judged by
//! [`section`](crate::authorizer) rules with arithmetic that saturates, because `jwt-compact`'s own
//! checks let `exp == now` pass and overflow on extreme dates.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use jwt_compact::UntrustedToken;
use serde_json::Value;

use crate::json::{self, UniqueObject};

/// Longest subject, in octets. OpenID Connect Core §2 caps `sub` at 255 ASCII characters.
pub const MAX_SUBJECT_BYTES: usize = 255;

/// Claims by name, plus the three dates, in whole seconds since the epoch.
#[derive(Clone)]
pub(crate) struct Claims {
    pub(crate) expiration: Option<i64>,
    pub(crate) not_before: Option<i64>,
    pub(crate) issued_at: Option<i64>,
    members: UniqueObject,
}

/// A claim is there, but not of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongType;

impl Claims {
    /// `None` when the payload is no object, a date has no usable value, or a member stands twice.
    pub(crate) fn from_parsed(token: &UntrustedToken<'_>) -> Option<Self> {
        let claims = token.deserialize_claims_unchecked::<UniqueObject>().ok()?;
        Some(Self {
            expiration: claims.expiration.map(|date| date.timestamp()),
            not_before: claims.not_before.map(|date| date.timestamp()),
            issued_at: claims.issued_at.map(|date| date.timestamp()),
            members: claims.custom,
        })
    }

    /// The claim `name`, of whatever type.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.members.0.get(name)
    }

    /// A claim that must be a string where it is present.
    pub(crate) fn string(&self, name: &str) -> Result<Option<&str>, WrongType> {
        match self.members.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(WrongType),
        }
    }

    /// `aud`: one string or an array of strings (RFC 7519 §4.1.3). Empty when absent.
    pub(crate) fn audience(&self) -> Result<Vec<String>, WrongType> {
        match self.members.0.get("aud") {
            None => Ok(Vec::new()),
            Some(Value::String(one)) => Ok([one.clone()].into()),
            Some(Value::Array(items)) => json::strings(items).ok_or(WrongType),
            Some(_) => Err(WrongType),
        }
    }

    /// `scope`: a space-separated string (RFC 8693 §4.2), or an array of strings as some issuers write it.
    pub(crate) fn scopes(&self) -> Result<Vec<String>, WrongType> {
        match self.members.0.get("scope") {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(text.split(' ').filter(|s| !s.is_empty()).map(ToOwned::to_owned).collect()),
            Some(Value::Array(items)) => json::strings(items).ok_or(WrongType),
            Some(_) => Err(WrongType),
        }
    }
}
