//! Builds the edge as a Cloudflare Worker: `cargo build` for WebAssembly, `wasm-bindgen`'s own library for the glue, then
//! [`snapshot`] to read a policy into the module's memory. Bundling is wrangler's.
//!
//! cargo's part is the same for every policy, so Workers that differ only in what they carry are compiled once.
//!
//! The library and the `wasm-bindgen` that the Worker links are one version, pinned in the workspace: the two speak a
//! format of their own, and there is no program to install.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use postern_embed::{Embedded, Host, Inputs, embed};
use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

use crate::paths::Paths;
use crate::process::output_of;
use crate::snapshot;
use crate::stack::Manifest;

const OVERLAY: &str = "POSTERN_OVERLAY";
const KEY_SEEDS: &str = "POSTERN_KEY_SEEDS";
const POLICY: &str = "POSTERN_POLICY";
const SHADOW_POLICY: &str = "POSTERN_SHADOW_POLICY";
/// What makes cargo build a Worker that traps on request.
const PLANTED: &str = "planted-panic";
/// What makes cargo build a Worker that can sign for AWS: only where the policy has an origin that wants it, for its size.
const SIGNING: &str = "sigv4";

/// What makes cargo build a module with nothing but the signature checks.
pub(crate) const CONFORMANCE: &str = "conformance";

/// The module, next to its glue.
const MODULE: &str = "postern_edge_bg.wasm";

/// The Worker is built for size, which its upload is held to, and of which a fresh isolate compiles what it touches. Of what
/// a request costs, decisions are a small part; what goes through octets one by one stays built for speed.
const SIZED: &str = "s";
const FOR_SPEED: [&str; 2] = ["base64", "sha2"];

/// Waits until nobody else builds the Worker; `edge/build` is one folder for the stacks of all profiles and for deploying.
pub(crate) fn lock(paths: &Paths) -> Result<File> {
    fs::create_dir_all(&paths.tools).with_context(|| format!("cannot create `{}`", paths.tools.display()))?;
    let file = File::create(paths.tools.join("worker.lock")).context("cannot create the lock of the Worker's build")?;
    file.lock().context("cannot lock the Worker's build")?;
    Ok(file)
}

/// Builds the Worker in release into `edge/build/`; `overlay` is the development overlay, none for what is deployed.
///
/// The variables `POSTERN_POLICY`, `POSTERN_SHADOW_POLICY` and `POSTERN_KEY_SEEDS` name what it carries besides; relative
/// paths are from `edge/`. One that names an overlay is refused: what is deployed is never stamped for development.
pub(crate) fn build_worker(root: &Path, overlay: Option<&Path>) -> Result<()> {
    let named = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    ensure!(
        overlay.is_some() || named(OVERLAY).is_none(),
        "`{OVERLAY}` is set, and what is deployed takes no development overlay: unset it"
    );
    let from_edge = |variable| named(variable).map(|path| root.join("edge").join(path));
    // What is sealed for real issuers, or tried in production, is of no use to local ones.
    let deployed = |variable| if overlay.is_none() { from_edge(variable) } else { None };
    let inputs = Inputs {
        policy: from_edge(POLICY).unwrap_or_else(|| root.join("postern.toml")),
        overlay: overlay.map(Path::to_owned),
        shadow: deployed(SHADOW_POLICY),
        seeds: deployed(KEY_SEEDS),
    };
    Manifest::read(root)?.check_version_metadata()?;
    print!("{}", report(&inputs, &embed(&inputs, Host::Workers)?));
    build(root, &inputs, &[], &root.join("edge/build"))
}

/// What the Worker carries, for whoever deploys it.
fn report(inputs: &Inputs, embedded: &Embedded) -> String {
    let file = |path: &Option<PathBuf>| path.as_ref().map_or("none".to_owned(), |path| path.display().to_string());
    let stamp = if embedded.policy().is_development() { ", development" } else { "" };
    let shadow = embedded.shadow().map_or(String::new(), |shadow| format!(", version {}", shadow.version()));
    format!(
        "The Worker embeds\n  policy: {}, version {}{stamp}\n  shadow policy: {}{shadow}\n  key seeds: {}\n  overlay: {}\n",
        inputs.policy.display(),
        embedded.policy().version(),
        file(&inputs.shadow),
        file(&inputs.seeds),
        file(&inputs.overlay),
    )
}

