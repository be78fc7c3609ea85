//! Fields whose names have another character than letters, digits and `-`: servers fold them differently, so they are
//! removed unless the origin's `request_headers` lists them. How many, the decision log says.

use super::names::is_plain;
use crate::policy::Origin;

/// How many fields of one request were removed because of their names, by the characters in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnusualNames {
    /// With `_`.
    pub underscore: u32,
    /// With `.`, and perhaps `_`.
    pub dot: u32,
    /// With another character.
    pub other: u32,
}

impl UnusualNames {
    /// Counts those among a request's fields that do not reach `origin`.
    pub(crate) fn removed(headers: &[(&str, &str)], origin: &Origin) -> Self {
        let mut counted = Self::default();
        for (name, _) in headers.iter().filter(|(name, _)| is_removed(name, origin)) {
            let has_other = name.bytes().any(|byte| !byte.is_ascii_alphanumeric() && !b"-_.".contains(&byte));
            let count = if has_other || name.is_empty() {
                &mut counted.other
            } else if name.contains('.') {
                &mut counted.dot
            } else {
                &mut counted.underscore
            };
            *count = count.saturating_add(1);
        }
        counted
    }

    /// The classes that are not empty, by the names that the log has for them.
    pub(crate) fn classes(self) -> impl Iterator<Item = (&'static str, u32)> {
        [("underscore", self.underscore), ("dot", self.dot), ("other", self.other)].into_iter().filter(|(_, n)| *n > 0)
    }
}

/// Whether a field is removed because of its name.
pub(super) fn is_removed(name: &str, origin: &Origin) -> bool {
    !is_plain(name) && !origin.request_headers().iter().any(|own| own.eq_ignore_ascii_case(name))
}
