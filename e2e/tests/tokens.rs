//! What is a token, whose it is, and what is only made up to look like one.
//!
//! Every token here carries its issuer's real signature unless the test says otherwise, so that one thing is wrong.

use std::{thread, time::Duration};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use jwt_compact::{
    Algorithm as _, AlgorithmSignature as _,
    alg::{Hs256, Hs256Key},
};
use postern_e2e::{Answer, PARTNERS, Session, USERS, assertions, control::PAST_COOLDOWN, session};
use serde_json::{Value, json};

const PARTNER_TARGET: &str = "/companies/1111/orders";
const USER_TARGET: &str = "/companies/1111/users/user-manager/orders";

fn target(issuer: &str) -> &'static str {
    if issuer == PARTNERS { PARTNER_TARGET } else { USER_TARGET }
}

fn show(stack: &Session, issuer: &str, token: &str) -> Answer {
    stack.get(target(issuer)).bearer(token).send()
}

/// Mints for both issuers and fails unless both are refused.
#[track_caller]
fn refused(stack: &Session, what: &Value) {
    for issuer in [PARTNERS, USERS] {
        show(stack, issuer, &stack.control().mint(issuer, what.clone())).denied(401, "invalid_token");
    }
}

#[track_caller]
fn taken(stack: &Session, what: &Value) {
    for issuer in [PARTNERS, USERS] {
        show(stack, issuer, &stack.control().mint(issuer, what.clone())).expect(200);
    }
}

fn now() -> u64 {
    assertions::now().as_secs()
}

#[test]
fn a_token_that_its_issuer_signed_is_taken() {
    let stack = session();
    taken(&stack, &json!({}));
    show(&stack, PARTNERS, &stack.partner("1111")).expect(200);
    show(&stack, USERS, &stack.user("user-manager")).expect(200);
}

#[test]
fn an_expired_token_is_refused() {
    let stack = session();
    for ago in [1, 60, 3600, 1_000_000_000] {
        refused(&stack, &json!({"claims": {"exp": now() - ago, "iat": now() - ago - 3600}}));
    }
}

#[test]
fn a_token_without_an_expiry_is_refused() {
    let stack = session();
    refused(&stack, &json!({"remove": ["exp"]}));
    for exp in [json!(null), json!("9999999999"), json!([9_999_999_999_u64]), json!(true), json!({})] {
        refused(&stack, &json!({"claims": {"exp": exp}}));
    }
}

#[test]
fn a_token_from_the_future_is_refused() {
    let stack = session();
    refused(&stack, &json!({"claims": {"nbf": now() + 3600}}));
    refused(&stack, &json!({"claims": {"iat": now() + 3600, "exp": now() + 7200}}));
    taken(&stack, &json!({"claims": {"nbf": now() - 10}}));
}

#[test]
fn extreme_dates_bring_nothing_down() {
    let stack = session();
    for (name, value) in [
        ("nbf", json!(i64::MIN)),
        ("nbf", json!(i64::MAX)),
        ("exp", json!(i64::MIN)),
        ("exp", json!(-1)),
        ("exp", json!(0)),
        ("iat", json!(i64::MIN)),
        ("iat", json!(i64::MAX)),
    ] {
        let token = stack.control().mint(PARTNERS, json!({"claims": {name: value}}));
        let answer = show(&stack, PARTNERS, &token);
        // A date in the distant past is no reason to refuse, but for `exp`.
        let harmless = value == json!(i64::MIN) && name != "exp";
        assert!(answer.status() == 401 || (harmless && answer.status() == 200), "{name} {value}: {answer:?}");
    }
    for exp in [json!(i64::MAX), json!(u64::MAX), json!(1e300)] {
        let token = stack.control().mint(PARTNERS, json!({"claims": {"exp": exp}}));
        let answer = show(&stack, PARTNERS, &token);
        assert!(matches!(answer.status(), 200 | 401), "exp {exp}: {answer:?}");
    }
    taken(&stack, &json!({}));
}

#[test]
fn a_token_signed_by_a_stranger_is_refused() {
    let stack = session();
    refused(&stack, &json!({"key": "forged"}));
}

#[test]
fn a_token_signed_by_the_other_issuer_is_refused() {
    let stack = session();
    refused(&stack, &json!({"key": "other"}));
    let kid = |issuer| stack.control().signing_key(issuer);
    for (issuer, other) in [(PARTNERS, USERS), (USERS, PARTNERS)] {
        let what = json!({"key": "other", "header": {"kid": kid(other)}});
        show(&stack, issuer, &stack.control().mint(issuer, what)).denied(401, "invalid_token");
    }
}

