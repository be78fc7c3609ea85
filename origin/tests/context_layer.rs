//! Whose word is taken: contexts of the configured kind and API alone, in every shape that API Gateway writes them.

mod records;

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{Request, Response};
use lambda_http::{Body, request::from_str};
use postern::{Caller, policy::from_toml};
use postern_origin::{
    clock::system_time,
    context::{ContextLayer, ContextSource},
    enforcer::{Enforcer, HeldPermissions, Hydrated},
};
use records::EXAMPLE;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

const ISSUER: &str = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example";

fn enforcer() -> Arc<Enforcer> {
    Arc::new(Enforcer::new(from_toml(EXAMPLE, None).expect("the example"), None).expect("a client"))
}

/// An event of a REST API, or of an HTTP API in payload version 1.0.
fn version_1(authorizer: &Value) -> Value {
    json!({
        "resource": "/{proxy+}", "path": "/orders", "httpMethod": "GET",
        "headers": {"Host": "a.execute-api.eu-west-2.amazonaws.com", "Origin": "https://app.ljg-sushi.example"},
        "multiValueHeaders": {"Origin": ["https://app.ljg-sushi.example"]},
        "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
        "stageVariables": null, "body": null, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "1", "resourceId": "r", "stage": "prod", "requestId": "r", "resourcePath": "/{proxy+}",
            "httpMethod": "GET", "path": "/prod/orders", "apiId": "rest", "protocol": "HTTP/1.1",
            "identity": {"sourceIp": "127.0.0.1"}, "authorizer": authorizer,
        },
    })
}

fn version_2(authorizer: &Value) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/orders", "rawQueryString": "",
        "headers": {"host": "a.execute-api.eu-west-2.amazonaws.com"},
        "requestContext": {
            "accountId": "1", "apiId": "http", "domainName": "a.execute-api.eu-west-2.amazonaws.com", "domainPrefix": "a",
            "http": {"method": "GET", "path": "/orders", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
            "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "22/Nov/2026:07:00:00 +0000",
            "timeEpoch": 1_795_330_800_000_u64, "authorizer": authorizer,
        },
        "isBase64Encoded": false,
    })
}

/// As a Cognito authorizer of a REST API writes them.
fn cognito(token_use: &str, expires: &str) -> Value {
    json!({"claims": {
        "sub": "alice", "iss": ISSUER, "client_id": "p4iondtoa9aljeoultesa4nvc", "token_use": token_use,
        "scope": "orders/list.orders", "auth_time": "1683085806", "exp": expires, "iat": "Wed May 03 03:50:06 UTC 2023",
        "username": "alice",
    }})
}

const LATE: &str = "Wed Feb 29 23:59:59 UTC 2040";

fn jwt() -> Value {
    json!({"jwt": {"claims": {
        "sub": "alice", "iss": ISSUER, "client_id": "p4iondtoa9aljeoultesa4nvc", "token_use": "access", "exp": "2214086399",
        "scope": "orders/list.orders",
    }, "scopes": ["orders/list.orders"]}})
}

/// Our authorizer's context, its members as strings.
fn ours() -> Value {
    let caller = json!({
        "issuer": "users", "subject": "alice", "scopes": [], "claims": [], "expires_at": system_time().as_secs() + 60,
    });
    json!({
        "posternContext": "1", "caller": caller.to_string(),
        "companies": r#"{"id":"alice","companies":{"1111":["Manager"]}}"#,
    })
}

/// Who is established, with the companies that are held; or the status.
async fn established(layer: ContextLayer, event: &Value) -> Result<(Option<String>, usize), u16> {
    let request: Request<Body> = from_str(&event.to_string()).expect("an event that lambda_http knows");
    sent(layer, request).await
}

