//! Real query parsers next to the grammar of `postern::query`: starts the tests of `corpus/tests/parsers`.

use anyhow::Result;
use serde_json::json;

use crate::frameworks::{self, Frameworks};
use crate::paths::{Paths, write_if_changed};
use crate::report::Report;
use crate::test::{Binaries, Choice};

const AGAIN: &str = "cargo xtask test --only parsers";

/// Compares what the core reads in random queries with what each parser reads.
pub(crate) fn test(paths: &Paths, report: &Report, binaries: &Binaries, filters: &[String]) -> Result<()> {
    let mut frameworks = None;
    report.part("set-up of the query parsers", AGAIN, || {
        frameworks = Some(frameworks::set_up(paths)?);
        Ok(())
    })?;
    let Some(frameworks) = frameworks else { return Ok(()) };
    for missing in frameworks.missing() {
        report.skip("one more query parser", &format!("there is no {missing}"));
    }
    report.part("query parsers", AGAIN, || compare(paths, &frameworks, binaries, filters))
}

fn compare(paths: &Paths, frameworks: &Frameworks, binaries: &Binaries, filters: &[String]) -> Result<()> {
    let description = paths.profile("parsers")?.join("description.json");
    let content = json!({
        "folder": frameworks.folder,
        "node": frameworks.node,
        "python": frameworks.python,
        "php": frameworks.php,
        "ruby": frameworks.ruby,
    });
    write_if_changed(&description, &content.to_string())?;
    binaries.run(
        paths,
        &Choice {
            packages: &["postern-corpus"],
            targets: &["parsers"],
            arguments: &["--include-ignored", "--show-output"],
            filters,
            variables: &[("POSTERN_PARSERS", description.display().to_string())],
            ..Choice::default()
        },
    )
}
