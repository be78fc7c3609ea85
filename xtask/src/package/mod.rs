//! `cargo xtask package cloudfront`: one zip with the Lambda@Edge function and what it was told, ready to be uploaded.
//!
//! ```text
//!  edge/  ──wasm-pack──▶ postern_edge.js, postern_edge_bg.wasm ─┐   one module for all policies
//!  edge/cloudfront/*.js ────────────────────────────────────────┼─▶ the zip, the same octets for the same inputs
//!  policy, shadow policy, key seeds ──postern-embed──▶ config.json ─┘
//! ```
//! No secret is in it: the policy names where the function finds them.

mod archive;
mod module;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::paths::Paths;
use crate::setup::step;
use anyhow::{Context, Result, ensure};
use archive::Archive;
use postern_embed::{Embedded, Host, Inputs, embed};

pub(crate) use module::build_module;

const OVERLAY: &str = "POSTERN_OVERLAY";
/// What is JavaScript of the function, in [`SCRIPTS_FOLDER`] and in the zip: Lambda's handler is `index.handler`.
const SCRIPTS: [&str; 3] = ["index.js", "event.js", "ask.js"];
const SCRIPTS_FOLDER: &str = "edge/cloudfront";
const CONFIG: &str = "config.json";

/// Builds the module, packs it with what `inputs` name, and writes the zip to `output`.
pub(crate) fn package(paths: &Paths, inputs: &Inputs, output: &Path) -> Result<()> {
    // The policies first: a fault in them is told before anything is built.
    let embedded = embed_for_deployment(inputs)?;
    let module = step("build: module for CloudFront", || build_module(paths))?;
    let archive = archive(paths, &module, &embedded)?;
    archive.check_size()?;
    fs::write(output, archive.octets()).with_context(|| format!("cannot write `{}`", output.display()))?;
    say!("{}\n{}", output.display(), archive.report());
    Ok(())
}

/// Lays a function out in `folder` as Lambda does: packed, and unpacked again. For local use, so an overlay may be among
/// the inputs; its stamp has the function serve nothing where it is deployed.
pub(crate) fn unpack(paths: &Paths, module: &Path, inputs: &Inputs, folder: &Path) -> Result<()> {
    let embedded = embed(inputs, Host::Node)?;
    let archive = archive(paths, module, &embedded)?;
    archive.check_size()?;
    archive.extract(folder)
}

/// Packs twice and compares, and fails above the limit: for the tests.
pub(crate) fn check(paths: &Paths) -> Result<()> {
    let inputs = Inputs { policy: paths.root.join("postern.toml"), ..Inputs::default() };
    let pack = |module: PathBuf| archive(paths, &module, &embed_for_deployment(&inputs)?);
    let (first, second) = (pack(build_module(paths)?)?, pack(module::build_module_again(paths)?)?);
    ensure!(first.octets() == second.octets(), "packing twice gives two packages: what is in them is not pinned down");
    first.check_size()?;
    say!("{}", first.report());
    Ok(())
}

/// What may be deployed: no overlay, and a policy that says where its secrets are.
fn embed_for_deployment(inputs: &Inputs) -> Result<Embedded> {
    let inherited = env::var_os(OVERLAY).is_some_and(|value| !value.is_empty());
    ensure!(
        !inherited && inputs.overlay.is_none(),
        "`{OVERLAY}` is set, and what is deployed takes no development overlay: unset it"
    );
    let embedded = embed(inputs, Host::Node)?;
    let policy = inputs.policy.display();
    ensure!(
        !embedded.policy().is_development(),
        "{policy}: it is stamped for development, and serves nothing where it is deployed"
    );
    ensure!(
        embedded.policy().cloudfront().is_some(),
        "{policy}: it does not say where the function finds its secrets: add `[cloudfront]` with \
         `secret = \"arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME\"`"
    );
    Ok(embedded)
}

fn archive(paths: &Paths, module: &Path, embedded: &Embedded) -> Result<Archive> {
    let read = |path: PathBuf| fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()));
    let mut entries = Vec::new();
    for name in SCRIPTS {
        entries.push((name, read(paths.root.join(SCRIPTS_FOLDER).join(name))?));
    }
    entries.push((CONFIG, embedded.to_config().into_bytes()));
    for name in module::FILES {
        entries.push((name, read(module.join(name))?));
    }
    Archive::of(&entries)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    /// A file of these tests' own.
    fn file(name: &str, text: &str) -> PathBuf {
        let path = env::temp_dir().join(format!("postern-package-{}-{name}", std::process::id()));
        fs::write(&path, text).expect("a writable folder");
        path
    }

    fn refusal(inputs: &Inputs) -> String {
        format!("{:#}", embed_for_deployment(inputs).expect_err("a refusal"))
    }

    #[test]
    fn the_example_may_be_deployed_and_its_policy_is_packed_to_the_octet() {
        let inputs = Inputs { policy: root().join("postern.toml"), ..Inputs::default() };
        let embedded = embed_for_deployment(&inputs).expect("the example");
        let config: Value = serde_json::from_str(&embedded.to_config()).expect("JSON");
        assert_eq!(config["policy"], embedded.policy_json());
        assert_eq!((&config["shadow"], &config["seeds"]), (&Value::from(""), &Value::from("{}")));
        assert_eq!(config.as_object().map(serde_json::Map::len), Some(3));
    }

    #[test]
    fn a_development_build_is_never_packed_for_deployment() {
        let overlay = file("overlay.toml", "[origin.vouchers]\nurl = \"http://127.0.0.1:1\"\n");
        let inputs =
            Inputs { policy: root().join("postern.toml"), overlay: Some(overlay.clone()), ..Inputs::default() };
        assert!(refusal(&inputs).contains("takes no development overlay"));
        let _ = fs::remove_file(overlay);
    }

    #[test]
    fn a_policy_that_does_not_say_where_its_secrets_are_is_not_packed() {
        let text = fs::read_to_string(root().join("postern.toml")).expect("the example");
        let (before, after) = text.split_once("[cloudfront]").expect("a section");
        let (_, after) = after.split_once("\n[").expect("a section behind it");
        let policy = file("secretless.toml", &format!("{before}[{after}"));
        let told = refusal(&Inputs { policy: policy.clone(), ..Inputs::default() });
        assert!(told.contains("add `[cloudfront]` with `secret = "), "{told}");
        let _ = fs::remove_file(policy);
    }

    #[test]
    fn a_fault_in_a_policy_is_told_with_its_place() {
        let policy = file("faulty.toml", "nonsense = 1\n");
        let told = refusal(&Inputs { policy: policy.clone(), ..Inputs::default() });
        assert!(told.starts_with(&format!("{}:1:", policy.display())), "{told}");
        let _ = fs::remove_file(policy);
    }
}
