//! `postern keys URL|FILE`.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::Algorithm;
use serde_json::{Value, json};

use crate::{
    signer::Signer,
    support::{KEYS, Scratch, run, serve},
};

#[test]
fn each_key_is_shown_with_what_it_could_check_and_each_refused_one_with_the_reason() {
    let scratch = Scratch::new();
    let signers = [Algorithm::Es256, Algorithm::Rs256, Algorithm::Es512]
        .map(|algorithm| Signer::generate(algorithm, algorithm.name()).unwrap());
    let mut keys: Vec<Value> = signers.iter().map(|signer| signer.jwk().unwrap()).collect();
    let free = keys[1].as_object_mut().unwrap();
    free.remove("alg");
    keys.insert(1, json!({"kty": "oct", "kid": "secret\u{1b}[2J", "k": "c2VjcmV0"}));
    keys.push(json!({"kty": "RSA", "kid": "short", "e": "AQAB", "n": Base64UrlUnpadded::encode_string(&[0xA5; 128])}));
    let file = scratch.file("jwks.json", &json!({ "keys": keys }).to_string());
    let told = run(&["keys", &file]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    let rows: Vec<String> =
        told.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows[1], "0 ES256 EC P-256 ES256");
    assert!(rows[2].starts_with("1 secret\\u{1b}[2J refused `kty` is `oct`"), "{}", rows[2]);
    assert_eq!(rows[3], "2 RS256 RSA 2048 RS256 RS384 RS512 PS256 PS384 PS512");
    assert_eq!(rows[4], "3 ES512 EC P-521 ES512");
    assert!(rows[5].starts_with("4 short refused the RSA modulus"), "{}", rows[5]);
    assert!(rows[6].ends_with(": 3 usable keys, 2 refused"), "{}", rows[6]);
    assert!(!told.out.contains("c2VjcmV0"));
    let told = run(&["keys", &file, "--format", "json"]).json();
    assert_eq!(told["keys"][1]["bits"], 2048);
    assert_eq!(told["keys"][1]["index"], 2);
    assert_eq!(told["refused"][1]["kid"], "short");
}

#[test]
fn a_set_and_the_subcommands_stand_side_by_side() {
    let scratch = Scratch::new();
    let file = scratch.file("seal", KEYS);
    for args in [vec!["keys", &file, "--format", "json"], vec!["keys", "--format", "json", &file]] {
        assert_eq!(run(&args).json()["keys"][0]["crv"], "Ed25519", "{args:?}");
    }
    for args in [vec!["--format", "json", "keys", "check", &file], vec!["keys", "--format", "json", "check", &file]] {
        let told = run(&args);
        assert!(told.code == 2 && told.err.contains("write it anew with `postern keys seal`"), "{told:?}");
    }
    let told = run(&["keys", &file, "check", &file]);
    assert!(told.code == 2 && told.err.contains("either a JWK set or a subcommand"), "{told:?}");
}

#[test]
fn a_set_without_a_usable_key_is_the_answer_no() {
    let scratch = Scratch::new();
    let file = scratch.file("jwks.json", r#"{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}"#);
    let told = run(&["keys", &file]);
    assert_eq!(told.code, 1);
    assert!(told.out.contains("0 usable keys, 1 refused"), "{told:?}");
}

#[test]
fn a_url_is_fetched_by_https_alone_unless_it_is_this_machine_and_one_says_so() {
    let (url, server) = serve(vec![("/jwks", Some(KEYS.to_owned()))]);
    let told = run(&["keys", &format!("{url}/jwks"), "--insecure-loopback"]);
    server.join().unwrap();
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.out.contains("OKP Ed25519"), "{told:?}");
    for (args, says) in [
        (vec!["http://127.0.0.1:9/jwks"], "for a server on this machine add `--insecure-loopback`"),
        (vec!["http://issuer.example/jwks", "--insecure-loopback"], "is for 127.0.0.1, [::1] and localhost alone"),
        (vec!["http://127.0.0.1@issuer.example/jwks", "--insecure-loopback"], "is for 127.0.0.1"),
        (vec!["ftp://issuer.example/jwks"], "keys are fetched by `https://` alone"),
        (vec!["http://127.0.0.1:9/jwks", "--insecure-loopback"], "cannot be fetched"),
    ] {
        let told = run(&[&["keys"], &args[..]].concat());
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.err.contains(says), "{says}: {told:?}");
    }
}

#[test]
fn what_is_no_key_set_is_told_and_metadata_says_where_the_keys_are() {
    let scratch = Scratch::new();
    let metadata = r#"{"issuer":"https://i.example","jwks_uri":"https://i.example/keys"}"#;
    for (text, says) in [
        ("<html>", "the body is not a JWK set"),
        ("{}", "the body is not a JWK set"),
        (metadata, "it is an issuer's metadata, whose keys are at `https://i.example/keys`"),
    ] {
        let told = run(&["keys", &scratch.file("jwks.json", text)]);
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.err.contains(says), "{says}: {told:?}");
    }
    let (url, server) = serve(vec![("/jwks", Some(" ".repeat(300 * 1024)))]);
    let told = run(&["keys", &format!("{url}/jwks"), "--insecure-loopback"]);
    server.join().unwrap();
    assert!(told.code == 2 && told.err.contains("larger than the cap"), "{told:?}");
}
