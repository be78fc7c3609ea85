//! Policies from TOML, with the place in the text of everything that is wrong.
//!
//! Three looks, and the faults of all of them in one round: at the text for secrets ([`super::secret`]), at the document
//! for members that nobody knows ([`super::shape`]), and at what they mean ([`super::compile`]). The last works on plain
//! values and names a fault's place by its pointer, which is found again in the text ([`super::places`]); so the embedded
//! JSON takes the same path as the file, without places.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::ops::Range;

use ::toml::{
    Spanned,
    de::{DeTable, Deserializer},
};
use serde::de::DeserializeOwned;

use super::{
    AuthType, Policy, PolicyError, PolicyErrors, PolicyFault, compile,
    file::{EdgeFile, OverlayFile, PolicyFile},
    members, origin,
    places::Places,
    pointer, secret,
    shape::{self, Mended, Table},
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
/// [`PolicyErrors`] with every fault found, the policy's in the order of its text and then the overlay's; spans point
/// into `text`, or into `overlay` for its own faults and those of values it gave, whose pointers then begin with
/// `overlay`. Of a line that holds a secret nothing else is told: another fault's words could repeat it.
pub fn from_toml(text: &str, overlay: Option<&str>) -> Result<Policy, PolicyErrors> {
    let (mut policy, file) = Document::read::<PolicyFile>(text, &members::POLICY, "");
    let (mut laid, over) = match overlay {
        Some(text) => {
            let (document, over) = Document::read::<OverlayFile>(text, &members::OVERLAY, "overlay");
            (Some(document), over)
        }
        None => (None, None),
    };
    let mut meant = Vec::new();
    if let Some(mut file) = file
        && laid.is_some() == over.is_some()
    {
        if let Some(over) = over {
            meant = lay_over(&mut file, over);
        }
        // The types of the file serialise whatever they hold: strings, numbers, lists, maps with string keys.
        match compile::compile(&file, serde_json::to_string(&file).unwrap_or_default()) {
            Ok(compiled) => {
                let is_sound = meant.is_empty() && policy.is_sound() && laid.as_ref().is_none_or(Document::is_sound);
                if is_sound {
                    return Ok(compiled);
                }
            }
            Err(errors) => meant.extend(errors.0),
        }
    }
    for mut error in meant {
        match laid.as_mut().and_then(|laid| laid.takes(&mut error).then_some(laid)) {
            Some(laid) => laid.add(error),
            None => policy.add(error),
        }
    }
    let mut errors = policy.told();
    errors.extend(laid.map(Document::told).unwrap_or_default());
    Err(PolicyErrors(errors))
}

/// One text on its way.
struct Document<'a> {
    text: &'a str,
    /// What pointers into it begin with.
    at: &'static str,
    places: Places<'a>,
    mended: Mended,
    faults: Vec<PolicyError>,
    secrets: Vec<(Range<usize>, &'static str)>,
}

impl<'a> Document<'a> {
    /// The text, and what it says where it is TOML.
    fn read<T: DeserializeOwned>(text: &'a str, table: &'static Table, at: &'static str) -> (Self, Option<T>) {
        let parsed = DeTable::parse(text);
        let secrets = secret::scan(text, parsed.as_ref().ok().map(Spanned::get_ref));
        let (mut mended, mut faults, mut said) = (Mended::default(), Vec::new(), None);
        // Where members go under other names, places are those of the mended document; else the text is read again if
        // need be.
        let mut places = Places::Unread(text);
        match parsed {
            // What follows a first error of syntax is mostly made by it.
            Err(error) => faults.push(syntax(&error, at)),
            Ok(mut document) => {
                mended = shape::mend(&mut document, table, at);
                if mended.has_renamed {
                    places = Places::Read(document.clone());
                }
                match T::deserialize(Deserializer::from(document)) {
                    Ok(value) => said = Some(value),
                    Err(error) => faults.push(syntax(&error, at)),
                }
                faults.append(&mut mended.faults);
            }
        }
        (Self { text, at, places, mended, faults, secrets }, said)
    }

    fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.secrets.is_empty()
    }

    /// Whether the error is about a value that this overlay gave; it is then put at its place here.
    fn takes(&mut self, error: &mut PolicyError) -> bool {
        if error.is_in_overlay() {
            return true;
        }
        // Tables stand in both texts; what is wrong with one as a whole is the policy's.
        let found = self.places.find(&error.pointer).filter(|found| found.is_whole && !found.is_table);
        if let Some(found) = &found {
            error.span = Some(found.span.clone());
            error.pointer.insert_str(0, "overlay.");
        }
        found.is_some()
    }

    /// Adds what is wrong with the meaning, unless a fault of shape explains it.
    fn add(&mut self, mut error: PolicyError) {
        if self.mended.explains(&error) {
            return;
        }
        let own = error.pointer.strip_prefix(self.at).unwrap_or(&error.pointer).trim_start_matches('.');
        error.span = error.span.or_else(|| Some(self.places.find(own)?.span));
        self.faults.push(error);
    }

    /// All of it, in the order of the text.
    fn told(self) -> Vec<PolicyError> {
        let Self { text, at, mut faults, secrets, .. } = self;
        let line = |span: &Range<usize>| {
            let start = text.get(..span.start).and_then(|before| before.rfind('\n')).unwrap_or(0);
            let end = text.get(span.end..).and_then(|after| after.find('\n'));
            start..end.map_or(text.len(), |end| span.end.saturating_add(end))
        };
        let lines: Vec<Range<usize>> = secrets.iter().map(|(span, _)| line(span)).collect();
        faults.retain(|error| {
            let near = |span: &Range<usize>| {
                lines
                    .iter()
                    .any(|line| span.start < line.end && line.start < span.end.max(span.start.saturating_add(1)))
            };
            !error.span.as_ref().is_some_and(near)
        });
        faults.extend(secrets.into_iter().map(|(span, what)| PolicyError {
            pointer: at.to_owned(),
            span: Some(span),
            fault: PolicyFault::Secret(what),
        }));
        faults.sort_by_key(|error| error.span.as_ref().map_or(usize::MAX, |span| span.start));
        faults
    }
}

