//! Published vectors, through the decision and the portable signature check: Wycheproof's JWS and JWK, RFC 7515 to
//! 7519 and 8037, the JOSE cookbook.
//!
//! They lie outside the repository, where `POSTERN_VECTORS` points or in `../shared/vectors` beside it. Without them
//! each suite is reported as ignored, which the standard harness cannot say at run time; hence one of its own.
//! `exceptions.txt` lists what comes out otherwise than its source says, and must be exact: an entry that is no longer
//! needed fails.
//!
//! Scored at the signature: most of these payloads are no claims. So an *accepted* vector is one whose signature holds
//! under its key, and each that must be rejected is paired with one that is accepted in the same run.

mod exceptions;
mod judge;
mod keys;
mod source;

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use exceptions::Exceptions;
use judge::judge;
use source::{Vector, Vectors};

fn main() {
    let arguments = Arguments::from_args();
    let trials = match source::folder() {
        Some(folder) => trials(&Vectors::read(&folder)),
        None => source::SUITES.iter().map(|suite| ignored(suite)).collect(),
    };
    libtest_mimic::run(&arguments, trials).exit();
}

/// A suite whose vectors are not there.
fn ignored(suite: &str) -> Trial {
    Trial::test(format!("{suite}: set POSTERN_VECTORS to the folder of the vectors"), || Ok(())).with_ignored_flag(true)
}

fn trials(vectors: &Vectors) -> Vec<Trial> {
    let exceptions = Arc::new(Exceptions::read());
    let controls: Arc<[Vector]> =
        vectors.tokens.iter().filter(|vector| exceptions.expected(vector)).cloned().collect::<Vec<_>>().into();
    let mut trials: Vec<Trial> = vectors.tokens.iter().map(|vector| trial(vector, &controls, &exceptions)).collect();
    trials.extend(keys::trials(&vectors.key_sets));
    let names: Vec<String> = vectors.tokens.iter().map(Vector::id).collect();
    trials.push(Trial::test("every exception is about a vector", move || exceptions.all_among(&names)));
    trials
}

fn trial(vector: &Vector, controls: &Arc<[Vector]>, exceptions: &Arc<Exceptions>) -> Trial {
    let (vector, controls, exceptions) = (vector.clone(), Arc::clone(controls), Arc::clone(exceptions));
    Trial::test(vector.name(), move || {
        let accepted = judge(&vector);
        if exceptions.lists(&vector) && accepted.is_ok() == vector.is_valid_here() {
            return Err(Failed::from("it comes out as its source says: remove it from the exceptions"));
        }
        match (exceptions.expected(&vector), accepted) {
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
