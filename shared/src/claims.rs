//! The claims of an access token whose signature holds (RFC 7519 §4, RFC 9068 §2.2).
//!
//! Read into a set that refuses duplicates; judged by [`section`](crate::authorizer) rules with arithmetic that
//! saturates. Issuers keep clients, scopes, roles and companies
//! in different places: where, is the policy's to say, as a [`ClaimPath`].

use alloc::{borrow::ToOwned, format, string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::RangeInclusive};

use crate::{
    authorizer::MAX_TOKEN_SCOPES,
    json::{self, Json, Object},
    names::{self, Ambiguous, Texts},
    policy::TextForm,
    reason::Reason,
};

/// Longest subject, in octets. OpenID Connect Core §2 caps `sub` at 255 ASCII characters.
pub const MAX_SUBJECT_BYTES: usize = 255;

/// Claims by name, plus the three dates.
#[derive(Clone)]
pub(crate) struct Claims<'t> {
    pub(crate) expiration: Option<Date>,
    pub(crate) not_before: Option<Date>,
    pub(crate) issued_at: Option<Date>,
    members: Object<'t>,
}

/// A `NumericDate` (RFC 7519 §2) as the two whole seconds around it, which are the same if it has no fraction.
///
/// Each rule takes the one by which a fraction never helps a token: what ends it is rounded down, what it must wait for is
/// rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    /// Rounded down, in seconds since the epoch.
    pub(crate) floor: i64,
    /// Rounded up.
    pub(crate) ceiling: i64,
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
                let date = match number.as_i64() {
                    Some(whole) => Date { floor: whole, ceiling: whole },
                    None => Date::from_f64(number.as_f64()?)?,
                };
                (DATES.contains(&date.floor) && DATES.contains(&date.ceiling)).then_some(Some(date))
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

    /// `aud`: one string or an array of strings (RFC 7519 §4.1.3). `None` when absent.
    pub(crate) fn audience(&self) -> Result<Option<Vec<&str>>, WrongType> {
        match self.get("aud") {
            None => Ok(None),
            Some(Json::String(one)) => Ok(Some([&**one].into())),
            other => listed(other).map(Some),
        }
    }

    /// Scopes in a text of this form, by default with spaces between as RFC 8693 §4.2 has them, or in an array of strings,
    /// as some issuers write them. Empty when absent. What RFC 6749 §3.3 does not allow in a scope is not one.
    ///
    /// Tokens of one client mostly have the same: where these are those of `like`, it has a share in them. The inner error is
    /// why they are not read: the text is not of this form, or there are too many.
    pub(crate) fn scopes_at(
        &self,
        path: &ClaimPath,
        form: TextForm,
        like: Option<&Arc<[String]>>,
    ) -> Result<Result<Arc<[String]>, Reason>, WrongType> {
        let is_scope = |name: &&str| names::is_scope(name);
        match self.at(path) {
            // A text has fewer names than octets.
            Some(Json::String(text)) => Ok(match Texts::read(text, Some(form)) {
                Ok(read) => within_cap(read.names().filter(is_scope), text.len(), like),
                Err(Ambiguous) => Err(Reason::ScopesAmbiguous),
            }),
            other => {
                let names = listed(other)?;
                Ok(within_cap(names.iter().copied().filter(is_scope), names.len(), like))
            }
        }
    }
}

impl Date {
    /// `None` for a number that no date can be.
    fn from_f64(number: f64) -> Option<Self> {
        let dates = -9e12..9e12;
        // `Display` writes a number out in full and without an exponent. `core` has no `floor`.
        let text = dates.contains(&number).then(|| format!("{number}"))?;
        let (whole, fraction) = text.split_once('.').map_or((&*text, None), |(whole, rest)| (whole, Some(rest)));
        // `-0.5` has the whole part `-0`.
        let towards_zero: i64 = whole.parse().ok()?;
        Some(match fraction {
            None => Self { floor: towards_zero, ceiling: towards_zero },
            Some(_) if whole.starts_with('-') => Self { floor: towards_zero.checked_sub(1)?, ceiling: towards_zero },
            Some(_) => Self { floor: towards_zero, ceiling: towards_zero.checked_add(1)? },
        })
    }
}

/// The scopes, unless there are more than a token may have. `most` of them at most: they are counted only where that is too
/// many.
fn within_cap<'n>(
    scopes: impl Iterator<Item = &'n str> + Clone,
    most: usize,
    like: Option<&Arc<[String]>>,
) -> Result<Arc<[String]>, Reason> {
    if most > MAX_TOKEN_SCOPES && scopes.clone().nth(MAX_TOKEN_SCOPES).is_some() {
        return Err(Reason::TooManyScopes);
    }
    Ok(json::shared(scopes, like))
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

    /// Whether the claim is the one at `outer`, or a part of it.
    pub(crate) fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_with_a_fraction_is_rounded_both_ways() {
        let date = |text: &str| {
            let payload = format!(r#"{{"exp":{text}}}"#);
            Claims::from_json(payload.as_bytes())?.expiration.map(|date| (date.floor, date.ceiling))
        };
        for (text, expected) in [
            ("1800000000", Some((1_800_000_000, 1_800_000_000))),
            ("1800000000.0", Some((1_800_000_000, 1_800_000_000))),
            ("1.8e9", Some((1_800_000_000, 1_800_000_000))),
            ("1800000000.000001", Some((1_800_000_000, 1_800_000_001))),
            ("1800000000.5", Some((1_800_000_000, 1_800_000_001))),
            ("1800000000.999999", Some((1_800_000_000, 1_800_000_001))),
            ("5e-1", Some((0, 1))),
            ("5e-324", Some((0, 1))),
            ("-5e-324", Some((-1, 0))),
            ("-0.5", Some((-1, 0))),
            ("-0.0", Some((0, 0))),
            ("-1.5", Some((-2, -1))),
            ("8210266876799", Some((8_210_266_876_799, 8_210_266_876_799))),
            ("8210266876799.5", None),
            ("-8334601228800.5", None),
            ("1e13", None),
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
    }
}