async fn sent(layer: ContextLayer, request: Request<Body>) -> Result<(Option<String>, usize), u16> {
    let service = service_fn(|request: Request<Body>| async move {
        let caller = request.extensions().get::<Caller>().map(|caller| caller.subject().to_owned());
        let held = request.extensions().get::<HeldPermissions>().map(|held| match held.known() {
            Hydrated::Found(record) => record.companies().count(),
            Hydrated::Absent | Hydrated::Unavailable => 0,
        });
        let mut answer = Response::new(String::new());
        answer.extensions_mut().insert((caller, held.unwrap_or_default()));
        Ok::<_, Infallible>(answer)
    });
    let Ok(answer) = layer.layer(service).oneshot(request).await;
    match answer.extensions().get::<(Option<String>, usize)>() {
        Some(seen) => Ok(seen.clone()),
        None => Err(answer.status().as_u16()),
    }
}

/// The public code that an event is refused with.
async fn refusal(layer: ContextLayer, event: &Value) -> String {
    let request: Request<Body> = from_str(&event.to_string()).expect("an event that lambda_http knows");
    let service = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new("{}".to_owned())) });
    let Ok(answer) = layer.layer(service).oneshot(request).await;
    let body: Value = serde_json::from_str(answer.body()).expect("a problem document");
    body["code"].as_str().unwrap_or_default().to_owned()
}

fn believing(source: ContextSource) -> ContextLayer {
    ContextLayer::new(enforcer(), source)
}

fn alice() -> Result<(Option<String>, usize), u16> {
    Ok((Some("alice".to_owned()), 0))
}

#[tokio::test]
async fn each_kind_of_authorizer_is_understood_where_it_is_configured_and_nowhere_else() {
    use ContextSource::{Authorizer, CognitoAuthorizer, JwtAuthorizer};
    let shapes = [
        (Authorizer, version_1(&ours())),
        (Authorizer, version_2(&json!({"lambda": ours()}))),
        (CognitoAuthorizer, version_1(&cognito("access", LATE))),
        (JwtAuthorizer, version_2(&jwt())),
    ];
    for (own, event) in &shapes {
        for configured in [Authorizer, CognitoAuthorizer, JwtAuthorizer] {
            let wanted = if configured == *own { alice() } else { Err(401) };
            assert_eq!(established(believing(configured), event).await, wanted, "{configured:?} {event}");
        }
    }
}

#[tokio::test]
async fn an_id_token_that_a_cognito_authorizer_without_scopes_let_through_is_refused() {
    let layer = || believing(ContextSource::CognitoAuthorizer);
    assert_eq!(established(layer(), &version_1(&cognito("access", LATE))).await, alice());
    for (token_use, expires) in
        [("id", LATE), ("", LATE), ("access", "Thu May 04 03:50:06 UTC 2023"), ("access", "soon"), ("access", "")]
    {
        assert_eq!(
            established(layer(), &version_1(&cognito(token_use, expires))).await,
            Err(401),
            "{token_use} {expires}"
        );
    }
}

