//! Builds the edge as a Cloudflare Worker into `edge/build/`: `cargo build` for WebAssembly, then `wasm-bindgen`'s own
//! library for the glue. Bundling is wrangler's.
//!
//! The library and the `wasm-bindgen` that the Worker links are one version, pinned in the workspace: the two speak a
//! format of their own, and there is no program to install.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use postern_embed::{Host, embed};
use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

use crate::paths::Paths;
use crate::snapshot;

const OVERLAY: &str = "POSTERN_OVERLAY";
const KEY_SEEDS: &str = "POSTERN_KEY_SEEDS";
const POLICY: &str = "POSTERN_POLICY";
const SHADOW_POLICY: &str = "POSTERN_SHADOW_POLICY";
/// What makes cargo build a Worker that traps on request.
const PLANTED: &str = "planted-panic";
/// What makes cargo build a Worker that can sign for AWS: only where the policy has an origin that wants it, for its size.
const SIGNING: &str = "sigv4";

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

/// Builds the Worker in release; `overlay` is the development overlay, none for what is deployed.
///
/// Without one the policy cannot come out stamped for development: the variable that would name one is refused,
/// not passed on.
pub(crate) fn build_worker(root: &Path, overlay: Option<&Path>) -> Result<()> {
    let inherited = env::var_os(OVERLAY).is_some_and(|value| !value.is_empty());
    ensure!(
        overlay.is_some() || !inherited,
        "`{OVERLAY}` is set, and what is deployed takes no development overlay: unset it"
    );
    let wasm = compile(root, overlay)?;
    let octets = fs::read(&wasm).with_context(|| format!("cannot read `{}`", wasm.display()))?;
    ensure!(!has_planted_panic(&octets), "the Worker traps on request: build it without `planted-panic`");
    let folder = root.join("edge/build");
    bind(&wasm, &folder).with_context(|| format!("wasm-bindgen cannot write `{}`", folder.display()))
}

/// What a Worker for tests is built from; absolute paths.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) overlay: &'a Path,
    pub(crate) policy: &'a Path,
    /// A policy that is only tried.
    pub(crate) shadow: &'a Path,
    pub(crate) seeds: &'a Path,
}

/// Builds a Worker that traps on request, for tests, into `folder`, which is as `edge/` is: the entry finds the rest.
/// It is also the one with keys sealed into it, rules that are only tried, and a decision log of everything.
///
/// Always with the development overlay, so that it serves nothing should it ever be deployed.
pub(crate) fn build_planted(root: &Path, inputs: &Inputs<'_>, folder: &Path) -> Result<()> {
    let mut cargo = cargo_build(root, Some(inputs.overlay), &features(&[PLANTED], inputs.policy, Some(inputs.overlay)));
    cargo.env(KEY_SEEDS, inputs.seeds).env(POLICY, inputs.policy).env(SHADOW_POLICY, inputs.shadow);
    bundle(root, &built_module(&mut cargo, "the Worker")?, folder)
}

/// Builds the Worker as it is deployed, but for its policy, into `folder`, which is as `edge/` is.
pub(crate) fn build_with_policy(root: &Path, policy: &Path, folder: &Path) -> Result<()> {
    let mut cargo = cargo_build(root, None, &features(&[], policy, None));
    cargo.env(POLICY, policy).env_remove(KEY_SEEDS).env_remove(SHADOW_POLICY);
    bundle(root, &built_module(&mut cargo, "the Worker")?, folder)
}

/// Builds the Worker as it is deployed, but for its policy and its overlay, into `folder`, which is as `edge/` is: for
/// measurements on the loopback interface.
pub(crate) fn build_measured(root: &Path, policy: &Path, overlay: &Path, folder: &Path) -> Result<()> {
    let mut cargo = cargo_build(root, Some(overlay), &features(&[], policy, Some(overlay)));
    bundle(root, &built_module(cargo.env(POLICY, policy), "the Worker")?, folder)
}

/// The module, its glue and the entry in a folder of their own.
fn bundle(root: &Path, wasm: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
    }
    bind(wasm, &folder.join("build")).with_context(|| format!("wasm-bindgen cannot write `{}`", folder.display()))?;
    fs::create_dir_all(folder.join("cloudflare"))?;
    for script in ["cloudflare/worker.mjs", "cloudflare/forward.mjs"] {
        let copied = fs::copy(root.join("edge").join(script), folder.join(script));
        copied.with_context(|| format!("cannot copy the Worker's `{script}`"))?;
    }
    Ok(())
}

/// Fails if a Worker that traps on request can be built without a development overlay.
pub(crate) fn refuse_planted(root: &Path) -> Result<()> {
    let output = cargo_build(root, None, &[PLANTED]).stderr(Stdio::piped()).output().context("cannot start cargo")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "a Worker with `planted-panic` builds without a development overlay");
    ensure!(errors.contains("`planted-panic` is for tests"), "it does not build, but for another reason: {errors}");
    Ok(())
}

