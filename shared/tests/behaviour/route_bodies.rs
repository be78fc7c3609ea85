//! Bodies that are bound to the assertion: as the caller declares them, or as the edge has read them.

use postern::{
    Authorizer, Decision, Policy, Progress, Reason, Request,
    digest::{content_digest_field, sha256},
    policy::from_toml,
};

use crate::support::{Call, NOW, Outcome, Token, World, at, policies, world::field};

const CREATE: &str = "/companies/1111/orders";

/// The example with `body` on the partners' route that creates orders.
fn policy(body: &str) -> Policy {
    let text = policies::example_with(
        "name = \"external-orders-create\"",
        &format!("name = \"external-orders-create\"\nbody = \"{body}\""),
    );
    let text = text.replace("[permissions]", "[limits]\nmax_body_bytes = 10\n[permissions]");
    from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"))
}

fn world(body: &str) -> World {
    let mut world = World::example();
    world.authorizer = Authorizer::new(policy(body));
    world
}

fn create() -> Call {
    Call::new("POST", CREATE).bearer(Token::partner("1111").compact())
}

#[test]
fn a_declared_body_is_bound_by_what_its_caller_declares() {
    let mut world = world("declared");
    let digest = sha256(b"{}");
    let permit = world.permit(&create().header("Content-Digest", &content_digest_field(&digest)));
    assert_eq!(permit.content_sha256(), Some(&digest));
    let assertion = permit.assertion("edge", at(0), [1; 16]);
    assert_eq!(assertion.content_sha256, Some(digest));
    for call in [create(), create().header("content-digest", "sha-512=:AAAA:")] {
        assert_eq!(world.outcome(&call), Outcome::Deny(400, Reason::BodyDigestMissing));
    }
}

#[test]
fn what_the_caller_forgot_is_said_only_to_those_who_may() {
    let mut world = world("declared");
    assert_eq!(world.deny(&Call::new("POST", CREATE)).reason(), Reason::CredentialMissing);
    let other = Call::new("POST", CREATE).bearer(Token::partner("2222").compact());
    assert_eq!(world.deny(&other).reason(), Reason::CompanyMismatch);
}

#[test]
fn a_buffered_body_is_bound_by_what_was_read() {
    let mut world = world("buffered");
    let permit = world.permit(&create().body("0123456789"));
    assert_eq!(permit.content_sha256(), Some(&sha256(b"0123456789")));
    let denial = world.deny(&create().body("0123456789a"));
    assert_eq!((denial.reason(), denial.answer().status), (Reason::BodyTooLarge, 413));
    assert!(denial.answer().body.contains("content_too_large"));
    assert_eq!(field(denial.answer(), "www-authenticate"), None);
}

#[test]
fn nobody_has_an_edge_read_what_it_would_refuse() {
    let authorizer = Authorizer::new(policy("buffered"));
    let token = format!("Bearer {}", Token::partner("2222").compact());
    let headers = [("authorization", token.as_str())];
    let mut progress = authorizer.begin(&Request { method: "POST", target: CREATE, headers: &headers }, at(0));
    let world = World::example();
    let keys = postern::JwkSet::parse(
        world.published[&format!("{}/.well-known/jwks.json", crate::support::token::PARTNERS_URL)].as_bytes(),
    )
    .unwrap();
    loop {
        progress = match progress {
            Progress::NeedsKeys(need) => need.resume(postern::Keys::Fresh(&keys), at(0)),
            Progress::NeedsSignature(need) => {
                let check = postern::signature::check(&need);
                need.resume(check, at(0))
            }
            Progress::NeedsBody(_) => panic!("the body of a caller who may not is asked for"),
            Progress::NeedsPermissions(_) => panic!("partners need no record"),
            Progress::Decided(Decision::Deny(denial)) => {
                assert_eq!(denial.reason(), Reason::CompanyMismatch);
                break;
            }
            Progress::Decided(other) => panic!("{other:?}"),
        };
    }
}

