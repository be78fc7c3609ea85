//! What a measuring program hands to `cargo xtask bench`: samples, one line of JSON each on its standard output.
//!
//! Ratios, spreads, targets and their verdicts are made there, in one place for all parts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One row's samples. Every round holds one figure of each contender, taken in the same breath: a ratio is made within
/// a round, and a machine that changes its speed between rounds changes no ratio.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Samples {
    /// What is measured, unique within its part; targets name it.
    pub row: String,
    /// `ns`, `us`, `ms`, `bytes`, `requests/s`; processor time has ` cpu` behind its unit.
    pub unit: String,
    /// Each round's figure by contender's name. Postern's own is `postern`, but in rows that compare Postern with itself.
    pub rounds: Vec<BTreeMap<String, f64>>,
    /// What a reader must know to read the row: versions, sizes, counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Samples {
    /// Writes the line that `cargo xtask bench` reads.
    pub fn print(&self) {
        // Strings and finite numbers always serialise.
        println!("{}", serde_json::to_string(self).unwrap_or_default());
    }
}
