//! Committed lists of what comes out otherwise than its source says: `suite number: reason`, one a line.
//!
//! A list must be exact: an entry that is no longer needed fails, and so does one about nothing.

/// Identifiers, as [`Case::id`](crate::Case::id) and [`Token::id`](crate::folder::Token::id) write them.
#[derive(Clone, Debug)]
pub struct Exceptions(Vec<String>);

impl Exceptions {
    /// Reads a list.
    ///
    /// # Panics
    /// When an entry gives no reason.
    #[must_use]
    pub fn read(list: &str) -> Self {
        let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entry = |line: &str| {
            let (id, reason) = line.split_once(": ").unwrap_or_else(|| panic!("`{line}` gives no reason"));
            assert!(!reason.trim().is_empty(), "`{line}` gives no reason");
            id.to_owned()
        };
        Self(lines.map(entry).collect())
    }

    /// Whether it is an exception.
    #[must_use]
    pub fn lists(&self, id: &str) -> bool {
        self.0.iter().any(|own| own == id)
    }

    /// The first entry that is about none of these.
    #[must_use]
    pub fn about_nothing<'a>(&'a self, ids: &[String]) -> Option<&'a str> {
        self.0.iter().find(|id| !ids.contains(id)).map(String::as_str)
    }
}
