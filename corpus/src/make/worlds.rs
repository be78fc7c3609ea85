//! What stands around the requests: policies, key sets, permissions records, outages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{NOW, Pair};
use crate::case::{Reach, World};

/// The example's policy.
pub const EXAMPLE: &str = "postern.toml";
/// The corpus's own.
pub const RULES: &str = "corpus/policy.toml";

/// Every world by its name.
pub fn all() -> BTreeMap<String, World> {
    let example = World {
        about: "the example, everything in order".to_owned(),
        policy: EXAMPLE.to_owned(),
        now: NOW,
        keys: BTreeMap::from([
            (
                "partners".to_owned(),
                set([named("partners-ed", "ed"), named("partners-ec", "ec"), named("partners-rsa", "partners-rsa")]),
            ),
            ("users".to_owned(), set([named("users-1", "users-rsa")])),
        ]),
        reach_of_keys: Reach::Answers,
        permissions: records(),
        reach_of_permissions: Reach::Answers,
    };
    let rules = World {
        about: "the corpus's policy, everything in order".to_owned(),
        policy: RULES.to_owned(),
        keys: rules_keys(),
        ..example.clone()
    };
    let changed = |world: &World, about: &str, change: fn(&mut World)| {
        let mut world = World { about: about.to_owned(), ..world.clone() };
        change(&mut world);
        world
    };
    let worlds = [
        (
            "example-keys-silent",
            changed(&example, "no issuer has ever answered", |world| world.reach_of_keys = Reach::Silent),
        ),
        (
            "example-keys-stale",
            changed(&example, "no issuer has answered for an hour", |world| {
                world.reach_of_keys = Reach::SilentFor(3600)
            }),
        ),
        (
            "example-permissions-silent",
            changed(&example, "the permissions service has never answered", |world| {
                world.reach_of_permissions = Reach::Silent;
            }),
        ),
        (
            "example-nonsense",
            changed(&example, "the permissions service answers with what is no record", |world| {
                world.permissions = nonsense()
            }),
        ),
        (
            "rules-keys-silent",
            changed(&rules, "no issuer has ever answered", |world| world.reach_of_keys = Reach::Silent),
        ),
        (
            "rules-permissions-silent",
            changed(&rules, "the permissions service has never answered", |world| {
                world.reach_of_permissions = Reach::Silent;
            }),
        ),
        (
            "rules-permissions-25s",
            changed(&rules, "the permissions service has been silent for 25 s", |world| {
                world.reach_of_permissions = Reach::SilentFor(25);
            }),
        ),
        (
            "rules-permissions-25s-unnoticed",
            changed(&rules, "the permissions service was asked 25 s ago, and fails for the first time now", |world| {
                world.reach_of_permissions = Reach::FailsNow(25);
            }),
        ),
        (
            "rules-permissions-60s",
            changed(&rules, "the permissions service has been silent for a minute", |world| {
                world.reach_of_permissions = Reach::SilentFor(60);
            }),
        ),
        (
            "rules-permissions-6m",
            changed(&rules, "the permissions service has been silent for six minutes", |world| {
                world.reach_of_permissions = Reach::SilentFor(360);
            }),
        ),
        ("example", example),
        ("rules", rules),
    ];
    worlds.into_iter().map(|(name, world)| (name.to_owned(), world)).collect()
}

fn named(kid: &str, pair: &'static str) -> Value {
    Pair(pair).public(kid)
}

fn with(mut key: Value, name: &str, value: impl Into<Value>) -> Value {
    key[name] = value.into();
    key
}

fn set(keys: impl IntoIterator<Item = Value>) -> Value {
    json!({ "keys": keys.into_iter().collect::<Vec<_>>() })
}

/// Records of both worlds, by subject: the shapes that domain.md tells of.
fn records() -> BTreeMap<String, Value> {
    let records = [
        json!({"id": "manager", "companies": ["1111"], "role": "Manager"}),
        json!({"id": "standard", "companies": ["1111"], "role": "Standard"}),
        json!({"id": "editor", "companies": ["1111"], "role": "Editor"}),
        json!({"id": "of-both", "companies": ["1111", "2222"], "role": "Manager"}),
        json!({"id": "of-none", "companies": [], "role": "Manager"}),
        json!({"id": "without-role", "companies": ["1111"]}),
        json!({"id": "per-company", "companies": {"1111": ["Manager"], "2222": ["Standard"]}, "version": 7}),
        json!({"id": "of-many-roles", "companies": {"1111": ["Standard", "Editor", "Manager"]}, "version": 1}),
        json!({"id": "of-no-roles", "companies": {"1111": []}, "version": 2}),
        json!({"id": "of-strange-role", "companies": {"1111": ["manager", "Managers", "Chef"]}}),
        json!({"id": "of-odd-names", "companies": {"a b": ["Manager"], "caf\u{e9}": ["Manager"], "1111 ": ["Manager"]}}),
        json!({"id": "with-more", "companies": ["1111"], "role": "Manager", "email": "x@corpus.example", "version": 0}),
        json!({"id": "auth0|pipe", "companies": ["1111"], "role": "Manager"}),
        json!({"id": "user@corpus.example", "companies": ["1111"], "role": "Manager"}),
        json!({"id": "zo\u{eb} b", "companies": ["1111"], "role": "Manager"}),
        json!({"id": "1111", "companies": ["2222"], "role": "Manager"}),
    ];
    by_subject(records)
}