/// Builds a Worker that traps on request, for tests, into `folder`, which is as `edge/` is: the entry finds the rest.
///
/// `inputs` must have a development overlay, so that the Worker serves nothing should it ever be deployed.
pub(crate) fn build_planted(root: &Path, inputs: &Inputs, folder: &Path) -> Result<()> {
    bundle(root, inputs, &[PLANTED], folder)
}

/// Builds the Worker as it is deployed, but for what it carries, into `folder`, which is as `edge/` is.
pub(crate) fn build_carrying(root: &Path, inputs: &Inputs, folder: &Path) -> Result<()> {
    bundle(root, inputs, &[], folder)
}

/// The module, its glue and the entry in a folder of their own.
fn bundle(root: &Path, inputs: &Inputs, features: &[&str], folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
    }
    build(root, inputs, features, &folder.join("build"))?;
    fs::create_dir_all(folder.join("cloudflare"))?;
    for script in ["cloudflare/worker.mjs", "cloudflare/forward.mjs"] {
        let copied = fs::copy(root.join("edge").join(script), folder.join(script));
        copied.with_context(|| format!("cannot copy the Worker's `{script}`"))?;
    }
    Ok(())
}

/// Compiles the module and writes it with its glue and what it carries into `folder`.
fn build(root: &Path, inputs: &Inputs, features: &[&str], folder: &Path) -> Result<()> {
    // The policy first: a fault in it is reported before anything is compiled.
    let embedded = embed(inputs, Host::Workers)?;
    let bound = compile(root, &with_signing(features, &embedded))?;
    let module = read(&bound.join(MODULE))?;
    refuse_planted(&module, &embedded)?;
    copy_folder(&bound, folder).with_context(|| format!("cannot write `{}`", folder.display()))?;
    let module =
        snapshot::prepared(&module, &embedded.to_config()).context("the policy cannot be read into the module")?;
    ensure!(
        has_bounded_memory(&module).unwrap_or_default(),
        "the Worker's memory has no maximum: what has become of `--max-memory` in `edge/build.rs`?"
    );
    let file = folder.join(MODULE);
    fs::write(&file, &module).with_context(|| format!("cannot write `{}`", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))
}

/// Copies a folder with the folders in it; `into` holds nothing else afterwards, since what an earlier version wrote under
/// other names would be bundled too.
fn copy_folder(from: &Path, into: &Path) -> Result<()> {
    if into.exists() {
        fs::remove_dir_all(into)?;
    }
    fs::create_dir_all(into)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = into.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The folder of the module with these features, and of its glue. Only the first call of this program with these
/// features compiles.
pub(crate) fn compile(root: &Path, features: &[&str]) -> Result<PathBuf> {
    static COMPILED: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let key = features.join("-");
    if let Some(folder) = compiled.get(&key) {
        return Ok(folder.clone());
    }
    let wasm = built_module(&mut cargo_build(root, features), "the Worker")?;
    let folder = wasm.with_file_name(format!("bound-{key}"));
    bind(&wasm, &folder).with_context(|| format!("wasm-bindgen cannot write `{}`", folder.display()))?;
    compiled.insert(key, folder.clone());
    Ok(folder)
}

/// Compiles the module of [`build_planted`] for a policy that has an origin which wants signatures.
pub(crate) fn compile_planted(root: &Path) -> Result<PathBuf> {
    compile(root, &[PLANTED, SIGNING])
}

/// Fails if a module for tests would carry a policy that can be deployed.
fn refuse_planted(module: &[u8], embedded: &Embedded) -> Result<()> {
    ensure!(
        !has_conformance(module),
        "the module has the feature `{CONFORMANCE}`, which is for vectors: build it without"
    );
    ensure!(
        !has_planted_panic(module) || embedded.policy().is_development(),
        "the Worker traps on request, which is for tests: name a development overlay, or build without `planted-panic`"
    );
    Ok(())
}

/// These features, and what the policy needs.
fn with_signing<'a>(features: &[&'a str], embedded: &Embedded) -> Vec<&'a str> {
    let signs = embedded.policy().wants_signatures();
    features.iter().copied().chain(signs.then_some(SIGNING)).collect()
}