#[test]
fn a_token_that_names_another_issuer_than_the_one_that_signed_is_refused() {
    let stack = session();
    let urls = [stack.users.issuer.as_str(), stack.partners.issuer.as_str()];
    for (issuer, other) in [PARTNERS, USERS].into_iter().zip(urls) {
        for claimed in [json!(other), json!(format!("{}/", other)), json!("https://evil.example"), json!([other])] {
            let token = stack.control().mint(issuer, json!({"claims": {"iss": claimed}}));
            show(&stack, issuer, &token).denied(401, "invalid_token");
        }
    }
    refused(&stack, &json!({"remove": ["iss"]}));
}

#[test]
fn a_partners_token_for_another_audience_is_refused() {
    let stack = session();
    let resource = stack.resource.clone();
    let mint = |aud: Value| stack.control().mint(PARTNERS, json!({"claims": {"aud": aud}}));
    for aud in [
        json!("https://other.example"),
        json!(format!("{resource}/")),
        json!(resource.to_uppercase()),
        json!(["https://other.example"]),
        json!([]),
        json!(""),
        json!({"aud": resource}),
        json!([resource, 7]),
    ] {
        show(&stack, PARTNERS, &mint(aud)).denied(401, "invalid_token");
    }
    let without = stack.control().mint(PARTNERS, json!({"remove": ["aud"]}));
    show(&stack, PARTNERS, &without).denied(401, "invalid_token");
    show(&stack, PARTNERS, &mint(json!(["https://other.example", resource]))).expect(200);
}

#[test]
fn a_users_token_for_another_client_is_refused() {
    let stack = session();
    let mint = |what: Value| stack.control().mint(USERS, what);
    for client in
        [json!("another-client"), json!("P4IONDTOA9ALJEOULTESA4NVC"), json!(""), json!(["p4iondtoa9aljeoultesa4nvc"])]
    {
        show(&stack, USERS, &mint(json!({"claims": {"client_id": client}}))).denied(401, "invalid_token");
    }
    show(&stack, USERS, &mint(json!({"remove": ["client_id"]}))).denied(401, "invalid_token");
    // As Cognito's: a client and no audience. One that is for another API says so.
    show(&stack, USERS, &mint(json!({}))).expect(200);
    for aud in [json!(stack.resource), json!([stack.resource]), json!([])] {
        show(&stack, USERS, &mint(json!({"claims": {"aud": aud}}))).denied(401, "invalid_token");
    }
}

#[test]
fn an_id_token_is_refused() {
    let stack = session();
    let login = stack.control().log_in("user-manager", None);
    let id_token = login["id_token"].as_str().expect("an ID token");
    show(&stack, USERS, id_token).denied(401, "invalid_token");
    show(&stack, USERS, login["access_token"].as_str().expect("an access token")).expect(200);

    let client = stack.users.client_id.clone();
    for what in [
        json!({"claims": {"aud": client, "token_use": "id"}, "remove": ["client_id", "scope"], "header": {"typ": "JWT"}}),
        // Everything an access token has but the one word.
        json!({"claims": {"token_use": "id"}}),
        json!({"claims": {"token_use": "ACCESS"}}),
        json!({"claims": {"token_use": ["access"]}}),
        json!({"remove": ["token_use"]}),
    ] {
        refused(&stack, &what);
    }
}

#[test]
fn a_token_without_a_usable_subject_is_refused() {
    let stack = session();
    refused(&stack, &json!({"remove": ["sub"]}));
    for sub in [
        json!(""),
        json!(null),
        json!(1111),
        json!(["1111"]),
        json!("x".repeat(300)),
        json!("1111\n"),
        json!("1111\u{0}"),
    ] {
        refused(&stack, &json!({"claims": {"sub": sub}}));
    }
}

#[test]
fn alg_none_is_refused_in_any_spelling() {
    let stack = session();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for signature in ["empty", "real", "zero"] {
            refused(&stack, &json!({"header": {"alg": alg}, "signature": signature}));
        }
    }
}

