//! The Worker's manifest, `wrangler.toml`: read for plain workerd, and rewritten for a local run of wrangler.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use toml::Table;

const FILE: &str = "wrangler.toml";

/// The version metadata binding that the Worker reads.
const VERSION_METADATA: &str = "CF_VERSION_METADATA";

/// What the manifest says.
#[derive(Debug)]
pub(crate) struct Manifest(Table);

impl Manifest {
    /// Reads the manifest at the top of the repository.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Self::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(Self(text.parse().with_context(|| format!("`{FILE}` is not TOML"))?))
    }

    /// The same for a run from another folder, as JSON, which wrangler reads too: `main` in full, and without the custom
    /// build, which would replace the Worker under the development overlay by the one that is deployed.
    pub(crate) fn for_local_run(&self, root: &Path) -> Result<Value> {
        let mut manifest = serde_json::to_value(&self.0)?;
        let main = manifest["main"].as_str().with_context(|| format!("`{FILE}` has no `main`"))?;
        manifest["main"] = json!(root.join(main));
        if let Some(members) = manifest.as_object_mut() {
            members.remove("build");
        }
        Ok(manifest)
    }

    /// The compatibility date.
    pub(crate) fn date(&self) -> Result<&str> {
        let date = self.0.get("compatibility_date").and_then(toml::Value::as_str);
        date.with_context(|| format!("`{FILE}` has no `compatibility_date`"))
    }

    /// The compatibility flags.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &str> {
        let flags = self.0.get("compatibility_flags").and_then(toml::Value::as_array);
        flags.into_iter().flatten().filter_map(toml::Value::as_str)
    }

    /// The name of the version metadata binding.
    pub(crate) fn version_metadata(&self) -> Option<&str> {
        self.0.get("version_metadata")?.get("binding")?.as_str()
    }

    /// Fails unless the Worker learns the id of its deployed version, which its decision log names.
    pub(crate) fn check_version_metadata(&self) -> Result<()> {
        ensure!(
            self.version_metadata() == Some(VERSION_METADATA),
            "`{FILE}` does not bind the version's metadata, so that the decision log cannot name the version: add\n\
             [version_metadata]\nbinding = \"{VERSION_METADATA}\""
        );
        Ok(())
    }

    /// The plain variables that are text.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.0.get("vars").and_then(toml::Value::as_table);
        variables.into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_run_keeps_all_but_the_build() {
        let manifest = Manifest::parse("main = \"a/b.mjs\"\nname = \"n\"\n[build]\ncommand = \"c\"\n").expect("TOML");
        let local = manifest.for_local_run(Path::new("/r")).expect("a manifest");
        assert_eq!(local, json!({ "main": "/r/a/b.mjs", "name": "n" }));
    }

    #[test]
    fn the_manifest_binds_the_version_metadata_by_the_name_that_the_edge_reads() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = Manifest::read(&root).expect("the manifest");
        assert_eq!(manifest.version_metadata(), Some(VERSION_METADATA));
        let edge = fs::read_to_string(root.join("edge/src/cloudflare/isolate.rs")).expect("the edge");
        assert!(edge.contains(&format!("const VERSION_METADATA: &str = \"{VERSION_METADATA}\";")));
        for text in ["", "version_metadata = 1", "[version_metadata]\nbinding = \"V\""] {
            assert!(Manifest::parse(text).expect("TOML").check_version_metadata().is_err(), "{text}");
        }
    }

    #[test]
    fn a_compatibility_date_is_needed() {
        assert!(Manifest::parse("name = \"x\"").expect("TOML").date().is_err());
    }
}