/// Whether a module exports the signature checks of `edge/src/conformance.rs`.
pub(crate) fn has_conformance(module: &[u8]) -> bool {
    [&b"verify_with_webcrypto"[..], b"verify_with_node"]
        .iter()
        .any(|name| module.windows(name.len()).any(|window| window == *name))
}

/// Whether a module has the text by which a request asks for a trap; `edge/src/cloudflare/planted.rs` has it.
pub(crate) fn has_planted_panic(module: &[u8]) -> bool {
    let text = b"postern-planted-panic";
    module.windows(text.len()).any(|window| window == text)
}

/// Runs a build of the edge that reports in JSON, and finds its module.
pub(crate) fn built_module(cargo: &mut Command, what: &str) -> Result<PathBuf> {
    let messages = output_of(cargo).with_context(|| format!("{what} does not build"))?;
    let mut modules = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).flat_map(modules);
    modules.find(|path| path.ends_with("postern_edge.wasm")).context("cargo built no `postern_edge.wasm`")
}

pub(crate) fn cargo_build(root: &Path, features: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        // What is deployed is what Cargo.lock names, whatever has been published since.
        .args(["build", "--release", "--locked", "--package", "postern-edge"])
        .args(["--target", "wasm32-unknown-unknown", "--message-format", "json-render-diagnostics"])
        .args(["--features", &features.join(",")])
        .args(FOR_SPEED.map(|name| format!("--config=profile.release.package.{name}.opt-level=3")))
        .current_dir(root)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", SIZED)
        // The workspace strips all symbols, and with them the section that tells wasm-bindgen which features the module
        // may use; what is left of names it removes itself.
        .env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
    cargo
}

/// The WebAssembly files that a message of cargo's names.
fn modules(message: Value) -> Vec<PathBuf> {
    let names = message.get("filenames").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).filter(|name| name.ends_with(".wasm")).map(PathBuf::from).collect()
}

/// Writes `postern_edge.js`, which instantiates the module itself and can do so again, and the module next to it.
fn bind(wasm: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Bindgen::new()
        .input_path(wasm)
        .out_name("postern_edge")
        .module(true)?
        .reset_state_function(true)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)?;
    let glue = folder.join("postern_edge.js");
    let text = fs::read_to_string(&glue)?;
    fs::write(&glue, plain_import(&text)?)?;
    Ok(())
}

/// Whether a module's memory has a maximum: the flag in the memory section (WebAssembly core specification §5.5.8).
pub(crate) fn has_bounded_memory(module: &[u8]) -> Option<bool> {
    const MEMORY: u8 = 5;
    // Magic and version come before the first section.
    let mut rest = module.get(8..)?;
    loop {
        let (&id, after) = rest.split_first()?;
        let (length, content) = unsigned(after)?;
        if id == MEMORY {
            let (_count, memories) = unsigned(content)?;
            return Some(memories.first()? & 1 == 1);
        }
        rest = content.get(length..)?;
    }
}

/// An unsigned number in LEB128, and what comes after it.
fn unsigned(octets: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, octet) in octets.iter().enumerate().take(5) {
        value |= usize::from(octet & 0x7f) << (7 * index);
        if octet & 0x80 == 0 {
            return Some((value, &octets[index + 1..]));
        }
    }
    None
}

