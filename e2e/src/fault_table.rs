//! The table of faults: what each test saw, for the run to print when all of them have ended.
//!
//! Each row is a file of its own in the stack's folder, written before anything about it is asserted, so that the table
//! shows what was seen also where that is not what was allowed.

use std::fs;

use crate::stack::Stack;

/// The folder, beside the logs. `cargo xtask test` empties it before the tests and prints it after them.
const FOLDER: &str = "fault-table";

/// One fault at the issuer and what it came to.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What is wrong with the key set.
    pub fault: &'static str,
    /// What an edge without keys answers.
    pub cold: &'static str,
    /// What an edge with keys answers.
    pub warm: &'static str,
    /// Most fetches, by phase.
    pub allowed: String,
    /// Fetches that reached the issuer.
    pub seen: String,
}

impl Row {
    /// Writes the row down for the run to print; rows stand in the order of their numbers.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, stack: &Stack, number: u8) {
        let folder = stack.logs.with_file_name(FOLDER);
        let line = [self.fault, self.cold, self.warm, &self.allowed, &self.seen].join("\t");
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(format!("{number:02}")), line));
        written.unwrap_or_else(|error| panic!("`{}`: {error}", folder.display()));
    }
}
