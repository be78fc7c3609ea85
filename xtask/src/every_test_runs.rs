//! `cargo test -p CRATE` runs every test of a crate, without a feature that one has to know.
//!
//! Cargo leaves tests out without a word: a target whose `required-features` are not active, code behind a feature, a
//! file that is not a target, and everything in a target with `test = false`. These checks find them in the manifests
//! and in the sources. Tests that are ignored are not looked for: cargo counts them, and a lint asks for the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde::Deserialize;

/// What `cargo metadata` prints.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    features: BTreeMap<String, Vec<String>>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
    test: bool,
    doctest: bool,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    kind: Option<String>,
    path: Option<PathBuf>,
    features: Vec<String>,
    target: Option<String>,
}

impl Target {
    /// Its source files: all below its folder. A build script is one file.
    fn files(&self) -> Vec<PathBuf> {
        if self.kind == ["custom-build"] {
            return vec![self.src_path.clone()];
        }
        files(self.src_path.parent().expect("a file has a folder"))
    }
}

impl Package {
    fn folder(&self) -> &Path {
        self.manifest_path.parent().expect("a manifest has a folder")
    }

    /// The features of a test build: the defaults, and those of the development dependency on the crate itself.
    fn active(&self) -> BTreeSet<&str> {
        let own = self.dependencies.iter().filter(|dependency| {
            dependency.kind.as_deref() == Some("dev")
                && dependency.target.is_none()
                && dependency.path.as_deref() == Some(self.folder())
        });
        let mut waiting: Vec<&str> = own.flat_map(|own| &own.features).map(String::as_str).collect();
        waiting.push("default");
        let mut active = BTreeSet::new();
        while let Some(feature) = waiting.pop() {
            if let Some(implied) = self.features.get(feature)
                && active.insert(feature)
            {
                waiting.extend(implied.iter().map(String::as_str));
            }
        }
        active
    }

    /// What `cargo test -p` of this package would leave out.
    fn left_out(&self) -> Vec<String> {
        let active = self.active();
        let mut found = Vec::new();
        for feature in self.features.keys().filter(|feature| *feature != "default" && !active.contains(&***feature)) {
            found.push(format!(
                "feature `{feature}` is not active in its tests; add it to the development dependency on the crate itself"
            ));
        }
        for target in &self.targets {
            let name = &target.name;
            for feature in target.required_features.iter().filter(|feature| !active.contains(&***feature)) {
                found.push(format!("target `{name}` requires the feature `{feature}`, which is not active"));
            }
            let files = target.files();
            let has = |is_test: fn(&str) -> bool| files.iter().find(|path| is_test(&read(path)));
            if !target.test
                && let Some(file) = has(has_tests)
            {
                found.push(format!("target `{name}` has `test = false`, and `{}` has tests", file.display()));
            }
            if !target.doctest
                && target.kind.iter().any(|kind| kind == "lib" || kind == "rlib")
                && let Some(file) = has(has_examples)
            {
                found.push(format!("target `{name}` has `doctest = false`, and `{}` has an example", file.display()));
            }
        }
        let targets: BTreeSet<&Path> = self.targets.iter().map(|target| &*target.src_path).collect();
        for file in test_programs(&self.folder().join("tests")) {
            if !targets.contains(&*file) {
                found.push(format!("`{}` is not a test target", file.display()));
            }
        }
        found.into_iter().map(|fault| format!("{}: {fault}", self.name)).collect()
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

fn has_tests(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
}

/// Whether a documentation comment has a block of code that rustdoc would run.
fn has_examples(text: &str) -> bool {
    let fences = text.lines().map(str::trim).filter_map(|line| {
        let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
        comment.trim().strip_prefix("```")
    });
    // Every other fence ends a block.
    fences.step_by(2).any(|language| ["", "rust", "no_run", "should_panic"].contains(&language))
}

/// The Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The files in `tests` that cargo would make a program of.
fn test_programs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let programs = entries.map(|path| if path.is_dir() { path.join("main.rs") } else { path });
    programs.filter(|path| path.extension().is_some_and(|extension| extension == "rs") && path.is_file()).collect()
}

#[test]
fn each_crate_runs_all_of_its_tests_by_default() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root);
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("cargo's metadata");
    assert!(metadata.packages.len() > 10, "cargo names too few packages");
    let left_out: Vec<String> = metadata.packages.iter().flat_map(Package::left_out).collect();
    assert!(left_out.is_empty(), "`cargo test -p CRATE` leaves tests out:\n{}", left_out.join("\n"));
}

#[test]
fn each_way_to_leave_tests_out_is_found() {
    let folder = env::temp_dir().join(format!("postern-left-out-{}", std::process::id()));
    for (path, text) in [
        ("src/lib.rs", "//! Says:\n//! ```\n//! assert!(true);\n//! ```\n#[test]\nfn passes() {}\n"),
        ("tests/found.rs", ""),
        ("tests/lost/main.rs", ""),
        ("tests/lost/support.rs", ""),
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let package = |lib_is_tested: bool, features: &[&str]| -> Package {
        let target = |name: &str, kind: &str, path: &str, test: bool, required: &[&str]| {
            serde_json::json!({
                "name": name, "kind": [kind], "src_path": folder.join(path), "test": test, "doctest": test,
                "required-features": required,
            })
        };
        serde_json::from_value(serde_json::json!({
            "name": "a",
            "manifest_path": folder.join("Cargo.toml"),
            "features": { "default": [], "one": [], "two": ["one", "dep:x"] },
            "targets": [
                target("a", "lib", "src/lib.rs", lib_is_tested, &[]),
                target("found", "test", "tests/found.rs", true, &["one"]),
            ],
            "dependencies": [{ "kind": "dev", "path": folder, "features": features, "target": null }],
        }))
        .expect("a package")
    };
    let [all, none] = [package(true, &["two"]), package(false, &[])].map(|package| package.left_out());
    fs::remove_dir_all(&folder).expect("the folder is ours");
    assert!(matches!(&all[..], [only] if only.contains("lost/main.rs")), "{all:?}");
    for wanted in ["feature `one`", "feature `two`", "requires the feature `one`", "test = false", "doctest = false"] {
        assert!(none.iter().any(|fault| fault.contains(wanted)), "{wanted}: {none:?}");
    }
}
