//! Who answers: two libraries in this process, and two JavaScript hosts outside.

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
    sync::{Mutex, OnceLock},
    thread,
    time::Duration,
};

use postern::{Algorithm, Jwk, JwkSet, SignatureCheck};

use crate::case::Case;

/// Where plain workerd serves the check by WebCrypto.
pub const WORKERD: &str = "POSTERN_VECTORS_WORKERD";
/// The Node to run, and after a line feed its script.
pub const NODE: &str = "POSTERN_VECTORS_NODE";

/// Cases in one request; a few megabytes at most.
const BATCH: usize = 500;
/// For one batch, on a machine under load.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a backend says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The signature holds.
    Valid,
    /// It does not.
    Invalid,
    /// It could not be checked, which no vector may come to.
    Unavailable,
    /// The key is not used.
    Refused,
}

/// One of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Pure Rust.
    Portable,
    /// aws-lc.
    AwsLc,
    /// WebCrypto in workerd.
    WebCrypto,
    /// `node:crypto` in Node.
    Node,
}

type Verify = fn(Algorithm, &Jwk, &[u8], &[u8]) -> SignatureCheck;

impl Backend {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Portable, Self::AwsLc, Self::WebCrypto, Self::Node];

    /// What the test run calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::AwsLc => "aws-lc",
            Self::WebCrypto => "workerd",
            Self::Node => "node",
        }
    }

    /// The variable by which it takes part, where it is not in this process.
    #[must_use]
    pub const fn variable(self) -> Option<&'static str> {
        match self {
            Self::Portable | Self::AwsLc => None,
            Self::WebCrypto => Some(WORKERD),
            Self::Node => Some(NODE),
        }
    }

    /// Whether it can be asked in this run.
    #[must_use]
    pub fn is_there(self) -> bool {
        self.variable().is_none_or(|name| env::var_os(name).is_some())
    }

    /// What it says of each case, asked once in a run.
    ///
    /// # Panics
    /// When a host cannot be reached or does not answer each case.
    #[must_use]
    pub fn answers(self, cases: &'static [Case]) -> &'static [Answer] {
        static KEPT: [OnceLock<Vec<Answer>>; 4] = [const { OnceLock::new() }; 4];
        KEPT[self as usize].get_or_init(|| match self {
            Self::Portable => natively(cases, postern::signature::verify),
            Self::AwsLc => natively(cases, postern_origin::token::signature::verify),
            Self::WebCrypto => in_batches(cases, in_workerd),
            Self::Node => in_node(cases),
        })
    }
}

impl Answer {
    fn from_word(word: &str) -> Self {
        match word {
            "valid" => Self::Valid,
            "invalid" => Self::Invalid,
            "unavailable" => Self::Unavailable,
            "refused" => Self::Refused,
            other => panic!("`{other}` is no answer"),
        }
    }
}

/// On as many threads as there are processors: pure Rust takes milliseconds a case.
fn natively(cases: &[Case], verify: Verify) -> Vec<Answer> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let answers = Mutex::new(vec![Answer::Unavailable; cases.len()]);
    thread::scope(|scope| {
        for thread in 0..threads {
            let answers = &answers;
            scope.spawn(move || {
                for (index, case) in cases.iter().enumerate().filter(|(index, _)| index % threads == thread) {
                    let answer = native(case, verify);
                    answers.lock().unwrap()[index] = answer;
                }
            });
        }
    });
    answers.into_inner().unwrap()
}

fn native(case: &Case, verify: Verify) -> Answer {
    let Ok(set) = JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, case.jwk).as_bytes()) else {
        return Answer::Refused;
    };
    let key = set.keys().next().expect("a set without a usable key is an error");
    match verify(case.algorithm, key, &case.message, &case.signature) {
        SignatureCheck::Valid => Answer::Valid,
        SignatureCheck::Invalid => Answer::Invalid,
        SignatureCheck::Unavailable => Answer::Unavailable,
    }
}

fn in_batches(cases: &[Case], ask: fn(&str) -> String) -> Vec<Answer> {
    cases.chunks(BATCH).flat_map(|batch| read(&ask(&lines(batch)), batch.len())).collect()
}

fn lines(cases: &[Case]) -> String {
    cases.iter().map(|case| case.to_line() + "\n").collect()
}

fn read(text: &str, count: usize) -> Vec<Answer> {
    let answers: Vec<Answer> = text.lines().map(Answer::from_word).collect();
    assert_eq!(answers.len(), count, "a host must answer each case: {text}");
    answers
}

fn in_workerd(lines: &str) -> String {
    let url = env::var(WORKERD).expect("only asked when it is there");
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None).build();
    let mut response =
        ureq::Agent::from(config).post(&url).send(lines).unwrap_or_else(|error| panic!("{url}: {error}"));
    response.body_mut().read_to_string().expect("text")
}

fn in_node(cases: &[Case]) -> Vec<Answer> {
    let variable = env::var(NODE).expect("only asked when it is there");
    let (program, script) = variable.split_once('\n').expect("a program and a script");
    let mut child = Command::new(program)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut input = child.stdin.take().expect("a pipe");
    let text = lines(cases);
    // Both ways at once: it answers while it reads.
    let writer = thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("no panic").expect("it reads to the end");
    assert!(output.status.success(), "Node ended with {}", output.status);
    read(&String::from_utf8(output.stdout).expect("text"), cases.len())
}
