//! The claims of an access token whose signature holds (RFC 7519 §4, RFC 9068 §2.2).
//!
//! Read into a set that refuses duplicates; judged by [`section`](crate::authorizer) rules with arithmetic that
//! saturates. Issuers keep clients, scopes, roles and companies
//! in different places: where, is the policy's to say, as a [`ClaimPath`].

use alloc::{borrow::ToOwned, format, string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::RangeInclusive};

use crate::{
    cut,
    json::{self, Json, Object},
};

/// Longest subject, in octets. OpenID Connect Core §2 caps `sub` at 255 ASCII characters.
pub const MAX_SUBJECT_BYTES: usize = 255;

/// Claims by name, plus the three dates, in whole seconds since the epoch.
#[derive(Clone)]
pub(crate) struct Claims<'t> {
    pub(crate) expiration: Option<i64>,
    pub(crate) not_before: Option<i64>,
    pub(crate) issued_at: Option<i64>,
    members: Object<'t>,
}

/// Dates that mean one: some 262,000 years either side of the epoch, as calendars have them.
const DATES: RangeInclusive<i64> = -8_334_601_228_800..=8_210_266_876_799;

/// A claim is there, but not of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongType;

impl<'t> Claims<'t> {
    /// `None` when the payload is no object, a date has no usable value, or a member stands twice.
    pub(crate) fn from_json(payload: &'t [u8]) -> Option<Self> {
        Self::from_members(Object::parse(payload).ok()?)
    }

    /// The same from members that somebody else has read, in which none stands twice.
    pub(crate) fn from_members(members: Object<'t>) -> Option<Self> {
        let date = |name: &str| match members.get(name) {
            None => Some(None),
            Some(Json::Number(number)) => {
                let date = number.as_i64().or_else(|| whole_part(number.as_f64()?))?;
                DATES.contains(&date).then_some(Some(date))
            }
            Some(_) => None,
        };
        Some(Self { expiration: date("exp")?, not_before: date("nbf")?, issued_at: date("iat")?, members })
    }

    /// The claim of that name at the top, of whatever type.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'t>> {
        self.members.get(name)
    }

    /// The claim at `path`, of whatever type.
    pub(crate) fn at(&self, path: &ClaimPath) -> Option<&Json<'t>> {
        let (first, rest) = path.0.split_first()?;
        rest.iter().try_fold(self.get(first)?, |value, name| match value {
            Json::Object(members) => members.get(name),
            _ => None,
        })
    }

    /// A claim that must be a string where it is present.
    pub(crate) fn string(&self, name: &str) -> Result<Option<&str>, WrongType> {
        as_string(self.get(name))
    }

    /// A claim that must be a string where it is present.
    pub(crate) fn string_at(&self, path: &ClaimPath) -> Result<Option<&str>, WrongType> {
        as_string(self.at(path))
    }

    /// `aud`: one string or an array of strings (RFC 7519 §4.1.3). Empty when absent.
    pub(crate) fn audience(&self) -> Result<Vec<&str>, WrongType> {
        match self.get("aud") {
            Some(Json::String(one)) => Ok([&**one].into()),
            other => listed(other),
        }
    }

    /// Names in a space-separated string, as RFC 8693 §4.2 has them in `scope`, or in an array of strings, as some
    /// issuers write it. Empty when absent.
    ///
    /// Tokens of one client mostly have the same: where these are those of `like`, it has a share in them.
    pub(crate) fn names_at(&self, path: &ClaimPath, like: Option<&Arc<[String]>>) -> Result<Arc<[String]>, WrongType> {
        match self.at(path) {
            Some(Json::String(text)) => Ok(json::shared(cut::all(text, b' ').filter(|name| !name.is_empty()), like)),
            other => Ok(json::shared(listed(other)?.into_iter(), like)),
        }
    }
}

/// A number without its fraction, which RFC 7519 §2 allows a date to have. `None` for one that no date can be.
fn whole_part(number: f64) -> Option<i64> {
    let date = -9e12..9e12;
    // Written out in full by `Display`, in this range and in any other.
    date.contains(&number).then(|| format!("{number}"))?.split('.').next()?.parse().ok()
}

fn as_string<'j>(value: Option<&'j Json<'_>>) -> Result<Option<&'j str>, WrongType> {
    match value {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(WrongType),
    }
}

fn listed<'j>(value: Option<&'j Json<'_>>) -> Result<Vec<&'j str>, WrongType> {
    match value {
        None => Ok(Vec::new()),
        Some(Json::Array(items)) => json::texts(items).ok_or(WrongType),
        Some(_) => Err(WrongType),
    }
}

/// Where in the claims something stands: the names of members from the outside in, never empty.
///
/// A list and not a dotted text, since claims may have dots and slashes in their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// `None` when there is no name, or one is empty.
    pub(crate) fn new(names: &[String]) -> Option<Self> {
        let usable = !names.is_empty() && names.iter().all(|name| !name.is_empty());
        usable.then(|| Self(names.to_vec()))
    }

    /// The names, from the outside in.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether it is that of the claim `name` at the top.
    pub(crate) fn is_top(&self, name: &str) -> bool {
        matches!(self.0.as_slice(), [only] if only == name)
    }

    /// A claim at the top.
    pub(crate) fn top(name: &str) -> Self {
        Self(Vec::from([name.to_owned()]))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" / "))
    }
}
