//! The layer on requests as `lambda_http` makes them of each platform's event.
//!
//! Function URLs and REST APIs hand over the path as it was sent, HTTP APIs decoded and behind their stage.

mod support;

use http::Request;
use lambda_http::{Body, request::from_str};
use postern_origin::{
    assertion::BasePath,
    http::Answer,
    orders::SampleStore,
    services::internal_orders::{NAME, router},
};
use serde_json::{Value, json as value};
use support::{assertion_of, edge_keys, json, layer};
use tower::{Layer, ServiceExt};

/// What the edge forwards and binds.
const TARGET: &str = "/companies/1111/users/auth0%7Calice/orders";
const DECODED: &str = "/companies/1111/users/auth0|alice/orders";

fn compact(target: &str) -> String {
    assertion_of(NAME, "GET", target, "auth0|alice", "1111").sign(&edge_keys())
}

/// Payload version 2.0, as function URLs and HTTP APIs send it.
fn version_2(raw_path: &str, raw_query: &str, stage: &str, assertion: &str) -> Value {
    value!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": raw_query,
        "headers": {"host": "abc.lambda-url.eu-west-2.on.aws", "postern-assertion": assertion},
        "requestContext": {
            "accountId": "anonymous", "apiId": "abc", "domainName": "abc.lambda-url.eu-west-2.on.aws", "domainPrefix": "abc",
            "http": {"method": "GET", "path": raw_path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
            "requestId": "r", "routeKey": "$default", "stage": stage, "time": "22/Nov/2026:07:00:00 +0000", "timeEpoch": 1_795_330_800_000_u64,
        },
        "isBase64Encoded": false,
    })
}

