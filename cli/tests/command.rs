//! The command as a person runs it.

use assert_cmd::Command;

fn postern(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("postern").unwrap();
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(args);
    command
}

fn output(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_example_policy_builds() {
    let (code, out, _) = output(postern(&["check"]));
    assert_eq!(code, 0);
    assert!(out.starts_with("postern.toml: builds (8 routes, 2 issuers, 4 origins, version "), "{out}");
}

#[test]
fn a_faulty_policy_is_told_with_line_column_and_mend() {
    let directory = std::env::temp_dir().join(format!("postern-check-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("faulty.toml");
    let policy = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../postern.toml")).unwrap();
    std::fs::write(&file, policy.replacen("issuer = \"partners\"", "issuer = \"partner\"", 1)).unwrap();
    let line = 1 + policy.lines().position(|line| line == "issuer = \"partners\"").unwrap();
    let (code, out, errors) = output(postern(&["check", file.to_str().unwrap()]));
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        errors.contains(&format!("faulty.toml:{line}:10: error: route[0].issuer: no issuer is named `partner`")),
        "{errors}"
    );
    assert!(errors.contains("= mend: write `partners`, or define the issuer"), "{errors}");
    assert!(errors.ends_with("1 fault\n"), "{errors}");
}

#[test]
fn a_missing_file_is_named() {
    let (code, _, errors) = output(postern(&["check", "no-such-file.toml"]));
    assert_eq!(code, 2);
    assert!(errors.contains("`no-such-file.toml`"), "{errors}");
}

#[test]
fn routes_are_a_table_of_who_may_do_what() {
    let (code, out, _) = output(postern(&["routes"]));
    assert_eq!(code, 0);
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 9);
    assert!(rows.contains(&vec![
        "GET",
        "/companies/{company}/users/{user}/vouchers/{voucher}",
        "vouchers",
        "users",
        "the",
        "subject",
        "{user},",
        "company",
        "{company},",
        "role",
        "Manager"
    ]));
    assert!(rows.contains(&vec!["GET", "/health", "external-orders", "-", "anyone"]));
}

#[test]
fn keys_made_here_sign_and_verify_and_rotate() {
    use postern::assertion::{Assertion, AssertionKeys, AssertionVerifier, Capability};
    let (_, first, _) = output(postern(&["assertion-key", "new", "--kid", "a"]));
    let mut rotate = postern(&["assertion-key", "rotate", "--kid", "b"]);
    rotate.write_stdin(first.clone());
    let (_, second, _) = output(rotate);
    let mut trust = postern(&["assertion-key", "trust", "edge", "--capability", "read"]);
    trust.write_stdin(second.clone());
    let (code, trusted, _) = output(trust);
    assert_eq!(code, 0);
    let verifier = AssertionVerifier::from_json("vouchers", &trusted).unwrap();
    let now = postern::UnixTime::from_secs(1_760_000_000);
    for keys in [&first, &second] {
        let keys = AssertionKeys::from_json(keys).unwrap();
        let assertion =
            Assertion::for_permissions("edge", "vouchers", "users", Capability::Read, ("GET", "/a"), now, [7; 16]);
        let verified = verifier.verify(&assertion.sign(&keys), "GET", "/a", now).unwrap();
        assert_eq!(verified.capability(), Some(Capability::Read));
    }
}

#[test]
fn keys_that_are_none_are_refused_without_being_shown() {
    let mut trust = postern(&["assertion-key", "trust"]);
    trust.write_stdin(r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#);
    let (code, out, errors) = output(trust);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(errors.contains("shorter than 32 octets") && !errors.contains("c2VjcmV0"), "{errors}");
}
