//! Builds the WebAssembly that is deployed, and tests the JavaScript of each edge by itself in Node.

use std::process::Command;

use anyhow::Result;
use postern_embed::Inputs;

use crate::corpus;
use crate::package;
use crate::paths::Paths;
use crate::process::run;
use crate::report::Report;
use crate::setup::node;
use crate::stack;
use crate::vectors;

const AGAIN: &str = "cargo xtask test --only function";

/// Builds every module that later parts run, so that none of them has to compile. Returns whether all are there.
pub(super) fn build(paths: &Paths, report: &Report) -> Result<bool> {
    let workers =
        report.product("build of the Workers", "cargo xtask build worker", || stack::compile_workers(paths))?;
    let again = "cargo xtask test --only corpus";
    let edges = report.product("build of the edges for the corpus", again, || corpus::build_edges(paths))?;
    let again = "cargo xtask test --only vectors";
    let checks = report.product("build of the signature checks", again, || vectors::build_hosts(paths))?;
    Ok(workers && edges && checks)
}

/// The function packed as it is deployed, unpacked as Lambda does it, and run in real Node; the Worker's entry; the
/// restrictions of the local CloudFront.
pub(super) fn alone(paths: &Paths, report: &Report) -> Result<()> {
    report.part("function for CloudFront, by itself", AGAIN, || {
        let folder = paths.profile("function")?.join("unpacked");
        let module = package::build_module(paths)?;
        let inputs = Inputs { policy: paths.root.join("postern.toml"), ..Inputs::default() };
        package::unpack(paths, &module, &inputs, &folder)?;
        let mut tests = Command::new(node(paths));
        tests.args(["--test", "edge/cloudfront/tests/*.test.mjs"]).env("POSTERN_FUNCTION", &folder);
        run(tests.current_dir(&paths.root))
    })?;
    report.part("entry of the Worker, by itself", AGAIN, || {
        run(Command::new(node(paths)).args(["--test", "edge/cloudflare/tests/*.test.mjs"]).current_dir(&paths.root))
    })?;
    report.part("restrictions of the local CloudFront", "node --test local/cloudfront/", || {
        let arguments = ["--test", "--test-reporter=dot", "cloudfront/*.test.mjs"];
        run(Command::new(node(paths)).args(arguments).current_dir(&paths.local))
    })
}
