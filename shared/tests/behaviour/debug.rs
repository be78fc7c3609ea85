//! Debug output ends in logs: no token, secret, assertion, record or subject is ever in it.

use std::fmt::Debug;

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{
    JwkSet, Keys, Permissions, PermissionsRecord, Progress, Request, SignatureCheck,
    assertion::{Assertion, AssertionVerifier, Capability},
};
use serde_json::json;

use crate::{
    assertion::{keys, secret},
    support::{Call, Token, World, at, keys::USERS, keys::jwks},
};

/// Who calls, whose company it is: nothing of this may be told.
const SUBJECT: &str = "subject-needle";
const COMPANY: &str = "company-needle";

fn token() -> String {
    Token::user(SUBJECT).compact()
}

fn target() -> String {
    format!("/companies/{COMPANY}/users/{SUBJECT}/orders")
}

fn record() -> PermissionsRecord {
    let json = json!({"id": SUBJECT, "companies": {COMPANY: ["Manager"]}}).to_string();
    PermissionsRecord::parse(json.as_bytes()).unwrap()
}

#[track_caller]
fn says_nothing(what: &impl Debug) {
    let secret_text = Base64UrlUnpadded::encode_string(&[0xA7; 32]);
    let token = token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    for output in [format!("{what:?}"), format!("{what:#?}")] {
        for needle in [SUBJECT, COMPANY, &secret_text, "167, 167", "a7, a7", message, signature, "eyJ", "Bearer"] {
            assert!(!output.contains(needle), "`{needle}` is in {output}");
        }
    }
}

#[test]
fn a_request_does_not_show_its_credential_or_target() {
    let value = format!("Bearer {}", token());
    let headers = [("authorization", value.as_str()), ("cookie", SUBJECT)];
    says_nothing(&Request { method: "GET", target: &target(), headers: &headers });
    says_nothing(&postern::target::CanonicalTarget::parse(&target()).unwrap());
}

#[test]
fn no_step_of_a_decision_shows_the_token_or_the_subject() {
    let world = World::example();
    let value = format!("Bearer {}", token());
    let headers = [("authorization", value.as_str())];
    let target = target();
    let request = Request { method: "GET", target: &target, headers: &headers };
    let keys = JwkSet::parse(jwks(&[&USERS]).as_bytes()).unwrap();
    let progress = world.authorizer.begin(&request, at(0));
    says_nothing(&progress);
    let Progress::NeedsKeys(need) = progress else { panic!("{progress:?}") };
    says_nothing(&need);
    says_nothing(&Keys::Fresh(&keys));
    let progress = need.resume(Keys::Fresh(&keys), at(0));
    says_nothing(&progress);
    let Progress::NeedsSignature(need) = progress else { panic!("{progress:?}") };
    says_nothing(&need);
    let progress = need.resume(SignatureCheck::Valid, at(0));
    says_nothing(&progress);
    let Progress::NeedsPermissions(need) = progress else { panic!("{progress:?}") };
    says_nothing(&need);
    let record = record();
    says_nothing(&Permissions::Found(&record));
    let progress = need.resume(Permissions::Found(&record), at(0));
    says_nothing(&progress);
    let Progress::Decided(decision) = progress else { panic!("{progress:?}") };
    says_nothing(&decision);
    // The token is remembered by now.
    says_nothing(&world.authorizer);
}

#[test]
fn the_caches_do_not_show_what_they_hold() {
    let mut world = World::example();
    world.record("users", SUBJECT, &record().to_json());
    world.permit(&Call::get(&target()).bearer(token()));
    let made_up = Token::user("u").header("kid", json!(SUBJECT)).compact();
    world.later(10);
    for _ in 0..2 {
        world.deny(&Call::get(&target()).bearer(&made_up));
    }
    says_nothing(&world.permissions);
    says_nothing(&world.keys);
    let issuer = world.authorizer.policy().issuers().iter().find(|issuer| issuer.name() == "users").unwrap().clone();
    let ages = (std::time::Duration::from_secs(60), std::time::Duration::ZERO);
    let inquiry = world.permissions.inquire(&issuer, SUBJECT, ages);
    says_nothing(&inquiry);
    let known = world.permissions.look_up(&inquiry, world.now);
    assert!(matches!(known, postern::cache::PermissionsLookup::Known(Some(_))));
    says_nothing(&known);
}

#[test]
fn a_record_does_not_show_whose_it_is() {
    let body = json!({"id": SUBJECT, "companies": [COMPANY]}).to_string();
    let answer =
        postern::cache::PermissionsAnswer { status: 200, etag: None, retry_after: None, body: body.as_bytes() };
    // Octets would be shown as numbers: those of `{"`.
    assert!(!format!("{answer:?}").contains("123, 34"), "{answer:?}");
    says_nothing(&record());
}

#[test]
fn a_denial_does_not_show_who_was_denied() {
    let mut world = World::example();
    let denial = world.deny(&Call::get(&target().replace(COMPANY, "x")).bearer(token()));
    says_nothing(&denial);
    says_nothing(&denial.answer());
}

#[test]
fn keys_and_assertions_do_not_show_secrets_or_subjects() {
    let secrets = [secret("k1", 0xA7)];
    let signing = keys(&secrets);
    says_nothing(&signing);
    let json = json!({"issuers": {"edge": {"keys": secrets}}}).to_string();
    let verifier = AssertionVerifier::from_json("internal-orders", &json).unwrap();
    says_nothing(&verifier);
    let mut world = World::example();
    world.record("users", SUBJECT, &record().to_json());
    let assertion = world.permit(&Call::get(&target()).bearer(token())).assertion("edge", at(0), [0; 16]);
    says_nothing(&assertion);
    let verified = verifier.verify(&assertion.sign(&signing), "GET", &target(), at(0)).unwrap();
    assert_eq!(verified.subject(), Some(SUBJECT));
    says_nothing(&verified);
    let path = format!("/users/{SUBJECT}");
    let for_permissions = Assertion::for_permissions(
        "edge",
        "permissions",
        "users",
        Capability::Read,
        ("GET", path.as_str()),
        at(0),
        [0; 16],
    );
    says_nothing(&for_permissions);
    for secret in [json!("short"), json!(Base64UrlUnpadded::encode_string(&[0xA7; 31]))] {
        let key = json!({"kty": "oct", "kid": "k1", "k": secret});
        let error = postern::assertion::AssertionKeys::from_json(&json!({"keys": [key]}).to_string()).unwrap_err();
        says_nothing(&error);
        assert!(!error.to_string().contains("p6en"), "{error}");
    }
}
