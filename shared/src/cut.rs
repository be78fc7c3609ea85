//! Texts cut at an ASCII character, octet by octet.
//!
//! `str`'s own searchers are made for long texts: in a path's segment, setting one up costs more than all that it then
//! looks at.

/// What stands before the first `at` and what behind it; `None` where there is none. `at` is ASCII.
pub(crate) fn once(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|octet| octet == at)?;
    // An ASCII octet is a whole character, wherever it stands in UTF-8.
    Some((text.get(..place)?, text.get(place.saturating_add(1)..)?))
}

/// What stands between the `at`s: one piece more than there are of them. `at` is ASCII.
pub(crate) fn all(text: &str, at: u8) -> impl Iterator<Item = &str> + Clone {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let (piece, behind) = match once(text, at) {
            Some((piece, behind)) => (piece, Some(behind)),
            None => (text, None),
        };
        rest = behind;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_as_the_standard_library_cuts_them() {
        for text in ["", "/", "//", "a", "/a", "a/", "a/b", "/a//b/", "caf\u{e9}/\u{1f363}/x", "\u{2f00}/\u{12f}"] {
            assert_eq!(once(text, b'/'), text.split_once('/'), "{text}");
            assert!(all(text, b'/').eq(text.split('/')), "{text}");
        }
    }
}
