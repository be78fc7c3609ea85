//! Published tokens through the decision and the portable signature check.
//!
//! Without the folder each suite is reported as ignored, which the standard harness cannot say at run time; hence one
//! of its own. `exceptions.txt` lists what comes out otherwise than its source says, and must be exact.
//!
//! Scored at the signature: most of these payloads are no claims. So an *accepted* token is one whose signature holds
//! under its key, and each that must be rejected is paired with one that is accepted in the same run.

mod judge;
mod keys;

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use postern_vectors::{
    exceptions::Exceptions,
    folder::{self, Token, Tokens},
};

use judge::judge;

const EXCEPTIONS: &str = include_str!("exceptions.txt");

fn main() {
    let arguments = Arguments::from_args();
    let trials = match folder::folder() {
        Some(folder) => trials(&Tokens::read(&folder)),
        None => folder::SUITES.iter().map(|suite| ignored(suite)).collect(),
    };
    libtest_mimic::run(&arguments, trials).exit();
}

/// A suite whose vectors are not there.
fn ignored(suite: &str) -> Trial {
    Trial::test(format!("{suite}: set POSTERN_VECTORS to the folder of the vectors"), || Ok(())).with_ignored_flag(true)
}

fn trials(vectors: &Tokens) -> Vec<Trial> {
    let exceptions = Arc::new(Exceptions::read(EXCEPTIONS));
    let controls: Arc<[Token]> =
        vectors.tokens.iter().filter(|vector| expected(vector, &exceptions)).cloned().collect::<Vec<_>>().into();
    let mut trials: Vec<Trial> = vectors.tokens.iter().map(|vector| trial(vector, &controls, &exceptions)).collect();
    trials.extend(keys::trials(&vectors.key_sets));
    let names: Vec<String> = vectors.tokens.iter().map(Token::id).collect();
    trials.push(Trial::test("every exception is about a vector", move || match exceptions.about_nothing(&names) {
        Some(id) => Err(Failed::from(format!("there is no vector `{id}`"))),
        None => Ok(()),
    }));
    trials
}

fn trial(vector: &Token, controls: &Arc<[Token]>, exceptions: &Arc<Exceptions>) -> Trial {
    let (vector, controls, exceptions) = (vector.clone(), Arc::clone(controls), Arc::clone(exceptions));
    Trial::test(vector.name(), move || {
        let accepted = judge(&vector);
        if exceptions.lists(&vector.id()) && accepted.is_ok() == vector.is_valid_here() {
            return Err(Failed::from("it comes out as its source says: remove it from the exceptions"));
        }
        match (expected(&vector, &exceptions), accepted) {
            (true, Ok(())) => Ok(()),
            (true, Err(why)) => Err(Failed::from(format!("it was rejected: {why}"))),
            (false, Ok(())) => Err(Failed::from("it was accepted")),
            (false, Err(_)) => {
                let control = vector.control(&controls).ok_or("no vector is accepted in this run")?;
                judge(control).map_err(|why| format!("its control {} was rejected: {why}", control.id()).into())
            }
        }
    })
}

/// Whether the token is to be accepted, exceptions considered.
fn expected(vector: &Token, exceptions: &Exceptions) -> bool {
    vector.is_valid_here() != exceptions.lists(&vector.id())
}
