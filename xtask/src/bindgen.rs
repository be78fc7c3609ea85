//! The `wasm-bindgen` program as far as `wasm-pack` calls it, over `wasm-bindgen`'s own library.
//!
//! `wasm-pack` takes the one on the path when its version is that of `Cargo.lock`, and would otherwise download one.
//! This one is always that version: the library is pinned there together with the `wasm-bindgen` that the edge links.
//! `package` links this program to that name, and `main` comes here when it is called by it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use wasm_bindgen_cli_support::Bindgen;

const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));

/// Makes the glue of a module.
#[derive(Debug, Parser)]
#[command(name = "wasm-bindgen", version = version())]
struct Arguments {
    /// The module.
    input: PathBuf,
    #[arg(long)]
    out_dir: PathBuf,
    #[arg(long)]
    out_name: String,
    #[arg(long, value_enum)]
    target: Target,
    #[arg(long, required = true)]
    no_typescript: bool,
}

/// What the glue is for; there is no other target here.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    Nodejs,
}

/// The program's name, by which `wasm-pack` calls it.
pub(crate) const NAME: &str = "wasm-bindgen";

/// Does what the command line says.
pub(crate) fn main() -> ExitCode {
    match bind(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bind(arguments: &Arguments) -> Result<()> {
    let Target::Nodejs = arguments.target;
    Bindgen::new()
        .input_path(&arguments.input)
        .out_name(&arguments.out_name)
        .nodejs(true)?
        .typescript(!arguments.no_typescript)
        // Nobody reads them where the module is deployed, and every container loads them.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&arguments.out_dir)
        .with_context(|| format!("cannot bind `{}`", arguments.input.display()))
}

/// The library's version.
fn version() -> &'static str {
    let after = LOCK.split_once("name = \"wasm-bindgen-cli-support\"\nversion = \"").map_or("", |(_, after)| after);
    after.split('"').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_library_that_the_edge_links() {
        assert!(LOCK.contains(&format!("name = \"wasm-bindgen\"\nversion = \"{}\"", version())), "{}", version());
    }

    #[test]
    fn the_arguments_of_wasm_pack_are_taken_and_others_refused() {
        let given = ["wasm-bindgen", "a.wasm", "--out-dir", "b", "--no-typescript", "--target", "nodejs"];
        let with = |more: &[&'static str]| Arguments::try_parse_from(given.iter().chain(more).copied());
        assert!(with(&["--out-name", "c"]).is_ok());
        assert!(with(&["--out-name", "c", "--debug"]).is_err());
        assert!(with(&["--out-name", "c", "--weak-refs"]).is_err());
    }
}
