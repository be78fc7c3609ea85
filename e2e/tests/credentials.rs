//! How a token is shown (RFC 6750 §2.1), how it is not, and where it goes from there.

use postern_e2e::{session, stand_in::StandIn};

const PARTNER_TARGET: &str = "/companies/1111/orders";
const USER_TARGET: &str = "/companies/1111/users/user-manager/orders";

#[test]
fn two_authorization_fields_are_a_bad_request() {
    let stack = session();
    let (one, other) = (stack.partner("1111"), stack.partner("2222"));
    for second in [&one, &other] {
        let call = stack.get(PARTNER_TARGET).bearer(&one).header("Authorization", &format!("Bearer {second}"));
        call.send().denied_malformed_credential();
    }
    let joined = format!("Bearer {one}, Bearer {other}");
    stack.get(PARTNER_TARGET).header("authorization", &joined).send().denied_malformed_credential();
    let basic = stack.get(PARTNER_TARGET).header("authorization", "Basic eDp5").bearer(&one);
    basic.send().denied_malformed_credential();
}

#[test]
fn a_credential_that_breaks_the_grammar_is_a_bad_request() {
    let stack = session();
    let token = stack.partner("1111");
    for value in [
        "Bearer".to_owned(),
        format!("Bearer\t{token}"),
        format!("Bearer {token} x"),
        format!("Bearer {token},"),
        format!("Bearer \"{token}\""),
        format!("Bearer token={token}"),
        format!("Bearer: {token}"),
    ] {
        stack.get(PARTNER_TARGET).header("authorization", &value).send().denied_malformed_credential();
    }
}

#[test]
fn another_scheme_is_no_credential() {
    let stack = session();
    let token = stack.partner("1111");
    for value in ["Basic dXNlcjpwYXNz".to_owned(), format!("Token {token}"), token, "DPoP abc".to_owned()] {
        stack.get(PARTNER_TARGET).header("authorization", &value).send().denied(401, "missing_token");
    }
}

#[test]
fn a_token_in_the_query_is_not_taken() {
    let stack = session();
    let token = stack.partner("1111");
    let query = stack.get(format!("{PARTNER_TARGET}?access_token={token}"));
    query.send().denied(401, "missing_token");
}

#[test]
fn a_token_in_the_body_is_not_taken() {
    let stack = session();
    let token = stack.partner("1111");
    let form = stack.call("POST", PARTNER_TARGET).header("content-type", "application/x-www-form-urlencoded");
    form.body(format!("access_token={token}")).send().denied(401, "missing_token");
}

#[test]
fn a_token_in_another_field_is_not_taken() {
    let stack = session();
    let token = format!("Bearer {}", stack.partner("1111"));
    for field in [
        "Proxy-Authorization",
        "X-Authorization",
        "X-Forwarded-Authorization",
        "Authorization2",
        "X-Amz-Security-Token",
    ] {
        stack.get(PARTNER_TARGET).header(field, &token).send().denied(401, "missing_token");
    }
    stack.get(PARTNER_TARGET).header("cookie", &format!("access_token={token}")).send().denied(401, "missing_token");
}

#[test]
fn a_token_reaches_neither_an_origin_that_verifies_assertions_nor_the_permissions_service() {
    let stack = session();
    let (company, user) = (stack.partner("1111"), stack.user("user-manager"));
    {
        let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
        stack.get(PARTNER_TARGET).bearer(&company).send().expect(200);
        let seen = services.seen();
        assert!(seen[0].value("postern-assertion").is_some());
        assert_eq!(seen[0].value("authorization"), None);
        assert!(seen[0].fields.iter().all(|(_, value)| !value.contains(&company)), "{:?}", seen[0]);
        // A public route looks at no token, and forwards none.
        stack.get("/health").bearer(&company).send().expect(200);
        assert_eq!(services.seen().last().map(|head| head.value("authorization").is_none()), Some(true));
    }
    let record = r#"{"id":"user-manager","companies":["1111"],"role":"Manager"}"#;
    let service = StandIn::for_permissions(&stack, |arrival| arrival.answer("200 OK", "", record));
    stack.post(USER_TARGET).bearer(&user).send().expect(201);
    let seen = service.seen();
    assert!(!seen.is_empty());
    for head in seen {
        assert!(head.fields.iter().all(|(_, value)| !value.contains(&user)), "{head:?}");
        assert_eq!(head.value("authorization"), None);
    }
}
