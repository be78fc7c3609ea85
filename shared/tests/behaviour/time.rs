//! Time never overflows: whatever number a claim holds and whatever a clock says, nothing panics, no sum wraps round,
//! and nobody is let in before or after their time.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use postern::{
    Authorizer, Decision, JwkSet, Policy, Progress, Request, UnixTime,
    cache::{KeyCache, KeyFetch, KeyLookup, PermissionsCache, PermissionsFailure, PermissionsFetch, PermissionsLookup},
};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{
    NOW, Token, World,
    keys::{PARTNERS_ED, jwks},
    policies,
    world::{believe, fetch_keys, fetch_permissions},
};

/// What the example's issuers are forgiven on `nbf` and `iat`, having no `leeway` of their own, in seconds.
const LEEWAY: i128 = 5;

/// Cloned for each token, since an authoriser remembers those that it has believed.
static POLICY: LazyLock<Policy> = LazyLock::new(policies::example);
/// What the issuers of [`World::example`] publish.
static PUBLISHED: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| World::example().published);
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| JwkSet::parse(jwks(&[&PARTNERS_ED]).as_bytes()).unwrap());

/// Seconds at the edges of every type that could hold them, and around the present.
fn seconds() -> impl Strategy<Value = i128> {
    let edges = [0, i128::from(i32::MAX), i128::from(u32::MAX), 1 << 53, i128::from(i64::MAX), i128::from(u64::MAX)];
    let millis = edges.map(|edge| edge / 1000);
    let near = |edges: Vec<i128>| prop::sample::select(edges).prop_flat_map(|edge| (edge - 9)..(edge + 9));
    prop_oneof![
        4 => near(vec![i128::from(NOW)]),
        2 => near(edges.to_vec()),
        2 => near(millis.to_vec()),
        1 => near(edges.map(|edge| -edge).to_vec()),
        1 => any::<i64>().prop_map(i128::from),
    ]
}

/// A number as an issuer may write it: whole, with a fraction, with an exponent, out of all bounds.
fn numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => seconds().prop_map(|seconds| seconds.to_string()),
        2 => (seconds(), "[0-9]{1,25}").prop_map(|(seconds, fraction)| format!("{seconds}.{fraction}")),
        1 => (any::<i16>(), -400..400).prop_map(|(digits, exponent)| format!("{digits}e{exponent}")),
        1 => "-?[1-9][0-9]{0,400}",
    ]
}

fn clocks() -> impl Strategy<Value = UnixTime> {
    let of_seconds = (seconds(), 0_u64..1000).prop_map(|(seconds, millis)| {
        let seconds = u64::try_from(seconds.max(0)).unwrap_or(u64::MAX);
        UnixTime::from_millis(seconds.saturating_mul(1000).saturating_add(millis))
    });
    prop_oneof![3 => of_seconds, 1 => any::<u64>().prop_map(UnixTime::from_millis)]
}

