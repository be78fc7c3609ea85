//! Pointers: where in a policy something stands, as a dotted path that reads like the file's own keys.
//!
//! `route[2].company`, `issuer.users.url`. A name that holds anything else than a TOML key may hold bare is quoted, as in
//! `issuer."a.b".url`, so that a dot in a name never reads as a step.

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
pub(super) enum Step {
    Member(String),
    Item(usize),
}

/// The steps of `pointer`.
#[cfg(feature = "toml")]
pub(super) fn steps(pointer: &str) -> alloc::vec::Vec<Step> {
    let mut steps = alloc::vec::Vec::new();
    let mut characters = pointer.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '.' => {}
            '"' => {
                let mut name = String::new();
                while let Some(character) = characters.next().filter(|character| *character != '"') {
                    name.push(if character == '\\' { characters.next().unwrap_or(character) } else { character });
                }
                steps.push(Step::Member(name));
            }
            '[' => {
                let mut index = String::new();
                while let Some(digit) = characters.next().filter(|character| *character != ']') {
                    index.push(digit);
                }
                steps.push(Step::Item(index.parse().unwrap_or(usize::MAX)));
            }
            first => {
                let mut name = String::from(first);
                while let Some(next) = characters.next_if(|next| *next != '.' && *next != '[') {
                    name.push(next);
                }
                steps.push(Step::Member(name));
            }
        }
    }
    steps
}

#[cfg(all(test, feature = "toml"))]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_step_whatever_it_holds() {
        for name in ["users", "a.b", "a b", "a\"b", "a\\", "", "route[2]", "é.\"\\."] {
            let pointer = alloc::format!("{}.url[3]", entry("issuer", name));
            let expected = [Step::Member("issuer".into()), Step::Member(name.into()), Step::Member("url".into())];
            let steps = steps(&pointer);
            assert_eq!((&steps[..3], &steps[3..]), (&expected[..], &[Step::Item(3)][..]), "{pointer}");
        }
        assert_eq!(entry("issuer", "users-2_b"), "issuer.users-2_b");
    }
}
