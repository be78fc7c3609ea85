//! The command as a person runs it: the real binary, its output, its exit codes.

#[path = "../../src/signer.rs"]
#[allow(dead_code, reason = "the command's own signer, of which tests use a part")]
mod signer;

mod assertion_keys;
mod check;
mod cloudfront;
mod diff;
mod docs;
mod explain;
mod frame;
mod inspect;
mod key_sets;
mod mistakes;
mod permissions;
mod policy_tests;
mod probe;
mod routes;
mod schema;
mod sealed_keys;
mod secrecy;
mod support;
mod upgrades;