#[test]
fn an_hmac_made_with_the_public_key_is_refused() {
    let stack = session();
    for issuer in [PARTNERS, USERS] {
        let url = if issuer == PARTNERS { &stack.partners.jwks } else { &stack.users.jwks };
        let set = postern_e2e::Call::new(url, "GET", "").send().expect(200).json();
        let key = &set["keys"][0];
        let secrets = [key.to_string(), key["n"].as_str().expect("an RSA modulus").to_owned(), set.to_string()];
        for secret in secrets {
            for alg in ["HS256", "RS256"] {
                let unsigned = stack.control().mint(issuer, json!({"header": {"alg": alg}}));
                let (message, _) = unsigned.rsplit_once('.').expect("three parts");
                let mac = Hs256.sign(&Hs256Key::new(secret.as_bytes()), message.as_bytes());
                let token = format!("{message}.{}", Base64UrlUnpadded::encode_string(&mac.as_bytes()));
                show(&stack, issuer, &token).denied(401, "invalid_token");
            }
        }
    }
}

#[test]
fn the_algorithm_is_the_issuers_and_not_the_headers() {
    let stack = session();
    for alg in ["HS256", "HS384", "HS512", "ES256", "EdDSA", "Ed25519", "PS256", "RS384", "RS512", "rs256", "ES256K"] {
        refused(&stack, &json!({"header": {"alg": alg}}));
    }
    for header in [json!({"alg": null}), json!({"alg": ["RS256"]}), json!({"alg": 256})] {
        refused(&stack, &json!({"header": header}));
    }
    refused(&stack, &json!({"removeHeader": ["alg"]}));
    // The users' section names RS256 alone, so a key of another kind does not help even when it is published.
    stack.control().add_key(USERS, "ES256");
    show(&stack, USERS, &stack.control().mint(USERS, json!({}))).denied(401, "invalid_token");
}

#[test]
fn a_header_that_demands_extensions_is_refused() {
    let stack = session();
    for header in [
        json!({"crit": ["exp"], "exp": 1}),
        json!({"crit": ["https://example.com/x"], "https://example.com/x": true}),
        json!({"crit": []}),
        json!({"crit": null}),
        json!({"b64": false, "crit": ["b64"]}),
        json!({"b64": false}),
        json!({"cty": "CBOR"}),
        json!({"cty": "JWT"}),
    ] {
        refused(&stack, &json!({"header": header}));
    }
}

#[test]
fn keys_and_addresses_in_a_header_are_never_used() {
    let stack = session();
    // Whoever asks for a key here has followed the header.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
    let jwk = json!({"kty": "oct", "k": "AAAA", "kid": "x"});
    for header in [json!({"jku": url}), json!({"x5u": url}), json!({"jwk": jwk, "kid": "x"}), json!({"x5c": ["AAAA"]})]
    {
        refused(&stack, &json!({"key": "forged", "header": header}));
    }
    thread::sleep(Duration::from_millis(200));
    assert!(listener.accept().is_err(), "something followed the header");
    // With the issuer's own signature such a header is read over.
    taken(&stack, &json!({"header": {"jku": url, "x5u": url}}));
}

#[test]
fn a_kid_is_a_name_and_nothing_else() {
    let stack = session();
    for kid in
        [json!("../../../dev/null"), json!("' OR 1=1 --"), json!("x".repeat(257)), json!("\u{0}"), json!(""), json!(7)]
    {
        refused(&stack, &json!({"header": {"kid": kid}}));
    }
    // The users' set is asked for, and has no such name.
    let partners_kid = stack.control().signing_key(PARTNERS);
    let token = stack.control().mint(USERS, json!({"header": {"kid": partners_kid}}));
    show(&stack, USERS, &token).denied(401, "invalid_token");
}

#[test]
fn a_signature_of_zeros_is_refused_for_every_algorithm() {
    let stack = session();
    thread::sleep(PAST_COOLDOWN);
    let (mut real, mut unreal) = (Vec::new(), Vec::new());
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        stack.control().add_key(PARTNERS, algorithm);
        real.push(stack.partner("1111"));
        for signature in ["zero", "empty", "bitflip"] {
            unreal.push(stack.control().mint(PARTNERS, json!({"signature": signature})));
        }
    }
    // All keys were there before any was asked for, so each is known by now.
    for token in &real {
        show(&stack, PARTNERS, token).expect(200);
    }
    for token in &unreal {
        show(&stack, PARTNERS, token).denied(401, "invalid_token");
    }
}