fn syntax(error: &::toml::de::Error, at: &str) -> PolicyError {
    let fault = PolicyFault::Syntax(error.message().to_owned());
    PolicyError { pointer: at.to_owned(), span: error.span(), fault }
}

/// Faults for the entries that the policy does not have, when there are such.
fn lay_over(file: &mut PolicyFile, overlay: OverlayFile) -> Vec<PolicyError> {
    let mut unknown = Vec::new();
    let mut fault = |name: String| {
        let pointer = alloc::format!("overlay.{name}");
        unknown.push(PolicyError { pointer, span: None, fault: PolicyFault::OverlayUnknown(name) });
    };
    for (name, replaced) in overlay.issuers {
        match file.issuers.get_mut(&name) {
            Some(issuer) => {
                if let Some(url) = replaced.url {
                    issuer.url = url;
                }
                issuer.jwks_url = replaced.jwks_url.or(issuer.jwks_url.take());
            }
            None => fault(pointer::entry("issuer", &name)),
        }
    }
    for (name, replaced) in overlay.origins {
        match file.origins.get_mut(&name) {
            Some(origin) => {
                // The host that said the region is gone, and what is signed for it is still to be.
                if origin.auth_type.as_deref() == Some(AuthType::AwsIam.name())
                    && origin::region_of(&replaced.url).is_none()
                {
                    origin.region = origin.region.take().or(origin::region_of(&origin.url).map(ToOwned::to_owned));
                }
                origin.url = replaced.url;
            }
            None => fault(pointer::entry("origin", &name)),
        }
    }
    if let Some(replaced) = overlay.edge {
        match &mut file.edge {
            EdgeFile::Table(edge) if edge.url.is_some() => edge.url = Some(replaced.url),
            _ => fault("edge.url".to_owned()),
        }
    }
    if let Some(replaced) = overlay.cors {
        match file.cors.as_mut() {
            Some(cors) => cors.origins = replaced.origins,
            None => fault("cors".to_owned()),
        }
    }
    if let Some(replaced) = overlay.cloudfront {
        match file.cloudfront.as_mut() {
            Some(cloudfront) => cloudfront.url = Some(replaced.url),
            None => fault("cloudfront".to_owned()),
        }
    }
    file.development = true;
    unknown
}

impl PolicyErrors {
    /// The same, each fault at its place in the policy's `text`, for those that were found without it.
    #[must_use]
    pub fn located_in(self, text: &str) -> Self {
        let mut places = Places::Unread(text);
        let located = self.0.into_iter().map(|mut error| {
            error.span = error.span.or_else(|| Some(places.find(&error.pointer)?.span));
            error
        });
        Self(located.collect())
    }
}
