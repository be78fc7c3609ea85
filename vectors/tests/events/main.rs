//! The example events of Amazon's documentation, through the types that the edge reads them with.
//!
//! Without the folder they are reported as ignored.

use std::{fs, path::Path};

use libtest_mimic::{Arguments, Failed, Trial};
use postern_edge::event::{Event, EventError, EventKind, EventOrigin, OriginProtocol};
use postern_vectors::folder;
use serde_json::Value;

const FOLDER: &str = "aws-events/cloudfront-docs";

fn main() {
    let arguments = Arguments::from_args();
    let trials = match folder::folder() {
        Some(folder) => trials(&folder.join(FOLDER)),
        None => vec![
            Trial::test("CloudFront's events: set POSTERN_VECTORS to the folder of the vectors", || Ok(()))
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

/// One for each file, and one that nothing was lost on the way.
fn trials(folder: &Path) -> Vec<Trial> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let count = files.len();
    let mut trials: Vec<Trial> = files
        .into_iter()
        .map(|file| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            Trial::test(name.clone(), move || judge(&name, &text))
        })
        .collect();
    trials.push(Trial::test("there is an example of each kind, and one of another service", move || {
        if count == EventKind::ALL.len() + 1 { Ok(()) } else { Err(format!("there are {count}").into()) }
    }));
    trials
}

fn judge(name: &str, text: &str) -> Result<(), Failed> {
    let Some(kind) = EventKind::ALL.into_iter().find(|kind| name.ends_with(kind.as_str())) else {
        // The event of a CloudFront *function*, another service with another shape.
        return same(Event::parse(text).err(), Some(EventError::NoRecords));
    };
    let whole: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let cf = &whole["Records"][0]["cf"];
    let event = Event::parse(text).map_err(|error| error.to_string())?;
    let request = event.request();
    same(event.kind(), kind)?;
    same(event.request_id(), cf["config"]["requestId"].as_str())?;
    same(event.distribution_id(), Some("EDFDVBD6EXAMPLE"))?;
    same((request.method(), request.target().as_str(), request.client_ip()), ("GET", "/", Some("203.0.113.178")))?;
    same(request.fields().len(), cf["request"]["headers"].as_object().map_or(0, serde_json::Map::len))?;
    same(request.body().is_none(), true)?;
    let origin = EventOrigin::Custom {
        protocol: OriginProtocol::Https,
        domain_name: "example.org".to_owned(),
        port: 443,
        path: String::new(),
    };
    let is_at_the_origin = matches!(kind, EventKind::OriginRequest | EventKind::OriginResponse);
    same(request.origin(), Some(&origin).filter(|_| is_at_the_origin))?;
    same(event.response().map(|response| response.status()), kind.has_response().then_some(200))?;
    let (goes_back, member) = if kind.has_response() {
        (event.passed_on(|_| false, &[]).unwrap_or_default(), &cf["response"])
    } else {
        (event.forwarded(|_| false, &[]), &cf["request"])
    };
    same(&serde_json::from_str::<Value>(&goes_back).map_err(|error| error.to_string())?, member)
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, expected {expected:?}").into()) }
}
