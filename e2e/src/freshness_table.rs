//! The table of freshness: how long after a downgrade each driver still permitted, for the run to print when all tests
//! have ended.
//!
//! Each row is a file of its own in the stack's folder, written before anything about it is asserted.

use std::{fs, time::Duration};

use crate::stack::Stack;

/// The folder, beside the logs. `cargo xtask test` empties it before the tests and prints it after them.
const FOLDER: &str = "freshness-table";

/// One driver on one route.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// What decides.
    pub driver: &'a str,
    /// The route's `permissions_max_age`.
    pub max_age: Duration,
    /// How long after the change the last request began that was permitted; `None` where none was.
    pub last_permit: Option<Duration>,
    /// Requests that were sent after the change.
    pub requests: usize,
}

impl Row<'_> {
    /// Writes the row down for the run to print.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, stack: &Stack) {
        let folder = stack.logs.with_file_name(FOLDER);
        let last =
            self.last_permit.map_or_else(|| "before it".to_owned(), |after| format!("{} ms after", after.as_millis()));
        let line = format!("{}\t{} s\t{last}\t{}", self.driver, self.max_age.as_secs(), self.requests);
        let name = format!("{} {}", self.driver.replace(' ', "-"), self.max_age.as_secs());
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(name), line));
        written.unwrap_or_else(|error| panic!("`{}`: {error}", folder.display()));
    }
}
