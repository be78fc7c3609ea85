//! Checks the policy and embeds it: a policy that does not hold, or that this host cannot enforce, does not build.
//!
//! `POSTERN_POLICY` names another policy than the workspace's `postern.toml`, `POSTERN_OVERLAY` a development
//! overlay, `POSTERN_SHADOW_POLICY` a policy that is only tried beside the one that decides, `POSTERN_KEY_SEEDS` what
//! `postern keys seal` wrote; all are paths, relative ones from this package's folder. What the overlay touches is
//! stamped. A CloudFront function reads all of it from the file beside its module, so nothing is embedded there.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use postern_embed::{Host, Inputs, embed};

/// An isolate has 128 MB, its JavaScript included, and is ended with all its requests when it takes more; so has a
/// viewer-request function. Below that the instance traps when it finds no memory, which the entry answers for.
const MAX_MEMORY_BYTES: u32 = 64 * 1024 * 1024;

fn main() -> ExitCode {
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={MAX_MEMORY_BYTES}");
    }
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let overlay = path_from("POSTERN_OVERLAY");
    if overlay.is_none() {
        refuse_planted_panic()?;
    }
    if has_feature("CLOUDFRONT") && !has_feature("CLOUDFLARE") {
        println!("cargo::rerun-if-changed=build.rs");
        return write_all("", "", "");
    }
    let inputs = Inputs {
        policy: path_from("POSTERN_POLICY").unwrap_or_else(|| PathBuf::from("../postern.toml")),
        overlay,
        shadow: path_from("POSTERN_SHADOW_POLICY"),
        seeds: path_from("POSTERN_KEY_SEEDS"),
    };
    for file in inputs.files() {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let embedded = embed(&inputs, Host::Workers).map_err(|error| error.to_string())?;
    if embedded.policy().wants_signatures() && !has_feature("SIGV4") {
        return Err(
            "an origin of the policy has `auth_type = \"AWS_IAM\"`: build with the feature `sigv4`, as `cargo \
                    xtask` does by itself"
                .to_owned(),
        );
    }
    write_all(embedded.policy_json(), embedded.shadow_json(), embedded.seeds_json())
}

fn write_all(policy: &str, shadow: &str, seeds: &str) -> Result<(), String> {
    let folder = env::var_os("OUT_DIR").ok_or("cargo sets no `OUT_DIR`")?;
    for (name, text) in [("policy.json", policy), ("shadow-policy.json", shadow), ("key-seeds.json", seeds)] {
        let target = Path::new(&folder).join(name);
        fs::write(&target, text).map_err(|error| format!("cannot write `{}`: {error}", target.display()))?;
    }
    Ok(())
}

/// What could be deployed never traps on request. With an overlay the build is stamped, and serves nothing in a deployment.
fn refuse_planted_panic() -> Result<(), String> {
    // Without optimisation or for another machine it is only checked, never packaged.
    let deployable =
        env::var("PROFILE").as_deref() == Ok("release") && env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32");
    if has_feature("PLANTED_PANIC") && deployable {
        return Err("the feature `planted-panic` is for tests: name a development overlay in `POSTERN_OVERLAY`, or \
                    build without the feature"
            .to_owned());
    }
    Ok(())
}

fn has_feature(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

/// The path that a variable names, if it is set and not empty.
fn path_from(variable: &str) -> Option<PathBuf> {
    println!("cargo::rerun-if-env-changed={variable}");
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
