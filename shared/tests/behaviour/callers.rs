//! Who calls, apart from a request: identified by a token, taken over from whom a driver believes, and surveyed.

use std::collections::BTreeSet;

use postern::{
    Answer, Authorizer, Caller, Decision, JwkSet, Keys, Permissions, PermissionsRecord, Reason, SignatureCheck,
    authorizer::{Companies, Entitlements, Identification, Survey},
    policy::from_toml,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{
    Call, NOW, Outcome, Token, World, at, keys, policies,
    token::{CLIENT, USERS_URL},
};

fn identify(authorizer: &Authorizer, call: &Call, published: Keys<'_>) -> Result<Caller, (Reason, Answer)> {
    let headers: Vec<(&str, &str)> = call.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let request = postern::Request { method: &call.method, target: &call.target, headers: &headers };
    let mut progress = authorizer.identify(&request, at(0));
    loop {
        progress = match progress {
            Identification::Identified(caller) => return Ok(caller),
            Identification::Refused(denial) => return Err((denial.reason(), denial.answer().clone())),
            Identification::NeedsKeys(need) => need.resume(published, at(0)),
            Identification::NeedsSignature(need) => {
                let check = postern::signature::check(&need);
                need.resume(check, at(0))
            }
        };
    }
}

fn users() -> JwkSet {
    JwkSet::parse(keys::jwks(&[&keys::USERS]).as_bytes()).unwrap()
}

fn example() -> Authorizer {
    Authorizer::new(policies::example())
}

fn caller(authorizer: &Authorizer, token: &Token) -> Caller {
    identify(authorizer, &Call::get("/").bearer(token.compact()), Keys::Fresh(&users())).unwrap()
}

#[test]
fn a_token_says_who_calls_whatever_is_asked_for() {
    let authorizer = example();
    for target in ["/companies/1111/orders", "/nowhere", "//not/canonical"] {
        let call = Call::new("PUT", target).bearer(Token::user("user-manager").compact());
        let caller = identify(&authorizer, &call, Keys::Fresh(&users())).unwrap();
        assert_eq!((caller.issuer(), caller.subject()), ("users", "user-manager"), "{target}");
        assert_eq!(caller.scopes(), ["orders/list.orders", "orders/get.order", "orders/create.order"]);
        assert_eq!(caller.expires_at(), at(3600));
        assert!(caller.permissions().is_none());
    }
}

#[test]
fn who_has_no_good_token_is_nobody() {
    let authorizer = example();
    let keys = users();
    let good = Token::user("user-manager");
    for (call, published, reason, status) in [
        (Call::get("/"), Keys::Fresh(&keys), "credential_missing", 401),
        (Call::get("/").header("authorization", "Bearer a b"), Keys::Fresh(&keys), "credential_malformed", 400),
        (Call::get("/").bearer("not-a-token"), Keys::Fresh(&keys), "token_malformed", 401),
        (Call::get("/").bearer(good.clone().claim("exp", json!(NOW)).compact()), Keys::Fresh(&keys), "expired", 401),
        (
            Call::get("/").bearer(good.clone().claim("client_id", json!("other")).compact()),
            Keys::Fresh(&keys),
            "audience_mismatch",
            401,
        ),
        (
            Call::get("/").bearer(good.clone().claim("token_use", json!("id")).compact()),
            Keys::Fresh(&keys),
            "not_an_access_token",
            401,
        ),
        (
            Call::get("/").bearer(good.clone().claim("iss", json!("https://else.example")).compact()),
            Keys::Fresh(&keys),
            "issuer_unknown",
            401,
        ),
        (Call::get("/").bearer(good.clone().compact()), Keys::Unavailable, "keys_unavailable", 503),
        (Call::get("/").bearer(good.signed_by(&keys::PARTNERS_RSA).compact()), Keys::Fresh(&keys), "key_unknown", 401),
    ] {
        let (found, answer) = identify(&authorizer, &call, published).unwrap_err();
        assert_eq!((found.code(), answer.status), (reason, status), "{call:?}");
    }
}

#[test]
fn a_token_that_was_verified_once_is_known_and_expires_all_the_same() {
    let authorizer = example();
    let token = Token::user("user-manager").compact();
    let call = Call::get("/").bearer(&token);
    identify(&authorizer, &call, Keys::Fresh(&users())).unwrap();
    // Without keys it can only be remembered.
    assert!(identify(&authorizer, &call, Keys::Unavailable).is_ok());
    let value = format!("Bearer {token}");
    let headers = [("authorization", value.as_str())];
    let request = postern::Request { method: "GET", target: "/", headers: &headers };
    assert!(!matches!(authorizer.identify(&request, at(3600)), Identification::Identified(_)));
}

#[test]
fn a_decision_on_a_caller_is_the_decision_on_its_token() {
    let mut world = World::example();
    let by_token = |world: &mut World, token: &Token, method: &str, target: &str| {
        world.outcome(&Call::new(method, target).bearer(token.compact()))
    };
    for token in [
        Token::user("user-manager"),
        Token::user("user-standard"),
        Token::user("user-percompany"),
        Token::user("nobody"),
        Token::user("user-manager").claim("scope", json!("orders/list.orders")),
        Token::partner("1111"),
    ] {
        let set = JwkSet::parse(keys::jwks(&[&keys::USERS, &keys::PARTNERS_ED]).as_bytes()).unwrap();
        let caller = identify(&world.authorizer, &Call::get("/").bearer(token.compact()), Keys::Fresh(&set)).unwrap();
        for (method, target) in [
            ("GET", "/companies/1111/orders"),
            ("POST", "/companies/1111/orders"),
            ("GET", "/companies/2222/orders"),
            ("GET", "/companies/1111/users/user-manager/orders"),
            ("GET", "/companies/2222/users/user-percompany/orders"),
            ("POST", "/companies/1111/users/user-percompany/orders"),
            ("GET", "/companies/1111/users/user-manager/vouchers/v"),
            ("GET", "/companies/1111/orders/"),
            ("PUT", "/companies/1111/orders"),
            ("GET", "/health"),
            ("GET", "/nowhere"),
        ] {
            let expected = by_token(&mut world, &token, method, target);
            // Whatever credential the request itself has is not looked at.
            for call in [Call::new(method, target), Call::new(method, target).bearer("garbage")] {
                let decision = world.decide_as(&caller, &call);
                let found = World::outcome_of(&decision);
                match (&expected, &found) {
                    // Somebody of another section is told so after the caller is known, and not by the token's form.
                    (Outcome::Deny(401, _), Outcome::Deny(401, reason)) => assert_eq!(*reason, Reason::IssuerUnknown),
                    _ => assert_eq!(found, expected, "{method} {target}"),
                }
            }
        }
    }
}

#[test]
fn a_caller_of_another_policy_is_no_caller_of_this_one() {
    let caller = caller(&example(), &Token::user("user-manager"));
    let other = Authorizer::new(from_toml(policies::SMALL, None).unwrap());
    let request = postern::Request { method: "GET", target: "/companies/1111/orders", headers: &[] };
    let postern::Progress::Decided(Decision::Deny(denial)) = other.begin_as(&caller, &request, at(0)) else {
        panic!("a section was taken for another by its place")
    };
    assert_eq!(denial.reason(), Reason::IssuerUnknown);
    assert!(matches!(other.survey(&caller, at(0)), Survey::Done(Err(Reason::IssuerUnknown))));
}

fn claims(changes: &[(&str, Value)]) -> Map<String, Value> {
    let Value::Object(mut claims) = json!({
        "iss": USERS_URL, "client_id": CLIENT, "sub": "user-manager", "token_use": "access",
        "scope": "orders/list.orders", "iat": NOW, "exp": NOW + 3600,
    }) else {
        unreachable!()
    };
    for (name, value) in changes {
        if value.is_null() {
            claims.remove(*name)
        } else {
            claims.insert((*name).to_owned(), value.clone())
        };
    }
    claims
}

#[test]
fn claims_whose_signature_somebody_else_has_checked_are_held_to_every_other_rule() {
    let authorizer = example();
    let caller = authorizer.caller_of_claims(&claims(&[]), at(0)).unwrap();
    assert_eq!((caller.issuer(), caller.subject()), ("users", "user-manager"));
    for (name, value, reason) in [
        ("iss", json!("https://else.example"), "issuer_mismatch"),
        ("iss", json!(null), "issuer_mismatch"),
        ("client_id", json!("other"), "audience_mismatch"),
        ("token_use", json!("id"), "not_an_access_token"),
        ("token_use", json!(null), "not_an_access_token"),
        ("exp", json!(NOW), "expired"),
        ("exp", json!(null), "expiration_missing"),
        ("exp", json!("2099"), "claims_malformed"),
        ("nbf", json!(NOW + 60), "not_yet_valid"),
        ("iat", json!(NOW + 60), "issued_in_future"),
        ("sub", json!(""), "subject_unusable"),
        ("scope", json!(7), "claims_malformed"),
    ] {
        let found = authorizer.caller_of_claims(&claims(&[(name, value.clone())]), at(0)).unwrap_err();
        assert_eq!(found.code(), reason, "{name} {value}");
    }
}

#[test]
fn a_section_that_looks_at_the_header_takes_nobody_without_one() {
    let policy = policies::example_with(
        "preset = \"cognito\"\n",
        "algorithms = [\"RS256\"]\ntoken_type = \"at+jwt\"\naudience = \"any\"\n",
    );
    let authorizer = Authorizer::new(from_toml(&policy, None).unwrap());
    assert_eq!(authorizer.caller_of_claims(&claims(&[]), at(0)).unwrap_err(), Reason::NotAnAccessToken);
}

const WITH_CLAIMS: &str = r#"
roles = ["Manager"]

[issuer.users]
url = "https://issuer.example"
algorithms = ["EdDSA"]
audience = ["https://api.example"]
token_use = "access"
permissions = "claims"

[origin.orders]
url = "https://orders.example"
key = "KEY_ORDERS"

[[route]]
name = "orders"
methods = ["GET"]
path = "/companies/{company}/orders"
origin = "orders"
issuer = "users"
company = "{company}"
roles = ["Manager"]
require.tier = "gold"
"#;

#[test]
fn a_caller_in_json_is_the_same_caller() {
    let authorizer = Authorizer::new(from_toml(WITH_CLAIMS, None).unwrap());
    let Value::Object(claims) = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "u|1", "token_use": "access",
        "tier": ["silver", "gold"], "companies": ["1111", "2222"], "role": "Manager", "scope": "a b", "exp": NOW + 60,
    }) else {
        unreachable!()
    };
    let caller = authorizer.caller_of_claims(&claims, at(0)).unwrap();
    let text = caller.to_json();
    assert!(!text.contains("aud"), "{text}");
    let again = authorizer.caller_of_json(&text, at(0)).unwrap();
    assert_eq!(again.to_json(), text);
    for target in ["/companies/1111/orders", "/companies/3333/orders"] {
        let request = postern::Request { method: "GET", target, headers: &[] };
        let of = |caller| match authorizer.begin_as(caller, &request, at(0)) {
            postern::Progress::Decided(decision) => World::outcome_of(&decision),
            other => panic!("{other:?}"),
        };
        assert_eq!(of(&again), of(&caller), "{target}");
    }
    assert_eq!(authorizer.caller_of_json(&text, at(60)).unwrap_err(), Reason::Expired);
    assert!(!format!("{again:?}").contains("u|1"));
}

