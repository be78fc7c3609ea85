//! The Worker that traps on request: the same edge, built with a planted panic into the stack's folder; and with the
//! routes of `policies/tried.toml`, a second policy that is only tried, and a decision log of everything.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{cold::quoted, stack::Stack};

/// The field by which a request says how the instance is to end.
pub const FIELD: &str = "postern-planted-panic";
/// What its decision log hashes subjects with.
pub const LOG_SECRET: &str = "a secret of the tests' own, of 32 octets at least";
/// The id of its version, as the version metadata binding has it.
pub const VERSION_ID: &str = "dc8dcd28-271b-4367-9840-6c244f84cb40";
/// What the origin of `policies/signed.toml` believes.
pub const SIGNED_KEY: &str =
    r#"{"keys":[{"kty":"oct","kid":"signed","k":"c2lnbmVkLXNpZ25lZC1zaWduZWQtc2lnbmVkLXNpZ25lZCE"}]}"#;
/// What it is signed for with.
pub const SIGNED_CREDENTIALS: [&str; 3] = ["AKIDEXAMPLE", "the-tests-own-secret-access-key", "the-sessions-token"];
/// The folder, beside the logs.
const FOLDER: &str = "planted";
/// The module with the handlers.
const ENTRY: &str = "cloudflare/worker.mjs";

/// The stack's configuration with that Worker's modules in the place of the bundle's.
///
/// # Panics
/// When it was not built.
#[track_caller]
pub fn with_planted_panic(stack: &Stack, config: &str) -> String {
    let folder = stack.logs.with_file_name(FOLDER);
    let mut files = Vec::new();
    collect(&folder, &mut files);
    // The entry first: the first module is the Worker's own.
    files.sort_by_key(|file| (file != Path::new(ENTRY), file.clone()));
    assert!(files.first().is_some_and(|file| file == Path::new(ENTRY)), "no `{ENTRY}` in `{}`", folder.display());
    let modules: Vec<String> = files.iter().map(|file| module(file)).collect();
    let (before, rest) = config.split_once("  modules = [").unwrap_or_else(|| panic!("no modules: {config}"));
    let (_, after) = rest.split_once("\n  ],").unwrap_or_else(|| panic!("no end of modules: {config}"));
    let [id, key, token] = SIGNED_CREDENTIALS;
    let credentials = json!({"access_key_id": id, "secret_access_key": key, "session_token": token}).to_string();
    let secrets = [
        ("POSTERN_KEY_LOG", LOG_SECRET),
        ("POSTERN_KEY_SIGNED", SIGNED_KEY),
        ("POSTERN_AWS_SIGNED", credentials.as_str()),
    ];
    let secrets: String =
        secrets.map(|(name, text)| format!("\n    (name = \"{name}\", text = {}),", quoted(text))).concat();
    let metadata = json!({"id": VERSION_ID, "tag": "", "timestamp": "2026-12-01T00:00:00Z"}).to_string();
    let metadata = format!("\n    (name = \"CF_VERSION_METADATA\", json = {}),", quoted(&metadata));
    let bindings = format!("  bindings = [{secrets}{metadata}");
    format!("{before}  modules = [\n{}\n  ],{}", modules.join("\n"), after.replacen("  bindings = [", &bindings, 1))
}

fn module(file: &Path) -> String {
    let name = file.to_string_lossy();
    let kind = if name.ends_with(".wasm") { "wasm" } else { "esModule" };
    format!("    (name = {}, {kind} = embed {}),", quoted(&name), quoted(&format!("{FOLDER}/{name}")))
}

/// Every file below, named from `folder` on.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        let entries = fs::read_dir(folder.join(&inner)).into_iter().flatten().flatten();
        for entry in entries {
            let path = inner.join(entry.file_name());
            if entry.path().is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
}
