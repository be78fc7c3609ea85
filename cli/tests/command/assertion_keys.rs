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
