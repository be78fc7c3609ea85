//! Letter case, folded as servers and file systems fold it that ignore it.
//!
//! A character is raised and then lowered, where each step gives one character: the comparison of Java's
//! `equalsIgnoreCase` and of NTFS. Characters that are equal under Unicode's simple case folding (`CaseFolding.txt`, status
//! C and S) are equal here, `ſ` and `s`, `ς` and `σ` among them; a test asks that of all characters. A few more are equal,
//! such as `ı` and `i`. `core` has the tables for this; it has none for folding.

use alloc::{borrow::Cow, string::String};

/// Returns `text` with its letter case folded. Two texts that differ in case alone give the same.
#[must_use]
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(character).collect::<String>())
}

fn character(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // Unicode folds these to each other, though each has several characters as its upper case.
    match c {
        '\u{1fd3}' => return '\u{390}',
        '\u{1fe3}' => return '\u{3b0}',
        '\u{fb05}' => return '\u{fb06}',
        _ => {}
    }
    // Some titlecase and Cherokee letters have their other half only on the second way.
    let lowered = one(c, c.to_lowercase());
    let raised = one(lowered, lowered.to_uppercase());
    one(raised, raised.to_lowercase())
}

/// The only character of `mapped`, or `own` where it is several.
fn one(own: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(c), None) => c,
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

    use super::*;

    #[test]
    fn what_unicode_folds_to_one_character_is_folded_to_one_character() {
        let mut folded_with_others = 0;
        for c in (char::MIN..=char::MAX).filter(|c| c.is_alphabetic() || c.is_numeric() || !c.is_ascii()) {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
            class.try_case_fold_simple().unwrap();
            for range in class.ranges() {
                for other in range.start()..=range.end() {
                    assert_eq!(character(c), character(other), "{c:?} {other:?}");
                    folded_with_others += usize::from(other != c);
                }
            }
        }
        assert!(folded_with_others > 2_500, "{folded_with_others}");
    }

    #[test]
    fn folding_is_the_same_when_it_is_repeated_and_leaves_other_texts() {
        for c in char::MIN..=char::MAX {
            assert_eq!(character(character(c)), character(c), "{c:?}");
        }
        assert_eq!(folded("Admin-ÉTÉ_ſΣς"), "admin-été_sσσ");
        assert!(matches!(folded("admin/é".split('/').next().unwrap()), Cow::Borrowed("admin")));
        assert_eq!(folded("\u{1F600}漢字"), "\u{1F600}漢字");
    }
}
