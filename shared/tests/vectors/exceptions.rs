//! The committed list of vectors that come out otherwise than their source says.

use libtest_mimic::Failed;

use crate::source::Vector;

const LIST: &str = include_str!("exceptions.txt");

/// Identifiers of the vectors, as [`Vector::id`] writes them.
pub(crate) struct Exceptions(Vec<String>);

impl Exceptions {
    pub(crate) fn read() -> Self {
        let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entry = |line: &str| {
            let (id, reason) = line.split_once(": ").unwrap_or_else(|| panic!("`{line}` gives no reason"));
            assert!(!reason.trim().is_empty(), "`{line}` gives no reason");
            id.to_owned()
        };
        Self(lines.map(entry).collect())
    }

    pub(crate) fn lists(&self, vector: &Vector) -> bool {
        self.0.contains(&vector.id())
    }

    /// Whether the vector is to be accepted, exceptions considered.
    pub(crate) fn expected(&self, vector: &Vector) -> bool {
        vector.is_valid_here() != self.lists(vector)
    }

    pub(crate) fn all_among(&self, ids: &[String]) -> Result<(), Failed> {
        match self.0.iter().find(|id| !ids.contains(id)) {
            Some(id) => Err(Failed::from(format!("there is no vector `{id}`"))),
            None => Ok(()),
        }
    }
}