/// A token whose claims hold these numbers in these words, judged at `now` once its signature is believed.
fn is_permitted([exp, nbf, iat]: [&str; 3], now: UnixTime) -> bool {
    let claims = Token::partner("1111").without("iat").without("exp").claims_text();
    let dates = format!(r#"{{"exp":{exp},"nbf":{nbf},"iat":{iat},"#);
    let token = Token::partner("1111").raw_claims(claims.replacen('{', &dates, 1));
    let credential = format!("Bearer {}", token.with_signature(&[1; 64]));
    let request =
        Request { method: "GET", target: "/companies/1111/orders", headers: &[("authorization", &credential)] };
    let authorizer = Authorizer::new(POLICY.clone()).with_any_clock();
    let end = believe(authorizer.begin(&request, now), &KEYS, now);
    match end {
        Progress::Decided(Decision::Permit(_)) => true,
        Progress::Decided(_) => false,
        other => panic!("more is asked for: {other:?}"),
    }
}

#[test]
fn the_dates_that_the_properties_vary_are_what_decides() {
    let (now, before, after) = (NOW.to_string(), (NOW - 1).to_string(), (NOW + 1).to_string());
    let at_now = UnixTime::from_secs(NOW);
    assert!(is_permitted([&after, &now, &now], at_now));
    assert!(!is_permitted([&now, &now, &now], at_now) && !is_permitted([&before, &now, &now], at_now));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against the rule in numbers that cannot overflow.
    #[test]
    fn whole_dates_are_judged_as_in_wider_numbers(exp in seconds(), nbf in seconds(), iat in seconds(), now in clocks()) {
        let texts = [exp, nbf, iat].map(|date| date.to_string());
        let permitted = is_permitted([&texts[0], &texts[1], &texts[2]], now);
        let latest = i128::from(now.as_millis()) + LEEWAY * 1000;
        let in_time = i128::from(now.as_millis()) < exp * 1000 && nbf * 1000 <= latest && iat * 1000 <= latest;
        prop_assert!(!permitted || in_time, "permitted out of time");
        // Dates past the year 9999 may be refused; all those that a clock may show must be judged right.
        let usual = |date: i128| (0..=253_402_300_799).contains(&date);
        if [exp, nbf, iat].into_iter().all(usual) {
            prop_assert_eq!(permitted, in_time);
        }
    }

    /// A fraction or an exponent may cost a token a part of a second, and never gives it one.
    #[test]
    fn numbers_of_any_form_are_survived_and_never_forgiving(
        exp in numbers(), nbf in numbers(), iat in numbers(), now in clocks(),
    ) {
        if is_permitted([&exp, &nbf, &iat], now) {
            // Wide enough for what passes: a double counts single milliseconds up to 2^53.
            let [exp, nbf, iat] = [exp, nbf, iat].map(|text| text.parse::<f64>().unwrap());
            let now = now.as_millis() as f64 / 1000.0;
            prop_assert!(now < exp, "{now} is after {exp}");
            prop_assert!(nbf <= now + LEEWAY as f64 && iat <= now + LEEWAY as f64, "{now}: {nbf}, {iat}");
        }
    }

    #[test]
    fn sums_of_time_saturate(millis in any::<u64>(), secs in any::<u64>(), nanos in 0_u32..1_000_000_000, other in any::<u64>()) {
        let (time, duration) = (UnixTime::from_millis(millis), Duration::new(secs, nanos));
        let sum = (u128::from(millis) + duration.as_millis()).min(u128::from(u64::MAX));
        prop_assert_eq!(u128::from(time.saturating_add(duration).as_millis()), sum);
        let since = time.saturating_since(UnixTime::from_millis(other));
        prop_assert_eq!(since.as_millis(), u128::from(millis).saturating_sub(u128::from(other)));
        let whole = UnixTime::from_secs(secs).as_millis();
        prop_assert_eq!(u128::from(whole), (u128::from(secs) * 1000).min(u128::from(u64::MAX)));
    }

    /// A clock may stand still, leap and run backwards: what is held is given no longer than its time from when it came.
    #[test]
    fn caches_survive_any_clock(steps in prop::collection::vec((clocks(), 0_u8..6, prop::option::of(any::<u64>())), 1..40)) {
        let issuer = POLICY.issuers().first().unwrap();
        let published = &*PUBLISHED;
        let (mut keys, mut permissions) = (KeyCache::new(), PermissionsCache::new());
        let record = r#"{"id":"u","companies":["1111"]}"#;
        let (mut asked, mut asked_about): (Option<KeyFetch>, Option<PermissionsFetch>) = (None, None);
        let (mut keys_at, mut record_at): (Vec<UnixTime>, Vec<UnixTime>) = (Vec::new(), Vec::new());
        for (now, step, seconds) in steps {
            match step {
                0 => {
                    let age = seconds.map(|seconds| format!("max-age={seconds}"));
                    let fetched = asked.take().map(|fetch| {
                        fetch_keys(issuer, fetch, age.as_deref(), |url| published.get(url).cloned()).unwrap()
                    });
                    if let Some(fetched) = fetched {
                        keys.store(issuer, fetched, now);
                        keys_at.push(now);
                    }
                    if let Some(fetch) = asked_about.take() {
                        permissions.store(fetch_permissions(&fetch, Some(record)), now);
                    }
                }
                1 => {
                    keys.fail(issuer, now);
                    if let Some(fetch) = asked_about.take() {
                        permissions.fail(&fetch, PermissionsFailure::Outage, now);
                    }
                }
                _ => {
                    let key_id = [Some("partners-ed"), Some("unknown"), None][usize::from(step % 3)];
                    let found = keys.look_up(issuer, key_id, now);
                    if let KeyLookup::Fresh(_) | KeyLookup::Refresh(..) | KeyLookup::Stale(_) = found {
                        let young = |at: &UnixTime| now.saturating_since(*at) < issuer.jwks_max_stale();
                        prop_assert!(keys_at.iter().any(young), "keys are used past the hard maximum");
                    }
                    if let KeyLookup::Fetch(fetch) | KeyLookup::Refresh(_, fetch) = found {
                        asked = Some(fetch);
                    }
                    let max_age = seconds.map(Duration::from_secs).unwrap_or_default();
                    let stale = if step == 2 { Duration::ZERO } else { max_age };
                    let inquiry = permissions.inquire(issuer, "u", (max_age, stale));
                    let age = match permissions.look_up(&inquiry, now) {
                        PermissionsLookup::Known(_) => max_age,
                        PermissionsLookup::StandIn(_) => max_age.saturating_add(stale),
                        PermissionsLookup::Fetch(fetch) => {
                            record_at.push(now);
                            asked_about = Some(fetch);
                            continue;
                        }
                        PermissionsLookup::Wait | PermissionsLookup::Unavailable => continue,
                    };
                    let young = |at: &UnixTime| now >= *at && now.saturating_since(*at) < age;
                    prop_assert!(record_at.iter().any(young), "a record decides past its age");
                }
            }
        }
    }
}

#[test]
fn the_end_of_time_is_a_time() {
    let end = json!(u64::MAX).to_string();
    for now in [UnixTime::from_millis(u64::MAX), UnixTime::from_secs(u64::MAX), UnixTime::default()] {
        assert!(!is_permitted([&end, "0", "0"], now), "{now:?}");
    }
}
