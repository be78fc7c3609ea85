//! `postern assertion-key`.

use crate::support::{run, run_with};

#[test]
fn keys_made_here_sign_and_verify_and_rotate() {
    use postern::assertion::{Assertion, AssertionKeys, AssertionVerifier, Capability};
    let first = run(&["assertion-key", "new", "--kid", "a"]).out;
    let second = run_with(&["assertion-key", "rotate", "--kid", "b"], &first).out;
    let trusted = run_with(&["assertion-key", "trust", "edge", "--capability", "read"], &second);
    assert_eq!(trusted.code, 0);
    let verifier = AssertionVerifier::from_json("vouchers", &trusted.out).unwrap();
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
    let refused = run_with(&["assertion-key", "trust"], r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("shorter than 32 octets") && !refused.err.contains("c2VjcmV0"), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn a_key_is_written_to_a_new_file_that_only_its_owner_can_read() {
    use crate::support::{Scratch, output, postern};
    use std::{fs, os::unix::fs::PermissionsExt as _, process::Stdio};
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let mode = |name: &str| fs::metadata(scratch.path().join(name)).unwrap().permissions().mode() & 0o777;
    let (first, next, trusted) = (path("first.key"), path("next.key"), path("trusted.json"));
    let told = run(&["assertion-key", "new", "--kid", "a", "--out", &first]);
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (0, "", ""));
    assert_eq!(mode("first.key"), 0o600);
    let key = fs::read_to_string(&first).unwrap();
    let told = run_with(&["assertion-key", "rotate", "--kid", "b", "--out", &next], &key);
    assert_eq!((told.code, told.out.as_str(), mode("next.key")), (0, "", 0o600));
    let told = run_with(&["assertion-key", "trust", "--out", &trusted], &key);
    assert_eq!((told.code, told.out.as_str(), mode("trusted.json")), (0, "", 0o600));
    // What is there is not lost.
    let told = run(&["assertion-key", "new", "--kid", "c", "--out", &first]);
    assert!(told.code == 2 && told.err.contains("exists, and the key in it would be lost"), "{told:?}");
    assert_eq!(fs::read_to_string(&first).unwrap(), key);
    // A file that others can read is used, with a warning.
    let from = |name: &str| {
        let file = fs::File::open(scratch.path().join(name)).unwrap();
        let child = std::process::Command::new(postern(&[]).get_program())
            .args(["assertion-key", "trust"])
            .stdin(Stdio::from(file))
            .output()
            .unwrap();
        (child.status.code(), String::from_utf8(child.stderr).unwrap())
    };
    assert_eq!(from("first.key"), (Some(0), String::new()));
    for readable in [0o640, 0o604, 0o644] {
        fs::set_permissions(&first, fs::Permissions::from_mode(readable)).unwrap();
        let (code, err) = from("first.key");
        assert!(code == Some(0) && err.contains("can be read by other users"), "{readable:o}: {err}");
    }
    let mut list = postern(&["permissions", "list", "--url", "http://127.0.0.1:1", "--insecure-loopback"]);
    let told = output(list.args(["--key-file", &first, "--issuer", "users"]));
    assert!(told.err.contains("can be read by other users"), "{told:?}");
}
