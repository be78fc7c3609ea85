//! Sizes of what is deployed, and of what the peers' Workers deploy: as uploaded, by the tools that upload.

use std::process::Command;

use anyhow::{Context, Result};
use postern_embed::Inputs;
use serde_json::json;

use super::samples::Samples;
use super::{Run, edge};
use crate::package;
use crate::paths::write_if_changed;
use crate::setup::{node, step};
use crate::stack::Wrangler;
use crate::worker;

/// Builds and packs both with the example's policy, and has them weighed.
pub(super) fn measure(run: &Run<'_>) -> Result<Vec<Samples>> {
    let folder = run.paths.profile("bench")?;
    let worker = step("build: Worker as it is deployed", || {
        let _lock = worker::lock(run.paths)?;
        worker::build_worker(&run.paths.root, None)?;
        let wrangler = Wrangler { paths: run.paths, folder: &folder };
        let manifest = folder.join("wrangler.json");
        write_if_changed(&manifest, &wrangler.manifest()?)?;
        wrangler.bundle(None, &manifest, &folder.join("worker"))
    })?;
    let zip = folder.join("function.zip");
    let inputs = Inputs { policy: run.paths.root.join("postern.toml"), ..Inputs::default() };
    package::package(run.paths, &inputs, &zip)?;
    let peers = edge::peers(run)?;

    let workers: serde_json::Map<String, _> = peers
        .iter()
        .map(|(name, bundle)| (*name, bundle))
        .chain([("postern", &worker)])
        .map(|(name, bundle)| (name.to_owned(), json!(bundle.files().collect::<Vec<_>>())))
        .collect();
    let description = folder.join("size.json");
    write_if_changed(&description, &json!({ "workers": workers, "zip": zip }).to_string())?;
    let mut command = Command::new(node(run.paths));
    run.read(command.arg(run.paths.bench().join("size.mjs")).arg(description)).context("cannot weigh")
}
