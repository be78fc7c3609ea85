//! What the command's exit codes mean, for scripts; `postern --help` says the same.

use std::process::ExitCode;

/// The outcome of a command that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0: done, and where the command answers a question, the answer is yes.
    Done,
    /// 1: the answer is no: the policy has faults, a test failed, the request is denied, no key is usable, the token
    /// is malformed, the origin is deceived by a disguise.
    No,
    /// 2: wrong usage, or something that could not be read or reached.
    Unusable,
    /// 3: two policies differ.
    Different,
}

/// For `--help`.
pub(crate) const HELP: &str = "Exit codes:
  0  done; where a question was asked, the answer is yes
  1  the answer is no: the policy has faults, a test failed, the request is denied,
     no key is usable, the token is malformed, a disguise works on the origin
  2  wrong usage, or a file, a line or an issuer that could not be used
  3  `postern diff` found differences";

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::No => 1,
            Outcome::Unusable => 2,
            Outcome::Different => 3,
        })
    }
}
