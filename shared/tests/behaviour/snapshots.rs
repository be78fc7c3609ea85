//! Keys sealed into a build or handed on by a second layer: used at once, refreshed at once, and never past their age.

use postern::{
    Policy, UnixTime,
    cache::{KeyCache, KeyLookup, KeySeeds, KeySnapshot, MAX_SNAPSHOT_BYTES, SnapshotError},
    jwks::JwksError,
    policy::{Issuer, from_toml},
};
use serde_json::{Value, json};

use crate::{
    key_cache::name,
    support::{
        NOW, at,
        keys::{PARTNERS_ED, PARTNERS_NEXT, TestKey, jwks},
        policies,
        token::PARTNERS_URL,
        world::fetch_keys,
    },
};

const JWKS_URL: &str = "https://keys.example/jwks";

fn policy(rules: &str) -> Policy {
    let url = "url = \"https://auth.partners.ljg-sushi.example\"";
    let text = policies::example_with(url, &format!("{url}\njwks_url = \"{JWKS_URL}\"\n{rules}"));
    from_toml(&text, None).unwrap()
}

fn partners(policy: &Policy) -> &Issuer {
    policy.issuers().iter().find(|issuer| issuer.name() == "partners").unwrap()
}

/// As one cache fetched it, `age` seconds ago, good for five minutes.
fn snapshot(policy: &Policy, keys: &[&TestKey], age: u64) -> KeySnapshot {
    let (issuer, mut cache) = (partners(policy), KeyCache::new());
    let then = UnixTime::from_secs(NOW - age);
    let KeyLookup::Fetch(fetch) = cache.look_up(issuer, None, then) else { panic!("an empty cache fetches") };
    cache.store(issuer, fetch_keys(issuer, fetch, None, |_| Some(jwks(keys))).unwrap(), then).unwrap()
}

fn reread(snapshot: &KeySnapshot) -> KeySnapshot {
    KeySnapshot::parse(snapshot.to_json().to_string().as_bytes()).unwrap()
}

#[test]
fn what_is_written_is_read_again_whole() {
    let policy = policy("");
    let first = snapshot(&policy, &[&PARTNERS_ED, &PARTNERS_NEXT], 100);
    let again = reread(&first);
    assert_eq!(again.to_json(), first.to_json());
    assert_eq!(again.fetched_at(), UnixTime::from_secs(NOW - 100));
    let thumbprints = |snapshot: &KeySnapshot| {
        snapshot.keys().keys().map(|key| (key.key_id().map(str::to_owned), *key.thumbprint())).collect::<Vec<_>>()
    };
    assert_eq!(thumbprints(&again), thumbprints(&first));
    assert_eq!(first.to_json()["max_age"], json!(300));
}

#[test]
fn a_snapshot_past_the_cap_is_not_read() {
    let text = snapshot(&policy(""), &[&PARTNERS_ED], 100).to_json().to_string();
    let padded = |len: usize| text.clone() + &" ".repeat(len - text.len());
    assert!(KeySnapshot::parse(padded(MAX_SNAPSHOT_BYTES).as_bytes()).is_ok());
    let error = KeySnapshot::parse(padded(MAX_SNAPSHOT_BYTES + 1).as_bytes()).expect_err("it was read");
    assert_eq!(error, SnapshotError::TooLarge);
}

#[test]
fn a_second_layer_is_asked_once_before_the_issuer_and_spares_it_the_fetch() {
    let policy = policy("");
    let issuer = partners(&policy);
    let mut cache = KeyCache::with_second_layer();
    let look_up = |cache: &mut KeyCache, seconds| name(&cache.look_up(issuer, Some("partners-ed"), at(seconds)));
    assert_eq!(look_up(&mut cache, 0), "recall");
    assert_eq!(look_up(&mut cache, 0), "wait");
    cache.restore(issuer, Some(snapshot(&policy, &[&PARTNERS_ED], 100)), at(0)).unwrap();
    assert_eq!(look_up(&mut cache, 0), "fresh");
    // Its time goes on: 300 seconds from when it was fetched, the last fifth for refreshing.
    assert_eq!(look_up(&mut cache, 139), "fresh");
    assert_eq!(look_up(&mut cache, 140), "refresh");
    let mut cache = KeyCache::with_second_layer();
    assert_eq!(look_up(&mut cache, 0), "recall");
    cache.restore(issuer, None, at(0)).unwrap();
    assert_eq!(look_up(&mut cache, 0), "fetch");
    cache.fail(issuer, at(0));
    assert_eq!(look_up(&mut cache, 5), "fetch");
}

