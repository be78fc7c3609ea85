//! Where in a TOML text the things stand that pointers name.
//!
//! The checks work on plain values and name a fault's place by its pointer; here the pointer is found again in the text.

use core::ops::Range;

use ::toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::pointer::{Step, steps};

/// What a text has of a pointer.
pub(super) struct Found {
    pub(super) span: Range<usize>,
    /// The last step was found too, and not just an entry on the way.
    pub(super) is_whole: bool,
    pub(super) is_table: bool,
}

/// Where a text's entries stand.
pub(super) enum Places<'a> {
    /// Read when something is looked for: once for all faults, and never for a policy that has none.
    Unread(&'a str),
    Read(Spanned<DeTable<'a>>),
    /// It is no TOML.
    None,
}

impl<'a> Places<'a> {
    fn document(&mut self) -> Option<&DeTable<'a>> {
        if let Self::Unread(text) = *self {
            *self = DeTable::parse(text).map_or(Self::None, Self::Read);
        }
        match self {
            Self::Read(document) => Some(document.get_ref()),
            Self::Unread(_) | Self::None => None,
        }
    }

    /// The deepest entry on `pointer` that the text has: a missing member is shown at its table.
    pub(super) fn find(&mut self, pointer: &str) -> Option<Found> {
        let mut table = Some(self.document()?);
        let mut array: Option<&[Spanned<DeValue<'_>>]> = None;
        let mut found = None;
        for step in steps(pointer) {
            let value = match (table, array, step) {
                (Some(table), _, Step::Member(name)) => table.get(name.as_ref()),
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
}
