//! The form in which a text claim lists names, as the policy declares it.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use crate::names::Texts;

/// How a text in a claim of scopes, roles or companies says names. An array says them by itself.
///
/// A text without a separator is one name in every form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// The whole text is one name.
    Text,
    /// Names with spaces between (RFC 8693 §4.2).
    Spaces,
    /// Names with commas between, and perhaps spaces around.
    Commas,
    /// An array of names as JSON text.
    Json,
}

impl TextForm {
    /// Every form, in the order in which messages list them.
    pub const ALL: [Self; 4] = [Self::Text, Self::Spaces, Self::Commas, Self::Json];

    /// The form's name in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Spaces => "spaces",
            Self::Commas => "commas",
            Self::Json => "json",
        }
    }

    /// The names that a text has in this form; `None` where it does not have the form, or could be one name or several
    /// and no form is named.
    #[must_use]
    pub fn names(form: Option<Self>, text: &str) -> Option<Vec<String>> {
        Some(Texts::read(text, form).ok()?.names().map(ToOwned::to_owned).collect())
    }

    /// Finds a form by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }
}

/// The forms of the claims with a caller's companies and roles; `None`: a text there is one name or not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClaimForms {
    /// Of the companies.
    pub companies: Option<TextForm>,
    /// Of the roles.
    pub roles: Option<TextForm>,
}

impl fmt::Display for TextForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
