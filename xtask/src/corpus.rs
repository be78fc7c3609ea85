//! `cargo xtask corpus` and its part of the tests: golden decisions, and the edges that are built to take them.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use postern_embed::Inputs;
use serde_json::json;

use crate::package;
use crate::paths::{Paths, write_if_changed};
use crate::process::run;
use crate::report::Report;
use crate::setup::{WORKER_TARGET, node, rust_target, setup, step};
use crate::stack::Manifest;
use crate::test::{self, Binaries, Choice};
use crate::worker;

/// The policies of the corpus, and the folders of the Workers that are built from them.
const POLICIES: [(&str, &str); 2] = [("postern.toml", "example"), ("corpus/policy.toml", "rules")];

/// Compares the files with what their themes say, or writes them anew.
pub(crate) fn files(paths: &Paths, write: bool) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["test", "--quiet", "--test", "files"]).args(test::workspace()).current_dir(&paths.root);
    if write {
        command.env("POSTERN_CORPUS_WRITE", "1");
    }
    run(&mut command)
}

/// What API Gateway and AppSync keep of authorizers' results; how long a downgrade takes to be felt; the drivers on the
/// host and the properties. The unit tests have all of them.
pub(crate) fn on_the_host(paths: &Paths, report: &Report, binaries: &Binaries, filters: &[String]) -> Result<()> {
    let again = "cargo xtask test --only corpus";
    let arguments = &["--show-output"][..];
    report.part("corpus on the host", again, || {
        binaries.run(paths, &Choice { packages: &["postern-corpus"], arguments, filters, ..Choice::default() })
    })?;
    report.part("caches of authorizers, simulated", again, || {
        let targets = &["authorizer", "appsync", "freshness"][..];
        binaries.run(paths, &Choice { packages: &["postern-origin"], targets, arguments, filters, ..Choice::default() })
    })
}

/// The core next to Cedar, which has a build of its own: it would change the order of members in all JSON.
pub(crate) fn cedar(paths: &Paths, report: &Report) -> Result<()> {
    report.part("core next to Cedar", "cargo xtask test --only corpus", || {
        let test = |more: &[&str]| {
            let mut command = Command::new("cargo");
            run(command.args(["test", "--package", "postern-corpus-cedar"]).args(more).current_dir(&paths.root))
        };
        test(&["--no-run"])?;
        test(&["--", "--show-output"])
    })
}

/// Builds a Worker and a function at CloudFront for each policy of the corpus.
pub(crate) fn build_edges(paths: &Paths) -> Result<()> {
    let folder = paths.profile("corpus")?;
    rust_target(paths, WORKER_TARGET)?;
    step("build: a Worker for each policy of the corpus", || {
        let _lock = worker::lock(paths)?;
        for (policy, name) in POLICIES {
            worker::build_carrying(&paths.root, &inputs(paths, policy)?, &folder.join(name))?;
        }
        Ok(())
    })?;
    step("build: a function for each policy of the corpus", || {
        let module = package::build_module(paths)?;
        for (policy, name) in POLICIES {
            package::unpack(paths, &module, &inputs(paths, policy)?, &folder.join(format!("{name}-function")))?;
        }
        Ok(())
    })
}

/// A policy of the corpus as its drivers take it: `postern_corpus::case::policy_text` says why.
fn inputs(paths: &Paths, policy: &str) -> Result<Inputs> {
    let read = |path: &str| {
        let path = paths.root.join(path);
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let mut text = read(policy)?;
    if !text.contains("unidentified_denials_per_second") {
        text = format!("{text}\n{}", read("corpus/log.toml")?);
    }
    let path = paths.profile("corpus")?.join(policy.replace('/', "-"));
    write_if_changed(&path, &text)?;
    Ok(Inputs { policy: path, ..Inputs::default() })
}

/// The corpus through the edges that [`build_edges`] has built.
pub(crate) fn at_the_edges(paths: &Paths, report: &Report, binaries: &Binaries, filters: &[String]) -> Result<()> {
    let again = "cargo xtask test --only corpus";
    report.part("corpus in workerd", again, || through(paths, binaries, "worker", filters))?;
    report.part("corpus at CloudFront", again, || through(paths, binaries, "cloudfront", filters))
}

fn through(paths: &Paths, binaries: &Binaries, edge: &str, filters: &[String]) -> Result<()> {
    setup(paths)?;
    let folder = paths.profile("corpus")?;
    let (suffix, variable) =
        if edge == "worker" { ("", "POSTERN_CORPUS_WORKERS") } else { ("-function", "POSTERN_CORPUS_FUNCTIONS") };
    let built: serde_json::Map<String, serde_json::Value> = POLICIES
        .iter()
        .map(|(policy, name)| ((*policy).into(), json!(folder.join(format!("{name}{suffix}")))))
        .collect();
    let manifest = Manifest::read(&paths.root)?;
    let content = json!({
        "node": node(paths),
        "node_modules": paths.local.join("node_modules"),
        "local": paths.local,
        "date": manifest.date()?,
        "flags": manifest.flags().collect::<Vec<_>>(),
        "workers": built,
        "functions": built,
    });
    let description = folder.join(format!("{edge}.json"));
    write_if_changed(&description, &content.to_string())?;
    binaries.run(
        paths,
        &Choice {
            packages: &["postern-corpus"],
            targets: &[edge],
            arguments: &["--include-ignored", "--show-output"],
            filters,
            variables: &[(variable, description.display().to_string())],
            ..Choice::default()
        },
    )
}
