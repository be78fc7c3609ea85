//! Keys found by the issuer's own metadata (OpenID Connect Discovery 1.0 §4): what is asked, and what is believed.

use postern::{
    Policy, Reason,
    cache::{KEY_DISCOVERY_TTL, KeyAnswer, KeyCache, KeyFetch, KeyFetchError, KeyLookup, KeyStep, MAX_METADATA_BYTES},
    jwks::{JwksError, MAX_JWKS_BYTES},
    policy::{Issuer, from_toml},
};
use serde_json::{Value, json};

use crate::{
    key_cache::name,
    support::{
        Call, Outcome, Token, World, at,
        keys::{PARTNERS_ED, jwks},
        policies,
        token::PARTNERS_URL,
        world::fetch_keys,
    },
};

fn partners(policy: &Policy) -> &Issuer {
    policy.issuers().iter().find(|issuer| issuer.name() == "partners").unwrap()
}

fn metadata(issuer: &str, jwks_uri: &str) -> Value {
    json!({ "issuer": issuer, "authorization_endpoint": "https://x.example/auth", "jwks_uri": jwks_uri })
}

fn fetch(cache: &mut KeyCache, issuer: &Issuer, seconds: u64) -> KeyFetch {
    match cache.look_up(issuer, None, at(seconds)) {
        KeyLookup::Fetch(fetch) | KeyLookup::Refresh(_, fetch) => fetch,
        other => panic!("no fetch was asked for: {}", name(&other)),
    }
}

fn answer(status: u16, body: &[u8]) -> KeyAnswer<'_> {
    KeyAnswer { status, cache_control: None, age: None, body }
}

/// What becomes of a fetch when its first request is answered so.
fn first_answer(status: u16, body: &[u8]) -> Result<String, KeyFetchError> {
    let policy = policies::example();
    let issuer = partners(&policy);
    let first = fetch(&mut KeyCache::new(), issuer, 0);
    match first.answered(issuer, &answer(status, body))? {
        KeyStep::Next(next) => Ok(next.url().to_owned()),
        KeyStep::Fetched(_) => panic!("metadata was taken for keys"),
    }
}

#[test]
fn the_metadata_is_asked_first_and_the_keys_where_it_says() {
    let policy = policies::example();
    let issuer = partners(&policy);
    let first = fetch(&mut KeyCache::new(), issuer, 0);
    assert_eq!(first.url(), "https://auth.partners.ljg-sushi.example/.well-known/openid-configuration");
    assert_eq!((first.accept(), first.max_bytes()), ("application/json", MAX_METADATA_BYTES));
    let body = metadata(PARTNERS_URL, "https://keys.example/v1/keys").to_string();
    let KeyStep::Next(next) = first.answered(issuer, &answer(200, body.as_bytes())).unwrap() else {
        panic!("metadata was taken for keys")
    };
    assert_eq!((next.url(), next.max_bytes()), ("https://keys.example/v1/keys", MAX_JWKS_BYTES));
    let KeyStep::Fetched(fetched) = next.answered(issuer, &answer(200, jwks(&[&PARTNERS_ED]).as_bytes())).unwrap()
    else {
        panic!("keys were taken for metadata")
    };
    assert_eq!((fetched.keys().keys().count(), fetched.jwks_url()), (1, "https://keys.example/v1/keys"));
}

#[test]
fn a_closing_slash_of_the_issuer_is_not_doubled() {
    let url = "url = \"https://auth.partners.ljg-sushi.example\"";
    let policy = from_toml(&policies::example_with(url, "url = \"https://auth.example/\""), None).unwrap();
    let first = fetch(&mut KeyCache::new(), partners(&policy), 0);
    assert_eq!(first.url(), "https://auth.example/.well-known/openid-configuration");
}

#[test]
fn metadata_of_another_issuer_is_not_believed() {
    for issuer in [
        "https://evil.example",
        "https://auth.partners.ljg-sushi.example/",
        "https://AUTH.partners.ljg-sushi.example",
        "http://auth.partners.ljg-sushi.example",
        "https://auth.partners.ljg-sushi.example.evil.example",
        "",
    ] {
        let body = metadata(issuer, "https://keys.example/v1/keys").to_string();
        assert_eq!(first_answer(200, body.as_bytes()), Err(KeyFetchError::IssuerMismatch), "{issuer}");
    }
}

#[test]
fn a_jwks_uri_that_no_policy_may_name_is_not_asked() {
    for url in [
        "http://auth.partners.ljg-sushi.example/jwks",
        "http://127.0.0.1:1/jwks",
        "https://user@keys.example/jwks",
        "https://keys.example/jwks?x=1",
        "https://keys.example/jwks#x",
        "https://keys.example/../jwks",
        "file:///etc/passwd",
        "//keys.example/jwks",
        "/jwks",
        "",
    ] {
        let body = metadata(PARTNERS_URL, url).to_string();
        assert_eq!(first_answer(200, body.as_bytes()), Err(KeyFetchError::JwksUrl), "{url}");
    }
}