#[test]
fn a_token_changed_after_it_was_signed_is_refused_even_while_the_real_one_is_remembered() {
    let stack = session();
    let token = stack.partner("1111");
    let (head, rest) = token.split_once('.').expect("a header");
    let (claims, signature) = rest.split_once('.').expect("claims");
    for _ in 0..2 {
        show(&stack, PARTNERS, &token).expect(200);
    }
    let other = stack.partner("2222");
    let other_claims = other.split('.').nth(1).expect("claims");
    let other_signature = other.split('.').nth(2).expect("a signature");
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for changed in [
        format!("{head}.{other_claims}.{signature}"),
        format!("{head}.{claims}.{other_signature}"),
        format!("{head}.{claims}.{flipped}{}", &signature[1..]),
        format!("{head}.{claims}.{}", &signature[..signature.len() - 4]),
        format!("{head}.{claims}."),
        format!("{head}.{claims}"),
        format!("{token}.x"),
        format!("{token}A"),
        format!("{head}..{signature}"),
        format!(".{claims}.{signature}"),
    ] {
        for _ in 0..2 {
            stack.get("/companies/2222/orders").bearer(&changed).send().denied(401, "invalid_token");
            show(&stack, PARTNERS, &changed).denied(401, "invalid_token");
        }
    }
    show(&stack, PARTNERS, &token).expect(200);
}

#[test]
fn a_remembered_token_is_remembered_for_its_own_issuer_alone() {
    let stack = session();
    let (company, user) = (stack.partner("1111"), stack.user("user-manager"));
    for _ in 0..2 {
        show(&stack, PARTNERS, &company).expect(200);
        show(&stack, USERS, &user).expect(200);
        show(&stack, USERS, &company).denied(401, "invalid_token");
        show(&stack, PARTNERS, &user).denied(401, "invalid_token");
    }
}

#[test]
fn a_remembered_token_reaches_no_other_company_and_no_other_scope() {
    let stack = session();
    let token = stack.control().partner_token("1111", Some("orders/list.orders"));
    for _ in 0..2 {
        show(&stack, PARTNERS, &token).expect(200);
        stack.get("/companies/2222/orders").bearer(&token).send().denied(403, "access_denied");
        stack.get("/companies/1111/orders/sample-1").bearer(&token).send().denied(403, "insufficient_scope");
    }
}

#[test]
fn members_that_stand_twice_are_refused() {
    let stack = session();
    let (issuer, resource, exp) = (&stack.partners.issuer, &stack.resource, now() + 600);
    let claims = |extra: &str| {
        format!(
            r#"{{"iss":"{issuer}","aud":"{resource}","sub":"1111","token_use":"access","scope":"orders/list.orders","exp":{exp}{extra}}}"#
        )
    };
    let mint = |claims: String| stack.control().mint(PARTNERS, json!({"rawClaims": claims}));
    show(&stack, PARTNERS, &mint(claims(""))).expect(200);
    for extra in [r#","sub":"1111""#, r#","exp":9999999999"#, r#","iss":"x""#, r#","scope":"""#, r#","x":1,"x":1"#] {
        show(&stack, PARTNERS, &mint(claims(extra))).denied(401, "invalid_token");
    }
    let kid = stack.control().signing_key(PARTNERS);
    for header in [
        format!(r#"{{"alg":"RS256","kid":"{kid}","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"none","alg":"RS256","kid":"{kid}"}}"#),
    ] {
        show(&stack, PARTNERS, &stack.control().mint(PARTNERS, json!({"rawHeader": header})))
            .denied(401, "invalid_token");
    }
}

#[test]
fn claims_that_are_no_object_are_refused() {
    let stack = session();
    for claims in ["", "null", "[]", "\"x\"", "7", "{", "{}", "{} {}", "{\"exp\":9999999999}", "\u{feff}{}"] {
        refused(&stack, &json!({"rawClaims": claims}));
    }
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    refused(&stack, &json!({"rawClaims": format!("{{\"x\":{deep}}}")}));
    taken(&stack, &json!({}));
}

#[test]
fn what_is_no_token_at_all_is_refused() {
    let stack = session();
    let dots = ".".repeat(4000);
    for token in
        ["x", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "....", dots.as_str(), "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "null"]
    {
        show(&stack, PARTNERS, token).denied(401, "invalid_token");
    }
}

#[test]
fn a_token_larger_than_any_real_one_is_refused_before_it_is_read() {
    let stack = session();
    let padded = |size: usize| stack.control().mint(PARTNERS, json!({"claims": {"padding": "x".repeat(size)}}));
    show(&stack, PARTNERS, &padded(4_000)).expect(200);
    show(&stack, PARTNERS, &padded(13_000)).denied(401, "invalid_token");
    show(&stack, PARTNERS, &"x".repeat(20_000)).denied(401, "invalid_token");
}
