//! The module for real Node, built by `wasm-pack`: the same for all policies, and the same octets wherever the
//! repository lies.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::bindgen;
use crate::paths::Paths;
use crate::process::run_quietly;
use crate::setup::{WORKER_TARGET, rust_target, wasm_pack};
use crate::worker::{has_bounded_memory, has_conformance, has_planted_panic};

/// What comes out: the glue, and the module.
pub(super) const FILES: [&str; 2] = ["postern_edge.js", "postern_edge_bg.wasm"];

/// What signs questions to AWS, once in minutes: for size, where all that a decision takes is built for speed.
const SIGNING: [&str; 7] =
    ["aws-sigv4", "aws-smithy-http", "aws-smithy-runtime-api", "aws-smithy-types", "http", "time", "form_urlencoded"];

/// The folder that the module and its glue are in. Only the first call of this program builds them.
pub(crate) fn build_module(paths: &Paths) -> Result<PathBuf> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = built.clone() {
        return Ok(folder);
    }
    Ok(built.insert(build_module_again(paths)?).clone())
}

/// Builds the module and returns the folder that it and its glue are in.
pub(crate) fn build_module_again(paths: &Paths) -> Result<PathBuf> {
    let own = paths.target.join("cloudfront");
    fs::create_dir_all(&own).with_context(|| format!("cannot create `{}`", own.display()))?;
    let lock = File::create(own.join("build.lock")).context("cannot create the lock of the module's build")?;
    lock.lock().context("cannot lock the module's build")?;
    rust_target(paths, WORKER_TARGET)?;
    let program = wasm_pack(paths)?;
    let folder = own.join("module");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
    }
    let log = own.join("wasm-pack.log");
    run_quietly(&mut command(paths, &program, &bindgen(&own)?, &own, &folder)?, &log)?;
    check(paths, &folder)?;
    Ok(folder)
}

fn command(paths: &Paths, wasm_pack: &Path, bindgen: &Path, own: &Path, folder: &Path) -> Result<Command> {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let search = env::join_paths([bindgen.to_path_buf()].into_iter().chain(env::split_paths(&inherited)))?;
    let mut command = Command::new(wasm_pack);
    command
        .args([
            "build",
            "edge",
            "--release",
            "--target",
            "nodejs",
            "--mode",
            "no-install",
            "--out-name",
            "postern_edge",
        ])
        // `wasm-opt` would be one more download, of a program that only its version number pins.
        .args(["--no-opt", "--no-pack", "--no-typescript", "--no-gitignore", "--out-dir"])
        .arg(folder)
        .args(["--", "--locked", "--no-default-features", "--features", "cloudfront"])
        .args(SIGNING.map(|name| format!("--config=profile.release.package.{name}.opt-level=\"s\"")))
        .current_dir(&paths.root)
        // Of its own, since the flags below would have everything else in the target folder built anew.
        .env("CARGO_TARGET_DIR", own.join("build"))
        .env("CARGO_ENCODED_RUSTFLAGS", flags(paths, own)?)
        // See `cargo_build` in worker.rs.
        .env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo")
        .env("PATH", search)
        // Nothing is put there without leave to install.
        .env("WASM_PACK_CACHE", own.join("cache"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET");
    // The module is for all policies, and none that a build might have been told of comes near it.
    for variable in ["POSTERN_POLICY", "POSTERN_OVERLAY", "POSTERN_SHADOW_POLICY", "POSTERN_KEY_SEEDS"] {
        command.env_remove(variable);
    }
    Ok(command)
}

/// Has the places that a panic names begin alike on every machine. The last prefix that fits is taken, so the target
/// folder, which may lie in the repository, comes last.
fn flags(paths: &Paths, own: &Path) -> Result<String> {
    let prefixes = [(paths.root.clone(), "postern"), (cargo_home()?, "cargo"), (own.to_path_buf(), "target")];
    let flags = prefixes.map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    // Cargo's separator for flags that may hold spaces.
    Ok(flags.join("\u{1f}"))
}

fn cargo_home() -> Result<PathBuf> {
    let given = env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    given.or_else(|| Some(env::home_dir()?.join(".cargo"))).context("there is no home folder")
}

/// Links this program to the name `wasm-bindgen`, which `wasm-pack` looks for, in a folder without other programs.
fn bindgen(own: &Path) -> Result<PathBuf> {
    let folder = own.join("bin");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let link = folder.join(bindgen::NAME);
    let program = env::current_exe().context("cannot name this program")?;
    if fs::read_link(&link).is_ok_and(|present| present == program) {
        return Ok(folder);
    }
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link).with_context(|| format!("cannot replace `{}`", link.display()))?;
    }
    symlink(program, &link).with_context(|| format!("cannot write `{}`", link.display()))?;
    Ok(folder)
}

/// What is packed is all that came out, has a memory with a maximum, traps for nobody, and says nothing of this machine.
fn check(paths: &Paths, folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        ensure!(
            FILES.iter().any(|file| name == *file),
            "wasm-pack wrote `{}`, which the package would lack",
            name.to_string_lossy()
        );
    }
    let [_, module] = FILES;
    let octets = fs::read(folder.join(module)).with_context(|| format!("there is no `{module}`"))?;
    ensure!(!has_planted_panic(&octets), "the function traps on request: build it without `planted-panic`");
    ensure!(!has_conformance(&octets), "the function has the feature `conformance`: build it without");
    ensure!(
        has_bounded_memory(&octets).unwrap_or_default(),
        "the function's memory has no maximum: what has become of `--max-memory` in `edge/build.rs`?"
    );
    for path in [paths.root.clone(), cargo_home()?] {
        ensure!(
            !names(&octets, &path.to_string_lossy()),
            "the module names `{}`: it would be another one elsewhere",
            path.display()
        );
    }
    Ok(())
}

fn names(octets: &[u8], text: &str) -> bool {
    octets.windows(text.len().max(1)).any(|window| window == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_others() {
        assert!(names(b"\0asm .. /home/x/postern/edge .. ", "/home/x/postern"));
        assert!(!names(b"\0asm .. postern/edge .. ", "/home/x/postern"));
    }

    #[test]
    fn the_target_folder_is_told_from_the_repository_that_it_lies_in() {
        let root = PathBuf::from("/r");
        let paths = Paths { local: "/r/local".into(), tools: "/r/.tools".into(), target: "/r/target".into(), root };
        let flags = flags(&paths, Path::new("/r/target/cloudfront")).expect("flags");
        let flags: Vec<&str> = flags.split('\u{1f}').collect();
        assert_eq!(flags.first(), Some(&"--remap-path-prefix=/r=postern"));
        assert_eq!(flags.last(), Some(&"--remap-path-prefix=/r/target/cloudfront=target"));
    }
}