#[test]
fn what_is_no_caller_in_json_is_refused() {
    let authorizer = example();
    let good = json!({"issuer": "users", "subject": "u", "scopes": [], "claims": [], "expires_at": NOW + 60});
    assert!(authorizer.caller_of_json(&good.to_string(), at(0)).is_ok());
    let with = |name: &str, value: Value| {
        let mut members = good.as_object().unwrap().clone();
        if value.is_null() {
            members.remove(name)
        } else {
            members.insert(name.to_owned(), value)
        };
        Value::Object(members).to_string()
    };
    for (text, reason) in [
        (String::new(), "claims_malformed"),
        ("[]".to_owned(), "claims_malformed"),
        (good.to_string().replacen('{', r#"{"subject":"v","#, 1), "claims_malformed"),
        (with("issuer", json!("else")), "issuer_unknown"),
        (with("issuer", json!(null)), "claims_malformed"),
        (with("subject", json!("")), "subject_unusable"),
        (with("subject", json!("a\nb")), "subject_unusable"),
        (with("subject", json!("x".repeat(256))), "subject_unusable"),
        (with("scopes", json!("a b")), "claims_malformed"),
        (with("claims", json!([{"path": [], "value": 1}])), "claims_malformed"),
        (with("claims", json!({})), "claims_malformed"),
        (with("expires_at", json!("soon")), "claims_malformed"),
        (with("expires_at", json!(null)), "claims_malformed"),
        (with("expires_at", json!(NOW)), "expired"),
        (with("padding", json!("x".repeat(16 * 1024))), "claims_malformed"),
    ] {
        let found = authorizer.caller_of_json(&text, at(0)).map(drop).unwrap_err();
        assert_eq!(found.code(), reason, "{text:.80}");
    }
    // Where companies are the token's own, they are part of the caller.
    let with_claims = Authorizer::new(from_toml(WITH_CLAIMS, None).unwrap());
    assert_eq!(with_claims.caller_of_json(&good.to_string(), at(0)).unwrap_err(), Reason::ClaimsMalformed);
}

/// The list in words: each route with its companies.
fn listed(entitlements: &Entitlements<'_>) -> Vec<String> {
    let words = entitlements.list().iter().map(|entitlement| match entitlement.companies() {
        Companies::Among(companies) => format!("{} {}", entitlement.route().name(), companies.join(",")),
        _ => entitlement.route().name().to_owned(),
    });
    words.collect()
}

#[test]
fn a_survey_lists_what_a_caller_may_do_and_for_whom() {
    let authorizer = example();
    let record = |json: &str| PermissionsRecord::parse(json.as_bytes()).unwrap();
    let survey = |token: Token, permissions: Permissions<'_>| {
        let caller = caller(&authorizer, &token);
        let Survey::NeedsPermissions(need) = authorizer.survey(&caller, at(0)) else { panic!("the record is needed") };
        assert_eq!((need.issuer().name(), need.subject()), ("users", caller.subject()));
        assert_eq!(need.max_age(), std::time::Duration::ZERO, "vouchers ask anew");
        need.resume(permissions, at(0)).map(|list| {
            assert_eq!((list.subject(), list.expires_at()), (caller.subject(), at(3600)));
            listed(&list)
        })
    };
    let two = record(r#"{"id":"u","companies":{"1111":["Manager"],"2222":["Standard"],"3333":["Manager"]}}"#);
    assert_eq!(
        survey(Token::user("u"), Permissions::Found(&two)).unwrap(),
        [
            "internal-orders-list 1111,3333",
            "internal-orders-get 1111,3333",
            "internal-orders-create 1111,3333",
            "vouchers-validate 1111,3333",
            "health"
        ]
    );
    let reader = Token::user("u").claim("scope", json!("orders/list.orders"));
    assert_eq!(
        survey(reader, Permissions::Found(&two)).unwrap(),
        ["internal-orders-list 1111,3333", "vouchers-validate 1111,3333", "health"]
    );
    assert_eq!(survey(Token::user("u"), Permissions::Absent).unwrap(), ["health"]);
    assert_eq!(survey(Token::user("u"), Permissions::Unavailable).unwrap_err(), Reason::PermissionsUnavailable);
    let anothers = record(r#"{"id":"v","companies":["1111"],"role":"Manager"}"#);
    assert_eq!(survey(Token::user("u"), Permissions::Found(&anothers)).unwrap_err(), Reason::PermissionsUnavailable);
}

#[test]
fn a_survey_of_a_company_needs_no_record() {
    let authorizer = example();
    let set = JwkSet::parse(keys::jwks(&[&keys::PARTNERS_ED]).as_bytes()).unwrap();
    let call = Call::get("/").bearer(Token::partner("1111").compact());
    let caller = identify(&authorizer, &call, Keys::Fresh(&set)).unwrap();
    let Survey::Done(Ok(list)) = authorizer.survey(&caller, at(0)) else { panic!("nothing is lacking") };
    assert_eq!(
        listed(&list),
        ["external-orders-list 1111", "external-orders-get 1111", "external-orders-create 1111", "health"]
    );
    assert_eq!(list.max_age(), None);
    assert!(matches!(authorizer.survey(&caller, at(3600)), Survey::Done(Err(Reason::Expired))));
}

proptest! {
    /// A survey and a decision ask the same rules: whatever is listed is permitted, and nothing else is.
    #[test]
    fn what_a_survey_lists_is_what_is_permitted(
        companies in prop::collection::btree_map("[1-3]", prop::collection::vec(prop::sample::select(vec!["Manager", "Standard"]), 0..2), 0..3),
        scopes in prop::sample::subsequence(vec!["orders/list.orders", "orders/get.order", "orders/create.order"], 0..=3),
    ) {
        let authorizer = example();
        let record = json!({"id": "u", "companies": companies}).to_string();
        let record = PermissionsRecord::parse(record.as_bytes()).unwrap();
        let caller = authorizer.caller_of_claims(&claims(&[("sub", json!("u")), ("scope", json!(scopes.join(" ")))]), at(0)).unwrap();
        let Survey::NeedsPermissions(need) = authorizer.survey(&caller, at(0)) else { panic!("the record is needed") };
        let list = need.resume(Permissions::Found(&record), at(0)).unwrap();
        let mut listed = BTreeSet::new();
        for entitlement in list.list() {
            if let Companies::Among(among) = entitlement.companies() {
                listed.extend(among.iter().map(|company| (entitlement.route().name().to_owned(), company.clone())));
            }
        }
        let mut permitted = BTreeSet::new();
        for company in ["1", "2", "3", "4"] {
            for (method, path) in [("GET", "orders"), ("GET", "orders/7"), ("POST", "orders"), ("GET", "vouchers/v")] {
                let target = format!("/companies/{company}/users/u/{path}");
                let request = postern::Request { method, target: &target, headers: &[] };
                let mut progress = authorizer.begin_as(&caller, &request, at(0));
                if let postern::Progress::NeedsPermissions(need) = progress {
                    progress = need.resume(Permissions::Found(&record), at(0));
                }
                if let postern::Progress::NeedsBody(need) = progress {
                    progress = need.resume(postern::BodyDigest::Sha256([0; 32]), at(0));
                }
                if let postern::Progress::Decided(Decision::Permit(permit)) = progress {
                    permitted.insert((permit.route().to_owned(), company.to_owned()));
                }
            }
        }
        prop_assert_eq!(listed, permitted);
    }
}

#[test]
fn a_signature_that_does_not_hold_identifies_nobody() {
    let authorizer = example();
    let token = Token::user("user-manager").compact();
    let value = format!("Bearer {token}");
    let headers = [("authorization", value.as_str())];
    let request = postern::Request { method: "GET", target: "/", headers: &headers };
    for (check, reason) in [
        (SignatureCheck::Invalid, Reason::SignatureInvalid),
        (SignatureCheck::Unavailable, Reason::SignatureUnavailable),
    ] {
        let Identification::NeedsKeys(need) = authorizer.identify(&request, at(0)) else { panic!("keys") };
        let Identification::NeedsSignature(need) = need.resume(Keys::Fresh(&users()), at(0)) else { panic!("check") };
        let Identification::Refused(denial) = need.resume(check, at(0)) else {
            panic!("{check:?} identified somebody")
        };
        assert_eq!(denial.reason(), reason);
    }
}
