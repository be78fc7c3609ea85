//! The seeds, without libFuzzer: none breaks a promise, neither does any change of one, and together they reach every
//! outcome that the targets have, so that no target runs idle.
//!
//! Changes are made as libFuzzer makes them, without its coverage: octets changed, removed and doubled, words of the
//! target's dictionary put in, ends exchanged with another seed's. The generator has a fixed seed, so that a failure can be
//! repeated. `cargo xtask test --long` runs libFuzzer itself.

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use postern_fuzz::{assertion, bearer, cache, cloudfront, gateway, graphql, jwks, path, plan, policy, query, token};

/// Inputs that are made for each target by changing its seeds: two seconds or so, unoptimised.
const CHANGES: usize = 6_000;
/// The same for targets whose inputs are larger, or many steps each: a second or so.
const FEWER_CHANGES: usize = 1_500;
/// Most changes that are made to a seed at a time.
const MOST_EDITS: u64 = 4;

/// Runs `check` over the seeds of `target` and over changes of them. Returns what the seeds themselves reached.
fn run<R: Ord + Debug>(target: &str, check: fn(&[u8]) -> R) -> BTreeSet<R> {
    run_with(CHANGES, target, check)
}

/// The same, with so many changes.
fn run_with<R: Ord + Debug>(changes: usize, target: &str, check: fn(&[u8]) -> R) -> BTreeSet<R> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> =
        fs::read_dir(root.join("seeds").join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let reached = files
        .iter()
        .zip(&seeds)
        .map(|(file, seed)| {
            println!("{}", file.display());
            check(seed)
        })
        .collect();
    let dictionary = fs::read_to_string(root.join("dictionaries").join(target).with_extension("dict")).unwrap();
    let mut mutator = Mutator { random: 0x9E37_79B9_7F4A_7C15, words: words(&dictionary), seeds: &seeds };
    for seed in seeds.iter().cycle().take(changes) {
        let input = mutator.changed(seed);
        // Shown where the check panics: the test's output is kept until then.
        println!("{}", input.escape_ascii());
        check(&input);
    }
    reached
}

/// The words of a dictionary of libFuzzer's: a text in quotes on each line, with `\"`, `\\` and `\xNN` for octets.
fn words(dictionary: &str) -> Vec<Vec<u8>> {
    let quoted = dictionary.lines().filter_map(|line| {
        let (_, rest) = line.trim().split_once('"').filter(|_| !line.starts_with('#'))?;
        rest.strip_suffix('"')
    });
    quoted.map(unescaped).collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match (octet, octet == b'\\') {
            (_, true) => match rest.next().unwrap() {
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            },
            (plain, false) => plain,
        });
    }
    octets
}

/// Changes seeds, always in the same way.
struct Mutator<'a> {
    random: u64,
    words: Vec<Vec<u8>>,
    seeds: &'a [Vec<u8>],
}

impl Mutator<'_> {
    /// Marsaglia's xorshift64.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    fn changed(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut changed = seed.to_vec();
        for _ in 0..=self.next() % MOST_EDITS {
            let place = self.below(changed.len());
            match self.next() % 6 {
                _ if changed.is_empty() => changed.push(self.next().to_be_bytes()[0]),
                0 => changed[place] = self.next().to_be_bytes()[0],
                1 => drop(changed.remove(place)),
                2 => changed.insert(place, changed[place]),
                3 => {
                    let bit = self.below(8);
                    changed[place] ^= 1 << bit;
                }
                4 if !self.words.is_empty() => {
                    let chosen = self.below(self.words.len());
                    let word = self.words[chosen].clone();
                    let replaced = if self.below(2) == 0 { 0 } else { word.len().min(changed.len() - place) };
                    changed.splice(place..place + replaced, word);
                }
                _ => {
                    let chosen = self.below(self.seeds.len());
                    let from = self.below(self.seeds[chosen].len());
                    changed.truncate(place);
                    changed.extend_from_slice(&self.seeds[chosen][from..]);
                }
            }
        }
        changed
    }
}

#[test]
fn words_of_a_dictionary_are_read_with_their_escapes() {
    let words = words("# \"no\"\n\"\\\"alg\\\":\"\nname=\"\\xff\\\\\"\n");
    assert_eq!(words, [b"\"alg\":".to_vec(), b"\xff\\".to_vec()]);
}

#[test]
fn tokens_reach_every_step_and_only_a_valid_signature_permits() {
    use token::Reached::{NoSignature, Permissions, Permit, Rules, Signature};
    let reached = run("token", token::check);
    assert_eq!(reached, BTreeSet::from([NoSignature, Signature, Rules, Permissions, Permit]));
}

#[test]
fn jwk_sets_keep_or_refuse_every_entry() {
    use jwks::Reached::{Both, Keys, Metadata, NoKey, Nothing, OldSnapshot, Snapshot};
    let reached = run("jwks", jwks::check);
    assert_eq!(reached, BTreeSet::from([Nothing, Metadata, OldSnapshot, Snapshot, NoKey, Keys, Both]));
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

#[test]
fn cloudfront_forwards_what_was_decided_on_and_nothing_that_only_postern_may_say() {
    use cloudfront::Reached::{Answered, Nothing, OriginRequest, Response, ViewerRequest};
    let reached = run("cloudfront", cloudfront::check);
    assert_eq!(reached, BTreeSet::from([Nothing, Answered, ViewerRequest, OriginRequest, Response]));
}

#[test]
fn api_gateway_is_told_to_allow_only_what_a_valid_token_permits() {
    use gateway::Reached::{Allowed, Denied, Failed, Listed, Nothing};
    let reached = run("gateway", gateway::check);
    assert_eq!(reached, BTreeSet::from([Nothing, Failed, Denied, Allowed, Listed]));
}

#[test]
fn the_workers_plan_says_what_was_decided_whatever_its_parts_contain() {
    use plan::Reached::{Answered, Forwarded, Nothing, Unwritable, Written};
    let reached = run("plan", plan::check);
    assert_eq!(reached, BTreeSet::from([Nothing, Unwritable, Written, Answered, Forwarded]));
}

#[test]
fn graphql_documents_select_only_fields_whose_rules_permit() {
    use graphql::Reached::{Connection, Executed, Failed, InPart, Nothing, Refused};
    let reached = run_with(FEWER_CHANGES, "graphql", graphql::check);
    assert_eq!(reached, BTreeSet::from([Nothing, Failed, Refused, InPart, Executed, Connection]));
}

#[test]
fn queries_have_one_value_whoever_reads_them() {
    use query::Reached::{Absent, NotCanonical, Read, Refused};
    assert_eq!(run("query", query::check), BTreeSet::from([NotCanonical, Refused, Absent, Read]));
}

#[test]
fn caches_give_out_nothing_past_its_time_or_of_anybody_else() {
    use cache::Reached::{FreshKeys, Known, Nothing, Remembered, StaleKeys, StandIn};
    let reached = run_with(FEWER_CHANGES, "cache", cache::check);
    assert_eq!(reached, BTreeSet::from([Nothing, FreshKeys, StaleKeys, Known, StandIn, Remembered]));
}
