//! The three ways to place authorisation, each as its example wires it, on events as `lambda_http` makes them.

#[path = "../examples/authenticate_in_front.rs"]
#[allow(dead_code, reason = "its `main` is for Lambda")]
mod authenticate_in_front;
#[path = "../examples/authorize_in_front.rs"]
#[allow(dead_code, reason = "its `main` is for Lambda")]
mod authorize_in_front;
#[path = "../examples/hydrate_in_front.rs"]
#[allow(dead_code, reason = "its `main` is for Lambda")]
mod hydrate_in_front;
mod records;

use std::{convert::Infallible, sync::Arc};

use http::Request;
use lambda_http::{Body, request::from_str};
use postern::PermissionsRecord;
use postern_origin::{clock::system_time, enforcer::Enforcer, http::Answer};
use records::Records;
use serde_json::{Map, Value, json};
use tower::{Service, ServiceExt};

const ORDERS: &str = "/companies/1111/users/alice/orders";
const VOUCHER: &str = "/companies/1111/users/alice/vouchers/v1";

/// An event of an HTTP API, with what its authorizer said.
fn event(method: &str, path: &str, authorizer: &Value) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"host": "a.execute-api.eu-west-2.amazonaws.com", "authorization": "Bearer is.not.read"},
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "a.execute-api.eu-west-2.amazonaws.com", "domainPrefix": "a",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
            "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "22/Nov/2026:07:00:00 +0000",
            "timeEpoch": 1_795_330_800_000_u64, "authorizer": authorizer,
        },
        "isBase64Encoded": false,
    })
}

/// The claims of an access token of Alice's, with these instead.
fn claims(changes: Value) -> Map<String, Value> {
    let now = system_time().as_secs();
    let claims = json!({
        "iss": "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example", "client_id": "p4iondtoa9aljeoultesa4nvc",
        "token_use": "access", "sub": "alice", "username": "alice", "scope": "orders/list.orders orders/create.order",
        "iat": now, "exp": now + 600,
    });
    let (Value::Object(mut claims), Value::Object(changes)) = (claims, changes) else { panic!("objects") };
    claims.extend(changes);
    claims.retain(|_, value| !value.is_null());
    claims
}

/// What an HTTP API's JWT authorizer says of them: every value a string.
fn jwt(changes: Value) -> Value {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let claims: Map<String, Value> =
        claims(changes).into_iter().map(|(name, value)| (name, text(value).into())).collect();
    json!({"jwt": {"claims": claims, "scopes": null}})
}

