//! What `cargo xtask` has started.

use std::{collections::BTreeMap, env, fs};

use serde::Deserialize;

/// A JSON file that holds what is below.
const DESCRIPTION: &str = "POSTERN_FRAMEWORKS";

#[derive(Debug, Deserialize)]
pub(crate) struct Described {
    /// The URL of each framework that runs, by its name.
    pub(crate) frameworks: BTreeMap<String, String>,
    /// The `postern` command.
    pub(crate) command: String,
    /// The policy.
    pub(crate) policy: String,
    /// The file of the origin's key.
    pub(crate) key_file: String,
    /// The Worker's URL.
    pub(crate) edge: String,
    /// The port on which the Worker expects the issuer and the origin.
    pub(crate) relay: u16,
    /// The issuer's URL.
    pub(crate) issuer: String,
}

pub(crate) fn described() -> Described {
    let path = env::var_os(DESCRIPTION)
        .unwrap_or_else(|| panic!("{DESCRIPTION} is not set: run `cargo xtask test --only frameworks`"));
    let text = fs::read_to_string(&path).expect("the description can be read");
    serde_json::from_str(&text).expect("the description is JSON")
}
