//! `postern schema`: the JSON Schema of a policy's file, for editors.
//!
//! What it says, and what it cannot say, is the core's: [`postern::policy::json_schema`]. The repository keeps it as
//! `postern.schema.json`, which a policy's first line may name: `#:schema ./postern.schema.json`.

use crate::{exit::Outcome, output};

/// Prints it.
pub(crate) fn run() -> anyhow::Result<Outcome> {
    output::print(&postern::policy::json_schema())?;
    Ok(Outcome::Done)
}
