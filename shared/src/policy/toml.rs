//! Policies from TOML, with the place in the text of everything that is wrong.
//!
//! The checks work on plain values and name a fault's place as a dotted pointer; here the pointer is found
//! again in the text. So the embedded JSON takes the same path as the file, without spans.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::ops::Range;

use ::toml::de::{DeTable, DeValue};
use serde::de::DeserializeOwned;

use super::{
    Policy, PolicyError, PolicyErrors, PolicyFault, compile,
    file::{OverlayFile, PolicyFile},
};

/// A place in a text, both counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl LineColumn {
    /// The place of the byte `offset` of `text`.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        Self {
            line: before.matches('\n').count().saturating_add(1),
            column: before.get(line_start..).unwrap_or_default().chars().count().saturating_add(1),
        }
    }
}

/// Reads and checks a policy.
///
/// `overlay`, the text of a development overlay, replaces URLs of entries that the policy has, lets them be
/// loopback `http`, and stamps the result: [`Policy::is_development`].
///
/// # Errors
/// [`PolicyErrors`] with every fault found; spans point into `text`, or into `overlay` for its own faults and
/// those of values it gave, whose pointers then begin with `overlay`.
pub fn from_toml(text: &str, overlay: Option<&str>) -> Result<Policy, PolicyErrors> {
    let mut file: PolicyFile = parse(text, "")?;
    if file.development {
        let fault = PolicyFault::Syntax("`development` is stamped by an overlay, never written".to_owned());
        return Err(PolicyErrors(Vec::from([located(
            text,
            PolicyError { pointer: "development".to_owned(), span: None, fault },
        )])));
    }
    if let Some(overlay) = overlay {
        lay_over(&mut file, parse(overlay, "overlay")?)
            .map_err(|names| PolicyErrors(names.into_iter().map(|name| unknown(overlay, name)).collect()))?;
    }
    compile::compile(&file).map_err(|errors| {
        let place = |error| match overlay {
            Some(overlay) => located_in_overlay(overlay, error).unwrap_or_else(|error| located(text, error)),
            None => located(text, error),
        };
        PolicyErrors(errors.0.into_iter().map(place).collect())
    })
}

fn parse<T: DeserializeOwned>(text: &str, pointer: &str) -> Result<T, PolicyErrors> {
    ::toml::from_str(text).map_err(|error| {
        let fault = PolicyFault::Syntax(error.message().to_string());
        PolicyErrors(Vec::from([PolicyError { pointer: pointer.to_owned(), span: error.span(), fault }]))
    })
}

/// The names of entries that the policy does not have, when there are such.
fn lay_over(file: &mut PolicyFile, overlay: OverlayFile) -> Result<(), Vec<String>> {
    let mut unknown = Vec::new();
    for (name, replaced) in overlay.issuers {
        match file.issuers.get_mut(&name) {
            Some(issuer) => {
                if let Some(url) = replaced.url {
                    issuer.url = url;
                }
                issuer.jwks_url = replaced.jwks_url.or(issuer.jwks_url.take());
            }
            None => unknown.push(format!("issuer.{name}")),
        }
    }
    for (name, replaced) in overlay.origins {
        match file.origins.get_mut(&name) {
            Some(origin) => origin.url = replaced.url,
            None => unknown.push(format!("origin.{name}")),
        }
    }
    if let Some(replaced) = overlay.cors {
        match file.cors.as_mut() {
            Some(cors) => cors.origins = replaced.origins,
            None => unknown.push("cors".to_owned()),
        }
    }
    file.development = true;
    if unknown.is_empty() { Ok(()) } else { Err(unknown) }
}

fn unknown(overlay: &str, name: String) -> PolicyError {
    let span = find(overlay, &name).map(|found| found.span);
    PolicyError { pointer: format!("overlay.{name}"), span, fault: PolicyFault::OverlayUnknown(name) }
}

impl PolicyErrors {
    /// The same, each fault at its place in the policy's `text`, for those that were found without it.
    #[must_use]
    pub fn located_in(self, text: &str) -> Self {
        Self(self.0.into_iter().map(|error| located(text, error)).collect())
    }
}

fn located(text: &str, mut error: PolicyError) -> PolicyError {
    error.span = error.span.or_else(|| Some(find(text, &error.pointer)?.span));
    error
}

/// The fault at its place in the overlay, when it is about a value that the overlay gave; else the fault as it was.
fn located_in_overlay(overlay: &str, mut error: PolicyError) -> Result<PolicyError, PolicyError> {
    // Tables stand in both texts; what is wrong with one as a whole is the policy's.
    match find(overlay, &error.pointer).filter(|found| found.is_whole && !found.is_table) {
        Some(found) => {
            error.span = Some(found.span);
            error.pointer.insert_str(0, "overlay.");
            Ok(error)
        }
        None => Err(error),
    }
}

/// What a text has of a pointer.
struct Found {
    span: Range<usize>,
    /// The last step was found too, and not just an entry on the way.
    is_whole: bool,
    is_table: bool,
}

/// The deepest entry on `pointer` that the text has: a missing member is shown at its table.
fn find(text: &str, pointer: &str) -> Option<Found> {
    let document = DeTable::parse(text).ok()?;
    let mut table = Some(document.get_ref());
    let mut array: Option<&[::toml::Spanned<DeValue<'_>>]> = None;
    let mut found = None;
    for step in steps(pointer) {
        let value = match (table, array, step) {
            (Some(table), _, Step::Member(name)) => table.get(name),
            (_, Some(array), Step::Item(index)) => array.get(index),
            _ => None,
        };
        let Some(value) = value else {
            return found.map(|found| Found { is_whole: false, ..found });
        };
        table = value.get_ref().as_table();
        array = value.get_ref().as_array().map(|array| array.as_ref());
        found = Some(Found { span: value.span(), is_whole: true, is_table: table.is_some() });
    }
    found
}

enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

fn steps(pointer: &str) -> impl Iterator<Item = Step<'_>> {
    pointer.split('.').flat_map(|part| {
        let (name, index) = match part.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']').parse().ok()),
            None => (part, None),
        };
        core::iter::once(Step::Member(name)).chain(index.map(Step::Item))
    })
}
