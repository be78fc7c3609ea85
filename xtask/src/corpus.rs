//! `cargo xtask corpus` and its part of the tests: golden decisions, and the edges that are built to take them.

use std::process::Command;

use anyhow::Result;
use postern_embed::Inputs;
use serde_json::json;

use crate::package;
use crate::paths::{Paths, write_if_changed};
use crate::process::run;
use crate::report::Report;
use crate::setup::{WORKER_TARGET, node, rust_target, setup, step};
use crate::stack::Manifest;
use crate::test::{Part, Selection, stackless_tests};
use crate::worker;

/// The policies of the corpus, and the folders of the Workers that are built from them.
const POLICIES: [(&str, &str); 2] = [("postern.toml", "example"), ("corpus/policy.toml", "rules")];

fn cargo_test(paths: &Paths) -> Command {
    let mut command = Command::new("cargo");
    command.args(["test", "--package", "postern-corpus"]).current_dir(&paths.root);
    command
}

/// Compares the files with what their themes say, or writes them anew.
pub(crate) fn files(paths: &Paths, write: bool) -> Result<()> {
    let mut command = cargo_test(paths);
    command.args(["--quiet", "--test", "files"]);
    if write {
        command.env("POSTERN_CORPUS_WRITE", "1");
    }
    run(&mut command)
}

/// The drivers on the host and the properties, where the unit tests have not had them; Cedar; then the Worker.
pub(crate) fn test(paths: &Paths, report: &mut Report, selection: &Selection) -> Result<()> {
    let again = "cargo xtask test --only corpus";
    if selection.only == Some(Part::Corpus) {
        report.part("corpus on the host", again, || {
            let mut command = cargo_test(paths);
            // Built in one go with the command that one of the drivers runs: by itself it would be built once more.
            command.args(["--package", "postern-cli"]);
            // The reports say how many cases each driver has carried.
            run(command.args(["--no-fail-fast", "--", "--show-output"]).args(&selection.filters))
        })?;
        // What API Gateway and AppSync keep of authorizers' results; how long a downgrade takes to be felt.
        report.part("caches of authorizers, simulated", again, || {
            let mut command = Command::new("cargo");
            command.args(["test", "--package", "postern-origin", "--test", "authorizer", "--test", "appsync"]);
            command.args(["--test", "freshness", "--no-fail-fast", "--", "--show-output"]);
            run(command.args(&selection.filters).current_dir(&paths.root))
        })?;
    }
    report.part("core beside Cedar", again, || {
        let mut command = Command::new("cargo");
        command.args(["test", "--package", "postern-corpus-cedar", "--", "--show-output"]);
        run(command.current_dir(&paths.root))
    })?;
    report.part("corpus in workerd", again, || worker(paths))?;
    report.part("corpus at CloudFront", again, || cloudfront(paths))
}

fn worker(paths: &Paths) -> Result<()> {
    setup(paths)?;
    let folder = paths.profile("corpus")?;
    let mut workers = json!({});
    step("build: a Worker for each policy of the corpus", || {
        rust_target(paths, WORKER_TARGET)?;
        let _lock = worker::lock(paths)?;
        for (policy, name) in POLICIES {
            let into = folder.join(name);
            worker::build_with_policy(&paths.root, &paths.root.join(policy), &into)?;
            workers[policy] = json!(into);
        }
        Ok(())
    })?;
    let manifest = Manifest::read(&paths.root)?;
    let description = folder.join("description.json");
    let content = json!({
        "node": node(paths),
        "node_modules": paths.local.join("node_modules"),
        "date": manifest.date()?,
        "flags": manifest.flags().collect::<Vec<_>>(),
        "workers": workers,
    });
    write_if_changed(&description, &content.to_string())?;
    let mut command = stackless_tests(paths);
    command.args(["--test", "worker", "--", "--include-ignored", "--show-output"]);
    run(command.env("POSTERN_CORPUS_WORKERS", &description))
}

/// The function packed for each policy of the corpus, behind the local CloudFront.
fn cloudfront(paths: &Paths) -> Result<()> {
    setup(paths)?;
    let folder = paths.profile("corpus")?;
    let mut functions = json!({});
    step("build: a function for each policy of the corpus", || {
        let module = package::build_module(paths)?;
        for (policy, name) in POLICIES {
            let into = folder.join(format!("{name}-function"));
            let inputs = Inputs { policy: paths.root.join(policy), ..Inputs::default() };
            package::unpack(paths, &module, &inputs, &into)?;
            functions[policy] = json!(into);
        }
        Ok(())
    })?;
    let description = folder.join("functions.json");
    let content = json!({ "node": node(paths), "local": paths.local, "functions": functions });
    write_if_changed(&description, &content.to_string())?;
    let mut command = stackless_tests(paths);
    command.args(["--test", "cloudfront", "--", "--include-ignored", "--show-output"]);
    run(command.env("POSTERN_CORPUS_FUNCTIONS", &description))
}
