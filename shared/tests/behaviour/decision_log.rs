//! What is written down of a decision, and what never is.

use core::time::Duration;

use postern::{
    Authorizer, Decision, Reason, UnixTime,
    decision_log::{self, CacheState, Observed, SubjectKey},
    policy::{LogRule, PolicyFault, from_toml},
};
use serde_json::{Value, json};

use crate::support::{Call, Token, World, at, policies};

const SECRET: &str = "a secret of at least 32 octets, for tests";
const ORDERS: &str = "/companies/1111/users/user-manager/orders";

fn line(world: &mut World, call: &Call, key: Option<&SubjectKey>) -> Value {
    let decision = world.decide(call);
    let observed = Observed {
        at: at(0),
        took: Duration::from_millis(7),
        request_id: Some("8f0c-LHR"),
        deployed_version: Some("dc8dcd28"),
        token: Some(CacheState::Miss),
        keys: Some(CacheState::Hit),
        permissions: None,
        left_out: 0,
    };
    let text = decision_log::line(&decision, "v1", key, &observed);
    assert!(!text.contains('\n'), "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_permit_says_who_may_do_what_for_which_company() {
    let key = SubjectKey::new(SECRET).unwrap();
    let call = Call::get(ORDERS).bearer(Token::user("user-manager").compact());
    let line = line(&mut World::example(), &call, Some(&key));
    let subject = line["subject"].as_str().unwrap();
    assert!(subject.len() == 32 && subject.bytes().all(|byte| byte.is_ascii_hexdigit()), "{subject}");
    let expected = json!({
        "event": "decision", "time": at(0).as_millis(), "request": "8f0c-LHR", "version": "dc8dcd28", "decision": "permit",
        "route": "internal-orders-list", "issuer": "users", "subject": subject, "company": "1111", "policy": "v1",
        "took_ms": 7, "caches": { "token": "miss", "keys": "hit" },
    });
    assert_eq!(line, expected);
}

#[test]
fn fields_that_did_not_reach_the_origin_because_of_their_names_are_counted() {
    let call = Call::get(ORDERS).bearer(Token::user("user-manager").compact());
    let call = call.header("X_Own", "secret").header("x_other", "secret").header("a.b", "secret");
    let line = line(&mut World::example(), &call, None);
    assert_eq!(line["removed_fields"], json!({ "underscore": 2, "dot": 1 }));
    assert!(!line.to_string().contains("secret") && !line.to_string().contains("own"));
}

#[test]
fn a_denial_says_why_in_the_operators_terms() {
    let call = Call::get(ORDERS).bearer(Token::user("user-standard").compact());
    let line = line(&mut World::example(), &call, None);
    assert_eq!(line["decision"], "deny");
    assert_eq!((&line["reason"], &line["status"]), (&json!("subject_mismatch"), &json!(403)));
    assert_eq!((&line["issuer"], line.get("subject")), (&json!("users"), None));
}

#[test]
fn a_caller_who_was_known_before_was_in_the_cache_of_tokens() {
    let mut world = World::example();
    let call = Call::get(ORDERS).bearer(Token::user("user-manager").compact());
    for call in [&call, &Call::get("/health")] {
        let decision = world.decide(call);
        let text = decision_log::line(&decision, "v1", None, &Observed::default());
        assert_eq!(text.contains(r#""caches":{"token":"hit"}"#), decision_issuer(&decision), "{text}");
    }
}

fn decision_issuer(decision: &Decision) -> bool {
    matches!(decision, Decision::Permit(permit) if permit.issuer().is_some())
}

#[test]
fn no_line_holds_a_token_a_path_or_a_raw_subject() {
    let key = SubjectKey::new(SECRET).unwrap();
    let mut world = World::example();
    let good = Token::user("user-manager").compact();
    let foreign = Token::user("ann@example.com").compact();
    let signature = good.rsplit('.').next().unwrap().to_owned();
    let calls = [
        Call::get(ORDERS).bearer(&good),
        Call::get(ORDERS).bearer(&foreign),
        Call::get(ORDERS).bearer(format!("{good}x")),
        // Where a token may end up by mistake.
        Call::get(&format!("/companies/{good}/orders")).bearer(Token::partner("1111").compact()),
        Call::get(&format!("/companies/{good}/orders")),
        Call::get("/companies/ann@example.com/orders").bearer(Token::partner("1111").compact()),
        Call::get(&format!("/{good}")),
        Call::new("OPTIONS", ORDERS)
            .header("origin", "https://app.ljg-sushi.example")
            .header("access-control-request-method", "GET"),
    ];
    for call in &calls {
        for key in [None, Some(&key)] {
            let text = line(&mut world, call, key).to_string();
            for secret in ["user-manager", "ann@example.com", "/companies", good.as_str(), signature.as_str(), SECRET] {
                assert!(!text.contains(secret), "{text} holds {secret}");
            }
        }
    }
}

#[test]
fn a_machine_clients_company_is_its_subject_and_as_little_written() {
    let list = |company: &str| Call::get(&format!("/companies/{company}/orders"));
    let mut world = World::example();
    let own = line(&mut world, &list("1111").bearer(Token::partner("1111").compact()), None);
    assert_eq!((&own["decision"], own.get("company")), (&json!("permit"), None));
    let other = line(&mut world, &list("2222").bearer(Token::partner("1111").compact()), None);
    assert_eq!((&other["reason"], &other["company"]), (&json!("company_mismatch"), &json!("2222")));
}

#[test]
fn a_difference_says_both_sides_and_agreement_says_nothing() {
    let mut world = World::example();
    let permit = world.decide(&Call::get("/health"));
    let no_route = world.decide(&Call::get("/nowhere"));
    let missing = world.decide(&Call::get(ORDERS));
    let difference = |a: &Decision, b: &Decision| decision_log::difference(a, b, "v2", None, &Observed::default());
    for (a, b) in [(&permit, &permit), (&no_route, &no_route)] {
        assert_eq!(difference(a, b), None);
    }
    assert!(difference(&no_route, &missing).is_some(), "two denials for different reasons");
    let line: Value = serde_json::from_str(&difference(&permit, &missing).unwrap()).unwrap();
    let expected = json!({
        "event": "shadow", "time": 0, "decision": "deny", "reason": "credential_missing", "status": 401,
        "route": "internal-orders-list", "policy": "v2", "enforced": { "decision": "permit", "route": "health" },
    });
    assert_eq!(line, expected);
}

#[test]
fn every_denial_is_written_and_no_permit_unless_the_policy_says_so() {
    let mut world = World::example();
    let permit = world.decide(&Call::get("/health"));
    let denial = world.decide(&Call::get("/nowhere"));
    assert!(matches!(&denial, Decision::Deny(denial) if denial.reason() == Reason::NoRoute));
    let never = || -> u32 { panic!("no chance is needed") };
    let now = UnixTime::from_secs(1);
    assert_eq!(world.authorizer.writes_down(&permit, now, never), None);
    assert_eq!(world.authorizer.writes_down(&denial, now, never), Some(0));
    assert!(LogRule::default().tries_shadow(never));
    let log = "[log]\npermits = 0.5\ndenials = 0\nshadow = 0.0\nsubject_key = \"LOG_KEY\"\n[permissions]";
    let policy = from_toml(&policies::example_with("[permissions]", log), None).unwrap();
    let authorizer = Authorizer::new(policy.clone());
    assert_eq!(authorizer.writes_down(&permit, now, || 0), Some(0));
    assert_eq!(authorizer.writes_down(&permit, now, || u32::MAX), None);
    assert_eq!(authorizer.writes_down(&denial, now, never), None);
    assert!(!policy.log().tries_shadow(never));
    assert_eq!(policy.log().subject_key.as_deref(), Some("LOG_KEY"));
}

#[test]
fn callers_without_a_verified_token_cannot_fill_the_log() {
    let mut world = World::example();
    let denials = [
        Call::get("/nowhere"),
        Call::get("/companies/1111/orders"),
        Call::get("/companies/1111/orders").bearer("x"),
        Call::get("/companies/1111/orders").bearer(Token::partner("1111").with_signature(&[0; 64])),
    ]
    .map(|call| world.decide(&call));
    assert!(denials.iter().all(|denial| matches!(denial, Decision::Deny(_))));
    let known = world.decide(&Call::get("/companies/2222/orders").bearer(Token::partner("1111").compact()));
    let never = || -> u32 { panic!("no chance is needed") };
    let authorizer = &world.authorizer;
    let written = |decision: &Decision, milliseconds| {
        authorizer.writes_down(decision, UnixTime::from_millis(milliseconds), never)
    };
    let in_a_second = || (0..100).filter(|index| written(&denials[index % 4], 5_000 + *index as u64).is_some()).count();
    assert_eq!(in_a_second(), 10);
    // A caller who is known is always written down, and says what was left out.
    assert_eq!(written(&known, 5_500), Some(90));
    assert_eq!(written(&known, 5_500), Some(0));
    assert_eq!(written(&denials[0], 5_999), None);
    assert_eq!(written(&denials[0], 6_000), Some(1), "another second");
    assert_eq!(written(&denials[0], 4_000), Some(0), "a clock that was set back");
    for (number, expected) in [(0, 0), (3, 3), (1_000, 100)] {
        let log = format!("[log]\nunidentified_denials_per_second = {number}\n[permissions]");
        let policy = from_toml(&policies::example_with("[permissions]", &log), None).unwrap();
        let authorizer = Authorizer::new(policy);
        let written = |_: &i32| authorizer.writes_down(&denials[0], UnixTime::from_secs(1), never).is_some();
        assert_eq!((0..100).filter(written).count(), expected, "{number}");
    }
}

#[test]
fn shares_and_the_name_of_the_secret_are_checked() {
    for (log, pointer, fault) in [
        ("permits = 1.5", "log.permits", PolicyFault::Share("1.5".into())),
        ("denials = -0.1", "log.denials", PolicyFault::Share("-0.1".into())),
        ("shadow = nan", "log.shadow", PolicyFault::Share("null".into())),
        ("subject_key = \"not a name\"", "log.subject_key", PolicyFault::KeyName),
    ] {
        let errors = from_toml(&policies::example_with("[permissions]", &format!("[log]\n{log}\n[permissions]")), None);
        let errors = errors.unwrap_err();
        assert_eq!((errors.0[0].pointer.as_str(), &errors.0[0].fault), (pointer, &fault), "{log}");
    }
}
