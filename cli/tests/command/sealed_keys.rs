//! `postern keys seal` and `postern keys check`.

use crate::support::{KEYS, Output, Scratch, run, serve};

const METADATA: &str = r#"{"issuer":"{URL}","jwks_uri":"{URL}/jwks"}"#;

/// An overlay that puts the example's issuers there.
fn issuers_at(url: &str) -> String {
    format!("[issuer.partners]\nurl = \"{url}\"\n[issuer.users]\nurl = \"{url}/users\"\n")
}

/// `postern keys seal` on the example whose issuers are all at `url`.
fn seal(url: &str) -> Output {
    let scratch = Scratch::new();
    run(&["keys", "seal", "--overlay", &scratch.file("overlay.toml", &issuers_at(url))])
}

/// `postern keys check` of a file with this text, against the example whose issuers are at `url`.
fn check_keys(name: &str, text: &str, url: &str, format: &str) -> Output {
    let scratch = Scratch::new();
    let (keys, overlay) = (scratch.file(name, text), scratch.file("overlay.toml", &issuers_at(url)));
    run(&["keys", "check", &keys, "--overlay", &overlay, "--format", format])
}

#[test]
fn sealed_keys_are_seeds_that_a_build_takes() {
    let users = ("/users/.well-known/jwks.json", Some(KEYS.to_owned()));
    let (url, server) = serve(vec![
        ("/.well-known/openid-configuration", Some(METADATA.to_owned())),
        ("/jwks", Some(KEYS.to_owned())),
        users,
    ]);
    let sealed = seal(&url);
    server.join().unwrap();
    assert_eq!(sealed.code, 0, "{sealed:?}");
    assert!(sealed.err.contains(&format!("partners: 1 key from {url}/jwks")), "{sealed:?}");
    assert!(sealed.err.contains("partners: key 1 of the set is not used: `kty` is `oct`"), "{sealed:?}");
    let seeds = postern::cache::KeySeeds::parse(sealed.out.as_bytes()).unwrap();
    assert_eq!(seeds.sections().collect::<Vec<_>>(), ["partners", "users"]);
    assert!(!sealed.out.contains("AAAA"), "{sealed:?}");
    let checked = check_keys("seeds.json", &sealed.out, &url, "text");
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.out.contains("users: 1 key, usable for another 3"), "{checked:?}");
    let checked = check_keys("seeds.json", &sealed.out, &url, "json").json();
    assert_eq!(checked["issuers"]["users"]["keys"], 1, "{checked}");
    assert!(checked["issuers"]["users"]["usable_seconds"].as_u64().is_some_and(|left| left > 3_000), "{checked}");
}

#[test]
fn a_key_file_that_is_none_is_told_with_file_line_and_mend() {
    let url = "http://127.0.0.1:9";
    let seed = |issuer: &str, fetched_at: u64| {
        format!(
            "{{\"{issuer}\": {{\"issuer\": \"{url}\", \"jwks_url\": \"{url}/jwks\", \"fetched_at\": {fetched_at}, \
             \"max_age\": 300, \"jwks\": {KEYS}}}}}"
        )
    };
    for (name, text, says) in [
        ("no-json", "{\n  partners".to_owned(), "at line 2 column 3"),
        ("no-snapshot", "{\"partners\": {}}".to_owned(), "`partners`: missing field"),
        ("no-keys", seed("partners", 1).replace("OKP", "oct"), "`partners`: the JWK set holds no usable key"),
        ("stranger", seed("strangers", 1), "the policy has no issuer `strangers`"),
        ("too-old", seed("partners", 1), "`partners`: the keys are past the issuer's hard maximum age"),
    ] {
        let told = check_keys(name, &text, url, "text");
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{name}: {told:?}");
        assert!(told.err.contains(&format!("/{name}: ")) && told.err.contains(says), "{name}: {told:?}");
        assert!(told.err.contains("write it anew with `postern keys seal`"), "{name}: {told:?}");
    }
}

#[test]
fn an_issuer_whose_keys_cannot_be_sealed_is_named_with_its_url() {
    for (name, bodies, says) in [
        (
            "html",
            vec![("/.well-known/openid-configuration", Some("<html>".to_owned()))],
            "the metadata is no JSON object",
        ),
        (
            "other",
            vec![("/.well-known/openid-configuration", Some(METADATA.replace("{URL}\",", "https://evil.example\",")))],
            "the metadata is that of another issuer",
        ),
        ("closed", vec![("/.well-known/openid-configuration", None)], "cannot be fetched"),
    ] {
        let (url, server) = serve(bodies);
        let told = seal(&url);
        server.join().unwrap();
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{name}: {told:?}");
        for part in ["issuer `partners`", &url, says] {
            assert!(told.err.contains(part), "{name}: {part}: {told:?}");
        }
    }
}