/// Whether a module has the text by which a request asks for a trap; `edge/src/cloudflare/planted.rs` has it.
pub(crate) fn has_planted_panic(module: &[u8]) -> bool {
    let text = b"postern-planted-panic";
    module.windows(text.len()).any(|window| window == text)
}

/// Compiles the Worker and finds what came out, wherever the target folder is.
fn compile(root: &Path, overlay: Option<&Path>) -> Result<PathBuf> {
    let overlay = overlay.map(|path| path.canonicalize().with_context(|| format!("there is no `{}`", path.display())));
    let overlay = overlay.transpose()?;
    // As the build finds it: relative paths are from `edge/`.
    let named = env::var_os(POLICY).filter(|value| !value.is_empty());
    let policy = root.join("edge").join(named.unwrap_or_else(|| "../postern.toml".into()));
    let features = features(&[], &policy, overlay.as_deref());
    built_module(&mut cargo_build(root, overlay.as_deref(), &features), "the Worker")
}

/// These features, and what the policy needs. Of one that does not hold the build itself tells.
fn features<'a>(of: &[&'a str], policy: &Path, overlay: Option<&Path>) -> Vec<&'a str> {
    let inputs = postern_embed::Inputs {
        policy: policy.to_owned(),
        overlay: overlay.map(Path::to_owned),
        ..postern_embed::Inputs::default()
    };
    let signs = embed(&inputs, Host::Workers).is_ok_and(|embedded| embedded.policy().wants_signatures());
    of.iter().copied().chain(signs.then_some(SIGNING)).collect()
}

/// Runs a build of the edge that reports in JSON, and finds its module.
pub(crate) fn built_module(cargo: &mut Command, what: &str) -> Result<PathBuf> {
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    ensure!(output.status.success(), "{what} does not build");
    let messages = String::from_utf8(output.stdout).context("cargo's messages are not UTF-8")?;
    let mut modules = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).flat_map(modules);
    modules.find(|path| path.ends_with("postern_edge.wasm")).context("cargo built no `postern_edge.wasm`")
}

fn cargo_build(root: &Path, overlay: Option<&Path>, features: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--package", "postern-edge"])
        .args(["--target", "wasm32-unknown-unknown", "--message-format", "json-render-diagnostics"])
        .args(["--features", &features.join(",")])
        .args(FOR_SPEED.map(|name| format!("--config=profile.release.package.{name}.opt-level=3")))
        .current_dir(root)
        .env_remove(OVERLAY)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", SIZED)
        // The workspace strips all symbols, and with them the section that tells wasm-bindgen which features the module
        // may use; what is left of names it removes itself.
        .env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
    if let Some(overlay) = overlay {
        // What is sealed for real issuers, or tried in production, is of no use to local ones.
        cargo.env(OVERLAY, overlay).env_remove(KEY_SEEDS).env_remove(SHADOW_POLICY);
    }
    cargo
}

/// The WebAssembly files that a message of cargo's names.
fn modules(message: Value) -> Vec<PathBuf> {
    let names = message.get("filenames").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).filter(|name| name.ends_with(".wasm")).map(PathBuf::from).collect()
}

/// Writes `postern_edge.js`, which instantiates the module itself and can do so anew, and the module beside it.
fn bind(wasm: &Path, folder: &Path) -> Result<()> {
    // What an earlier version wrote under other names would be bundled by those who look for it.
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
    let file = folder.join("postern_edge_bg.wasm");
    let module = snapshot::prepared(&fs::read(&file)?).context("what is embedded cannot be read into the module")?;
    fs::write(&file, &module)?;
    ensure!(
        has_bounded_memory(&module).unwrap_or_default(),
        "the Worker's memory has no maximum: what has become of `--max-memory` in `edge/build.rs`?"
    );
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
    fn a_worker_can_sign_where_its_policy_has_an_origin_that_wants_it() {
        let example = include_str!("../../postern.toml");
        let url = "https://vouchers.ljg-sushi.example\"";
        let signed = format!("{url}\nauth_type = \"AWS_IAM\"\nregion = \"eu-west-2\"\ncredentials = \"AWS\"");
        let file = std::env::temp_dir().join(format!("postern-xtask-{}.toml", std::process::id()));
        for (text, expected) in [
            (example.to_owned(), vec![PLANTED]),
            (example.replace(url, &signed), vec![PLANTED, SIGNING]),
            ("nonsense".to_owned(), vec![PLANTED]),
        ] {
            fs::write(&file, text).expect("a file");
            assert_eq!(features(&[PLANTED], &file, None), expected);
        }
        fs::remove_file(&file).expect("the file");
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
