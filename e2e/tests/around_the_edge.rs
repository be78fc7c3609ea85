//! Going round the edge: every service refuses what did not come through it, and nothing that a caller sends passes
//! for what the edge says.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::assertion::{Assertion, AssertionVerifier};
use postern_e2e::{
    Call, Session,
    assertions::{aged, as_edge, keys, keys_from, now},
    message::Head,
    session,
    stand_in::StandIn,
};
use serde_json::{Value, json};

/// One resource of each service that a caller may reach.
const SERVICES: [(&str, &str); 3] = [
    ("external-orders", "/companies/1111/orders"),
    ("internal-orders", "/companies/1111/users/user-manager/orders"),
    ("vouchers", "/companies/1111/users/user-manager/vouchers/voucher-7"),
];

fn show(stack: &Session, origin: &str, method: &str, target: &str, compact: &str) -> Call {
    stack.direct(origin, method, target).header("postern-assertion", compact)
}

fn sign(stack: &Session, origin: &str, assertion: &Assertion) -> String {
    assertion.sign(&keys(stack, origin))
}

/// Sends an assertion for a GET of each service's resource, after `change`, signed with that service's own key.
#[track_caller]
fn refused(stack: &Session, change: impl Fn(&mut Assertion)) {
    for (origin, target) in SERVICES {
        let mut assertion = as_edge(origin, "GET", target);
        change(&mut assertion);
        show(stack, origin, "GET", target, &sign(stack, origin, &assertion)).send().refused_by(origin);
    }
}

#[test]
fn an_assertion_as_the_edge_makes_it_is_taken() {
    let stack = session();
    for (origin, target) in SERVICES {
        let assertion = as_edge(origin, "GET", target);
        show(&stack, origin, "GET", target, &sign(&stack, origin, &assertion)).send().expect(200);
    }
}

#[test]
fn without_an_assertion_every_service_refuses() {
    let stack = session();
    let token = stack.user("user-manager");
    for (origin, target) in SERVICES {
        for path in [target, "/", "/health", "/nothing"] {
            for method in ["GET", "POST", "OPTIONS", "DELETE"] {
                stack.direct(origin, method, path).send().refused_by(origin);
            }
            stack.direct(origin, "GET", path).bearer(&token).send().refused_by(origin);
            stack.direct(origin, "GET", path).header("postern-assertion", "").send().refused_by(origin);
        }
    }
}

#[test]
fn a_forged_assertion_is_refused() {
    let stack = session();
    let secret = "A".repeat(43);
    for (origin, target) in SERVICES {
        let kid = stack.keys[origin]["keys"][0]["kid"].clone();
        for kid in [kid, json!("unknown")] {
            let stranger = keys_from(&json!({"keys": [{"kty": "oct", "kid": kid, "k": secret}]}));
            let compact = as_edge(origin, "GET", target).sign(&stranger);
            show(&stack, origin, "GET", target, &compact).send().refused_by(origin);
        }
    }
}

