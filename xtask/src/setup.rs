//! The set-up: looks for what the machine must bring, and installs the rest into the project's own folders, each only
//! when what pins it has changed. Nothing is installed globally but the targets of the Rust toolchain.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::paths::{Paths, write_if_changed};
use crate::process::{check_interrupted, run, run_quietly};

/// The target that the Worker is built for.
pub(crate) const WORKER_TARGET: &str = "wasm32-unknown-unknown";
/// The first Node that wrangler runs on.
const NODE_MINIMUM: (u32, u32) = (22, 12);
/// The first Node whose npm reads the lock file.
const NPM_NODE_MINIMUM: (u32, u32) = (18, 0);
const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";
const CARGO_MUTANTS: &str = "27.1.0";
const WASM_PACK: &str = "0.15.1";

/// Checks the machine and installs what the stack needs.
pub(crate) fn setup(paths: &Paths) -> Result<()> {
    let _alone = lock(paths)?;
    check_compiler()?;
    rust_target(paths, WORKER_TARGET)?;
    check_node()?;
    node_packages(paths)?;
    check_node_of_the_project(paths)?;
    python_tools(paths)
}

/// Installs a target of the pinned toolchain unless it is there.
pub(crate) fn rust_target(paths: &Paths, target: &str) -> Result<()> {
    let sysroot = answer(Command::new("rustc").args(["--print", "sysroot"]).current_dir(&paths.root))
        .context("`rustc` does not run: install Rust with rustup")?;
    if Path::new(&sysroot).join("lib/rustlib").join(target).join("lib").is_dir() {
        return Ok(());
    }
    step(&format!("Rust target {target}"), || {
        run(Command::new("rustup").args(["target", "add", target]).current_dir(&paths.root))
            .with_context(|| format!("the Rust target `{target}` is missing: `rustup target add {target}`"))
    })
}

/// Builds the dependency checker into the project's folder unless it is there.
pub(crate) fn cargo_deny(paths: &Paths) -> Result<()> {
    cargo_tool(paths, "cargo-deny", CARGO_DENY)
}

/// Builds the command that builds fuzz targets into the project's folder unless it is there.
pub(crate) fn cargo_fuzz(paths: &Paths) -> Result<()> {
    cargo_tool(paths, "cargo-fuzz", CARGO_FUZZ)
}

/// Builds the command that lists mutants into the project's folder unless it is there.
pub(crate) fn cargo_mutants(paths: &Paths) -> Result<()> {
    cargo_tool(paths, "cargo-mutants", CARGO_MUTANTS)
}

/// Builds the program that builds the module for Node into the project's folder unless it is there, and gives its path.
pub(crate) fn wasm_pack(paths: &Paths) -> Result<PathBuf> {
    cargo_tool(paths, "wasm-pack", WASM_PACK)?;
    let program = paths.tools.join("bin/wasm-pack");
    // It asks for its newest version once a day, by this file's time, and it is pinned: the answer would change nothing.
    write_if_changed(&program.with_extension("stamp"), "created 9999-01-01T00:00:00+00:00\n")?;
    Ok(program)
}

fn cargo_tool(paths: &Paths, name: &str, version: &str) -> Result<()> {
    let _alone = lock(paths)?;
    let stamp = paths.tools.join(format!("{name}.stamp"));
    install(&stamp, version, &format!("{name} {version} (built once)"), || {
        let mut command = Command::new("cargo");
        command
            // Unoptimised: it builds in half the time, and has little to do.
            .args(["install", "--debug", "--quiet", "--locked", "--force", name, "--version", version, "--root"])
            .arg(&paths.tools)
            // Nobody debugs it, and what debuggers read takes longest to write.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            // Its own build must neither reuse nor disturb the project's.
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(&paths.tools);
        download(&mut command, name, &paths.tools.join(format!("{name}.log")))
    })
}

fn check_compiler() -> Result<()> {
    if answer(Command::new("cc").arg("--version")).is_none() {
        bail!(
            "a C compiler is missing (`cc`): install one, e.g. `apt-get install build-essential` or `xcode-select --install`"
        );
    }
    Ok(())
}

fn check_node() -> Result<()> {
    let mend = "install Node.js 18 or later with npm (https://nodejs.org, or your system's packages)";
    let Some(version) = answer(Command::new("node").arg("--version")) else {
        bail!("Node.js is missing (`node`): {mend}");
    };
    if node_version(&version).is_none_or(|found| found < NPM_NODE_MINIMUM) {
        bail!("Node.js {version} is too old: {mend}");
    }
    if answer(Command::new("npm").arg("--version")).is_none() {
        bail!("npm is missing: {mend}");
    }
    Ok(())
}

