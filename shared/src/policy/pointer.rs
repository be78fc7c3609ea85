//! Pointers: where in a policy something stands, as a dotted path that reads like the file's own keys.
//!
//! `route[2].company`, `issuer.users.url`. A name that holds anything else than a TOML key may hold bare is quoted, as in
//! `issuer."a.b".url`, so that a dot in a name never reads as a step.

#[cfg(feature = "toml")]
use alloc::borrow::Cow;
use alloc::{format, string::String};

/// `name` as one step of a pointer.
pub(super) fn step(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(is_bare) {
        String::from(name)
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// The entry `name` of the table at `table`.
pub(super) fn entry(table: &str, name: &str) -> String {
    format!("{table}.{}", step(name))
}

/// One step of a pointer.
#[cfg(feature = "toml")]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Member(Cow<'a, str>),
    Item(usize),
}

/// The steps of `pointer`.
#[cfg(feature = "toml")]
pub(super) fn steps(pointer: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = pointer;
    core::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            rest = after;
            return Some(Step::Item(index.parse().ok()?));
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut name = String::new();
            let mut characters = quoted.chars();
            while let Some(character) = characters.next().filter(|character| *character != '"') {
                name.push(if character == '\\' { characters.next().unwrap_or(character) } else { character });
            }
            rest = characters.as_str();
            return Some(Step::Member(Cow::Owned(name)));
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        rest = after;
        (!name.is_empty()).then_some(Step::Member(Cow::Borrowed(name)))
    })
}

#[cfg(all(test, feature = "toml"))]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_step_whatever_it_holds() {
        for name in ["users", "a.b", "a b", "a\"b", "a\\", "", "route[2]", "é.\"\\."] {
            let pointer = alloc::format!("{}.url[3]", entry("issuer", name));
            let expected = [Step::Member("issuer".into()), Step::Member(name.into()), Step::Member("url".into())];
            let steps: alloc::vec::Vec<Step<'_>> = steps(&pointer).collect();
            assert_eq!((&steps[..3], &steps[3..]), (&expected[..], &[Step::Item(3)][..]), "{pointer}");
        }
        assert_eq!(entry("issuer", "users-2_b"), "issuer.users-2_b");
    }
}
