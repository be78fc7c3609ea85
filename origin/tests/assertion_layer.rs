//! The layer before a service: what it lets through, what it refuses, and what it leaves behind.

mod slow_body;
mod support;

use std::{convert::Infallible, time::Duration};

use http::{HeaderValue, Request, Response};
use lambda_http::Body;
use postern::{
    UnixTime,
    assertion::{Assertion, HEADER},
};
use postern_origin::assertion::{AssertionLayer, BasePath, CanonicalTarget, VerifiedAssertion};
use slow_body::SlowBody;
use support::{assertion, assertion_of, edge_keys, header, jwk, keys, layer, now};
use tower::{Layer, Service, ServiceExt, service_fn};

const NAME: &str = "vouchers";
const TARGET: &str = "/companies/1111/vouchers/auth0%7Cabc?page=2";

/// A service that says who it was told is calling, and whether the assertion was left in the request.
async fn whoami(request: Request<Body>) -> Result<Response<String>, Infallible> {
    let caller = request.extensions().get::<VerifiedAssertion>();
    let target = request.extensions().get::<CanonicalTarget>();
    let body = format!(
        "{} {} {}",
        caller.and_then(VerifiedAssertion::subject).unwrap_or("nobody"),
        target.map_or("nowhere", CanonicalTarget::as_str),
        request.headers().contains_key(HEADER),
    );
    Ok(Response::new(body))
}

async fn through(layer: AssertionLayer, request: Request<Body>) -> Response<String> {
    match layer.layer(service_fn(whoami)).oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// A request for `TARGET` with these assertion headers.
fn get(assertions: &[&str]) -> Request<Body> {
    let mut request = Request::builder().uri(TARGET).body(Body::Empty).unwrap();
    for assertion in assertions {
        request.headers_mut().append(HEADER, HeaderValue::from_str(assertion).unwrap());
    }
    request
}

fn good() -> Assertion {
    assertion_of(NAME, "GET", TARGET, "alice", "1111")
}

async fn assert_refused(request: Request<Body>) {
    let answer = through(layer(NAME), request).await;
    assert_eq!(answer.status(), 401, "{}", answer.body());
    assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
    assert_eq!(header(&answer, "cache-control"), Some("private, no-store"));
    assert!(header(&answer, "www-authenticate").unwrap().contains(NAME));
    assert!(answer.body().contains("assertion_required"), "{}", answer.body());
}

async fn assert_refused_when(change: impl FnOnce(&mut Assertion)) {
    let mut assertion = good();
    change(&mut assertion);
    assert_refused(get(&[&assertion.sign(&edge_keys())])).await;
}

#[tokio::test]
async fn a_valid_assertion_passes_and_names_the_caller() {
    let answer = through(layer(NAME), get(&[&good().sign(&edge_keys())])).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.body(), &format!("alice {TARGET} false"), "the header must not reach the service");
}

#[tokio::test]
async fn an_anonymous_assertion_passes_without_a_caller() {
    let answer = through(layer(NAME), get(&[&assertion(NAME, "GET", TARGET).sign(&edge_keys())])).await;
    assert_eq!(answer.body(), &format!("nobody {TARGET} false"));
}

#[tokio::test]
async fn a_missing_assertion_is_refused() {
    assert_refused(get(&[])).await;
    assert_refused(get(&[""])).await;
}

#[tokio::test]
async fn a_caller_put_into_the_extensions_from_elsewhere_is_not_believed_without_an_assertion() {
    let mut request = get(&[]);
    request.extensions_mut().insert(CanonicalTarget::parse(TARGET).unwrap());
    assert_refused(request).await;
}

#[tokio::test]
async fn the_callers_token_is_no_assertion() {
    let mut request = get(&[]);
    let token = HeaderValue::from_str(&format!("Bearer {}", good().sign(&edge_keys()))).unwrap();
    request.headers_mut().insert("authorization", token);
    assert_refused(request).await;
}

#[tokio::test]
async fn an_assertion_for_another_audience_is_refused() {
    assert_refused_when(|assertion| "external-orders".clone_into(&mut assertion.audience)).await;
}

#[tokio::test]
async fn an_assertion_for_another_path_is_refused() {
    assert_refused_when(|assertion| "/companies/2222/vouchers/auth0%7Cabc?page=2".clone_into(&mut assertion.target))
        .await;
}

#[tokio::test]
async fn an_assertion_for_another_query_is_refused() {
    for target in ["?page=3", "", "?", "?page=2&", "?page=%32"] {
        let target = format!("/companies/1111/vouchers/auth0%7Cabc{target}");
        assert_refused_when(|assertion| assertion.target = target).await;
    }
}

#[tokio::test]
async fn an_assertion_for_another_method_is_refused() {
    assert_refused_when(|assertion| "POST".clone_into(&mut assertion.method)).await;
    assert_refused_when(|assertion| "get".clone_into(&mut assertion.method)).await;
}