#[test]
fn a_token_that_ends_while_the_body_is_read_ends_the_request() {
    let authorizer = Authorizer::new(policy("buffered"));
    let mut world = world("buffered");
    drop(world.permit(&create().body("x")));
    let token = format!("Bearer {}", Token::partner("1111").compact());
    let headers = [("authorization", token.as_str())];
    // The world's authoriser knows the token by now, so that the body is the first need.
    let request = Request { method: "POST", target: CREATE, headers: &headers };
    let Progress::NeedsBody(need) = world.authorizer.begin(&request, at(0)) else { panic!("the body is needed") };
    let digest = postern::BodyDigest::Sha256(sha256(b"x"));
    let Progress::Decided(Decision::Deny(denial)) = need.resume(digest, at(3600)) else { panic!("{NOW}") };
    assert_eq!(denial.reason(), Reason::Expired);
    let Progress::NeedsBody(need) = world.authorizer.begin(&request, at(0)) else { panic!("the body is needed") };
    let Progress::Decided(Decision::Deny(denial)) = need.resume(postern::BodyDigest::Unreadable, at(0)) else {
        panic!("a body that broke off is permitted")
    };
    assert_eq!((denial.reason(), denial.answer().status), (Reason::BodyUnreadable, 400));
    drop(authorizer);
}

#[test]
fn a_permit_says_when_the_token_that_it_rests_on_has_ended() {
    let mut world = world("declared");
    let digest = postern::digest::content_digest_field(&sha256(b"x"));
    let permit = world.permit(&create().header("content-digest", &digest).body("x"));
    assert_eq!((permit.is_expired(at(3599)), permit.is_expired(at(3600))), (false, true));
    assert!(!world.permit(&Call::get("/health")).is_expired(at(1_000_000)));
}

#[test]
fn a_body_that_is_fed_slowly_does_not_keep_a_decision_that_would_be_another_by_now() {
    let mut world = world("buffered");
    drop(world.permit(&create().body("x")));
    let token = format!("Bearer {}", Token::partner("1111").compact());
    let headers = [("authorization", token.as_str())];
    let request = Request { method: "POST", target: CREATE, headers: &headers };
    for (seconds, is_permitted) in [(0, true), (60, true), (61, false)] {
        let Progress::NeedsBody(need) = world.authorizer.begin(&request, at(0)) else { panic!("the body is needed") };
        assert_eq!(need.time_limit().as_secs(), 60);
        match need.resume(postern::BodyDigest::Sha256(sha256(b"x")), at(seconds)) {
            Progress::Decided(Decision::Permit(_)) => assert!(is_permitted, "{seconds}"),
            Progress::Decided(Decision::Deny(denial)) => {
                assert_eq!((denial.reason(), is_permitted), (Reason::BodyUnreadable, false), "{seconds}");
            }
            _ => panic!("{seconds}"),
        }
    }
}

#[test]
fn methods_without_a_body_are_bound_to_none() {
    for body in ["declared", "buffered"] {
        let text = policies::example_with(
            "name = \"external-orders-list\"",
            &format!("name = \"external-orders-list\"\nbody = \"{body}\""),
        );
        let mut world = World::example();
        world.authorizer = Authorizer::new(from_toml(&text, None).unwrap());
        for method in ["GET", "HEAD"] {
            let permit = world.permit(&Call::new(method, CREATE).bearer(Token::partner("1111").compact()));
            assert_eq!(permit.content_sha256(), Some(&sha256(b"")), "{body} {method}");
        }
    }
}

#[test]
fn an_assertion_says_the_digest_and_the_fields_and_nothing_can_change_them() {
    use postern::assertion::{AssertionKeys, AssertionVerifier};
    let mut world = world("declared");
    let digest = sha256(b"{}");
    let permit = world.permit(&create().header("content-digest", &content_digest_field(&digest)));
    let key = r#"{"kty":"oct","kid":"k","k":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"}"#;
    let mut assertion = permit.assertion("edge", at(0), [1; 16]);
    assertion.handed_on = vec![("x-tier".into(), "gold".into())];
    let compact = assertion.sign(&AssertionKeys::from_json(&format!(r#"{{"keys":[{key}]}}"#)).unwrap());
    let trust = format!(r#"{{"issuers":{{"edge":{{"keys":[{key}]}}}}}}"#);
    let verifier = AssertionVerifier::from_json("external-orders", &trust).unwrap();
    let verified = verifier.verify(&compact, "POST", CREATE, at(0)).unwrap();
    assert_eq!(verified.content_sha256(), Some(&digest));
    assert_eq!(verified.handed_on(), [("x-tier".to_owned(), "gold".to_owned())]);
}