/// What is enforced reads it.
#[test]
fn keys_that_were_fetched_for_a_shadow_are_not_kept_in_the_second_layer() {
    let policy = policy("");
    let issuer = partners(&policy);
    for (mut cache, is_kept) in
        [(KeyCache::with_second_layer(), true), (KeyCache::with_second_layer().that_keeps_to_itself(), false)]
    {
        cache.look_up(issuer, None, at(0));
        cache.restore(issuer, None, at(0)).unwrap();
        let KeyLookup::Fetch(fetch) = cache.look_up(issuer, None, at(0)) else { panic!("no fetch") };
        let fetched = fetch_keys(issuer, fetch, None, |_| Some(jwks(&[&PARTNERS_ED]))).unwrap();
        assert_eq!(cache.store(issuer, fetched, at(0)).is_some(), is_kept);
    }
}

#[test]
fn a_second_layer_that_never_answers_is_given_up() {
    let policy = policy("");
    let issuer = partners(&policy);
    let mut cache = KeyCache::with_second_layer();
    assert_eq!(name(&cache.look_up(issuer, None, at(0))), "recall");
    assert_eq!(name(&cache.look_up(issuer, None, at(3))), "wait");
    assert_eq!(name(&cache.look_up(issuer, None, at(4))), "fetch");
}

#[test]
fn a_seed_past_its_time_is_used_at_once_and_refreshed_by_one() {
    let policy = policy("");
    let issuer = partners(&policy);
    let mut cache = KeyCache::new();
    cache.restore(issuer, Some(snapshot(&policy, &[&PARTNERS_ED], 3_600)), at(0)).unwrap();
    let known = |cache: &mut KeyCache, seconds| cache.look_up(issuer, Some("partners-ed"), at(seconds));
    let KeyLookup::Refresh(keys, fetch) = known(&mut cache, 0) else { panic!("the seed was not used") };
    assert_eq!(keys.keys().count(), 1);
    assert_eq!(name(&known(&mut cache, 0)), "stale");
    // Whoever needs a key that the seed has not waits for the issuer.
    assert_eq!(name(&cache.look_up(issuer, Some("partners-next"), at(0))), "wait");
    let fetched = fetch_keys(issuer, fetch, None, |_| Some(jwks(&[&PARTNERS_NEXT]))).unwrap();
    cache.store(issuer, fetched, at(1));
    assert_eq!(name(&cache.look_up(issuer, Some("partners-next"), at(1))), "fresh");
}

#[test]
fn a_seed_counts_against_the_hard_maximum() {
    for (rules, max) in [("", 6 * 3600), ("jwks_max_stale = \"1h\"", 3600), ("jwks_max_stale = \"48h\"", 48 * 3600)] {
        let policy = policy(rules);
        let issuer = partners(&policy);
        let mut cache = KeyCache::new();
        let too_old = cache.restore(issuer, Some(snapshot(&policy, &[&PARTNERS_ED], max)), at(0));
        assert_eq!(too_old, Err(SnapshotError::TooOld), "{rules}");
        assert_eq!(name(&cache.look_up(issuer, None, at(0))), "fetch");
        let mut cache = KeyCache::new();
        cache.restore(issuer, Some(snapshot(&policy, &[&PARTNERS_ED], max - 10)), at(0)).unwrap();
        assert_eq!(name(&cache.look_up(issuer, None, at(0))), "refresh");
        cache.fail(issuer, at(9));
        assert_eq!(name(&cache.look_up(issuer, None, at(9))), "stale", "{rules}");
        assert_eq!(name(&cache.look_up(issuer, None, at(10))), "unavailable", "{rules}");
    }
}

