//! Every endpoint of the order and voucher services: bodies, statuses, and what is refused once more.

mod support;

use lambda_http::Body;
use postern::assertion::{Assertion, HEADER};
use postern_origin::{
    http::Answer,
    orders::SampleStore,
    services::{external_orders, internal_orders, vouchers},
};
use serde_json::json as value;
use support::{asserted, assertion, assertion_of, edge_keys, header, json, request, send};

const EXTERNAL: &str = "/companies/1111/orders";
const INTERNAL: &str = "/companies/1111/users/auth0%7Calice/orders";

async fn external(assertion: Assertion, body: &str) -> Answer {
    send(external_orders::router(SampleStore::default()), asserted(&assertion, body)).await
}

async fn internal(assertion: Assertion, body: &str) -> Answer {
    send(internal_orders::router(SampleStore::default()), asserted(&assertion, body)).await
}

fn partner(method: &str, target: &str) -> Assertion {
    assertion_of(external_orders::NAME, method, target, "1111", "1111")
}

fn user(method: &str, target: &str) -> Assertion {
    assertion_of(internal_orders::NAME, method, target, "auth0|alice", "1111")
}

#[tokio::test]
async fn a_companys_orders_are_a_list_of_orders() {
    let answer = external(partner("GET", EXTERNAL), "").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    assert_eq!(
        json(&answer),
        value!([
            {"orderId": "sample-1", "companyId": "1111", "orderStatus": "PENDING"},
            {"orderId": "sample-2", "companyId": "1111", "orderStatus": "PENDING"},
        ])
    );
}

#[tokio::test]
async fn one_order_is_found_by_its_identifier() {
    let answer = external(partner("GET", &format!("{EXTERNAL}/sample-1")), "").await;
    assert_eq!(json(&answer), value!({"orderId": "sample-1", "companyId": "1111", "orderStatus": "PENDING"}));
    let answer = external(partner("GET", &format!("{EXTERNAL}/unknown")), "").await;
    assert_eq!((answer.status().as_u16(), json(&answer)["code"].as_str()), (404, Some("not_found")));
}

