//! The signature checks of the two JavaScript hosts, built by themselves and run on the vectors in real workerd and in
//! real Node: for `vectors/`, which asks them over HTTP and standard input.
//!
//! Built into folders of their own, never into the one that is deployed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::http::Client;
use crate::paths::Paths;
use crate::ports::url;
use crate::process::Supervisor;
use crate::setup::{WORKER_TARGET, node, rust_target, setup, step};
use crate::stack::{self, Manifest};
use crate::test::{Binaries, Choice};
use crate::worker::{CONFORMANCE, built_module, cargo_build, plain_import};

const PATIENCE: Duration = Duration::from_secs(60);
/// The features of the edge, and the folders, of the two hosts.
const CLOUDFLARE: &str = "cloudflare";
const NODE: &str = "node";

/// Answers a request of one case a line with one answer a line.
const WORKERD_SCRIPT: &str = r#"import { verify_with_webcrypto as verify } from "./conformance.js";

export default {
  async fetch(request) {
    const lines = (await request.text()).split("\n").filter((line) => line !== "");
    const answers = [];
    for (const line of lines) {
      const { jwk, alg, message, signature } = JSON.parse(line);
      answers.push(await verify(jwk, alg, octets(message), octets(signature)));
    }
    return new Response(answers.join("\n"));
  },
};

function octets(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}
"#;

const NODE_SCRIPT: &str = r#"import { createInterface } from "node:readline";
import { verify_with_node as verify } from "./conformance.js";

const octets = (text) => Uint8Array.from(Buffer.from(text, "base64url"));
for await (const line of createInterface({ input: process.stdin })) {
  const { jwk, alg, message, signature } = JSON.parse(line);
  process.stdout.write(`${verify(jwk, alg, octets(message), octets(signature))}\n`);
}
"#;

/// Builds the signature checks for workerd and Node.
pub(crate) fn build_hosts(paths: &Paths) -> Result<()> {
    let folder = paths.profile("vectors")?;
    rust_target(paths, WORKER_TARGET)?;
    build(paths, CLOUDFLARE, &folder.join(CLOUDFLARE), WORKERD_SCRIPT)?;
    build(paths, NODE, &folder.join(NODE), NODE_SCRIPT)
}

/// Starts the hosts that [`build_hosts`] has built, and runs the vectors through every backend.
pub(crate) fn vectors(paths: &Paths, binaries: &Binaries, filters: &[String]) -> Result<()> {
    setup(paths)?;
    let folder = paths.profile("vectors")?;
    let for_node = folder.join(NODE);
    let port = stack::free_ports_beside_stacks()?.plain_workerd;
    let mut supervisor = Supervisor::new(&folder.join("logs"), false)?;
    step("start: signature checks under plain workerd", || {
        let config = workerd_config(&paths.root, &folder.join(CLOUDFLARE), port)?;
        let file = folder.join("workerd.capnp");
        fs::write(&file, config).with_context(|| format!("cannot write `{}`", file.display()))?;
        let mut command = Command::new(node(paths));
        command.arg(paths.local.join("node_modules/workerd/bin/workerd")).arg("serve").arg(&file);
        supervisor.start("workerd", &mut command)?;
        let client = Client::with_timeout(Duration::from_secs(3));
        supervisor.wait_for("workerd", PATIENCE, || client.status(&url(port)) == Some(200))
    })?;
    let main = for_node.join("main.mjs");
    binaries.run(
        paths,
        &Choice {
            targets: &["signatures"],
            // Every trial but a few hundred that passed says nothing.
            arguments: &["--quiet"],
            filters,
            variables: &[
                ("POSTERN_VECTORS_WORKERD", url(port)),
                ("POSTERN_VECTORS_NODE", format!("{}\n{}", node(paths).display(), main.display())),
            ],
            ..Choice::default()
        },
    )
}

/// The check with one host's cryptography, its glue and its script, in a folder of its own.
fn build(paths: &Paths, host: &str, folder: &Path, script: &str) -> Result<()> {
    let wasm = compile(&paths.root, host)?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("conformance").typescript(false);
    if host == NODE { bindgen.nodejs_module(true)? } else { bindgen.module(true)? }.generate(folder)?;
    if host != NODE {
        let glue = folder.join("conformance.js");
        let text = fs::read_to_string(&glue)?;
        fs::write(&glue, plain_import(&text)?)?;
    }
    let main = folder.join("main.mjs");
    fs::write(&main, script).with_context(|| format!("cannot write `{}`", main.display()))
}

/// As the Worker is compiled, so that both share what they need.
fn compile(root: &Path, host: &str) -> Result<PathBuf> {
    let mut cargo = cargo_build(root, &[host, CONFORMANCE]);
    built_module(cargo.arg("--no-default-features"), &format!("the signature check with `{host}`"))
}

/// The same runtime, date and flags as the Worker that is deployed.
fn workerd_config(root: &Path, folder: &Path, port: u16) -> Result<String> {
    let manifest = Manifest::read(root)?;
    // The first is the one that is served; the glue brings snippets in folders of their own.
    let mut scripts = vec!["main.mjs".to_owned()];
    scripts_in(folder, "", &mut scripts)?;
    let scripts: Vec<String> = scripts
        .iter()
        .map(|name| format!("    (name = {name:?}, esModule = embed {:?}),", format!("{CLOUDFLARE}/{name}")))
        .collect();
    let flags: Vec<String> = manifest.flags().map(|flag| format!("{flag:?}")).collect();
    Ok(format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "vectors", worker = .vectors)],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "vectors")],
);

const vectors :Workerd.Worker = (
  modules = [
{scripts}
    (name = "conformance_bg.wasm", wasm = embed "{CLOUDFLARE}/conformance_bg.wasm"),
  ],
  compatibilityDate = {date:?},
  compatibilityFlags = [{flags}],
);
"#,
        scripts = scripts.join("\n"),
        date = manifest.date()?,
        flags = flags.join(", "),
    ))
}

/// The names of the scripts below `folder`, as modules import each other.
fn scripts_in(folder: &Path, prefix: &str, names: &mut Vec<String>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            scripts_in(&entry.path(), &format!("{name}/"), names)?;
        } else if name.ends_with(".js") {
            names.push(name);
        }
    }
    Ok(())
}