#[test]
fn a_snapshot_of_another_issuer_another_place_or_the_future_is_not_used() {
    let policy = policy("");
    let issuer = partners(&policy);
    let good = snapshot(&policy, &[&PARTNERS_ED], 100).to_json();
    assert_eq!(good["issuer"], json!(PARTNERS_URL));
    for (member, value, error) in [
        ("issuer", json!("https://evil.example"), SnapshotError::OtherIssuer),
        ("jwks_url", json!("https://evil.example/jwks"), SnapshotError::OtherIssuer),
        ("fetched_at", json!(NOW + 1), SnapshotError::FromFuture),
        ("fetched_at", json!(0), SnapshotError::TooOld),
        ("fetched_at", json!(u64::MAX), SnapshotError::FromFuture),
    ] {
        let mut altered = good.clone();
        altered[member] = value;
        let mut cache = KeyCache::new();
        let altered = KeySnapshot::parse(altered.to_string().as_bytes()).unwrap();
        assert_eq!(cache.restore(issuer, Some(altered), at(0)), Err(error), "{member}");
        assert_eq!(name(&cache.look_up(issuer, None, at(0))), "fetch", "{member}");
    }
}

#[test]
fn a_discovered_place_must_be_one_that_a_policy_may_name() {
    let policy = policies::example();
    let issuer = partners(&policy);
    let mut good = snapshot(&self::policy(""), &[&PARTNERS_ED], 100).to_json();
    let restore = |good: &Value| {
        KeyCache::new().restore(issuer, Some(KeySnapshot::parse(good.to_string().as_bytes()).unwrap()), at(0))
    };
    assert_eq!(restore(&good), Ok(()));
    good["jwks_url"] = json!("http://keys.example/jwks");
    assert_eq!(restore(&good), Err(SnapshotError::OtherIssuer));
}

#[test]
fn an_older_snapshot_does_not_replace_what_is_known() {
    let policy = policy("");
    let issuer = partners(&policy);
    let mut cache = KeyCache::new();
    cache.restore(issuer, Some(snapshot(&policy, &[&PARTNERS_NEXT], 100)), at(0)).unwrap();
    cache.restore(issuer, Some(snapshot(&policy, &[&PARTNERS_ED], 200)), at(0)).unwrap();
    let KeyLookup::Fresh(keys) = cache.look_up(issuer, Some("partners-next"), at(0)) else { panic!("not known") };
    assert_eq!(keys.keys().next().and_then(|key| key.key_id()), Some("partners-next"));
}

#[test]
fn seeds_are_a_file_by_section_and_say_which_is_wrong() {
    let policy = policy("");
    let issuer = partners(&policy);
    let mut seeds = KeySeeds::default();
    seeds.insert(issuer, snapshot(&policy, &[&PARTNERS_ED], 100));
    let text = seeds.to_json().to_string();
    let again = KeySeeds::parse(text.as_bytes()).unwrap();
    assert_eq!(again.sections().collect::<Vec<_>>(), ["partners"]);
    assert!(again.of(issuer).is_some());
    for (text, section, syntax) in [
        ("", "", true),
        ("[]", "", true),
        ("{\"partners\": 7}", "partners", true),
        ("{\"partners\": {}}", "partners", true),
        (&text.replace("\"fetched_at\"", "\"fetched\""), "partners", true),
        (&text.replace("\"kty\":\"OKP\"", "\"kty\":\"oct\""), "partners", false),
        (&text.replacen('{', "{\"partners\": {}, ", 1), "", true),
    ] {
        let (named, error) = KeySeeds::parse(text.as_bytes()).expect_err("they were read");
        assert_eq!(named, section, "{text:.60}");
        match error {
            SnapshotError::Syntax(_) => assert!(syntax, "{text:.60}"),
            SnapshotError::Jwks(error) => assert_eq!((syntax, error), (false, JwksError::NoUsableKey)),
            other => panic!("{other}"),
        }
    }
}