#[tokio::test]
async fn an_expired_assertion_is_refused() {
    assert_refused_when(|assertion| {
        assertion.issued_at = UnixTime::from_secs(now().as_secs() - 60);
        assertion.expires_at = now();
    })
    .await;
}

#[tokio::test]
async fn an_assertion_of_the_future_is_refused() {
    assert_refused_when(|assertion| {
        assertion.issued_at = now().saturating_add(Duration::from_secs(30));
        assertion.expires_at = now().saturating_add(Duration::from_secs(60));
    })
    .await;
}

#[tokio::test]
async fn an_assertion_that_lives_too_long_is_refused() {
    assert_refused_when(|assertion| assertion.expires_at = now().saturating_add(Duration::from_secs(3600))).await;
}

#[tokio::test]
async fn two_assertions_are_refused_even_when_both_are_valid() {
    let compact = good().sign(&edge_keys());
    assert_refused(get(&[&compact, &compact])).await;
    assert_refused(get(&[&compact, "x"])).await;
    assert_refused(get(&["", &compact])).await;
}

#[tokio::test]
async fn two_assertions_joined_by_a_platform_are_refused() {
    let compact = good().sign(&edge_keys());
    for joined in [format!("{compact},{compact}"), format!("{compact}, x"), format!("{compact},")] {
        assert_refused(get(&[&joined])).await;
    }
}

#[tokio::test]
async fn a_tampered_assertion_is_refused() {
    let (honest, other) =
        (good().sign(&edge_keys()), assertion_of(NAME, "GET", TARGET, "mallory", "1111").sign(&edge_keys()));
    let parts: Vec<&str> = honest.split('.').collect();
    let others: Vec<&str> = other.split('.').collect();
    assert_refused(get(&[&[parts[0], others[1], parts[2]].join(".")])).await;
    assert_refused(get(&[&[parts[0], parts[1], ""].join(".")])).await;
    assert_refused(get(&[&[parts[0], parts[1]].join(".")])).await;
    assert_refused(get(&[&honest.to_lowercase()])).await;
}

#[tokio::test]
async fn an_unknown_kid_is_refused() {
    assert_refused(get(&[&good().sign(&keys(&[jwk("edge-2", 1)]))])).await;
}

#[tokio::test]
async fn another_key_under_a_known_kid_is_refused() {
    assert_refused(get(&[&good().sign(&keys(&[jwk("edge-1", 3)]))])).await;
}

#[tokio::test]
async fn another_issuers_key_does_not_speak_for_the_edge() {
    assert_refused(get(&[&good().sign(&keys(&[jwk("admin-1", 2)]))])).await;
}

#[tokio::test]
async fn without_keys_everything_is_answered_503() {
    for request in [get(&[]), get(&[&good().sign(&edge_keys())])] {
        let answer = through(AssertionLayer::unconfigured(NAME), request).await;
        assert_eq!(answer.status(), 503);
        assert!(header(&answer, "retry-after").is_some());
        assert!(answer.body().contains("temporarily_unavailable"));
    }
}

#[tokio::test]
async fn a_target_the_edge_would_not_have_forwarded_is_refused() {
    for target in ["/a/%2e%2e/b", "/a//b", "/a%2Fb", "/a%7cb", "/a;b"] {
        let assertion = assertion(NAME, "GET", target);
        let request =
            Request::builder().uri(target).header(HEADER, assertion.sign(&edge_keys())).body(Body::Empty).unwrap();
        assert_refused(request).await;
    }
}

#[tokio::test]
async fn a_base_path_is_taken_off_before_the_comparison_and_is_then_required() {
    let layer = layer(NAME).with_base_path(BasePath::new("/prod").unwrap());
    let compact = good().sign(&edge_keys());
    let at = |path: String| Request::builder().uri(path).header(HEADER, &compact).body(Body::Empty).unwrap();
    let answer = through(layer.clone(), at(format!("/prod{TARGET}"))).await;
    assert_eq!(answer.body(), &format!("alice {TARGET} false"));
    assert_eq!(through(layer, at(TARGET.to_owned())).await.status(), 401);
}

#[tokio::test]
async fn answers_are_not_to_be_kept_unless_the_service_says_so() {
    let answer = through(layer(NAME), get(&[&good().sign(&edge_keys())])).await;
    assert_eq!(header(&answer, "cache-control"), Some("private, no-store"));

    let cacheable = |_: Request<Body>| async {
        let answer = Response::builder().header("cache-control", "private, max-age=5").body(Body::Empty);
        Ok::<_, Infallible>(answer.unwrap())
    };
    let answer = layer(NAME).layer(service_fn(cacheable)).oneshot(get(&[&good().sign(&edge_keys())])).await.unwrap();
    assert_eq!(header(&answer, "cache-control"), Some("private, max-age=5"));
}

