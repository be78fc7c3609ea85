//! Real query parsers next to the grammar of `postern::query`: where Postern reads a parameter, every parser reads exactly
//! that value; and without any one rule of the grammar, some parser would read another.
//!
//! `cargo xtask test --only parsers` installs the parsers. Each program gets all queries at once.

mod rust;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
};

use postern::{query::parameter, target::CanonicalTarget};
use postern_corpus::{
    model::query::{Rule, read},
    queries,
    random::Chance,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JSON file that says where the parsers are.
const DESCRIPTION: &str = "POSTERN_PARSERS";
const QUERIES: usize = 4000;

/// Parsers that every machine has once they are installed.
const PARSERS: [&str; 22] = [
    "URLSearchParams",
    "URL.searchParams",
    "qs",
    "qs without a prefix",
    "qs with its prefix",
    "qs with dots",
    "query-string",
    "query-string of a URL",
    "express 4",
    "express 5",
    "fastify",
    "hono 3",
    "hono 4",
    "koa",
    "parse_qs",
    "flask",
    "django",
    "starlette",
    "serde_urlencoded",
    "axum",
    "lambda_http, load balancer",
    "lambda_http, load balancer with lists",
];

/// What `cargo xtask` has installed.
#[derive(Debug, Deserialize)]
struct Described {
    /// The folder with the programs.
    folder: PathBuf,
    node: PathBuf,
    python: PathBuf,
    php: Option<PathBuf>,
    ruby: Option<PathBuf>,
}

/// What a parser is asked.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Question {
    pub(crate) target: String,
    pub(crate) name: String,
}

/// A question, and what each parser reads.
#[derive(Debug)]
struct Answered {
    question: Question,
    read: Map<String, Value>,
}

/// What all parsers read of all queries; asked once.
fn answered() -> &'static [Answered] {
    static ANSWERED: OnceLock<Vec<Answered>> = OnceLock::new();
    ANSWERED.get_or_init(|| {
        let questions = questions();
        let mut answers: Vec<Map<String, Value>> = questions.iter().map(rust::read).collect();
        let described = described();
        let programs = [
            (Some(described.node), "parsers.mjs"),
            (Some(described.python), "parsers.py"),
            (described.php, "parsers.php"),
            (described.ruby, "parsers.rb"),
        ];
        let (folder, questions) = (&described.folder, &questions);
        let read = thread::scope(|scope| {
            let started: Vec<_> = programs
                .into_iter()
                .filter_map(|(program, script)| {
                    let program = program?;
                    Some(scope.spawn(move || ask(Command::new(program).arg(script).current_dir(folder), questions)))
                })
                .collect();
            started.into_iter().map(|program| program.join().expect("a program answers")).collect::<Vec<_>>()
        });
        for lines in read {
            assert_eq!(lines.len(), questions.len());
            answers.iter_mut().zip(lines).for_each(|(answer, line)| answer.extend(line));
        }
        questions.iter().cloned().zip(answers).map(|(question, read)| Answered { question, read }).collect()
    })
}

fn described() -> Described {
    let path = env::var_os(DESCRIPTION)
        .unwrap_or_else(|| panic!("{DESCRIPTION} is not set: run `cargo xtask test --only parsers`"));
    serde_json::from_str(&fs::read_to_string(path).expect("the description can be read")).expect("it is JSON")
}

/// Different targets in canonical form.
fn questions() -> Vec<Question> {
    let (mut chance, mut seen, mut questions) = (Chance::of(20), BTreeSet::new(), Vec::new());
    while questions.len() < QUERIES {
        let (target, name) = queries::random(&mut chance);
        if CanonicalTarget::parse(&target).is_ok() && seen.insert((target.clone(), name)) {
            questions.push(Question { target, name: name.to_owned() });
        }
    }
    questions
}

/// Has a program answer all questions, one a line.
fn ask(command: &mut Command, questions: &[Question]) -> Vec<Map<String, Value>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("its input");
    let text: String = questions.iter().map(|question| serde_json::to_string(question).expect("JSON") + "\n").collect();
    let writer = thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{command:?}: {}", output.status);
    writer.join().expect("it writes").expect("the program reads its input");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The parsers that read anything else than `value`, and what.
fn disagreeing<'a>(answered: &'a Answered, value: &str) -> Vec<(&'a str, &'a Value)> {
    let agrees = |read: &Value| {
        let all = read.as_array().expect("a list of values");
        !all.is_empty() && all.iter().all(|read| read == value)
    };
    answered.read.iter().filter(|(_, read)| !agrees(read)).map(|(parser, read)| (parser.as_str(), read)).collect()
}

#[test]
#[ignore = "takes parsers that are installed: `cargo xtask test --only parsers`"]
fn every_parser_reads_the_company_that_postern_names() {
    let answered = answered();
    let parsers: BTreeSet<&str> = answered[0].read.keys().map(String::as_str).collect();
    assert!(PARSERS.iter().all(|parser| parsers.contains(parser)), "a parser is missing: {parsers:?}");
    let mut named = 0;
    for one in answered {
        let Question { target, name } = &one.question;
        let canonical = CanonicalTarget::parse(target).expect("it is canonical");
        let Ok(Some(value)) = parameter(&canonical, name) else { continue };
        named += 1;
        let others = disagreeing(one, &value);
        assert!(others.is_empty(), "Postern reads `{value}` in `{target}`, and others do not: {others:?}");
    }
    println!("{} parsers, {} queries, {named} of them name a company", parsers.len(), answered.len());
    assert!(named * 5 > answered.len(), "only {named} of {} queries name a company", answered.len());
}

#[test]
#[ignore = "takes parsers that are installed: `cargo xtask test --only parsers`"]
fn without_any_one_rule_of_the_grammar_some_parser_disagrees() {
    let answered = answered();
    let has_rack = answered[0].read.contains_key("rack");
    for rule in Rule::ALL {
        let mut found: BTreeMap<&str, &str> = BTreeMap::new();
        for one in answered {
            let Question { target, name } = &one.question;
            let Ok(Some(value)) = read(target, name, Some(rule)) else { continue };
            for (parser, _) in disagreeing(one, &value) {
                found.entry(parser).or_insert(target);
            }
        }
        println!("without {rule:?}: {:?}", found.keys());
        // Of these parsers, only Rack 2 splits at `;`.
        if rule == Rule::Semicolon && !has_rack {
            println!("skipped: {rule:?} needs Rack (Debian: ruby-rack)");
            continue;
        }
        assert!(!found.is_empty(), "without the rule {rule:?} no parser disagrees: what is it for?");
    }
}