/// Workers import a compiled module by a plain `import`; the proposal's `import source` they do not know.
pub(crate) fn plain_import(glue: &str) -> Result<String> {
    let phased = "import source wasmModule from ";
    if glue.matches(phased).count() != 1 {
        bail!("the glue does not import its module as expected: has wasm-bindgen changed?");
    }
    Ok(glue.replace(phased, "import wasmModule from "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_cargos_messages() {
        let message =
            serde_json::json!({"reason": "compiler-artifact", "filenames": ["/t/a.rlib", "/t/postern_edge.wasm"]});
        assert_eq!(modules(message), [PathBuf::from("/t/postern_edge.wasm")]);
        assert!(modules(serde_json::json!({"reason": "build-finished"})).is_empty());
    }

    #[test]
    fn what_is_deployed_is_built_from_the_lock_file_and_is_reported() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let command = cargo_build(&root, &[]);
        assert!(command.get_args().any(|argument| argument == "--locked"), "{command:?}");
        let inputs = Inputs { policy: root.join("postern.toml"), ..Inputs::default() };
        let embedded = embed(&inputs, Host::Workers).expect("the example builds");
        let told = report(&inputs, &embedded);
        let version = format!("postern.toml, version {}\n", embedded.policy().version());
        assert!(told.contains(&version) && told.contains("  overlay: none\n"), "{told}");
    }

    fn embedded(policy: &str, overlay: Option<&str>) -> Embedded {
        let file = |name: &str, text: &str| {
            let path = env::temp_dir().join(format!("postern-worker-{}-{name}.toml", std::process::id()));
            fs::write(&path, text).expect("a writable folder");
            path
        };
        let overlay = overlay.map(|text| file("overlay", text));
        let inputs = Inputs { policy: file("policy", policy), overlay, ..Inputs::default() };
        let embedded = embed(&inputs, Host::Workers).expect("a policy");
        inputs.files().for_each(|path| fs::remove_file(path).expect("the file"));
        embedded
    }

    /// One test for both, since they share the names of their files.
    #[test]
    fn what_a_worker_carries_decides_how_it_is_built_and_whether_it_may_trap() {
        let example = include_str!("../../postern.toml");
        let url = "https://vouchers.ljg-sushi.example\"";
        let signed = format!("{url}\nauth_type = \"AWS_IAM\"\nregion = \"eu-west-2\"\ncredentials = \"AWS\"");
        let unsigned = embedded(example, None);
        assert_eq!(with_signing(&[PLANTED], &unsigned), [PLANTED]);
        assert_eq!(with_signing(&[PLANTED], &embedded(&example.replace(url, &signed), None)), [PLANTED, SIGNING]);

        let overlay = "[origin.vouchers]\nurl = \"http://127.0.0.1:1\"\n";
        let trapping = b"\0asm\x01...postern-planted-panic...";
        refuse_planted(trapping, &embedded(example, Some(overlay))).expect("it serves nothing where it is deployed");
        refuse_planted(b"\0asm\x01", &unsigned).expect("it does not trap");
        let vectors = refuse_planted(b"\0asm\x01..verify_with_node..", &unsigned).expect_err("it is for vectors");
        assert!(vectors.to_string().contains("build it without"), "{vectors}");
        let refused = refuse_planted(trapping, &unsigned).expect_err("it could be deployed").to_string();
        assert!(refused.contains("name a development overlay"), "{refused}");
    }

    #[test]
    fn a_memory_with_a_maximum_is_told_from_one_without() {
        // A type section of 130 octets first, whose length takes two, then one memory.
        let before = [b"\0asm\x01\0\0\0\x01\x82\x01".as_slice(), &[0; 130]].concat();
        let with = |memory: &[u8]| has_bounded_memory(&[before.as_slice(), memory].concat());
        assert_eq!(with(&[5, 4, 1, 1, 17, 128]), Some(true));
        assert_eq!(with(&[5, 3, 1, 0, 17]), Some(false));
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn a_module_that_traps_on_request_is_told_by_its_text() {
        assert!(has_planted_panic(b"\0asm\x01...postern-planted-panic..."));
        assert!(!has_planted_panic(b"\0asm\x01...postern-assertion..."));
    }

    #[test]
    fn the_glue_imports_its_module_plainly_or_not_at_all() {
        let glue = plain_import("import source wasmModule from \"./x.wasm\";\n").expect("one import");
        assert_eq!(glue, "import wasmModule from \"./x.wasm\";\n");
        assert!(plain_import("import wasmModule from \"./x.wasm\";").is_err());
    }
}
