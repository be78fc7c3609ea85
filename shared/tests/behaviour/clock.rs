//! A clock that is earlier than the engine's own release is wrong: nothing is decided by it.

use std::time::Duration;

use postern::{
    Authorizer, BodyDigest, Decision, JwkSet, Keys, Permissions, PermissionsRecord, Progress, RELEASED_AT, Reason,
    Request, SignatureCheck, UnixTime,
    authorizer::{Identification, Survey},
    digest::OF_NOTHING,
};
use serde_json::{Map, Value};

use crate::support::{
    Token, at,
    keys::{USERS, jwks},
    policies,
};

const ORDERS: &str = "/companies/1111/users/user-manager/orders";
const UNCONFIGURED: (u16, Reason) = (503, Reason::Unconfigured);

/// The last moment that is too early.
fn too_early() -> UnixTime {
    UnixTime::from_millis(RELEASED_AT.as_millis() - 1)
}

/// A token that is valid from 1970 on: only the clock says no.
fn token() -> Token {
    Token::user("user-manager").without("iat").without("nbf")
}

fn denial(progress: &Progress<'_>) -> Option<(u16, Reason)> {
    match progress {
        Progress::Decided(Decision::Deny(denial)) => Some((denial.answer().status, denial.reason())),
        _ => None,
    }
}

/// Follows a request to its end; the step of number `wrong` has the wrong clock. `None` for a permit.
fn follow(authorizer: &Authorizer, method: &str, wrong: usize) -> (Option<(u16, Reason)>, usize) {
    let credential = format!("Bearer {}", token().compact());
    let headers = [("authorization", credential.as_str())];
    let keys = JwkSet::parse(jwks(&[&USERS]).as_bytes()).unwrap();
    let record = PermissionsRecord::parse(br#"{"id":"user-manager","companies":["1111"],"role":"Manager"}"#).unwrap();
    let time = |step: usize| if step == wrong { too_early() } else { at(0) };
    let mut progress = authorizer.begin(&Request { method, target: ORDERS, headers: &headers }, time(0));
    let mut step = 0;
    loop {
        step += 1;
        let now = time(step);
        progress = match progress {
            Progress::Decided(Decision::Permit(_)) => return (None, step),
            Progress::NeedsKeys(need) => need.resume(Keys::Fresh(&keys), now),
            Progress::NeedsSignature(need) => need.resume(SignatureCheck::Valid, now),
            Progress::NeedsPermissions(need) => need.resume(Permissions::Found(&record), now),
            Progress::NeedsBody(need) => need.resume(BodyDigest::Sha256(OF_NOTHING), now),
            decided => return (Some(denial(&decided).unwrap()), step),
        };
    }
}

#[test]
fn a_clock_before_the_release_serves_nothing_at_any_step() {
    let policy = policies::example();
    let (decided, steps) = follow(&Authorizer::new(policy.clone()), "POST", usize::MAX);
    assert_eq!((decided, steps), (None, 5), "keys, signature, permissions and body are asked for");
    for wrong in 0..steps {
        let (decided, step) = follow(&Authorizer::new(policy.clone()), "POST", wrong);
        assert_eq!((decided, step), (Some(UNCONFIGURED), wrong + 1), "step {wrong}");
    }
    // A remembered token, and then one whose signature nobody could check or which does not hold.
    let authorizer = Authorizer::new(policy);
    assert_eq!(follow(&authorizer, "GET", usize::MAX).0, None);
    assert_eq!(follow(&authorizer, "GET", 0).0, Some(UNCONFIGURED));
}

#[test]
fn the_release_itself_is_not_too_early() {
    let authorizer = Authorizer::new(policies::example());
    for (target, known) in [("/health", true), ("/nowhere", false), ("//", false)] {
        let request = Request { method: "GET", target, headers: &[] };
        let early = authorizer.begin(&request, too_early());
        assert_eq!(denial(&early), Some(UNCONFIGURED), "{target}");
        let decided = authorizer.begin(&request, RELEASED_AT);
        assert_eq!(matches!(decided, Progress::Decided(Decision::Permit(_))), known, "{target}");
        assert_ne!(denial(&decided), Some(UNCONFIGURED), "{target}");
    }
    assert_eq!(RELEASED_AT.as_secs() % (24 * 3600), 0, "a release has a day");
}

#[test]
fn callers_are_neither_identified_nor_surveyed_by_such_a_clock() {
    let authorizer = Authorizer::new(policies::example());
    let credential = format!("Bearer {}", token().compact());
    let headers = [("authorization", credential.as_str())];
    let request = Request { method: "GET", target: ORDERS, headers: &headers };
    let keys = JwkSet::parse(jwks(&[&USERS]).as_bytes()).unwrap();
    let reason = |identified: Identification<'_>| match identified {
        Identification::Refused(denial) => (denial.answer().status, denial.reason()),
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(reason(authorizer.identify(&request, too_early())), UNCONFIGURED);
    let Identification::NeedsKeys(need) = authorizer.identify(&request, at(0)) else { panic!("no keys are needed") };
    assert_eq!(reason(need.resume(Keys::Fresh(&keys), too_early())), UNCONFIGURED);

    let claims: Value = serde_json::from_str(&token().claims_text()).unwrap();
    let claims: &Map<String, Value> = claims.as_object().unwrap();
    assert_eq!(authorizer.caller_of_claims(claims, too_early()).unwrap_err(), Reason::Unconfigured);
    let caller = authorizer.caller_of_claims(claims, at(0)).unwrap();
    assert_eq!(authorizer.caller_of_json(&caller.to_json(), too_early()).unwrap_err(), Reason::Unconfigured);
    assert_eq!(denial(&authorizer.begin_as(&caller, &request, too_early())), Some(UNCONFIGURED));
    assert!(matches!(authorizer.survey(&caller, too_early()), Survey::Done(Err(Reason::Unconfigured))));
    let Survey::NeedsPermissions(need) = authorizer.survey(&caller, at(0)) else { panic!("no record is needed") };
    assert_eq!(need.resume(Permissions::Absent, too_early()).unwrap_err(), Reason::Unconfigured);
}

#[test]
fn a_tool_may_decide_at_any_time_that_a_person_chose() {
    let authorizer = Authorizer::new(policies::example()).with_any_clock();
    for now in [UnixTime::default(), too_early(), RELEASED_AT.saturating_add(Duration::from_secs(1))] {
        let decided = authorizer.begin(&Request { method: "GET", target: "/health", headers: &[] }, now);
        assert!(matches!(decided, Progress::Decided(Decision::Permit(_))), "{now:?}");
    }
}
