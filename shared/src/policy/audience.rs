//! For which APIs a section's tokens may be: its rule on `aud` (RFC 7519 §4.1.3, RFC 9068 §4).

use alloc::{string::String, vec::Vec};

/// Which `aud` a token of an issuer section may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudienceRule {
    /// One of these.
    OneOf(Vec<String>),
    /// None at all: the section names no audience. A token with an `aud` is meant for an API, and nothing says that it
    /// is this one.
    Absent,
    /// Any, or none: the policy says `"any"`.
    Any,
}

impl AudienceRule {
    /// Whether it accepts a token with this `aud`, which has no names where it is an empty list. `None`: the token has
    /// no `aud`.
    #[must_use]
    pub fn accepts(&self, audience: Option<&[&str]>) -> bool {
        match self {
            Self::OneOf(own) => {
                audience.is_some_and(|names| names.iter().any(|name| own.iter().any(|own| own == name)))
            }
            Self::Absent => audience.is_none(),
            Self::Any => true,
        }
    }

    /// The audiences that it names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match self {
            Self::OneOf(names) => names,
            Self::Absent | Self::Any => &[],
        }
    }

    /// Whether no token with a single audience, and none without one, can satisfy both.
    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OneOf(one), Self::OneOf(other)) => !one.iter().any(|name| other.contains(name)),
            (Self::OneOf(_), Self::Absent) | (Self::Absent, Self::OneOf(_)) => true,
            (Self::Any, _) | (_, Self::Any) | (Self::Absent, Self::Absent) => false,
        }
    }
}