#[test]
fn an_assertion_changed_after_it_was_signed_is_refused() {
    let stack = session();
    let (origin, target) = SERVICES[0];
    let compact = sign(&stack, origin, &as_edge(origin, "GET", target));
    let parts: Vec<&str> = compact.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    let decoded = Base64UrlUnpadded::decode_vec(claims).expect("claims");
    let mut company: Value = serde_json::from_slice(&decoded).expect("JSON");
    company["company"] = json!("2222");
    let changed_claims = Base64UrlUnpadded::encode_string(company.to_string().as_bytes());
    let none = Base64UrlUnpadded::encode_string(br#"{"alg":"none","typ":"postern-assertion+jwt","kid":"x"}"#);
    for compact in [
        format!("{header}.{changed_claims}.{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{compact}A"),
        format!("{compact}.{signature}"),
        format!("Bearer {compact}"),
        signature.to_owned(),
    ] {
        show(&stack, origin, "GET", target, &compact).send().refused_by(origin);
    }
    show(&stack, origin, "GET", target, &compact).send().expect(200);
}

#[test]
fn an_expired_assertion_is_refused() {
    let stack = session();
    for age in [Duration::from_secs(61), Duration::from_secs(3600)] {
        refused(&stack, |assertion| *assertion = aged(assertion.clone(), age));
    }
    let (origin, target) = SERVICES[0];
    let fresh_enough = aged(as_edge(origin, "GET", target), Duration::from_secs(30));
    show(&stack, origin, "GET", target, &sign(&stack, origin, &fresh_enough)).send().expect(200);
}

#[test]
fn an_assertion_from_the_future_or_of_a_long_life_is_refused() {
    let stack = session();
    refused(&stack, |assertion| {
        assertion.issued_at = now().saturating_add(Duration::from_secs(30));
        assertion.expires_at = now().saturating_add(Duration::from_secs(60));
    });
    refused(&stack, |assertion| assertion.expires_at = now().saturating_add(Duration::from_secs(600)));
}

#[test]
fn an_assertion_for_another_path_is_refused() {
    let stack = session();
    for other in ["/", "/companies/2222/orders", "/companies/1111/orders/", "/Companies/1111/orders", "*", ""] {
        refused(&stack, |assertion| assertion.target = other.to_owned());
    }
    refused(&stack, |assertion| assertion.target.push_str("/x"));
}

#[test]
fn an_assertion_for_another_query_is_refused() {
    let stack = session();
    refused(&stack, |assertion| assertion.target.push_str("?a=1"));
    refused(&stack, |assertion| assertion.target.push('?'));
    let (origin, target) = SERVICES[0];
    let bare = sign(&stack, origin, &as_edge(origin, "GET", target));
    let with_query = sign(&stack, origin, &as_edge(origin, "GET", &format!("{target}?a=1&b=2")));
    show(&stack, origin, "GET", &format!("{target}?a=1&b=2"), &with_query).send().expect(200);
    for query in ["?a=1", "?b=2&a=1", "?a=1&b=2&c=3", "?a=1&b=3", "?a=1&b=%32", ""] {
        show(&stack, origin, "GET", &format!("{target}{query}"), &with_query).send().refused_by(origin);
    }
    for query in ["?a=1", "?x"] {
        show(&stack, origin, "GET", &format!("{target}{query}"), &bare).send().refused_by(origin);
    }
}

#[test]
fn an_assertion_for_another_method_is_refused() {
    let stack = session();
    for method in ["POST", "HEAD", "PUT", "get", ""] {
        refused(&stack, |assertion| assertion.method = method.to_owned());
    }
    let (origin, target) = SERVICES[0];
    let compact = sign(&stack, origin, &as_edge(origin, "GET", target));
    for method in ["POST", "PUT", "DELETE"] {
        show(&stack, origin, method, target, &compact).send().refused_by(origin);
    }
}

#[test]
fn an_assertion_for_another_origin_is_refused_even_under_the_right_key() {
    let stack = session();
    for other in ["external-orders", "internal-orders", "vouchers", "permissions", "edge", ""] {
        for (origin, target) in SERVICES.iter().filter(|(origin, _)| *origin != other) {
            let compact = sign(&stack, origin, &as_edge(other, "GET", target));
            show(&stack, origin, "GET", target, &compact).send().refused_by(origin);
        }
    }
}

#[test]
fn an_assertion_under_another_origins_key_is_refused() {
    let stack = session();
    for other in ["external-orders", "internal-orders", "vouchers", "permissions", "permissions-admin"] {
        for (origin, target) in SERVICES.iter().filter(|(origin, _)| *origin != other) {
            let assertion = as_edge(origin, "GET", target);
            let mut set = stack.keys[other].clone();
            for kid in [set["keys"][0]["kid"].clone(), stack.keys[*origin]["keys"][0]["kid"].clone()] {
                set["keys"][0]["kid"] = kid;
                show(&stack, origin, "GET", target, &assertion.sign(&keys_from(&set))).send().refused_by(origin);
            }
        }
    }
}

#[test]
fn an_assertion_of_another_issuer_is_refused() {
    let stack = session();
    for issuer in ["admin", "Edge", "edge2", ""] {
        refused(&stack, |assertion| assertion.issuer = issuer.to_owned());
    }
}

/// As AWS hands over a field that came twice: joined. The local platform keeps one of the two instead, so the service's
/// own tests have to cover the field that comes twice.
#[test]
fn two_assertions_in_one_field_are_refused() {
    let stack = session();
    let (origin, target) = SERVICES[0];
    let (one, other) = (as_edge(origin, "GET", target), as_edge(origin, "GET", "/health"));
    let (one, other) = (sign(&stack, origin, &one), sign(&stack, origin, &other));
    for (first, second) in [(&one, &one), (&one, &other), (&other, &one)] {
        for separator in [", ", ",", " ", ";"] {
            let joined = format!("{first}{separator}{second}");
            show(&stack, origin, "GET", target, &joined).send().refused_by(origin);
        }
    }
}

#[test]
fn a_key_that_the_origin_never_had_is_not_fetched_from_anywhere() {
    let stack = session();
    let (origin, target) = SERVICES[0];
    let header = json!({"alg": "HS256", "typ": "postern-assertion+jwt", "kid": "x", "jku": "http://127.0.0.1:1/"});
    let compact = sign(&stack, origin, &as_edge(origin, "GET", target));
    let rest = compact.split_once('.').map(|(_, rest)| rest).expect("a header");
    let forged = format!("{}.{rest}", Base64UrlUnpadded::encode_string(header.to_string().as_bytes()));
    show(&stack, origin, "GET", target, &forged).send().refused_by(origin);
}

#[test]
fn an_assertion_caught_at_one_service_opens_no_other_request() {
    let stack = session();
    let token = stack.partner("1111");
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    let target = "/companies/1111/orders?page=2";
    stack.get(target).bearer(&token).send().expect(200);
    let caught = assertion_of(&services.seen()[0]);
    drop(services);
    let to = |origin: &str, method: &str, target: &str| show(&stack, origin, method, target, &caught).send();
    to("external-orders", "GET", target).expect(200);
    to("external-orders", "POST", target).refused_by("external-orders");
    to("external-orders", "GET", "/companies/1111/orders").refused_by("external-orders");
    to("external-orders", "GET", "/companies/1111/orders?page=3").refused_by("external-orders");
    to("external-orders", "GET", "/companies/2222/orders?page=2").refused_by("external-orders");
    for other in ["internal-orders", "vouchers", "permissions"] {
        to(other, "GET", target).refused_by(other);
    }
}

fn assertion_of(head: &Head) -> String {
    let values: Vec<&str> = head.values("postern-assertion").collect();
    assert_eq!(values.len(), 1, "{head:?}");
    values[0].to_owned()
}

#[test]
fn each_request_gets_an_assertion_of_its_own_for_its_own_origin() {
    let stack = session();
    let (company, user) = (stack.partner("1111"), stack.user("user-manager"));
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    for (origin, target) in SERVICES {
        let token = if origin == "external-orders" { &company } else { &user };
        for _ in 0..2 {
            stack.get(target).bearer(token).send().expect(200);
        }
    }
    let seen: Vec<String> = services.seen().iter().map(assertion_of).collect();
    assert_eq!(seen.len(), 6);
    let mut ids = Vec::new();
    for (number, compact) in seen.iter().enumerate() {
        let (origin, target) = SERVICES[number / 2];
        let trusted = json!({"issuers": {"edge": stack.keys[origin]}}).to_string();
        let verifier = AssertionVerifier::from_json(origin, &trusted).expect("keys");
        let verified = verifier.verify(compact, "GET", target, now()).expect("an assertion");
        assert_eq!(verified.company(), Some("1111"));
        let partner = origin == "external-orders";
        assert_eq!(verified.subject(), Some(if partner { "1111" } else { "user-manager" }));
        assert_eq!(verified.subject_issuer(), Some(if partner { "partners" } else { "users" }));
        let roles: Vec<&str> = verified.roles().iter().map(String::as_str).collect();
        assert_eq!(roles, if partner { vec![] } else { vec!["Manager"] });
        assert_eq!(verified.capability(), None);
        ids.push(verified.id().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "a `jti` was used twice");
}

#[test]
fn a_public_routes_assertion_names_nobody_whatever_token_came_along() {
    let stack = session();
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "{}"));
    stack.get("/health").bearer(&stack.partner("1111")).send().expect(200);
    stack.get("/health").send().expect(200);
    let trusted = json!({"issuers": {"edge": stack.keys["external-orders"]}}).to_string();
    let verifier = AssertionVerifier::from_json("external-orders", &trusted).expect("keys");
    for head in services.seen() {
        let verified = verifier.verify(&assertion_of(&head), "GET", "/health", now()).expect("an assertion");
        assert_eq!((verified.subject(), verified.subject_issuer(), verified.company()), (None, None, None));
        assert!(verified.roles().is_empty() && verified.scopes().is_empty());
    }
}