#[tokio::test]
async fn a_context_that_was_made_up_in_another_shape_is_refused() {
    let layer = || believing(ContextSource::Authorizer);
    let changed = |change: fn(&mut Value)| {
        let mut context = ours();
        change(&mut context);
        context
    };
    for context in [
        json!({"principalId": "alice"}),
        json!({"principalId": "alice", "caller": ours()["caller"]}),
        changed(|context| context["posternContext"] = "2".into()),
        changed(|context| context["posternContext"] = 1.into()),
        changed(|context| context["caller"] = "{}".into()),
        changed(|context| context["caller"] = json!({"subject": "alice"})),
        changed(|context| {
            context["caller"] = context["caller"].as_str().unwrap_or_default().replace("users", "nobody").into()
        }),
        changed(|context| context["companies"] = "{}".into()),
        changed(|context| context["companies"] = r#"{"id":"bob","companies":{"1111":["Manager"]}}"#.into()),
        changed(|context| context["companies"] = json!({"1111": ["Manager"]})),
    ] {
        assert_eq!(established(layer(), &version_1(&context)).await, Err(401), "{context}");
        let event = version_2(&json!({ "lambda": context }));
        assert_eq!(established(layer(), &event).await, Err(401), "{context}");
    }
}

#[tokio::test]
async fn whatever_is_no_event_of_the_api_is_refused() {
    let layer = || believing(ContextSource::JwtAuthorizer);
    assert_eq!(established(layer().of_api("http"), &version_2(&jwt())).await, alice());
    assert_eq!(established(layer().of_api("another"), &version_2(&jwt())).await, Err(401));
    assert_eq!(sent(layer(), Request::new(Body::Empty)).await, Err(401));
    // Header fields are no context, and neither is what another layer has put there.
    let mut request = Request::new(Body::Empty);
    request.headers_mut().insert("authorization", http::HeaderValue::from_static("Bearer a.b.c"));
    assert_eq!(sent(layer().passing_without_authorizer(), request).await, Err(401));
}

#[tokio::test]
async fn nobody_is_established_where_no_authorizer_was_asked() {
    for (source, event) in [
        (ContextSource::JwtAuthorizer, version_2(&Value::Null)),
        (ContextSource::Authorizer, version_2(&Value::Null)),
        (ContextSource::Authorizer, version_1(&Value::Null)),
        (ContextSource::CognitoAuthorizer, version_1(&Value::Null)),
    ] {
        assert_eq!(established(believing(source), &event).await, Err(401), "{source:?}");
        let passing = believing(source).passing_without_authorizer();
        assert_eq!(established(passing, &event).await, Ok((None, 0)), "{source:?}");
    }
    let iam = version_2(&json!({"iam": {"accountId": "1", "userArn": "arn:aws:iam::1:user/alice"}}));
    let passing = believing(ContextSource::JwtAuthorizer).passing_without_authorizer();
    assert_eq!(established(passing, &iam).await, Err(401), "somebody was asked, and not the one that is believed");
}

/// What an HTTP API writes in its version 1.0 where a route has no authorizer.
#[tokio::test]
async fn members_that_are_null_are_nobodys_word() {
    use ContextSource::{Authorizer, CognitoAuthorizer, JwtAuthorizer};
    let silent = || json!({"claims": null, "scopes": null});
    for (source, event) in [
        (CognitoAuthorizer, version_1(&silent())),
        (Authorizer, version_1(&silent())),
        (Authorizer, version_2(&json!({ "lambda": silent() }))),
        (Authorizer, version_2(&json!({"lambda": null}))),
        (JwtAuthorizer, version_2(&json!({"jwt": null}))),
    ] {
        assert_eq!(refusal(believing(source), &event).await, "missing_token", "{source:?} {event}");
        let passing = believing(source).passing_without_authorizer();
        assert_eq!(established(passing, &event).await, Ok((None, 0)), "{source:?} {event}");
    }
    // One word beside them, and somebody was asked.
    let spoken = json!({"claims": null, "scopes": null, "principalId": "alice"});
    for (source, event) in [
        (CognitoAuthorizer, version_1(&spoken)),
        (Authorizer, version_1(&spoken)),
        (Authorizer, version_2(&json!({ "lambda": spoken }))),
        (Authorizer, version_2(&jwt())),
        (Authorizer, version_2(&json!({"iam": {"accountId": "1"}}))),
        (CognitoAuthorizer, version_1(&json!({"claims": "alice"}))),
        (JwtAuthorizer, version_2(&json!({"jwt": {"claims": null}}))),
    ] {
        let passing = believing(source).passing_without_authorizer();
        assert_eq!(established(passing, &event).await, Err(401), "{source:?} {event}");
    }
}

#[tokio::test]
async fn companies_are_taken_over_only_where_their_age_is_said() {
    let event = version_1(&ours());
    assert_eq!(established(believing(ContextSource::Authorizer), &event).await, alice());
    let layer = believing(ContextSource::Authorizer).with_companies(Duration::from_secs(5));
    assert_eq!(established(layer, &event).await, Ok((Some("alice".to_owned()), 1)));
}

#[tokio::test]
async fn a_page_can_read_why_it_was_refused() {
    let request: Request<Body> = from_str(&version_1(&Value::Null).to_string()).expect("an event");
    let service = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    let Ok(answer) = believing(ContextSource::Authorizer).layer(service).oneshot(request).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.ljg-sushi.example");
    assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"postern\"");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}
