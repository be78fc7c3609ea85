//! `postern inspect`.

use serde_json::json;

use crate::support::{NOW, Scratch, output, partner, postern, run, run_with};

#[test]
fn header_and_claims_are_shown_as_unverified_with_times_as_dates() {
    let token = partner(json!({"exp": NOW + 200, "auth_time": NOW - 7_300, "evil": "a\u{1b}[2Jb", "n": {"x": [1]}}));
    let now = NOW.to_string();
    let told = run_with(&["inspect", "--now", &now], &format!("  Bearer {token}\n"));
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    assert!(told.out.starts_with("UNVERIFIED: "), "{}", told.out);
    let rows: Vec<String> =
        told.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for row in [
        "header",
        "alg EdDSA",
        "kid partners-1",
        "claims",
        "exp 1800000200 2027-01-15 08:03:20 UTC, in 3 min",
        "iat 1800000000 2027-01-15 08:00:00 UTC, now",
        "auth_time 1799992700 2027-01-15 05:58:20 UTC, 2 h ago",
        "evil a\\u{1b}[2Jb",
        "n {\"x\":[1]}",
        "sub 1111",
    ] {
        assert!(rows.contains(&row.to_owned()), "{row}: {rows:?}");
    }
    let scratch = Scratch::new();
    let file = scratch.file("token.jwt", &token);
    let told = run(&["inspect", "--now", &now, "--token-file", &file, "--format", "json"]).json();
    assert_eq!(told["verified"], false);
    assert_eq!(told["claims"]["sub"], "1111");
    assert_eq!(told["times"]["exp"]["relative"], "in 3 min");
    assert_eq!(told["problems"], json!([]));
}

#[test]
fn a_malformed_token_is_told_with_what_is_wrong_and_what_could_be_read() {
    let token = partner(json!({}));
    let (message, _) = token.rsplit_once('.').unwrap();
    let told = run_with(&["inspect"], message);
    assert_eq!(told.code, 1);
    assert!(told.out.contains("malformed: it has 2 parts") && told.out.contains("alg"), "{}", told.out);
    let told = run_with(&["inspect", "--format", "json"], "not-a-token").json();
    assert_eq!((&told["header"], &told["claims"]), (&json!(null), &json!(null)));
    assert!(told["problems"][0].as_str().unwrap().contains("1 part"), "{told}");
    for (input, says) in [(String::new(), "there is no token"), ("a".repeat(20_000), "longer than the 16384 octets")] {
        let told = run_with(&["inspect"], &input);
        assert!(told.code == 2 && told.err.contains(says), "{told:?}");
    }
    let told = output(postern(&["inspect"]).write_stdin([0xff, 0xfe, 0x2e]));
    assert!(told.code == 2 && told.err.contains("cannot read standard input"), "{told:?}");
}
