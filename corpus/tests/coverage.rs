//! What the corpus must hold: each reason, each route, each rule both satisfied and not, each attack.

use std::collections::{BTreeMap, BTreeSet};

use postern::{Reason, policy::from_toml};
use postern_corpus::{
    Corpus, Expect,
    case::{Author, repository_file},
};

/// Attacks that README.md lists, each shown by one case at least.
const ATTACKS: &[&str] = &[
    "alg none",
    "alg trusted from the header",
    "RS to HS confusion",
    "keys in the header",
    "kid injection",
    "kid of another issuer",
    "unknown kid",
    "crit",
    "cty",
    "duplicate JSON members",
    "wrong-typed members",
    "missing claims",
    "extreme dates",
    "psychic signature",
    "forged token",
    "unfit key",
    "oct key in a key set",
    "key for another purpose",
    "two keys of one name",
    "deep nesting",
    "huge token",
    "non-canonical base64url",
    "verified-token cache confusion",
    "cache bypass",
    "JWKS outage",
    "path tricks",
    "method override",
    "forged identity and forwarding fields",
    "two credentials",
    "token in query string or body",
    "going round the edge",
    "ID token",
    "bound token",
    "foreign issuer",
    "foreign audience",
    "subjects of two issuers",
    "one pool, two sections",
    "one URL, two audiences",
    "unusable subject",
    "permissions service down",
    "parameter pollution",
    "declared digest",
    "large body",
    "claims that break out of their field",
    "one text, several names",
];

/// Reasons that no request can show on a host that works.
const UNREACHABLE: [&str; 3] = ["signature_unavailable", "unconfigured", "body_unreadable"];

#[test]
fn there_are_enough_cases_and_most_are_written_by_hand() {
    let corpus = Corpus::read().expect("the corpus");
    let by_hand = corpus.cases().filter(|(_, case)| case.by == Author::Hand).count();
    let all = corpus.cases().count();
    println!("{all} cases, {by_hand} by hand");
    assert!(all >= 600 && by_hand >= 600, "{all} cases, {by_hand} by hand");
}

#[test]
fn each_reason_has_a_case() {
    let corpus = Corpus::read().expect("the corpus");
    let shown: BTreeSet<&str> = corpus
        .cases()
        .filter_map(|(_, case)| match &case.expect {
            Expect::Deny(deny) => Some(deny.reason.as_str()),
            _ => None,
        })
        .collect();
    let known: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    let missing: Vec<&&str> = known.difference(&shown).filter(|reason| !UNREACHABLE.contains(reason)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    assert!(shown.is_subset(&known), "{:?}", shown.difference(&known));
    assert!(UNREACHABLE.iter().all(|reason| !shown.contains(reason)), "a reason that was thought to be out of reach");
}

#[test]
fn each_route_is_permitted_and_refused_unless_it_is_public() {
    let corpus = Corpus::read().expect("the corpus");
    for file in ["postern.toml", "corpus/policy.toml"] {
        let policy = from_toml(&repository_file(file).expect("a policy"), None).expect("it builds");
        for route in policy.routes() {
            let of_route = |permitted: bool| {
                corpus.cases().any(|(_, case)| {
                    corpus.world(case).policy == file
                        && match &case.expect {
                            Expect::Permit(permit) => permitted && permit.route == route.name(),
                            Expect::Deny(deny) => !permitted && deny.route.as_deref() == Some(route.name()),
                            Expect::Preflight {} => false,
                        }
                })
            };
            assert_eq!(of_route(true), !route.is_shadow(), "{file}: `{}` permitted", route.name());
            let refusable = !route.is_public() && !route.is_shadow();
            assert!(of_route(false) || !refusable, "{file}: `{}` is never refused", route.name());
        }
    }
}

/// For each kind of rule, over all routes that have it, a permit and a denial for its own reason.
#[test]
fn each_rule_is_satisfied_and_not() {
    let corpus = Corpus::read().expect("the corpus");
    let mut seen: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for (_, case) in corpus.cases() {
        match &case.expect {
            Expect::Permit(permit) => {
                let rules: [(&str, bool); 6] = [
                    ("scope_missing", !permit.scopes.is_empty()),
                    ("company_mismatch", permit.company.is_some()),
                    ("role_missing", !permit.roles.is_empty()),
                    ("subject_mismatch", case.request.target.contains("/users/")),
                    ("condition_unmet", permit.route.starts_with("conditions")),
                    ("body_digest_missing", permit.body_sha256.is_some()),
                ];
                for (rule, _) in rules.iter().filter(|(_, holds)| *holds) {
                    *seen.entry((rule, true)).or_default() += 1;
                }
            }
            Expect::Deny(deny) => {
                *seen.entry((Box::leak(deny.reason.clone().into_boxed_str()), false)).or_default() += 1
            }
            Expect::Preflight {} => {}
        }
    }
    for rule in [
        "scope_missing",
        "company_mismatch",
        "role_missing",
        "subject_mismatch",
        "condition_unmet",
        "body_digest_missing",
    ] {
        for satisfied in [true, false] {
            assert!(seen.get(&(rule, satisfied)).is_some_and(|count| *count >= 2), "{rule}, satisfied: {satisfied}");
        }
    }
}

#[test]
fn each_attack_has_a_case_and_none_is_misspelt() {
    let corpus = Corpus::read().expect("the corpus");
    let shown: BTreeSet<&str> = corpus.cases().filter_map(|(_, case)| case.attack.as_deref()).collect();
    let listed: BTreeSet<&str> = ATTACKS.iter().copied().collect();
    assert_eq!(shown, listed);
    let readme = repository_file("corpus/README.md").expect("README.md");
    for attack in ATTACKS {
        assert!(readme.contains(&format!("`{attack}`")), "README.md does not list `{attack}`");
    }
}