#[test]
fn a_jwks_uri_with_an_address_of_the_own_network_is_not_asked() {
    let answered = |url: &str| first_answer(200, metadata(PARTNERS_URL, url).to_string().as_bytes());
    for host in ["10.0.0.1", "127.0.0.1:8443", "169.254.169.254", "192.168.1.1", "[::1]", "[fd00::1]:8443"] {
        assert_eq!(answered(&format!("https://{host}/jwks")), Err(KeyFetchError::JwksUrl), "{host}");
    }
    for host in ["8.8.8.8", "keys.example"] {
        assert!(answered(&format!("https://{host}/jwks")).is_ok(), "{host}");
    }
}

#[test]
fn what_is_no_metadata_fails_the_fetch() {
    let whole = metadata(PARTNERS_URL, "https://keys.example/jwks").to_string();
    let twice = whole.replacen('{', &format!("{{\"issuer\":\"{PARTNERS_URL}\","), 1);
    let large = whole.replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(MAX_METADATA_BYTES)), 1);
    for body in
        ["", "<html>", "[]", "{}", "{\"issuer\":7,\"jwks_uri\":\"https://k.example\"}", &whole[..20], &twice, &large]
    {
        assert_eq!(first_answer(200, body.as_bytes()), Err(KeyFetchError::Metadata), "{body:.60}");
    }
    for status in [0, 201, 204, 301, 302, 304, 404, 500, 503] {
        assert_eq!(first_answer(status, whole.as_bytes()), Err(KeyFetchError::Status(status)));
    }
}

#[test]
fn what_is_no_key_set_fails_the_fetch() {
    let policy = policies::example();
    let issuer = partners(&policy);
    let body = metadata(PARTNERS_URL, "https://keys.example/jwks").to_string();
    let second = || match fetch(&mut KeyCache::new(), issuer, 0).answered(issuer, &answer(200, body.as_bytes())) {
        Ok(KeyStep::Next(next)) => next,
        other => panic!("{other:?}"),
    };
    for (status, body, error) in [
        (500, jwks(&[&PARTNERS_ED]), KeyFetchError::Status(500)),
        (302, jwks(&[&PARTNERS_ED]), KeyFetchError::Status(302)),
        (200, "<html>".to_owned(), KeyFetchError::Jwks(JwksError::Malformed)),
        (200, body.clone(), KeyFetchError::Jwks(JwksError::Malformed)),
        (200, "{\"keys\":[]}".to_owned(), KeyFetchError::Jwks(JwksError::NoUsableKey)),
        (200, " ".repeat(MAX_JWKS_BYTES + 1), KeyFetchError::Jwks(JwksError::TooLarge)),
    ] {
        let outcome = second().answered(issuer, &answer(status, body.as_bytes())).map(|_| ());
        assert_eq!(outcome, Err(error), "{status} {body:.40}");
    }
}

#[test]
fn what_was_discovered_is_used_again_until_it_fails_or_an_hour_has_passed() {
    let policy = policies::example();
    let issuer = partners(&policy);
    let mut cache = KeyCache::new();
    let first_urls = |cache: &mut KeyCache, seconds: u64| {
        let fetch = fetch(cache, issuer, seconds);
        let url = fetch.url().to_owned();
        let fetched = fetch_keys(issuer, fetch, None, |url| {
            let body = metadata(PARTNERS_URL, "https://keys.example/jwks").to_string();
            Some(if url.ends_with("/jwks") { jwks(&[&PARTNERS_ED]) } else { body })
        });
        cache.store(issuer, fetched.unwrap(), at(seconds));
        url
    };
    let discovery = format!("{PARTNERS_URL}/.well-known/openid-configuration");
    assert_eq!(first_urls(&mut cache, 0), discovery);
    assert_eq!(cache.source(issuer), Some("https://keys.example/jwks"));
    assert_eq!(first_urls(&mut cache, 1_000), "https://keys.example/jwks");
    assert_eq!(first_urls(&mut cache, KEY_DISCOVERY_TTL.as_secs() - 1), "https://keys.example/jwks");
    assert_eq!(first_urls(&mut cache, KEY_DISCOVERY_TTL.as_secs() + 1_000), discovery);
    // The keys have moved: what was discovered leads nowhere, so the issuer is asked again where they are.
    let later = KEY_DISCOVERY_TTL.as_secs() + 3_000;
    assert_eq!(fetch(&mut cache, issuer, later).url(), "https://keys.example/jwks");
    cache.fail(issuer, at(later));
    assert_eq!(fetch(&mut cache, issuer, later + 10).url(), discovery);
}

#[test]
fn an_issuer_whose_metadata_cannot_be_had_is_503_and_one_that_lies_too() {
    let call = Call::get("/companies/1111/orders").bearer(Token::partner("1111").compact());
    let discovery = format!("{PARTNERS_URL}/.well-known/openid-configuration");
    for body in [None, Some(metadata("https://evil.example", &format!("{PARTNERS_URL}/.well-known/jwks.json")))] {
        let mut world = World::example();
        assert_eq!(world.outcome(&call), Outcome::Permit);
        let mut world = World::example();
        match body {
            Some(body) => world.published.insert(discovery.clone(), body.to_string()),
            None => world.published.remove(&discovery),
        };
        assert_eq!(world.outcome(&call), Outcome::Deny(503, Reason::KeysUnavailable));
    }
}