/// Payload version 1.0, as REST APIs send it.
fn version_1(path: &str, query: Value, assertion: &str) -> Value {
    value!({
        "resource": "/{proxy+}", "path": path, "httpMethod": "GET",
        "headers": {"Host": "abc.execute-api.eu-west-2.amazonaws.com", "Postern-Assertion": assertion},
        "multiValueHeaders": {"Host": ["abc.execute-api.eu-west-2.amazonaws.com"], "Postern-Assertion": [assertion]},
        "queryStringParameters": query, "multiValueQueryStringParameters": null,
        "pathParameters": null, "stageVariables": null,
        "requestContext": {
            "accountId": "1", "resourceId": "r", "stage": "prod", "requestId": "r", "resourcePath": "/{proxy+}", "httpMethod": "GET",
            "path": format!("/prod{path}"), "apiId": "abc", "protocol": "HTTP/1.1", "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": null, "isBase64Encoded": false,
    })
}

async fn status(event: &Value, base_path: &str) -> u16 {
    let request: Request<Body> = from_str(&event.to_string()).expect("an event that lambda_http knows");
    let base_path = if base_path.is_empty() { BasePath::none() } else { BasePath::new(base_path).expect("base path") };
    let service = layer(NAME).with_base_path(base_path).layer(router(SampleStore::default()));
    let Ok(answer) = service.oneshot(request).await;
    if answer.status() == 200 {
        assert_orders_of_the_company(&answer);
    }
    answer.status().as_u16()
}

fn assert_orders_of_the_company(answer: &Answer) {
    assert_eq!(json(answer)[0]["companyId"], "1111");
}

#[tokio::test]
async fn a_function_url_delivers_the_path_as_it_was_sent() {
    assert_eq!(status(&version_2(TARGET, "", "$default", &compact(TARGET)), "").await, 200);
}

#[tokio::test]
async fn a_function_url_delivers_the_query_as_it_was_sent() {
    let query = "a=%7C&b=1&a=2";
    let compact = compact(&format!("{TARGET}?{query}"));
    assert_eq!(status(&version_2(TARGET, query, "$default", &compact), "").await, 200);
    assert_eq!(status(&version_2(TARGET, "a=%7C&a=2&b=1", "$default", &compact), "").await, 401);
}

#[tokio::test]
async fn an_http_api_delivers_the_path_decoded() {
    assert_eq!(status(&version_2(DECODED, "", "$default", &compact(TARGET)), "").await, 200);
}

#[tokio::test]
async fn an_http_api_delivers_its_stage_before_the_path() {
    assert_eq!(status(&version_2(&format!("/prod{DECODED}"), "", "prod", &compact(TARGET)), "/prod").await, 200);
    assert_eq!(status(&version_2(&format!("/prod{DECODED}"), "", "prod", &compact(TARGET)), "").await, 401);
}

#[tokio::test]
async fn a_path_that_a_url_parser_would_mend_is_refused_as_it_came() {
    for path in ["/companies/2222/../1111/users/auth0%7Calice/orders", "/companies/1111/users/auth0%7Calice/./orders"] {
        assert_eq!(status(&version_2(path, "", "$default", &compact(TARGET)), "").await, 401, "{path}");
    }
}

#[tokio::test]
async fn two_assertions_joined_by_the_platform_are_refused() {
    let joined = format!("{0},{0}", compact(TARGET));
    assert_eq!(status(&version_2(TARGET, "", "$default", &joined), "").await, 401);
}

#[tokio::test]
async fn a_rest_api_delivers_the_path_as_it_was_sent_and_without_its_stage() {
    assert_eq!(status(&version_1(TARGET, Value::Null, &compact(TARGET)), "").await, 200);
}

#[tokio::test]
async fn a_rest_api_delivers_a_query_whose_parameters_are_compared_in_any_order_of_names() {
    for (bound, delivered, wanted) in [
        ("page=2", value!({"page": ["2"]}), 200),
        ("b=2&a=1&c=%7C", value!({"a": ["1"], "b": ["2"], "c": ["|"]}), 200),
        ("b=2&a=1&b=1", value!({"a": ["1"], "b": ["2", "1"]}), 200),
        ("a=%26b=2", value!({"a": ["&b=2"]}), 200),
        ("page=2", value!({"page": ["3"]}), 401),
        ("page=2", value!({}), 401),
        ("page=2", value!({"page": ["2", "2"]}), 401),
        ("page=2", value!({"page": ["2"], "all": ["1"]}), 401),
        ("page=2&all=1", value!({"page": ["2"]}), 401),
        ("b=2&b=1", value!({"b": ["1", "2"]}), 401),
        ("a=%26b=2", value!({"a": [""], "b": ["2"]}), 401),
        // Read in one way by some and in another by others.
        ("a=1+2", value!({"a": ["1 2"]}), 401),
        ("a=1+2", value!({"a": ["1+2"]}), 401),
        ("a", value!({"a": [""]}), 401),
    ] {
        let mut event = version_1(TARGET, Value::Null, &compact(&format!("{TARGET}?{bound}")));
        event["multiValueQueryStringParameters"] = delivered.clone();
        assert_eq!(status(&event, "").await, wanted, "{bound} {delivered}");
    }
    // A bound query is not met by none, and none not by one.
    let none = version_1(TARGET, Value::Null, &compact(&format!("{TARGET}?page=2")));
    assert_eq!(status(&none, "").await, 401);
    let one = version_1(TARGET, value!({"page": "2"}), &compact(TARGET));
    assert_eq!(status(&one, "").await, 401);
}

#[tokio::test]
async fn another_path_is_another_however_like_its_query() {
    let elsewhere = TARGET.replace("1111", "2222");
    let event = version_1(TARGET, value!({"page": "2"}), &compact(&format!("{elsewhere}?page=2")));
    assert_eq!(status(&event, "").await, 401);
}

#[tokio::test]
async fn an_event_made_up_by_a_direct_invoke_needs_an_assertion_all_the_same() {
    assert_eq!(status(&version_2(TARGET, "", "$default", ""), "").await, 401);
}

/// As `SECURITY.md` says. Once `lambda_http` keeps them all, all are refused.
#[tokio::test]
async fn of_repeated_fields_the_last_alone_arrives_and_decides_unless_there_are_lists_alone() {
    let (good, forged) = (compact(TARGET), compact("/elsewhere"));
    let assertions = |event: &Value| {
        let request: Request<Body> = from_str(&event.to_string()).expect("an event that lambda_http knows");
        request.headers().get_all("postern-assertion").iter().count()
    };
    let balancer = value!({"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-2:1:targetgroup/a/b"}});
    for (first, last, wanted) in [(&forged, &good, 200), (&good, &forged, 401)] {
        let mut event = version_1(TARGET, Value::Null, last);
        event["multiValueHeaders"]["Postern-Assertion"] = value!([first, last]);
        assert_eq!((assertions(&event), status(&event, "").await), (1, wanted));
        event.as_object_mut().expect("members").retain(|_, member| !member.is_null());
        event["requestContext"] = balancer.clone();
        assert_eq!((assertions(&event), status(&event, "").await), (1, wanted));
        // A load balancer with lists switched on writes no `headers`.
        event["headers"] = value!({});
        assert_eq!((assertions(&event), status(&event, "").await), (2, 401));
    }
}