/// What our authorizer says of a caller with these scopes, with a record where it has asked for one.
fn lambda(enforcer: &Enforcer, scope: &str, companies: Option<&str>) -> Value {
    let claims = claims(json!({ "scope": scope }));
    let caller = enforcer.authorizer().caller_of_claims(&claims, system_time()).expect("a caller");
    let mut context = json!({"posternContext": "1", "subject": caller.subject(), "caller": caller.to_json()});
    if let Some(companies) = companies {
        let record = format!(r#"{{"id":"alice","companies":{companies}}}"#);
        context["companies"] = PermissionsRecord::parse(record.as_bytes()).expect("a record").to_json().into();
    }
    json!({ "lambda": context })
}

/// The same context once the token has expired.
fn expired(mut authorizer: Value) -> Value {
    let mut caller: Value =
        serde_json::from_str(authorizer["lambda"]["caller"].as_str().expect("a caller")).expect("JSON");
    caller["expires_at"] = system_time().as_secs().into();
    authorizer["lambda"]["caller"] = caller.to_string().into();
    authorizer
}

async fn answer<S>(service: S, event: &Value) -> (u16, String)
where
    S: Service<Request<Body>, Response = Answer, Error = Infallible>,
{
    let request = from_str(&event.to_string()).expect("an event that lambda_http knows");
    let Ok(answer) = service.oneshot(request).await;
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    (answer.status().as_u16(), body["code"].as_str().unwrap_or_default().to_owned())
}

fn said(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn authenticated_in_front_and_authorised_in_the_service() {
    let records = Records::start().await;
    records.put("alice", r#"{"1111":["Manager"],"2222":["Standard"]}"#);
    let enforcer = records.enforcer();
    let ask = async |path: &str, authorizer: Value| {
        answer(authenticate_in_front::service(Arc::clone(&enforcer)), &event("GET", path, &authorizer)).await
    };
    assert_eq!(ask(ORDERS, jwt(json!({}))).await, said(200, ""));
    assert_eq!(ask(ORDERS, Value::Null).await, said(401, "missing_token"));
    assert_eq!(ask("/companies/2222/users/alice/orders", jwt(json!({}))).await, said(403, "access_denied"));
    assert_eq!(ask("/companies/3333/users/alice/orders", jwt(json!({}))).await, said(403, "access_denied"));
    assert_eq!(ask("/companies/1111/users/bob/orders", jwt(json!({}))).await, said(403, "access_denied"));
    assert_eq!(ask(ORDERS, jwt(json!({"scope": "openid"}))).await, said(403, "insufficient_scope"));
    assert_eq!(ask("/companies/1111", jwt(json!({}))).await, said(404, "not_found"));
    // Whatever API Gateway was told to let through, the section's rules hold.
    for changes in [
        json!({"token_use": "id"}),
        json!({"client_id": "another"}),
        json!({"iss": "https://another.example"}),
        json!({"exp": 1}),
        json!({"exp": null}),
        json!({"sub": null}),
    ] {
        assert_eq!(ask(ORDERS, jwt(changes.clone())).await, said(401, "invalid_token"), "{changes}");
    }
    // Each request asks: a role that is withdrawn is gone at once.
    records.put("alice", r#"{"1111":["Standard"]}"#);
    assert_eq!(ask(ORDERS, jwt(json!({}))).await, said(403, "access_denied"));
    for status in [500, 401, 302, 0] {
        records.fail_with(status);
        assert_eq!(ask(ORDERS, jwt(json!({}))).await, said(503, "temporarily_unavailable"), "{status}");
    }
}

#[tokio::test]
async fn authorised_in_front_and_decided_again_for_the_caller_of_the_context() {
    let records = Records::start().await;
    records.put("alice", r#"{"1111":["Manager"]}"#);
    let enforcer = records.enforcer();
    let ask = async |path: &str, authorizer: Value| {
        answer(authorize_in_front::service(Arc::clone(&enforcer)), &event("GET", path, &authorizer)).await
    };
    let alice = || lambda(&enforcer, "", None);
    assert_eq!(ask(VOUCHER, alice()).await, said(200, ""));
    // A result that was cached for the token vouches for no other company and no other user.
    assert_eq!(ask("/companies/2222/users/alice/vouchers/v1", alice()).await, said(403, "access_denied"));
    assert_eq!(ask("/companies/1111/users/bob/vouchers/v1", alice()).await, said(403, "access_denied"));
    // Nor does it outlive the token.
    assert_eq!(ask(VOUCHER, expired(alice())).await, said(401, "invalid_token"));
    assert_eq!(ask(VOUCHER, Value::Null).await, said(401, "missing_token"));
    records.fail_with(500);
    assert_eq!(ask(VOUCHER, alice()).await, said(503, "temporarily_unavailable"));
}

#[tokio::test]
async fn hydrated_in_front_and_authorised_in_the_service() {
    let records = Records::start().await;
    records.put("alice", r#"{"1111":["Standard"]}"#);
    let enforcer = records.enforcer();
    let ask = async |method: &str, path: &str, authorizer: Value| {
        answer(hydrate_in_front::service(Arc::clone(&enforcer)), &event(method, path, &authorizer)).await
    };
    let manager = || {
        lambda(&enforcer, "orders/get.order orders/list.orders orders/create.order", Some(r#"{"1111":["Manager"]}"#))
    };
    let order = format!("{ORDERS}/sample-1");
    // The route takes a record of 30 s, and the context's is no older than 20 s.
    assert_eq!(ask("GET", &order, manager()).await, said(200, ""));
    assert_eq!(ask("GET", "/companies/2222/users/alice/orders/sample-1", manager()).await, said(403, "access_denied"));
    assert_eq!(records.asked(), 0, "the context said it");
    // These want a younger one, and have it asked for: the role was withdrawn meanwhile.
    assert_eq!(ask("GET", ORDERS, manager()).await, said(403, "access_denied"));
    assert_eq!(ask("POST", ORDERS, manager()).await, said(403, "access_denied"));
    assert_eq!(records.asked(), 2);
    // Without companies in the context, the service is asked as ever.
    assert_eq!(ask("GET", &order, lambda(&enforcer, "orders/get.order", None)).await, said(403, "access_denied"));
    records.fail_with(500);
    assert_eq!(ask("POST", ORDERS, manager()).await, said(503, "temporarily_unavailable"));
    assert_eq!(ask("GET", &order, manager()).await, said(200, ""));
}
