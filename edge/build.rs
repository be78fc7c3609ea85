//! Checks the policy and embeds it: a policy that does not hold, or that this host cannot enforce, does not build.
//!
//! `POSTERN_POLICY` names another policy than the workspace's `postern.toml`, `POSTERN_OVERLAY` a development
//! overlay, `POSTERN_SHADOW_POLICY` a policy that is only tried beside the one that decides, `POSTERN_KEY_SEEDS` what
//! `postern keys seal` wrote; all are paths, relative ones from this package's folder. What the overlay touches is
//! stamped.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use postern::{
    Algorithm, Policy,
    cache::KeySeeds,
    policy::{LineColumn, PolicyError, PolicyErrors, from_toml},
};

/// What the host's cryptography can check: Web Cryptography as Cloudflare's runtime has it, in src/cloudflare/signature.rs.
const HOST: (&str, &[Algorithm]) = ("the Workers runtime", &Algorithm::ALL);

/// An isolate has 128 MB, its JavaScript included, and is ended with all its requests when it takes more. Below that
/// the instance traps when it finds no memory, which `worker.mjs` answers for.
const MAX_MEMORY_BYTES: u32 = 64 * 1024 * 1024;

fn main() -> ExitCode {
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={MAX_MEMORY_BYTES}");
    }
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn embed() -> Result<(), String> {
    let policy = path_from("POSTERN_POLICY").unwrap_or_else(|| PathBuf::from("../postern.toml"));
    let overlay = path_from("POSTERN_OVERLAY");
    if overlay.is_none() {
        refuse_planted_panic()?;
    }
    let checked = checked(&policy, overlay.as_deref())?;
    write("policy.json", checked.to_json())?;
    let shadow = match path_from("POSTERN_SHADOW_POLICY") {
        Some(path) => {
            let tried = self::checked(&path, overlay.as_deref())?;
            ask_one_service(&checked, &tried).map_err(|error| format!("{}: {error}", path.display()))?;
            tried.to_json().to_owned()
        }
        None => String::new(),
    };
    write("shadow-policy.json", &shadow)?;
    write("key-seeds.json", &seeds(&checked)?)
}

/// Both policies share the cache of permissions and the keys of origins: with a service of its own, the one that is only
/// tried would put records where the other finds them, and send that other's key's assertions elsewhere.
fn ask_one_service(decides: &Policy, tried: &Policy) -> Result<(), String> {
    match tried.permissions() {
        Some(service) if decides.permissions() != Some(service) => Err(format!(
            "the permissions origin `{}` is not that of the policy that decides: give both the same name, URL and key",
            service.name()
        )),
        _ => Ok(()),
    }
}

/// The policy in that file, when it holds and this host can enforce it.
fn checked(policy: &Path, overlay: Option<&Path>) -> Result<Policy, String> {
    let policy_text = read(policy)?;
    let overlay_text = overlay.map(read).transpose()?;
    let located = |errors: PolicyErrors| {
        let overlaid = overlay.zip(overlay_text.as_deref());
        let lines = errors.0.iter().map(|error| match overlaid {
            Some((path, text)) if error.is_in_overlay() => show(path, text, error),
            _ => show(policy, &policy_text, error),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let checked = from_toml(&policy_text, overlay_text.as_deref()).map_err(&located)?;
    let (host, algorithms) = HOST;
    checked.check_algorithms(host, algorithms).map_err(|errors| located(errors.located_in(&policy_text)))?;
    Ok(checked)
}

/// The seeds, when every one of them is about an issuer of the policy.
fn seeds(policy: &Policy) -> Result<String, String> {
    let Some(path) = path_from("POSTERN_KEY_SEEDS") else { return Ok("{}".to_owned()) };
    let mend = "write it anew with `postern keys seal`";
    let seeds = KeySeeds::parse(read(&path)?.as_bytes()).map_err(|(section, error)| {
        let section = if section.is_empty() { section } else { format!("`{section}`: ") };
        format!("{}: {section}{error}: {mend}", path.display())
    })?;
    match seeds.stranger_to(policy) {
        Some(section) => Err(format!("{}: the policy has no issuer `{section}`: {mend}", path.display())),
        None => Ok(seeds.to_json().to_string()),
    }
}

fn write(name: &str, text: &str) -> Result<(), String> {
    let folder = env::var_os("OUT_DIR").ok_or("cargo sets no `OUT_DIR`")?;
    let target = Path::new(&folder).join(name);
    fs::write(&target, text).map_err(|error| format!("cannot write `{}`: {error}", target.display()))
}

/// What could be deployed never traps on request. With an overlay the build is stamped, and serves nothing in a deployment.
fn refuse_planted_panic() -> Result<(), String> {
    let planted = env::var_os("CARGO_FEATURE_PLANTED_PANIC").is_some();
    // Without optimisation or for another machine it is only checked, never packaged.
    let deployable =
        env::var("PROFILE").as_deref() == Ok("release") && env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32");
    if planted && deployable {
        return Err("the feature `planted-panic` is for tests: name a development overlay in `POSTERN_OVERLAY`, or \
                    build without the feature"
            .to_owned());
    }
    Ok(())
}

/// The path that a variable names, if it is set and not empty.
fn path_from(variable: &str) -> Option<PathBuf> {
    println!("cargo::rerun-if-env-changed={variable}");
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn read(path: &Path) -> Result<String, String> {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}

/// As compilers write it, so that editors find the place.
fn show(path: &Path, text: &str, error: &PolicyError) -> String {
    match &error.span {
        Some(span) => {
            let place = LineColumn::of(text, span.start);
            format!("{}:{}:{}: {error}", path.display(), place.line, place.column)
        }
        None => format!("{}: {error}", path.display()),
    }
}
