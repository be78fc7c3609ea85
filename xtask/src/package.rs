//! The CloudFront function's package.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use postern_embed::{Host, Inputs, embed};
use serde_json::json;
use wasm_bindgen_cli_support::Bindgen;

use crate::paths::Paths;
use crate::worker::built_module;

/// Packs the function and unpacks it into `folder` as Lambda does.
pub(crate) fn unpack(paths: &Paths, inputs: &Inputs, folder: &Path) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--package", "postern-edge", "--no-default-features", "--features", "cloudfront"])
        .args(["--target", "wasm32-unknown-unknown", "--message-format", "json-render-diagnostics"])
        .current_dir(&paths.root)
        .env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
    let wasm = built_module(&mut cargo, "the function")?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Bindgen::new().input_path(wasm).out_name("postern_edge").nodejs(true)?.typescript(false).generate(folder)?;
    fs::copy(paths.root.join("edge/cloudfront/index.js"), folder.join("index.js"))?;
    let embedded = embed(inputs, Host::Node).map_err(|error| anyhow::anyhow!("{error}")).context("policy")?;
    let config = json!({
        "policy": embedded.policy_json(), "shadow": embedded.shadow_json(), "seeds": embedded.seeds_json(),
    });
    fs::write(folder.join("config.json"), config.to_string())?;
    Ok(())
}