#[tokio::test]
async fn caching_can_be_left_to_the_service_but_for_what_the_layer_says_itself() {
    let layer = layer(NAME).without_cache_control();
    let bound = Assertion { content_sha256: Some(postern::digest::sha256(b"a")), ..good() };
    for assertion in [good(), bound.clone()] {
        let answer = through(layer.clone(), support::asserted(&assertion, "a")).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "cache-control")), (200, None));
    }
    for refused in [get(&[]), support::asserted(&bound, "b")] {
        let answer = through(layer.clone(), refused).await;
        assert!(answer.status().is_client_error());
        assert_eq!(header(&answer, "cache-control"), Some("private, no-store"));
    }
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_service() {
    let unreachable = |_: Request<Body>| async { Err::<Response<String>, &str>("the service was called") };
    let mut service = layer(NAME).layer(service_fn(unreachable));
    let answer = service.ready().await.unwrap().call(get(&[])).await;
    assert_eq!(answer.unwrap().status(), 401);
}

#[tokio::test]
async fn the_clock_decides_what_is_fresh() {
    let late = || now().saturating_add(Duration::from_secs(60));
    let answer = through(layer(NAME).with_clock(late), get(&[&good().sign(&edge_keys())])).await;
    assert_eq!(answer.status(), 401);
}

/// A service that repeats the body and the tier that it was handed.
async fn echo(request: Request<Body>) -> Result<Response<String>, Infallible> {
    let tier = request.headers().get("x-tier").and_then(|tier| tier.to_str().ok()).unwrap_or("none").to_owned();
    let body = String::from_utf8_lossy(request.body()).into_owned();
    Ok(Response::new(format!("{body} {tier} {}", request.headers().contains_key("x_tier"))))
}

async fn echoed(assertion: &Assertion, fields: &[(&str, &str)], body: &str) -> Response<String> {
    let mut request = support::asserted(assertion, body);
    for (name, value) in fields {
        request.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    match layer(NAME).layer(service_fn(echo)).oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

#[tokio::test]
async fn a_bound_body_reaches_the_service_only_if_it_is_the_one() {
    let bound = Assertion { content_sha256: Some(postern::digest::sha256(b"{\"a\":1}")), ..good() };
    let answer = echoed(&bound, &[], "{\"a\":1}").await;
    assert_eq!((answer.status().as_u16(), answer.body().as_str()), (200, "{\"a\":1} none false"));
    for body in ["{\"a\":2}", "", "{\"a\":1} "] {
        let answer = echoed(&bound, &[], body).await;
        assert_eq!(answer.status(), 400, "{body}");
        assert_eq!(header(&answer, "cache-control"), Some("private, no-store"));
        assert!(answer.body().contains("invalid_request"), "{}", answer.body());
    }
    // One that is not bound is nobody's business here.
    assert_eq!(echoed(&good(), &[], "anything").await.body(), "anything none false");
}

#[tokio::test]
async fn a_bound_body_may_be_as_long_as_a_function_takes_and_no_longer() {
    let most = "x".repeat(postern::policy::MAX_BODY_BYTES);
    for (body, status) in [(most.clone(), 200), (most + "x", 413)] {
        let bound = Assertion { content_sha256: Some(postern::digest::sha256(body.as_bytes())), ..good() };
        assert_eq!(echoed(&bound, &[], &body).await.status(), status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bound_body_that_does_not_come_to_its_end_is_refused_when_its_assertion_is_no_good_any_more() {
    let never = service_fn(|_: Request<SlowBody>| async { Err::<Response<String>, &str>("the service was called") });
    let bound = Assertion { content_sha256: Some(postern::digest::sha256(b"a")), ..good() };
    let request = support::asserted(&bound, "").map(|_| SlowBody::Unending);
    let begun = tokio::time::Instant::now();
    let answer = tokio::time::timeout(Duration::from_secs(600), layer(NAME).layer(never).oneshot(request)).await;
    let answer = answer.expect("an answer in time").expect("an answer of the layer's own");
    assert_eq!((answer.status().as_u16(), begun.elapsed().as_secs()), (400, 60));
    assert!(answer.body().contains("invalid_request"), "{}", answer.body());
}

#[tokio::test]
async fn fields_that_hand_claims_on_say_what_the_assertion_says() {
    let handed = Assertion { handed_on: vec![("x-tier".to_owned(), "gold".to_owned())], ..good() };
    assert_eq!(echoed(&handed, &[], "").await.body(), " gold false");
    let forged = [("x-tier", "platinum"), ("x_tier", "platinum"), ("x-tier", "iron")];
    assert_eq!(echoed(&handed, &forged, "").await.body(), " gold false");
}
