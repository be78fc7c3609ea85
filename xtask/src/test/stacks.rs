//! End-to-end tests. Tests share a stack's state, so each stack runs one test at a time; several stacks, each on ports
//! of its own, take the test programs in turn.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;

use super::binaries::{Binaries, Choice};
use super::machine;
use crate::collection;
use crate::dev::check_examples;
use crate::faults;
use crate::paths::Paths;
use crate::report::Report;
use crate::stack::{self, Edge, Profile, Stack};

const AGAIN: &str = "cargo xtask test --only e2e";
/// How many stacks run side by side: the tests mostly wait, so more than there are processors.
const STACKS: u8 = 3;
const PACKAGE: &str = "postern-e2e";

/// Which edge a test program is run against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Through {
    Worker,
    CloudFront,
}

/// Programs of the end-to-end tests, the slowest first, so that no stack ends long after the others. Those that are not
/// about an isolate of a Worker's own run through CloudFront as well.
const PROGRAMS: [(&str, &[Through]); 28] = {
    const BOTH: &[Through] = &[Through::Worker, Through::CloudFront];
    const WORKER: &[Through] = &[Through::Worker];
    [
        ("issuer_floods", WORKER),
        ("rotation", BOTH),
        ("freshness", BOTH),
        ("issuer_faults", WORKER),
        ("issuer_changes", WORKER),
        ("instance_traps", WORKER),
        ("cloudfront_faults", WORKER),
        ("targets", BOTH),
        ("browser", BOTH),
        ("tokens", BOTH),
        ("decision_log", BOTH),
        ("streaming", BOTH),
        ("around_the_edge", BOTH),
        ("faults_of_the_original", BOTH),
        ("permissions", BOTH),
        ("signed_origin", WORKER),
        ("second_layer", WORKER),
        ("user_pool", WORKER),
        ("verifying_origin", WORKER),
        ("unfit_edge", WORKER),
        ("issuer_metadata", WORKER),
        ("bodies", BOTH),
        ("cors", BOTH),
        ("credentials", BOTH),
        ("orders_external", BOTH),
        ("orders_internal", BOTH),
        ("vouchers", BOTH),
        ("vary", BOTH),
    ]
};

/// Everything that needs a stack.
pub(super) fn all(paths: &Paths, report: &Report, binaries: &Binaries, filters: &[String]) -> Result<()> {
    with_stacks(paths, report, binaries, |stacks| {
        if let Some(stack) = stacks.first() {
            printed(paths, report, stack)?;
            store(paths, report, binaries, stack, filters)?;
        }
        tests(paths, report, binaries, stacks, filters)
    })
}

/// The end-to-end tests alone.
pub(super) fn end_to_end(paths: &Paths, report: &Report, binaries: &Binaries, filters: &[String]) -> Result<()> {
    with_stacks(paths, report, binaries, |stacks| {
        if let Some(stack) = stacks.first() {
            store(paths, report, binaries, stack, filters)?;
        }
        tests(paths, report, binaries, stacks, filters)
    })
}

/// The printed requests alone.
pub(super) fn examples(paths: &Paths, report: &Report, binaries: &Binaries) -> Result<()> {
    with_stacks(paths, report, binaries, |stacks| match stacks.first() {
        Some(stack) => printed(paths, report, stack),
        None => Ok(()),
    })
}

/// Starts the stacks, does `work`, and ends them.
fn with_stacks(
    paths: &Paths,
    report: &Report,
    binaries: &Binaries,
    work: impl FnOnce(&[Stack]) -> Result<()>,
) -> Result<()> {
    let started = Mutex::new(Vec::new());
    let start = |number: u8| {
        report.part(&format!("start of stack {}", number + 1), AGAIN, || {
            let stack = stack::start(paths, Profile::Test(number), Edge::default(), Some(binaries))?;
            started.lock().unwrap_or_else(PoisonError::into_inner).push(stack);
            Ok(())
        })
    };
    let count = if machine::has_room_for_lanes() { STACKS } else { 1 };
    thread::scope(|scope| {
        let starting: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn({
                    let start = &start;
                    move || start(number)
                })
            })
            .collect();
        starting.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    let stacks = started.into_inner().unwrap_or_else(PoisonError::into_inner);
    if stacks.is_empty() {
        report.skip("end-to-end tests", "no stack runs");
        return Ok(());
    }
    let outcome = work(&stacks);
    report.part("end of the stacks", AGAIN, || {
        drop(stacks);
        Ok(())
    })?;
    outcome
}

fn printed(paths: &Paths, report: &Report, stack: &Stack) -> Result<()> {
    let again = "cargo xtask test --only examples";
    let fronts = [(&stack.edge, ""), (stack.cloudfront.as_ref().unwrap_or(&stack.edge), " through CloudFront")];
    for (front, suffix) in fronts {
        report.part(&format!("printed requests{suffix}"), again, || check_examples(stack, front))?;
        report.part(&format!("collection, by newman{suffix}"), again, || collection::run(paths, stack, front))?;
    }
    Ok(())
}

fn store(paths: &Paths, report: &Report, binaries: &Binaries, stack: &Stack, filters: &[String]) -> Result<()> {
    report.part("permissions on a real table", AGAIN, || {
        let choice = Choice {
            targets: &["permissions_store"],
            arguments: &["--include-ignored"],
            filters,
            variables: &[("POSTERN_DYNAMODB", stack.dynamodb.clone())],
            ..Choice::default()
        };
        binaries.run(paths, &choice)
    })
}

/// Each program against each of its edges, on whichever stack is free.
fn tests(paths: &Paths, report: &Report, binaries: &Binaries, stacks: &[Stack], filters: &[String]) -> Result<()> {
    for stack in stacks {
        faults::clear(&stack.folder)?;
    }
    let queue: Mutex<VecDeque<(&str, Through)>> =
        Mutex::new(PROGRAMS.iter().flat_map(|(name, edges)| edges.iter().map(move |edge| (*name, *edge))).collect());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        let lanes: Vec<_> = stacks
            .iter()
            .map(|stack| {
                scope.spawn(|| {
                    while let Some((name, through)) = next() {
                        program(paths, report, binaries, stack, (name, through), filters)?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    let folders: Vec<PathBuf> = stacks.iter().map(|stack| stack.folder.clone()).collect();
    for (title, table) in faults::tables(&folders) {
        println!("\n== {title}\n{table}");
    }
    Ok(())
}

fn program(
    paths: &Paths,
    report: &Report,
    binaries: &Binaries,
    stack: &Stack,
    (name, through): (&str, Through),
    filters: &[String],
) -> Result<()> {
    let mut variables =
        vec![("POSTERN_STACK", stack.description.display().to_string()), ("RUST_TEST_THREADS", "1".to_owned())];
    let mut title = format!("end to end: {name}");
    if through == Through::CloudFront {
        variables.push(("POSTERN_EDGE", "cloudfront".to_owned()));
        title.push_str(" through CloudFront");
    }
    let targets = &[name];
    let choice = Choice { packages: &[PACKAGE], targets, filters, variables: &variables, ..Choice::default() };
    if !binaries.has_tests(&choice) {
        return Ok(());
    }
    report.part(&title, AGAIN, || binaries.run(paths, &choice))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_end_to_end_program_is_run() {
        let folder = Paths::find().expect("the repository").root.join("e2e/tests");
        let mut files: Vec<String> = fs::read_dir(folder)
            .expect("the tests")
            .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
            .collect();
        let mut named: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).collect();
        files.sort();
        named.sort_unstable();
        assert_eq!(named, files, "`PROGRAMS` is the list of what runs");
    }
}