fn by_subject(records: impl IntoIterator<Item = Value>) -> BTreeMap<String, Value> {
    records.into_iter().map(|record| (record["id"].as_str().unwrap_or_default().to_owned(), record)).collect()
}

/// What is no record; `nonsense` says so to drivers that must know before they begin.
fn nonsense() -> BTreeMap<String, Value> {
    let mut records = records();
    let broken = [
        ("companies-text", json!({"id": "companies-text", "companies": "1111", "role": "Manager"})),
        ("companies-missing", json!({"id": "companies-missing", "role": "Manager"})),
        ("companies-number", json!({"id": "companies-number", "companies": [1111], "role": "Manager"})),
        ("companies-unnamed", json!({"id": "companies-unnamed", "companies": ["1111", ""], "role": "Manager"})),
        ("roles-text", json!({"id": "roles-text", "companies": {"1111": "Manager"}})),
        ("role-list", json!({"id": "role-list", "companies": ["1111"], "role": ["Manager"]})),
        ("role-empty", json!({"id": "role-empty", "companies": ["1111"], "role": ""})),
        ("role-twice", json!({"id": "role-twice", "companies": {"1111": ["Manager"]}, "role": "Manager"})),
        ("version-text", json!({"id": "version-text", "companies": ["1111"], "role": "Manager", "version": "7"})),
        (
            "version-negative",
            json!({"id": "version-negative", "companies": ["1111"], "role": "Manager", "version": -1}),
        ),
        ("id-missing", json!({"companies": ["1111"], "role": "Manager"})),
        ("id-anothers", json!({"id": "manager", "companies": ["1111"], "role": "Manager"})),
        ("id-number", json!({"id": 7, "companies": ["1111"], "role": "Manager"})),
    ];
    for (subject, record) in broken {
        records.insert(subject.to_owned(), with(record, "nonsense", true));
    }
    records
}

fn rules_keys() -> BTreeMap<String, Value> {
    let rsa = Pair("users-rsa").public("m-rsa-exponent-one");
    let mut even = Pair("users-rsa").public("m-rsa-even");
    even["n"] = flipped(&even["n"], 255);
    let mut off_curve = Pair("ec-next").public("m-off-curve");
    off_curve["y"] = flipped(&off_curve["y"], 31);
    let machines = set([
        named("m-rsa", "partners-rsa"),
        with(named("m-rsa-rs256", "other-rsa"), "alg", "RS256"),
        named("m-ec", "ec"),
        named("m-ec384", "ec384"),
        named("m-ec521", "ec521"),
        with(named("m-ed", "ed"), "use", "sig"),
        with(named("m-ed-ops", "ed-next"), "key_ops", json!(["verify"])),
        // Not one of these is to be used.
        named("m-weak", "weak-rsa"),
        json!({"kty": "oct", "kid": "m-oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}),
        with(named("m-encryption", "ec-next"), "use", "enc"),
        with(named("m-ops", "ec-next"), "key_ops", json!(["encrypt", "wrapKey"])),
        Pair("ec-next").private("m-private"),
        named("m-twin", "ed-next"),
        named("m-twin", "stranger-ed"),
        with(rsa, "e", "AQ"),
        even,
        off_curve,
        with(named("m-other-kind", "ec-next"), "alg", "RS256"),
        with(named("m-foreign-algorithm", "users-rsa"), "alg", "RSA-OAEP"),
        with(named("m-x25519", "ed-next"), "crv", "X25519"),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "m-small-order", "x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}),
        with(named("m-kid-number", "ed-next"), "kid", 7),
        // The same key under the same name is one key.
        named("m-same", "ed-next"),
        named("m-same", "ed-next"),
    ]);
    let pool = set([named("pool-1", "users-rsa"), named("pool-2", "other-rsa")]);
    let shared = set([named("shared-ed", "ed"), named("shared-ec", "ec")]);
    let sections = [
        ("machines", machines),
        ("people", set([named("people-ed", "ed-next")])),
        ("staff", set([named("staff-ec", "ec-next")])),
        ("pool-users", pool.clone()),
        ("pool-partners", pool),
        ("shared-a", shared.clone()),
        ("shared-b", shared),
        ("tenant", set([with(named("tenant-1", "users-rsa"), "use", "sig")])),
        ("workforce", set([with(named("workforce-1", "other-rsa"), "alg", "RS256")])),
        ("directory", set([with(named("directory-1", "partners-rsa"), "issuer", "anything")])),
        (
            "realm",
            set([
                with(named("realm-1", "users-rsa"), "alg", "RS256"),
                with(named("realm-enc", "other-rsa"), "use", "enc"),
            ]),
        ),
    ];
    sections.into_iter().map(|(name, set)| (name.to_owned(), set)).collect()
}

/// Base64url octets with the last bit of one of them flipped.
fn flipped(text: &Value, place: usize) -> Value {
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    let mut octets = Base64UrlUnpadded::decode_vec(text.as_str().unwrap_or_default()).expect("keys are base64url");
    octets[place] ^= 1;
    Base64UrlUnpadded::encode_string(&octets).into()
}