/// npm brings a Node of its own for the systems that have one in the registry; elsewhere the machine's must do.
fn check_node_of_the_project(paths: &Paths) -> Result<()> {
    let version = answer(Command::new(node(paths)).arg("--version")).unwrap_or_default();
    if node_version(&version).is_none_or(|found| found < NODE_MINIMUM) {
        let (major, minor) = NODE_MINIMUM;
        bail!(
            "wrangler needs Node.js {major}.{minor} or later, and this machine has {version}: install a newer Node.js"
        );
    }
    Ok(())
}

/// The Node that runs the stack's programs.
pub(crate) fn node(paths: &Paths) -> PathBuf {
    let own = paths.npm_program("node");
    if own.exists() { own } else { "node".into() }
}

fn node_packages(paths: &Paths) -> Result<()> {
    npm_packages(paths, &paths.local, "npm packages")
}

/// Installs what measures, and what is measured beside Postern, unless it is there.
pub(crate) fn bench_packages(paths: &Paths) -> Result<()> {
    let _alone = lock(paths)?;
    npm_packages(paths, &paths.bench(), "npm packages of the bench")
}

/// Installs the packages that the lock file in `folder` pins.
pub(crate) fn npm_packages(paths: &Paths, folder: &Path, what: &str) -> Result<()> {
    let pins = read(&folder.join("package-lock.json"))? + &read(&folder.join("package.json"))?;
    install(&folder.join("node_modules/.postern-stamp"), &pins, what, || {
        let mut command = Command::new("npm");
        // Without install scripts: whatever is native comes as a package for the platform, hashed in the lock file.
        command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        download(&mut command, "the npm packages", &paths.tools.join("npm.log"))
    })
}

fn python_tools(paths: &Paths) -> Result<()> {
    let pins = paths.local.join("requirements.txt");
    // The one package and not what it brings: a Zig compiler of 100 MB, which only cross-compiling needs.
    python_packages(paths, &paths.tools.join("venv"), &pins, "cargo-lambda", &["--no-deps"])
}

/// Installs the packages that `pins` lists into a Python environment of their own, with pip's further `options`.
pub(crate) fn python_packages(paths: &Paths, venv: &Path, pins: &Path, what: &str, options: &[&str]) -> Result<()> {
    install(&venv.join("postern.stamp"), &read(pins)?, what, || {
        if answer(Command::new("python3").args(["-c", "import ensurepip, venv; print('ok')"])).is_none() {
            bail!("Python 3 with `venv` is missing: install it, e.g. `apt-get install python3-venv`");
        }
        let log = paths.tools.join("pip.log");
        let mut create = Command::new("python3");
        create.args(["-m", "venv", "--clear"]).arg(venv);
        run_quietly(&mut create, &log)?;
        let mut fill = Command::new(venv.join("bin/python"));
        fill.args(["-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:"])
            .args(options)
            .arg("-r")
            .arg(pins);
        download(&mut fill, what, &log)
    })
}

/// Runs an installer; its many lines stay in the log, and one says where.
fn download(command: &mut Command, what: &str, log: &Path) -> Result<()> {
    run_quietly(command, log).map_err(|_many_lines| {
        if let Err(interrupted) = check_interrupted() {
            return interrupted;
        }
        anyhow::anyhow!(
            "cannot install {what}: see the end of `{}`; if a download failed, run `cargo xtask setup` again \
             once the network is there",
            log.display()
        )
    })
}

/// Does `work` unless `stamp` holds `pins`, and stamps afterwards.
fn install(stamp: &Path, pins: &str, what: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if fs::read_to_string(stamp).is_ok_and(|present| present == pins) {
        return Ok(());
    }
    step(what, || {
        work()?;
        fs::write(stamp, pins).with_context(|| format!("cannot write `{}`", stamp.display()))
    })
}

/// Two commands at once must not install into the same folder.
pub(crate) fn lock(paths: &Paths) -> Result<File> {
    fs::create_dir_all(&paths.tools).with_context(|| format!("cannot create `{}`", paths.tools.display()))?;
    let file = File::create(paths.tools.join("setup.lock"))?;
    file.lock().context("cannot lock the set-up")?;
    Ok(file)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Says what is being done and how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say!("  {what} …");
    let start = Instant::now();
    let result = work()?;
    say!("  {what}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(result)
}

/// The trimmed output of a command that succeeds.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    #[test]
    fn node_versions_compare() {
        assert_eq!(node_version("v24.21.0\n"), Some((24, 21)));
        assert!(node_version("v22.11.0").expect("a version") < NODE_MINIMUM);
        assert_eq!(node_version("nonsense"), None);
    }

    #[test]
    fn an_installation_is_skipped_until_its_pins_change_and_repeated_after_a_failure() {
        let stamp = env::temp_dir().join(format!("postern-stamp-{}", std::process::id()));
        let mut runs = 0;
        for (pins, works) in [("a", false), ("a", true), ("a", true), ("b", true)] {
            let _ = install(&stamp, pins, "test", || {
                runs += 1;
                if works { Ok(()) } else { bail!("no network") }
            });
        }
        let _ = fs::remove_file(&stamp);
        assert_eq!(runs, 3);
    }
}
