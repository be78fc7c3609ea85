//! Every case through every backend, and the answers compared.
//!
//! The two JavaScript hosts take part where `cargo xtask test --only vectors` has started them, and are reported as
//! ignored by name elsewhere; so is the folder of published vectors. A trial is one suite in one backend, or one suite
//! in all that are there.

use std::{collections::BTreeMap, sync::LazyLock};

use libtest_mimic::{Arguments, Failed, Trial};
use postern_vectors::{
    Answer, Backend, Case, Expected,
    exceptions::Exceptions,
    folder::{self, Token, Tokens},
    made, mutate, raw,
};

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut cases = raw::cases();
    if let Some(folder) = folder::folder() {
        cases.extend(Tokens::read(&folder).tokens.iter().filter_map(Token::case));
    }
    let mutated = mutate::mutated(&cases);
    cases.extend(made::cases());
    cases.extend(mutated);
    cases
});

static EXCEPTIONS: LazyLock<Exceptions> = LazyLock::new(|| Exceptions::read(include_str!("exceptions.txt")));

/// Failures that are shown of one suite.
const SHOWN: usize = 5;

fn main() {
    let arguments = Arguments::from_args();
    let mut suites: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, case) in CASES.iter().enumerate() {
        suites.entry(&case.suite).or_default().push(index);
    }
    let mut trials = Vec::new();
    for backend in Backend::ALL {
        for (suite, indices) in &suites {
            trials.push(per_backend(backend, format!("{}::{suite}", backend.name()), indices, score));
        }
        let every: Vec<usize> = (0..CASES.len()).collect();
        trials.push(per_backend(backend, format!("{}::every case is answered", backend.name()), &every, answered));
    }
    for (suite, indices) in &suites {
        let indices = indices.clone();
        trials.push(Trial::test(format!("all agree::{suite}"), move || agree(&indices)));
    }
    let with_folder = folder::folder().is_some();
    let exact = Trial::test("every exception is about a signature", || {
        let ids: Vec<String> = CASES.iter().map(Case::id).collect();
        match EXCEPTIONS.about_nothing(&ids) {
            Some(id) => Err(Failed::from(format!("there is no case `{id}`"))),
            None => Ok(()),
        }
    });
    trials.push(exact.with_ignored_flag(!with_folder));
    if !with_folder {
        let name = "published tokens: set POSTERN_VECTORS to the folder of the vectors";
        trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

type Check = fn(Backend, &[usize]) -> Result<(), Failed>;

fn per_backend(backend: Backend, name: String, indices: &[usize], check: Check) -> Trial {
    if backend.is_there() {
        let indices = indices.to_vec();
        return Trial::test(name, move || check(backend, &indices));
    }
    Trial::test(format!("{name} (cargo xtask test --only vectors)"), || Ok(())).with_ignored_flag(true)
}

/// Whether each comes out as its source says, exceptions considered, and something is accepted at all.
fn score(backend: Backend, indices: &[usize]) -> Result<(), Failed> {
    let answers = backend.answers(&CASES);
    let cases = || indices.iter().map(|index| (&CASES[*index], answers[*index]));
    let mut wrong = Vec::new();
    for (case, answer) in cases() {
        let as_expected = match case.expected {
            Expected::Valid => answer == Answer::Valid,
            Expected::Rejected => matches!(answer, Answer::Invalid | Answer::Refused),
            Expected::Agreement => continue,
        };
        if as_expected && EXCEPTIONS.lists(&case.id()) {
            wrong.push(format!("{case}: it comes out as its source says, remove it from the exceptions"));
        } else if !as_expected && !EXCEPTIONS.lists(&case.id()) {
            wrong.push(format!("{answer:?} instead of {:?}: {case}", case.expected));
        }
    }
    // A suite of rejects shows nothing where nothing is accepted either.
    let scores = cases().any(|(case, _)| case.expected != Expected::Agreement);
    let wants = cases().any(|(case, _)| case.expected == Expected::Valid);
    if scores && wants && !cases().any(|(_, answer)| answer == Answer::Valid) {
        wrong.push("nothing of the suite is accepted".to_owned());
    }
    report(&wrong)
}

fn answered(backend: Backend, indices: &[usize]) -> Result<(), Failed> {
    let answers = backend.answers(&CASES);
    let without = indices.iter().filter(|index| answers[**index] == Answer::Unavailable);
    report(&without.map(|index| CASES[*index].to_string()).collect::<Vec<_>>())
}

/// Whether every backend that is there gives the same answer.
fn agree(indices: &[usize]) -> Result<(), Failed> {
    let there: Vec<Backend> = Backend::ALL.into_iter().filter(|backend| backend.is_there()).collect();
    let answers: Vec<&[Answer]> = there.iter().map(|backend| backend.answers(&CASES)).collect();
    let mut wrong = Vec::new();
    for index in indices {
        let said: Vec<Answer> = answers.iter().map(|answers| answers[*index]).collect();
        if said.windows(2).any(|pair| pair[0] != pair[1]) {
            let said: Vec<String> =
                there.iter().zip(said).map(|(backend, answer)| format!("{} {answer:?}", backend.name())).collect();
            wrong.push(format!("{}: {}", said.join(", "), CASES[*index]));
        }
    }
    report(&wrong)
}

fn report(wrong: &[String]) -> Result<(), Failed> {
    if wrong.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = wrong.iter().take(SHOWN).map(String::as_str).collect();
    Err(Failed::from(format!("{} cases:\n{}", wrong.len(), shown.join("\n"))))
}