/// Spellings that some server behind an edge folds to one name.
const SPELLINGS: [&str; 6] = [
    "Postern-Assertion",
    "postern-assertion",
    "POSTERN-ASSERTION",
    "Postern_Assertion",
    "postern_assertion",
    "POSTERN_ASSERTION",
];

#[test]
fn what_a_caller_sends_as_an_assertion_does_not_get_past_the_edge() {
    let stack = session();
    let token = stack.partner("1111");
    let target = "/companies/1111/orders";
    let mut planted = as_edge("external-orders", "GET", target);
    planted.company = Some("2222".to_owned());
    let planted = sign(&stack, "external-orders", &planted);
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    for (_, edge) in stack.edges() {
        for name in SPELLINGS {
            let call = Call::new(edge, "GET", target).bearer(&token).header(name, &planted);
            call.header("Postern-Subject", "x")
                .header("postern_roles", "Manager")
                .header("x-kept", "1")
                .send()
                .expect(200);
        }
    }
    let seen = services.seen();
    assert_eq!(seen.len(), stack.edges().len() * SPELLINGS.len());
    for head in seen {
        assert_ne!(assertion_of(&head), planted);
        let folded = |name: &str| name.to_ascii_lowercase().replace('_', "-");
        let ours = head.fields.iter().filter(|(name, _)| folded(name).starts_with("postern-")).count();
        assert_eq!(ours, 1, "{head:?}");
        assert_eq!(head.value("x-kept"), Some("1"));
        assert!(head.fields.iter().all(|(_, value)| !value.contains(&planted)), "{head:?}");
    }
}