#[tokio::test]
async fn a_placed_order_is_201_with_a_uuid_and_is_found_at_its_location() {
    let router = external_orders::router(SampleStore::default());
    let answer = send(router.clone(), asserted(&partner("POST", EXTERNAL), r#"{"quantity":3}"#)).await;
    assert_eq!(answer.status(), 201);
    let order = json(&answer);
    let id = order["orderId"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok(), "{id}");
    assert_eq!((&order["companyId"], &order["orderStatus"]), (&value!("1111"), &value!("PENDING")));
    let location = format!("{EXTERNAL}/{id}");
    assert_eq!(header(&answer, "location"), Some(location.as_str()));
    assert_eq!(json(&send(router, asserted(&partner("GET", &location), "")).await), order);
}

#[tokio::test]
async fn internal_orders_carry_the_company_and_never_the_user() {
    for (method, body, status) in [("GET", "", 200), ("POST", "", 201)] {
        let answer = internal(user(method, INTERNAL), body).await;
        assert_eq!(answer.status(), status);
        let text = std::str::from_utf8(answer.body()).unwrap();
        assert!(text.contains(r#""companyId":"1111""#) && !text.contains("alice"), "{text}");
    }
    let answer = internal(user("GET", &format!("{INTERNAL}/sample-2")), "").await;
    assert_eq!(json(&answer), value!({"orderId": "sample-2", "companyId": "1111", "orderStatus": "PENDING"}));
}

#[tokio::test]
async fn a_placed_internal_order_names_its_location_as_it_was_asked_for() {
    let answer = internal(user("POST", INTERNAL), "").await;
    let location = format!("{INTERNAL}/{}", json(&answer)["orderId"].as_str().unwrap());
    assert_eq!(header(&answer, "location"), Some(location.as_str()));
}

#[tokio::test]
async fn a_voucher_is_validated() {
    let target = "/companies/1111/users/alice/vouchers/spring";
    let assertion = assertion_of(vouchers::NAME, "GET", target, "alice", "1111");
    let answer = send(vouchers::router(), asserted(&assertion, "")).await;
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"\"validated\""[..]));
}

#[tokio::test]
async fn the_health_check_needs_an_assertion_and_no_caller() {
    let answer = external(assertion(external_orders::NAME, "GET", "/health"), "").await;
    assert_eq!(answer.status(), 200);
    let bare = request("GET", "/health").body(Body::Empty).unwrap();
    assert_eq!(send(external_orders::router(SampleStore::default()), bare).await.status(), 401);
}

#[tokio::test]
async fn another_companys_path_is_403_whatever_the_edge_decided() {
    for method in ["GET", "POST"] {
        let answer = external(assertion_of(external_orders::NAME, method, EXTERNAL, "2222", "2222"), "").await;
        assert_eq!((answer.status().as_u16(), json(&answer)["code"].as_str()), (403, Some("access_denied")));
        let answer = internal(assertion_of(internal_orders::NAME, method, INTERNAL, "auth0|alice", "2222"), "").await;
        assert_eq!(answer.status(), 403);
    }
    let answer = external(assertion(external_orders::NAME, "GET", EXTERNAL), "").await;
    assert_eq!(answer.status(), 403, "an anonymous assertion acts for no company");
}

#[tokio::test]
async fn another_users_path_is_403_whatever_the_edge_decided() {
    for subject in ["bob", "auth0%7Calice"] {
        let answer = internal(assertion_of(internal_orders::NAME, "GET", INTERNAL, subject, "1111"), "").await;
        assert_eq!(answer.status(), 403);
    }
}

#[tokio::test]
async fn a_user_does_not_see_anothers_orders() {
    let router = internal_orders::router(SampleStore::default());
    let placed = json(&send(router.clone(), asserted(&user("POST", INTERNAL), "")).await);
    let target = format!("/companies/1111/users/bob/orders/{}", placed["orderId"].as_str().unwrap());
    let bob = assertion_of(internal_orders::NAME, "GET", &target, "bob", "1111");
    assert_eq!(send(router, asserted(&bob, "")).await.status(), 404);
}

#[tokio::test]
async fn a_bad_body_is_400_and_names_the_member() {
    for (body, word) in [
        (r#"{"quantity":"x"}"#, "`quantity`"),
        (r#"{"companyId":"2222"}"#, "`companyId`"),
        ("{", "JSON"),
        ("[]", "object"),
    ] {
        let answer = external(partner("POST", EXTERNAL), body).await;
        assert_eq!(answer.status(), 400, "{body}");
        assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
        let problem = json(&answer);
        assert_eq!(problem["code"], "invalid_request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(word) || body == "{", "{body}: {detail}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_cap_is_413() {
    let answer = external(partner("POST", EXTERNAL), &" ".repeat(64 * 1024 + 1)).await;
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn an_unknown_path_is_404() {
    for target in
        ["/", "/companies/1111", "/companies/1111/orders/", "/companies/1111/orders/a/b", "/Companies/1111/orders"]
    {
        let answer = external(partner("GET", target), "").await;
        assert_eq!((answer.status().as_u16(), json(&answer)["code"].as_str()), (404, Some("not_found")), "{target}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_with_allow() {
    let answer = external(partner("DELETE", EXTERNAL), "").await;
    assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (405, Some("GET, POST, HEAD")));
    let answer = external(partner("PUT", &format!("{EXTERNAL}/sample-1")), "").await;
    assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let answer = external(partner("HEAD", EXTERNAL), "").await;
    assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
    let answer = external(partner("HEAD", "/unknown"), "").await;
    assert_eq!((answer.status().as_u16(), answer.body().len()), (404, 0));
}

#[tokio::test]
async fn a_method_override_is_not_read() {
    let assertion = partner("GET", EXTERNAL);
    let request = request("GET", EXTERNAL)
        .header(HEADER, assertion.sign(&edge_keys()))
        .header("x-http-method-override", "DELETE")
        .body(Body::Empty)
        .unwrap();
    assert_eq!(send(external_orders::router(SampleStore::default()), request).await.status(), 200);
}

#[tokio::test]
async fn a_router_without_the_layer_refuses_everything() {
    use tower::ServiceExt;
    let request = asserted(&partner("GET", EXTERNAL), "");
    let Ok(answer) = external_orders::router(SampleStore::default()).oneshot(request).await;
    assert_eq!(answer.status(), 401);
}
