//! No raw target gains what its rewritten form would have: what runtimes make of targets (WHATWG URL) before anyone
//! sees them opens nothing, and what is permitted is what stood on the wire.

use std::collections::BTreeSet;

use postern_corpus::{
    Corpus, Expect,
    case::Request,
    drivers::host::{self, Stage},
    make::callers,
    random::Chance,
};
use url::Url;

/// Pieces of targets, half of them with two readings.
const PIECES: [&str; 34] = [
    "/",
    "/",
    "/",
    "companies",
    "1111",
    "2222",
    "orders",
    "files",
    "public",
    "machines",
    "things",
    "..",
    ".",
    "%2e",
    "%2E",
    "%2F",
    "\\",
    ";",
    "?",
    "#",
    "%",
    "//",
    "%5C",
    "{",
    "|",
    "\u{e9}",
    " ",
    "%00",
    "\t",
    "%7C",
    "\"",
    "^",
    "'",
    "@",
];
const RANDOM: usize = 20_000;

/// What a URL parser makes of a target behind a host.
fn rewritten(target: &str) -> Option<String> {
    let url = Url::parse(&format!("https://api.example{target}")).ok()?;
    if url.host_str() != Some("api.example") {
        return None;
    }
    Some(url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path())))
}

struct Seen {
    permitted: usize,
    differing: usize,
    would_be_permitted: usize,
}

fn check(stage: &Stage, request: &Request, seen: &mut Seen) {
    let Some(target) = rewritten(&request.target) else { return };
    let decide = |request: &Request| stage.decide(request, host::portable);
    let raw = decide(request);
    if let Expect::Permit(_) = &raw {
        seen.permitted += 1;
        assert_eq!(target, request.target, "a permitted target that a parser would read in another way");
    }
    if target == request.target {
        return;
    }
    seen.differing += 1;
    if let Expect::Permit(permit) = decide(&Request { target, ..request.clone() }) {
        seen.would_be_permitted += 1;
        match raw {
            Expect::Permit(own) => assert_eq!(own, permit, "{request:?}"),
            Expect::Deny(_) => {}
            Expect::Preflight {} => panic!("{request:?}"),
        }
    }
}

#[test]
fn no_raw_target_gains_by_being_rewritten() {
    let corpus = Corpus::read().expect("the corpus");
    let mut seen = Seen { permitted: 0, differing: 0, would_be_permitted: 0 };
    let world = |name: &str| Stage::of(&corpus.worlds[name]).expect("the world stands");
    let stages = [("example", world("example")), ("rules", world("rules"))];
    let targets: BTreeSet<&str> = corpus.cases().map(|(_, case)| case.request.target.as_str()).collect();
    let mut chance = Chance::of(7);
    let random: Vec<String> =
        (0..RANDOM).map(|_| (0..1 + chance.below(9)).map(|_| chance.one(&PIECES)).collect()).collect();
    for (name, stage) in &stages {
        let token = if *name == "example" { callers::partner("1111") } else { callers::machine("1111") };
        let headers = vec![("authorization".to_owned(), format!("Bearer {}", token.compact()))];
        let request = |target: &str| Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: headers.clone(),
            body: None,
        };
        for target in targets.iter().copied().chain(random.iter().map(String::as_str)) {
            check(stage, &request(target), &mut seen);
        }
    }
    for (_, case) in corpus.cases() {
        if let Some((_, stage)) = stages.iter().find(|(name, _)| *name == case.world) {
            check(stage, &case.request, &mut seen);
        }
    }
    let Seen { permitted, differing, would_be_permitted } = seen;
    println!(
        "{permitted} permitted, {differing} that a parser rewrites, {would_be_permitted} of them to something permitted"
    );
    assert!(permitted > 400 && differing > 5_000 && would_be_permitted > 30);
}