#[test]
fn an_assertion_is_no_credential_at_the_edge() {
    let stack = session();
    for (origin, target) in SERVICES {
        let compact = sign(&stack, origin, &as_edge(origin, "GET", target));
        for name in SPELLINGS {
            stack.get(target).header(name, &compact).send().denied(401, "missing_token");
        }
        stack.get(target).bearer(&compact).send().denied(401, "invalid_token");
    }
}

#[test]
fn a_field_named_by_connection_cannot_take_the_assertion_away() {
    let stack = session();
    let token = stack.partner("1111");
    for (_, edge) in stack.edges() {
        let call = Call::new(edge, "GET", "/companies/1111/orders").bearer(&token);
        call.header("Connection", "close, Postern-Assertion").send().expect(200);
    }
}

#[test]
fn forged_identity_and_forwarding_fields_change_no_decision() {
    let stack = session();
    let token = stack.partner("1111");
    let other = "/companies/2222/orders";
    for (name, value) in [
        ("X-Forwarded-User", "2222"),
        ("X-User-Id", "user-manager"),
        ("X-Company", "2222"),
        ("X-Original-URL", "/companies/1111/orders"),
        ("X-Rewrite-URL", "/companies/1111/orders"),
        ("X-Forwarded-Prefix", "/companies/1111"),
        ("X-Forwarded-Host", "127.0.0.1:1"),
        ("Forwarded", "for=127.0.0.1;host=evil.example"),
        ("X-Amzn-Oidc-Identity", "2222"),
        ("Cf-Access-Jwt-Assertion", "x"),
    ] {
        stack.get(other).bearer(&token).header(name, value).send().denied(403, "access_denied");
        stack.get(other).header(name, value).send().denied(401, "missing_token");
        let own = stack.get("/companies/1111/orders").bearer(&token).header(name, other);
        assert_eq!(own.send().expect(200).json()[0]["companyId"], "1111", "{name}");
    }
}

#[test]
fn what_an_origin_says_of_itself_does_not_reach_the_caller() {
    let stack = session();
    let token = stack.partner("1111");
    let fields = "postern-assertion: leaked\r\nPostern_Internal: leaked\r\nx-kept: 1\r\n";
    let _services = StandIn::for_services(&stack, move |arrival| arrival.answer("200 OK", fields, "[]"));
    let answer = stack.get("/companies/1111/orders").bearer(&token).send().expect(200);
    assert_eq!(answer.header("x-kept"), Some("1"));
    assert!(!format!("{answer:?}").contains("leaked"), "{answer:?}");
}
