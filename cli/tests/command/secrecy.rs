//! No output of any command has the token in it, nor its signature, whatever goes wrong.

use serde_json::json;

use crate::support::{
    NOW, Output, PARTNERS, RECORDS, Scratch, USERS, example_with, jwks, partner, run, run_with, user,
};

fn assert_secret(told: &Output, token: &str) {
    let all = format!("{}{}", told.out, told.err);
    assert!(!all.contains(token), "the token is in {told:?}");
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!all.contains(part), "`{part}` is in {told:?}");
    }
}

#[test]
fn no_output_has_the_token_or_its_signature() {
    let scratch = Scratch::new();
    let partners = format!("partners={}", scratch.file("partners.json", &jwks(&PARTNERS)));
    let users = format!("users={}", scratch.file("users.json", &jwks(&USERS)));
    let records = scratch.file("records.json", RECORDS);
    let now = NOW.to_string();
    let given = ["--keys", &partners, "--keys", &users, "--permissions", &records, "--now", &now];
    let good = user(json!({}));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let tokens = [
        good.clone(),
        partner(json!({})),
        user(json!({"exp": NOW})),
        user(json!({"sub": 7})),
        user(json!({"iss": "https://other.example"})),
        format!("{message}.{}", signature.chars().rev().collect::<String>()),
        message.to_owned(),
        format!("{good}="),
        format!("{good}.{signature}"),
        format!("{good} {good}"),
        good.repeat(20),
    ];
    for token in &tokens {
        let file = scratch.file("token.jwt", token);
        for target in ["/companies/1111/users/jane/orders", "/companies/1111/orders", "/health", "/nowhere", "//"] {
            for format in ["text", "json"] {
                let args = [&["explain", target, "--format", format], &given[..]].concat();
                assert_secret(&run_with(&args, token), token);
                assert_secret(&run(&[&args[..], &["--token-file", &file]].concat()), token);
            }
        }
        for format in ["text", "json"] {
            assert_secret(&run_with(&["inspect", "--format", format], token), token);
        }
        let line = json!({"id": 1, "method": "GET", "target": "/companies/1111/users/jane/orders",
            "headers": [["authorization", format!("Bearer {token}")]]});
        assert_secret(&run_with(&[&["decide"], &given[..]].concat(), &line.to_string()), token);
    }
}

#[test]
fn the_tokens_of_a_run_of_tests_are_shown_nowhere() {
    let scratch = Scratch::new();
    let changed = example_with(
        "company = \"{company}\"\nroles = [\"Manager\"]",
        "company = \"{company}\"\nroles = [\"Standard\"]",
    );
    let changed = scratch.file("changed.toml", &changed);
    for args in [
        vec!["diff", "postern.toml", &changed],
        vec!["diff", "postern.toml", &changed, "--format", "json"],
        vec!["test"],
        vec!["test", "--format", "json"],
        vec!["test", &changed],
        vec!["test", &changed, "--format", "json"],
    ] {
        let told = run(&args);
        // What every header of a signed token begins with.
        assert!(told.out.len() > 100 && !told.out.contains("eyJ") && !told.err.contains("eyJ"), "{told:?}");
    }
}

#[test]
fn a_token_among_the_arguments_is_refused_and_not_repeated() {
    let token = user(json!({}));
    let field = format!("authorization: Bearer {token}");
    let query = format!("/orders?access_token={token}");
    let option = format!("--token={token}");
    for args in [
        vec!["explain", "/health", token.as_str()],
        vec!["explain", "/health", "-H", &field],
        vec!["explain", "/health", "-H", "Authorization: Basic dXNlcjpwYXNz"],
        vec!["explain", &query],
        vec!["explain", "/health", &option],
        vec!["inspect", &token],
        vec!["inspect", "--token-file", &token],
        vec!["check", &token],
        vec![&token],
        vec!["keys", &token],
        vec!["decide", "--keys", &token],
    ] {
        let told = run(&args);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{told:?}");
        assert!(told.err.starts_with("postern: an argument holds a credential"), "{told:?}");
        assert_secret(&told, &token);
        assert!(!told.err.contains("dXNlcjpwYXNz"), "{told:?}");
    }
}
