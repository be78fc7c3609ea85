//! The seeds, without libFuzzer: none breaks a promise, neither does any small change of one, and together they open
//! every door that the targets have, so that no target runs idle.

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use postern_fuzz::{assertion, bearer, jwks, path, policy, token};

/// Changes of each seed that are tried; libFuzzer tries many more.
const CHANGES: u64 = 200;

/// Runs `check` over the seeds of `target` and over changes of them, and gives what the seeds themselves reached.
fn run<R: Ord + Debug>(target: &str, check: fn(&[u8]) -> R) -> BTreeSet<R> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    let mut reached = BTreeSet::new();
    for seed in seeds {
        println!("{}", seed.display());
        let input = fs::read(&seed).unwrap();
        reached.insert(check(&input));
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..CHANGES {
            check(&changed(&input, &mut random));
        }
    }
    reached
}

/// One octet of `input` replaced, removed or doubled. The same each time, so that a failure can be repeated.
fn changed(input: &[u8], random: &mut u64) -> Vec<u8> {
    let mut next = || {
        // Marsaglia's xorshift64.
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        *random
    };
    let mut changed = input.to_vec();
    let place = usize::try_from(next() % input.len() as u64).unwrap();
    match next() % 3 {
        0 => changed[place] = next().to_be_bytes()[0],
        1 => drop(changed.remove(place)),
        _ => changed.insert(place, input[place]),
    }
    changed
}

#[test]
fn tokens_reach_every_step_and_only_a_valid_signature_permits() {
    use token::Reached::{NoSignature, Permissions, Permit, Rules, Signature};
    let reached = run("token", token::check);
    assert_eq!(reached, BTreeSet::from([NoSignature, Signature, Rules, Permissions, Permit]));
}

#[test]
fn jwk_sets_keep_or_refuse_every_entry() {
    use jwks::Reached::{Both, Keys, NoKey, NoSet};
    assert_eq!(run("jwks", jwks::check), BTreeSet::from([NoSet, NoKey, Keys, Both]));
}

#[test]
fn targets_have_one_text_and_one_meaning() {
    use path::Reached::{Canonical, Refused, Route, WithQuery};
    assert_eq!(run("path", path::check), BTreeSet::from([Refused, Canonical, WithQuery, Route]));
}

#[test]
fn credentials_are_read_by_the_letter() {
    use bearer::Reached::{Credential, Malformed, Missing, Token, TooLarge};
    assert_eq!(run("bearer", bearer::check), BTreeSet::from([Missing, Malformed, TooLarge, Credential, Token]));
}

#[test]
fn policies_load_again_as_they_are() {
    use policy::Reached::{Development, Json, Refused, Toml};
    assert_eq!(run("policy", policy::check), BTreeSet::from([Refused, Json, Toml, Development]));
}

#[test]
fn assertions_are_believed_only_as_they_were_signed() {
    use assertion::Reached::{Believed, Foreign, Keys, NoKeys, Refused};
    assert_eq!(run("assertion", assertion::check), BTreeSet::from([Foreign, NoKeys, Keys, Refused, Believed]));
}
