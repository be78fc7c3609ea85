//! What must hold for any input at all, one module for each kind of input that reaches the core, the edge or an authorizer.
//!
//! Each module has one function, `check`, that takes any bytes and panics where a promise is broken: not only where the
//! core panics. It uses the core's public interface alone. libFuzzer drives it (`cargo xtask fuzz`, with the targets of
//! `fuzz_targets/`), and so do the tests here, over the seeds and over small changes of them, wherever there is no C++
//! compiler. `check` says how far the input came, so that the tests can tell whether the seeds open every door.
//!
//! An input's first line is a script: each of its bytes settles one choice ([`Script`]), such as what a driver answers
//! to a need. What comes after it is what an attacker would send.

pub mod assertion;
pub mod bearer;
pub mod cache;
pub mod cloudfront;
mod decider;
pub mod gateway;
pub mod graphql;
pub mod jwks;
pub mod path;
pub mod plan;
pub mod policy;
pub mod query;
mod script;
pub mod token;
mod world;

pub use script::Script;

use std::{env, fs, process::ExitCode};

/// The body of a target's program: libFuzzer's entry point, or `main` where libFuzzer is not built in.
#[macro_export]
macro_rules! target {
    ($check:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            let _ = $check(input);
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::repeat(|input| format!("{:?}", $check(input)))
        }
    };
}

/// Runs `check` on each file that the command line names: how a crash is looked into, without libFuzzer.
pub fn repeat(check: fn(&[u8]) -> String) -> ExitCode {
    let mut outcome = ExitCode::SUCCESS;
    for name in env::args_os().skip(1) {
        let shown = name.display();
        match fs::read(&name) {
            Ok(input) => println!("{shown}: {}", check(&input)),
            Err(error) => {
                eprintln!("error: cannot read `{shown}`: {error}");
                outcome = ExitCode::FAILURE;
            }
        }
    }
    outcome
}
