//! wrangler, kept out of the user's home: what bundles a Worker as it is deployed, and serves it to people.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::manifest::Manifest;
use super::workerd::Bundle;
use crate::paths::Paths;
use crate::process::run_quietly;
use crate::setup::node;

/// wrangler for one profile.
#[derive(Debug)]
pub(crate) struct Wrangler<'a> {
    pub(crate) paths: &'a Paths,
    /// The profile's folder.
    pub(crate) folder: &'a Path,
}

impl Wrangler<'_> {
    /// The program, without a command.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(node(self.paths));
        command
            .arg(self.paths.local.join("node_modules/wrangler/bin/wrangler.js"))
            .current_dir(&self.paths.root)
            .env("WRANGLER_SEND_METRICS", "false")
            .env("WRANGLER_HIDE_BANNER", "true")
            // Its own folders would be in the user's home.
            .env("WRANGLER_LOG_PATH", self.folder.join("logs/wrangler"))
            .env("WRANGLER_REGISTRY_PATH", self.folder.join("wrangler-registry"))
            .env("XDG_CONFIG_HOME", self.folder.join("wrangler-config"))
            // Asking Cloudflare for the `cf` object needs the network and gives nothing here.
            .env("CLOUDFLARE_CF_FETCH_ENABLED", "false");
        command
    }

    /// The text of a manifest for a local run.
    pub(crate) fn manifest(&self) -> Result<String> {
        Ok(Manifest::read(&self.paths.root)?.for_local_run(&self.paths.root)?.to_string())
    }

    /// Bundles into `output`, which holds nothing else afterwards, what would be deployed: `script`, or else the one that
    /// the manifest names.
    pub(crate) fn bundle(&self, script: Option<&Path>, manifest: &Path, output: &Path) -> Result<Bundle> {
        if output.exists() {
            fs::remove_dir_all(output).with_context(|| format!("cannot empty `{}`", output.display()))?;
        }
        let mut command = self.command();
        command.arg("deploy").args(script).args(["--dry-run", "--outdir"]).arg(output).arg("--config").arg(manifest);
        run_quietly(&mut command, &self.folder.join("logs/bundle.log"))?;
        Bundle::find(output)
    }
}
