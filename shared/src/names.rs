//! Claims with names: scopes, roles, companies.
//!
//! An array of texts is a list of names. A text is ambiguous as soon as it has a separator: `Acme Holdings` is one company
//! or two, and `["1111"]` an array that somebody wrote as text or a strange name. Such a text is not read until the policy
//! says what it is ([`TextForm`]). Whoever guesses wrong makes a member of `Acme Holdings` one of `Acme`.

use alloc::{
    borrow::{Cow, ToOwned},
    vec::Vec,
};

use crate::{
    cut,
    json::{self, Json},
    policy::TextForm,
};

/// A text could be one name or several, or it does not have the form that the policy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

/// A text that is read.
pub(crate) enum Texts<'t> {
    /// It is one name.
    One(&'t str),
    /// What is between these characters are its names.
    Cut(&'t str, u8),
    /// It was the JSON text of these, each a text.
    Listed(Vec<Json<'t>>),
}

impl<'t> Texts<'t> {
    /// Reads a text in the form that the policy names, if any.
    pub(crate) fn read(text: &'t str, form: Option<TextForm>) -> Result<Self, Ambiguous> {
        // What begins so may be an array or an object that somebody in between has written as text, as API Gateway does:
        // names cut out of the middle of one would be parts of names.
        let is_json = text.trim_start_matches(' ').starts_with(['[', '{', '"']);
        if !is_json && !text.contains([' ', ',']) {
            return Ok(Self::One(text));
        }
        match form {
            Some(TextForm::Text) => Ok(Self::One(text)),
            Some(TextForm::Spaces) if !is_json => Ok(Self::Cut(text, b' ')),
            Some(TextForm::Commas) if !is_json => Ok(Self::Cut(text, b',')),
            Some(TextForm::Json) => match serde_json::from_str(text) {
                Ok(Json::Array(items)) if json::texts(&items).is_some() => Ok(Self::Listed(items)),
                _ => Err(Ambiguous),
            },
            Some(TextForm::Spaces | TextForm::Commas) | None => Err(Ambiguous),
        }
    }

    /// Its names, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let (one, cut, listed) = match self {
            Self::One(text) => (Some(*text), None, &[][..]),
            Self::Cut(text, at) => (None, Some((*text, *at)), &[][..]),
            Self::Listed(items) => (None, None, &items[..]),
        };
        let cut = cut.into_iter().flat_map(|(text, at)| cut::all(text, at)).map(|name| name.trim_matches(' '));
        one.into_iter().chain(cut.filter(|name| !name.is_empty())).chain(listed.iter().filter_map(Json::as_str))
    }
}

/// The claim, with a text of several names as an array of these. All else stays as it is: one name, an array, an object, or
/// what is none of these.
pub(crate) fn listed<'j>(claim: &'j Json<'_>, form: Option<TextForm>) -> Result<Cow<'j, Json<'j>>, Ambiguous> {
    let Json::String(text) = claim else { return Ok(Cow::Borrowed(claim)) };
    Ok(match Texts::read(text, form)? {
        Texts::One(_) => Cow::Borrowed(claim),
        Texts::Listed(items) => Cow::Owned(Json::Array(items)),
        several @ Texts::Cut(..) => {
            Cow::Owned(Json::Array(several.names().map(|name| Json::String(name.to_owned().into())).collect()))
        }
    })
}

/// Whether some token can have this scope (RFC 6749 §3.3).
///
/// What is none is not handed on: scopes go to origins in one text with spaces between, where an item of an array with a
/// space in it would be two.
pub(crate) fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    /// The names, joined by `|`.
    fn read(text: &str, form: Option<TextForm>) -> Option<String> {
        Some(Texts::read(text, form).ok()?.names().collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn a_text_without_a_separator_is_one_name_in_every_form() {
        for text in ["Acme", "a;b", "a|b", "a[b", "a{b}", "a\"b", "a\tb", "\u{e9}", "\u{a0}x"] {
            for form in TextForm::ALL.map(Some).into_iter().chain([None]) {
                assert_eq!(read(text, form).as_deref(), Some(text), "{form:?}");
            }
        }
    }

    #[test]
    fn a_text_with_a_separator_is_read_only_in_the_form_that_the_policy_names() {
        for text in ["Acme Holdings", "a,b", " a", "a ", "[\"a\"]", "[a b]", "{\"a\":[]}", "\"a\"", " [\"a\"]", " "] {
            assert_eq!(read(text, None), None, "{text}");
            assert_eq!(read(text, Some(TextForm::Text)).as_deref(), Some(text));
        }
        for (text, form, names) in [
            ("Acme Holdings", TextForm::Spaces, Some("Acme|Holdings")),
            ("  a  b ", TextForm::Spaces, Some("a|b")),
            ("a,b c", TextForm::Spaces, Some("a,b|c")),
            (" ", TextForm::Spaces, Some("")),
            ("Acme Holdings, Other Ltd", TextForm::Commas, Some("Acme Holdings|Other Ltd")),
            ("a,,b,", TextForm::Commas, Some("a|b")),
            ("[\"a b\",\"c,d\"]", TextForm::Json, Some("a b|c,d")),
            (" [ \"\\u0061\" ] ", TextForm::Json, Some("a")),
            ("[]", TextForm::Json, Some("")),
            ("[\"a\"", TextForm::Json, None),
            ("[\"a\"] x", TextForm::Json, None),
            ("[1111]", TextForm::Json, None),
            ("[a b]", TextForm::Json, None),
            ("\"a\"", TextForm::Json, None),
            ("{\"a\":[]}", TextForm::Json, None),
            ("Acme Holdings", TextForm::Json, None),
            ("a,b", TextForm::Json, None),
        ] {
            assert_eq!(read(text, Some(form)).as_deref(), names, "{text} as {form}");
        }
    }

    /// API Gateway's HTTP APIs write the array `["x", "b", "y"]` and the array `["x b y"]` alike.
    #[test]
    fn no_name_is_cut_out_of_an_array_that_is_written_as_text() {
        for text in ["[x b y]", " [x b y]", "[x,b,y]", "{x b y}", "\"x b y\"", "\"x,b,y\""] {
            for form in [TextForm::Spaces, TextForm::Commas, TextForm::Json] {
                assert_eq!(read(text, Some(form)), None, "{text} as {form}");
            }
        }
    }
}
