//! Each need and each of its answers: what cannot be told is a 503, and `exp` is looked at again last.

use std::time::Duration;

use postern::{
    Authorizer, Decision, JwkSet, Keys, Permissions, PermissionsRecord, Progress, Reason, Request, SignatureCheck,
    authorizer::{NeedsKeys, NeedsPermissions, NeedsSignature},
};
use serde_json::json;

use crate::support::{
    NOW, Token, at,
    keys::{PARTNERS_ED, USERS, jwks},
    policies,
};

const MANAGERS: &str = "/companies/1111/users/user-manager/orders";

fn authorizer() -> Authorizer {
    Authorizer::new(policies::example())
}

fn users_keys() -> JwkSet {
    JwkSet::parse(jwks(&[&USERS]).as_bytes()).unwrap()
}

fn manager() -> PermissionsRecord {
    PermissionsRecord::parse(br#"{"id":"user-manager","companies":["1111"],"role":"Manager"}"#).unwrap()
}

fn begin<'a>(authorizer: &'a Authorizer, token: &str) -> Progress<'a> {
    let value = format!("Bearer {token}");
    let headers = [("authorization", value.as_str())];
    authorizer.begin(&Request { method: "GET", target: MANAGERS, headers: &headers }, at(0))
}

fn needs_keys(progress: Progress<'_>) -> NeedsKeys<'_> {
    match progress {
        Progress::NeedsKeys(need) => need,
        other => panic!("no keys were asked for: {other:?}"),
    }
}

fn needs_signature(progress: Progress<'_>) -> NeedsSignature<'_> {
    match progress {
        Progress::NeedsSignature(need) => need,
        other => panic!("no signature check was asked for: {other:?}"),
    }
}

fn needs_permissions(progress: Progress<'_>) -> NeedsPermissions<'_> {
    match progress {
        Progress::NeedsPermissions(need) => need,
        other => panic!("no permissions were asked for: {other:?}"),
    }
}

fn at_signature<'a>(authorizer: &'a Authorizer, token: &str) -> NeedsSignature<'a> {
    needs_signature(needs_keys(begin(authorizer, token)).resume(Keys::Fresh(&users_keys()), at(0)))
}

fn at_permissions<'a>(authorizer: &'a Authorizer, token: &str) -> NeedsPermissions<'a> {
    needs_permissions(at_signature(authorizer, token).resume(SignatureCheck::Valid, at(0)))
}

/// Status and reason of a denial; `None` for a permit.
fn denial(progress: Progress<'_>) -> Option<(u16, Reason)> {
    match progress {
        Progress::Decided(Decision::Deny(denial)) => Some((denial.answer().status, denial.reason())),
        Progress::Decided(Decision::Permit(_)) => None,
        other => panic!("not decided: {other:?}"),
    }
}

#[test]
fn each_need_says_what_it_lacks() {
    let authorizer = authorizer();
    let token = Token::user("user-manager").compact();
    let need = needs_keys(begin(&authorizer, &token));
    assert_eq!((need.issuer().name(), need.key_id()), ("users", Some("users-1")));
    let need = needs_signature(need.resume(Keys::Fresh(&users_keys()), at(0)));
    assert_eq!((need.algorithm().name(), need.key().key_id()), ("RS256", Some("users-1")));
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!((need.message(), need.signature().len()), (message.as_bytes(), 256));
    let need = needs_permissions(need.resume(SignatureCheck::Valid, at(0)));
    assert_eq!((need.issuer().name(), need.subject()), ("users", "user-manager"));
    assert_eq!((need.max_age(), need.target().as_deref()), (Duration::from_secs(2), Some("/users/user-manager")));
    assert_eq!(denial(need.resume(Permissions::Found(&manager()), at(0))), None);
}

#[test]
fn keys_that_cannot_be_had_are_a_503() {
    let authorizer = authorizer();
    let need = needs_keys(begin(&authorizer, &Token::user("user-manager").compact()));
    assert_eq!(denial(need.resume(Keys::Unavailable, at(0))), Some((503, Reason::KeysUnavailable)));
}

#[test]
fn an_unknown_kid_is_a_401_when_the_keys_are_fresh_and_a_503_when_they_are_stale() {
    let authorizer = authorizer();
    let token = Token::user("user-manager").header("kid", json!("made-up")).compact();
    let keys = users_keys();
    let fresh = needs_keys(begin(&authorizer, &token)).resume(Keys::Fresh(&keys), at(0));
    assert_eq!(denial(fresh), Some((401, Reason::KeyUnknown)));
    let stale = needs_keys(begin(&authorizer, &token)).resume(Keys::Stale(&keys), at(0));
    assert_eq!(denial(stale), Some((503, Reason::KeysUnavailable)));
}

#[test]
fn a_known_kid_is_used_from_stale_keys() {
    let authorizer = authorizer();
    let need = needs_keys(begin(&authorizer, &Token::user("user-manager").compact()));
    let need = needs_signature(need.resume(Keys::Stale(&users_keys()), at(0)));
    assert_eq!(need.key().key_id(), Some("users-1"));
}

#[test]
fn a_signature_that_cannot_be_checked_is_a_503_and_one_that_does_not_hold_a_401() {
    let authorizer = authorizer();
    let token = Token::user("user-manager").compact();
    for (check, expected) in [
        (SignatureCheck::Unavailable, (503, Reason::SignatureUnavailable)),
        (SignatureCheck::Invalid, (401, Reason::SignatureInvalid)),
    ] {
        assert_eq!(denial(at_signature(&authorizer, &token).resume(check, at(0))), Some(expected));
        // Neither is remembered as verified.
        assert!(matches!(begin(&authorizer, &token), Progress::NeedsKeys(_)));
    }
}

#[test]
fn permissions_that_cannot_be_had_are_a_503() {
    let authorizer = authorizer();
    let need = at_permissions(&authorizer, &Token::user("user-manager").compact());
    assert_eq!(denial(need.resume(Permissions::Unavailable, at(0))), Some((503, Reason::PermissionsUnavailable)));
}

#[test]
fn a_subject_without_a_record_may_nothing() {
    let authorizer = authorizer();
    let need = at_permissions(&authorizer, &Token::user("user-manager").compact());
    assert_eq!(denial(need.resume(Permissions::Absent, at(0))), Some((403, Reason::CompanyMismatch)));
}

#[test]
fn a_record_about_someone_else_is_no_answer() {
    for id in ["user-other", "USER-MANAGER", "user-manager "] {
        let json = format!(r#"{{"id":"{id}","companies":["1111"],"role":"Manager"}}"#);
        let record = PermissionsRecord::parse(json.as_bytes()).unwrap();
        let authorizer = authorizer();
        let need = at_permissions(&authorizer, &Token::user("user-manager").compact());
        let outcome = denial(need.resume(Permissions::Found(&record), at(0)));
        assert_eq!(outcome, Some((503, Reason::PermissionsUnavailable)), "{id}");
    }
}

#[test]
fn a_token_that_ends_while_its_signature_is_checked_is_refused() {
    let authorizer = authorizer();
    let token = Token::user("user-manager").claim("exp", json!(NOW + 1)).compact();
    let outcome = denial(at_signature(&authorizer, &token).resume(SignatureCheck::Valid, at(1)));
    assert_eq!(outcome, Some((401, Reason::Expired)));
}

#[test]
fn a_token_that_ends_while_permissions_are_fetched_is_refused() {
    let authorizer = authorizer();
    let token = Token::user("user-manager").claim("exp", json!(NOW + 2)).compact();
    let need = at_permissions(&authorizer, &token);
    assert_eq!(denial(need.resume(Permissions::Found(&manager()), at(2))), Some((401, Reason::Expired)));
    let need = needs_permissions(begin(&authorizer, &token));
    assert_eq!(denial(need.resume(Permissions::Found(&manager()), at(1))), None);
}

#[test]
fn what_the_token_alone_decides_is_decided_before_permissions_are_asked_for() {
    let authorizer = authorizer();
    for (token, expected) in [
        (Token::user("user-manager").claim("scope", json!("x")), (403, Reason::ScopeMissing)),
        (Token::user("user-other"), (403, Reason::SubjectMismatch)),
    ] {
        let outcome = at_signature(&authorizer, &token.compact()).resume(SignatureCheck::Valid, at(0));
        assert_eq!(denial(outcome), Some(expected));
    }
}

#[test]
fn claims_are_not_judged_before_the_signature_holds() {
    let authorizer = authorizer();
    for token in [
        Token::user("user-manager").claim("exp", json!(1)),
        Token::user("user-manager").raw_claims("not even json"),
        Token::user("user-manager").claim("iss", json!(["x"])),
    ] {
        let outcome = at_signature(&authorizer, &token.compact()).resume(SignatureCheck::Invalid, at(0));
        assert_eq!(denial(outcome), Some((401, Reason::SignatureInvalid)));
    }
}

#[test]
fn a_partners_company_is_its_subject_and_takes_no_permissions_service() {
    let authorizer = authorizer();
    let value = format!("Bearer {}", Token::partner("1111").compact());
    let headers = [("authorization", value.as_str())];
    let request = Request { method: "GET", target: "/companies/1111/orders", headers: &headers };
    let keys = JwkSet::parse(jwks(&[&PARTNERS_ED]).as_bytes()).unwrap();
    let need = needs_keys(authorizer.begin(&request, at(0)));
    let need = needs_signature(need.resume(Keys::Fresh(&keys), at(0)));
    assert_eq!(denial(need.resume(SignatureCheck::Valid, at(0))), None);
}

#[test]
fn a_subject_that_no_path_can_hold_has_no_target_at_the_permissions_service() {
    let any_subject = policies::example_with("subject = \"{user}\"\n", "subject = \"any\"\n");
    let authorizer = Authorizer::new(postern::policy::from_toml(&any_subject, None).unwrap());
    for (subject, target) in [
        ("auth0|pipe", Some("/users/auth0%7Cpipe")),
        ("a b", Some("/users/a%20b")),
        ("../admin", None),
        ("a/b", None),
        ("a?x", None),
        ("100%", None),
        ("..", None),
    ] {
        let need = at_permissions(&authorizer, &Token::user(subject).compact());
        assert_eq!(need.target().as_deref(), target, "{subject}");
    }
}
