//! The layer that decides by the policy, before a service: against an issuer and a permissions service that answer over HTTP.

mod issuer;
mod records;
mod slow_body;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, request::Builder};
use issuer::{Answer, Issuer};
use lambda_http::Body;
use postern::{Caller, Decision, PublicCode, Request as CoreRequest, UnixTime};
use postern_origin::{
    Permit,
    assertion::BasePath,
    authorize::AuthorizeLayer,
    clock::system_time,
    enforcer::Enforcer,
    permissions::PermissionsLayer,
    token::{TokenLayer, keys::Clock},
};
use records::{Records, keys};
use serde_json::{Value, json};
use slow_body::SlowBody;
use tower::{Layer, Service, ServiceExt, service_fn};

const POLICY: &str = r#"
roles = ["Manager"]
[permissions]
origin = "permissions"
[cors]
origins = ["https://app.example"]
[limits]
max_body_bytes = 8
[issuer.machines]
url = "https://issuer.example"
algorithms = ["EdDSA"]
audience = ["api"]
token_use = "access"
permissions = "subject"
[issuer.people]
url = "https://issuer.example"
algorithms = ["EdDSA"]
audience = ["app"]
token_use = "access"
permissions = "service"
[origin.o]
url = "https://o.example"
key = "KEY"
[origin.permissions]
url = "https://permissions.example"
key = "KEY_PERMISSIONS"
[[route]]
name = "health"
methods = ["GET"]
path = "/health"
origin = "o"
public = true
[[route]]
name = "orders"
methods = ["GET"]
path = "/companies/{company}/orders"
origin = "o"
issuer = "machines"
company = "{company}"
[route.headers]
x-tier = "tier"
[[route]]
name = "files"
methods = ["PUT"]
path = "/companies/{company}/files"
origin = "o"
issuer = "machines"
company = "{company}"
body = "buffered"
[[route]]
name = "imports"
methods = ["PUT"]
path = "/companies/{company}/imports"
origin = "o"
issuer = "machines"
company = "{company}"
body = "declared"
[[route]]
name = "now"
methods = ["GET"]
path = "/companies/{company}/now"
origin = "o"
issuer = "people"
company = "{company}"
roles = ["Manager"]
[[route]]
name = "lately"
methods = ["GET"]
path = "/companies/{company}/lately"
origin = "o"
issuer = "people"
company = "{company}"
roles = ["Manager"]
permissions_max_age = "30s"
permissions_stale_if_error = "60s"
"#;

struct World {
    issuer: Issuer,
    records: Records,
    enforcer: Arc<Enforcer>,
}

impl World {
    async fn start() -> Self {
        Self::with_clock(system_time).await
    }

    async fn with_clock(clock: Clock) -> Self {
        let (issuer, records) = (Issuer::start("k").await, Records::start().await);
        let url = issuer.url();
        let overlay = format!("[issuer.machines]\nurl = \"{url}\"\n[issuer.people]\nurl = \"{url}\"\n");
        let policy = records.policy(POLICY, &overlay);
        let enforcer = Enforcer::with_clock(policy, Some(keys()), clock).unwrap();
        let enforcer = Arc::new(enforcer.with_log(|_| {}));
        Self { issuer, records, enforcer }
    }

    fn layer(&self) -> AuthorizeLayer {
        AuthorizeLayer::new(Arc::clone(&self.enforcer))
    }

    /// A request of company 1111's machine.
    fn machine(&self, method: &str, target: &str) -> Builder {
        self.bearer(method, target, &json!({"tier": "gold"}))
    }

    /// A request of Alice's.
    fn alice(&self, target: &str) -> Request<Body> {
        self.bearer("GET", target, &json!({"aud": "app", "sub": "alice"})).body(Body::Empty).unwrap()
    }

    fn bearer(&self, method: &str, target: &str, claims: &Value) -> Builder {
        let token = self.issuer.token_claiming("k", claims);
        Request::builder().method(method).uri(target).header("authorization", format!("Bearer {token}"))
    }
}

/// A service that says what it was given: route, caller, company, tier and body.
async fn echo(request: Request<Body>) -> Result<Response<String>, Infallible> {
    let permit = request.extensions().get::<Permit>().expect("a permit").clone();
    let tiers: Vec<&str> =
        request.headers().get_all("x-tier").iter().map(|tier| tier.to_str().unwrap_or_default()).collect();
    let body = String::from_utf8_lossy(request.body());
    let said = [permit.route(), permit.subject(), permit.company()].map(|said| said.unwrap_or("-")).join(" ");
    let mut answer = Response::new(format!("{said} [{}] {body}", tiers.join(",")));
    answer.headers_mut().insert("access-control-allow-origin", http::HeaderValue::from_static("*"));
    answer.headers_mut().insert("vary", http::HeaderValue::from_static("accept"));
    Ok(answer)
}

async fn through(layer: impl Layer<EchoService, Service = impl EchoLike>, request: Request<Body>) -> Response<String> {
    let service: EchoService = service_fn(|request| Box::pin(echo(request)) as _);
    let Ok(answer) = layer.layer(service).oneshot(request).await;
    answer
}

type Echoed = std::pin::Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>>;
type EchoService = tower::util::ServiceFn<fn(Request<Body>) -> Echoed>;
trait EchoLike: Service<Request<Body>, Response = Response<String>, Error = Infallible> {}
impl<T: Service<Request<Body>, Response = Response<String>, Error = Infallible>> EchoLike for T {}

fn empty(builder: Builder) -> Request<Body> {
    builder.body(Body::Empty).unwrap()
}

#[tokio::test]
async fn what_is_permitted_reaches_the_service_with_its_permit() {
    let world = World::start().await;
    let answer = through(world.layer(), empty(world.machine("GET", "/companies/1111/orders"))).await;
    assert_eq!((answer.status().as_u16(), answer.body().as_str()), (200, "orders 1111 1111 [gold] "));
    assert_eq!(answer.headers()["cache-control"], "private, no-store");
    let answer = through(world.layer(), empty(Request::get("/health"))).await;
    assert_eq!(answer.body(), "health - - [] ");
}

/// What a service is given of an event with these fields and the machine's token: its header fields.
async fn fields_of(world: &World, context: Value, fields: Value) -> Value {
    let token = empty(world.machine("GET", "/companies/1111/orders")).headers()["authorization"].clone();
    let mut headers =
        json!({"host": "a.execute-api.eu-west-2.amazonaws.com", "authorization": token.to_str().unwrap()});
    headers.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/companies/1111/orders", "rawQueryString": "",
        "headers": headers, "requestContext": context, "isBase64Encoded": false,
    });
    let mut request = lambda_http::request::from_str(&event.to_string()).expect("an event");
    if context.is_null() {
        request.extensions_mut().remove::<lambda_http::request::RequestContext>();
    }
    let service = service_fn(|request: Request<Body>| async move {
        let shown = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), Value::from(value.to_str().unwrap_or_default()))
        };
        let fields: Value = request.headers().iter().map(shown).collect::<serde_json::Map<_, _>>().into();
        let mut answer = Response::new(fields.to_string());
        answer.headers_mut().insert("location", http::HeaderValue::from_static("https://o.example/companies"));
        answer.headers_mut().insert("postern_debug", http::HeaderValue::from_static("x"));
        Ok::<_, Infallible>(answer)
    });
    let Ok(answer) = world.layer().layer(service).oneshot(request).await;
    assert!(answer.headers().get("postern_debug").is_none());
    serde_json::from_str(answer.body()).expect("fields")
}

#[tokio::test]
async fn a_service_is_told_of_the_event_and_not_of_the_caller() {
    let world = World::start().await;
    let context = json!({
        "accountId": "1", "apiId": "a", "domainName": "api.example", "domainPrefix": "a", "requestId": "r",
        "http": {"method": "GET", "path": "/companies/1111/orders", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
            "userAgent": "test"},
        "routeKey": "$default", "stage": "$default", "time": "22/Nov/2026:07:00:00 +0000", "timeEpoch": 1,
    });
    let forged = json!({
        "x-forwarded-for": "192.0.2.77", "x-forwarded-host": "evil.example", "x_forwarded_host": "evil.example",
        "x-real-ip": "192.0.2.77", "x-original-url": "/", "script_name": "/x", "connection": "X_Hop", "x-hop": "1",
        "legacy_id": "1", "x-own": "kept",
    });
    let fields = fields_of(&world, context.clone(), forged).await;
    let expected = json!({
        "host": "a.execute-api.eu-west-2.amazonaws.com", "x-own": "kept", "x-tier": "gold",
        "x-forwarded-host": "api.example", "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1",
    });
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_service_and_is_answered_as_the_core_says() {
    let world = World::start().await;
    let page = "https://app.example";
    for request in [
        empty(Request::get("/companies/1111/orders").header("origin", page)),
        empty(world.machine("GET", "/companies/2222/orders").header("origin", page)),
        empty(Request::get("/nowhere")),
        empty(Request::post("/health")),
        empty(Request::get("/companies/1111/orders").header("authorization", "Bearer a.b.c")),
        empty(Request::head("/companies/1111/orders")),
        empty(Request::get("/companies/1111/orders//")),
        empty(Request::options("/health").header("origin", page).header("access-control-request-method", "GET")),
    ] {
        let fields: Vec<(String, String)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let target = request.uri().path().to_owned();
        let core = CoreRequest { method: request.method().as_str(), target: &target, headers: &fields };
        let decided = world.enforcer.decide(&core, None, async |_, _| unreachable!("no body")).await;
        let expected = match &decided {
            Decision::Deny(denial) => denial.answer(),
            Decision::Preflight(answer) => answer,
            Decision::Permit(_) => panic!("permitted: {target}"),
        };
        let never = service_fn(|_: Request<Body>| async { Err::<Response<String>, &str>("the service was called") });
        let answer = world.layer().layer(never).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), expected.status, "{target}");
        assert_eq!(answer.body(), &expected.body, "{target}");
        for (name, value) in &expected.headers {
            let values: Vec<_> = answer.headers().get_all(*name).iter().collect();
            assert_eq!(values, [value.as_str()], "{target}: {name}");
        }
        assert_eq!(answer.headers().len(), expected.headers.len(), "{target}: {:?}", answer.headers());
    }
}

#[tokio::test]
async fn fields_that_hand_claims_on_say_what_the_token_says() {
    let world = World::start().await;
    for forged in ["x-tier", "X_Tier", "x_tier"] {
        let request = world.machine("GET", "/companies/1111/orders").header(forged, "platinum");
        assert_eq!(through(world.layer(), empty(request)).await.body(), "orders 1111 1111 [gold] ", "{forged}");
        let request = Request::get("/health").header(forged, "platinum");
        assert_eq!(through(world.layer(), empty(request)).await.body(), "health - - [] ", "{forged}");
    }
}

#[tokio::test]
async fn cors_on_answers_is_the_policys_alone() {
    let world = World::start().await;
    for (origin, allowed) in [("https://app.example", Some("https://app.example")), ("https://evil.example", None)] {
        let answer = through(world.layer(), empty(Request::get("/health").header("origin", origin))).await;
        let said = answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(said, allowed, "{origin}");
        assert_eq!(vary(&answer), ["accept, Origin"], "{origin}");
    }
}

fn vary(answer: &Response<String>) -> Vec<&str> {
    answer.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn every_answer_varies_by_the_fields_that_were_decided_on() {
    let world = World::start().await;
    let permitted = through(world.layer(), empty(world.machine("GET", "/companies/1111/orders"))).await;
    assert_eq!((permitted.status(), vary(&permitted)), (http::StatusCode::OK, vec!["accept, Authorization, Origin"]));
    let denied = through(world.layer(), empty(Request::get("/companies/1111/orders"))).await;
    assert_eq!((denied.status(), vary(&denied)), (http::StatusCode::UNAUTHORIZED, vec!["Authorization, Origin"]));
    let unknown = through(world.layer(), empty(Request::get("/nowhere"))).await;
    assert_eq!((unknown.status(), vary(&unknown)), (http::StatusCode::NOT_FOUND, vec!["Origin"]));
}

#[tokio::test]
async fn a_body_that_a_route_binds_is_seen_first() {
    let world = World::start().await;
    let send = async |target: &str, digest: Option<&[u8]>, body: &'static str| {
        let mut request = world.machine("PUT", target);
        if let Some(of) = digest {
            use base64ct::{Base64, Encoding as _};
            let digest = Base64::encode_string(&postern::digest::sha256(of));
            request = request.header("content-digest", format!("sha-256=:{digest}:"));
        }
        let answer = through(world.layer(), request.body(Body::from(body)).unwrap()).await;
        (answer.status().as_u16(), answer.body().clone())
    };
    assert_eq!(send("/companies/1111/files", None, "12345678").await, (200, "files 1111 1111 [] 12345678".to_owned()));
    assert_eq!(send("/companies/1111/files", None, "123456789").await.0, 413);
    // A stranger's is not even read.
    assert_eq!(send("/companies/2222/files", None, "123456789").await.0, 403);
    let declared = "/companies/1111/imports";
    assert_eq!(
        send(declared, Some(b"a long body"), "a long body").await,
        (200, "imports 1111 1111 [] a long body".to_owned())
    );
    assert_eq!(send(declared, Some(b"a long body"), "another body").await.0, 400);
    assert_eq!(send(declared, None, "a long body").await.0, 400);
}

static SECONDS_AHEAD: AtomicU64 = AtomicU64::new(0);

#[tokio::test]
async fn a_token_that_ends_while_a_declared_body_comes_opens_nothing() {
    use base64ct::{Base64, Encoding as _};
    let world =
        World::with_clock(|| UnixTime::from_secs(system_time().as_secs() + SECONDS_AHEAD.load(Ordering::SeqCst)));
    let world = world.await;
    let digest = format!("sha-256=:{}:", Base64::encode_string(&postern::digest::sha256(b"a body")));
    let request = world.machine("PUT", "/companies/1111/imports").header("content-digest", digest);
    // It takes a day and more to come.
    let body = SlowBody::After(|| SECONDS_AHEAD.store(90_000, Ordering::SeqCst), Some(Bytes::from_static(b"a body")));
    let never = service_fn(|_: Request<SlowBody>| async { Err::<Response<String>, &str>("the service was called") });
    let answer = world.layer().layer(never).oneshot(request.body(body).unwrap()).await;
    let answer = answer.expect("an answer of the layer's own");
    assert_eq!(answer.status(), 401);
    assert!(answer.headers().contains_key("www-authenticate"));
    assert!(answer.body().contains("invalid_token"), "{}", answer.body());
}

#[tokio::test]
async fn an_outage_is_503_and_never_anything_else() {
    let world = World::start().await;
    world.records.put("alice", r#"{"1111":["Manager"]}"#);
    world.issuer.answer(Answer::Status(500));
    assert_eq!(through(world.layer(), world.alice("/companies/1111/now")).await.status(), 503);
    let world = World::start().await;
    for status in [0, 500, 302, 401, 304] {
        world.records.fail_with(status);
        let answer = through(world.layer(), world.alice("/companies/1111/now")).await;
        assert_eq!(answer.status(), 503, "{status}");
        assert!(answer.headers().contains_key("retry-after"));
        assert!(answer.body().contains(PublicCode::TemporarilyUnavailable.as_str()));
    }
}

#[tokio::test]
async fn a_record_decides_for_as_long_as_the_route_says() {
    let world = World::start().await;
    let status = async |target: &str| through(world.layer(), world.alice(target)).await.status().as_u16();
    assert_eq!(status("/companies/1111/now").await, 403, "there is no record");
    world.records.put("alice", r#"{"1111":["Manager"]}"#);
    assert_eq!(status("/companies/1111/now").await, 200);
    assert_eq!(status("/companies/1111/lately").await, 200);
    assert_eq!(world.records.asked(), 2, "what one route has asked for serves the other while it is young enough");
    world.records.put("alice", r#"{"1111":[]}"#);
    assert_eq!((status("/companies/1111/lately").await, status("/companies/1111/now").await), (200, 403));
    assert_eq!(world.records.asked(), 3);
    // What was asked for anew replaced what was held.
    assert_eq!(status("/companies/1111/lately").await, 403);
}

#[tokio::test]
async fn a_token_is_verified_and_permissions_are_asked_for_before_the_decision() {
    let world = World::start().await;
    world.records.put("alice", r#"{"1111":["Manager"]}"#);
    let pipeline = |passing: bool, age: u64| {
        let token = TokenLayer::new(Arc::clone(&world.enforcer));
        let token = if passing { token.passing_without_credential() } else { token };
        let hydrate = PermissionsLayer::new(Arc::clone(&world.enforcer)).with_max_age(Duration::from_secs(age));
        let authorize = AuthorizeLayer::of_caller(Arc::clone(&world.enforcer));
        tower::layer::layer_fn(move |inner: EchoService| token.layer(hydrate.layer(authorize.layer(inner))))
    };
    assert_eq!(through(pipeline(false, 0), world.alice("/companies/1111/now")).await.status(), 200);
    assert_eq!(world.records.asked(), 1, "asked for once, and decided by that");
    let answer = through(pipeline(false, 0), empty(world.machine("GET", "/companies/1111/orders"))).await;
    assert_eq!(answer.body(), "orders 1111 1111 [gold] ");
    assert_eq!(world.records.asked(), 1, "a machine is its company: nobody is asked");
    // Held for long is too old for a route that takes nothing old.
    world.records.put("alice", r#"{"1111":[]}"#);
    assert_eq!(through(pipeline(false, 60), world.alice("/companies/1111/now")).await.status(), 403);
    for request in [Request::get("/health"), Request::get("/companies/1111/orders")] {
        assert_eq!(through(pipeline(false, 0), empty(request)).await.status(), 401);
    }
    assert_eq!(through(pipeline(true, 0), empty(Request::get("/health"))).await.status(), 200);
    assert_eq!(through(pipeline(true, 0), empty(Request::get("/companies/1111/orders"))).await.status(), 401);
    let bad = Request::get("/health").header("authorization", "Bearer a.b.c");
    assert_eq!(through(pipeline(true, 0), empty(bad)).await.status(), 401, "whoever shows a token shows a good one");
    world.records.fail_with(500);
    assert_eq!(through(pipeline(false, 0), world.alice("/companies/1111/now")).await.status(), 503);
}

#[tokio::test]
async fn a_service_that_hydrates_alone_is_not_called_while_nobody_can_tell() {
    let world = World::start().await;
    let hydrate = || {
        let (token, ask) =
            (TokenLayer::new(Arc::clone(&world.enforcer)), PermissionsLayer::new(Arc::clone(&world.enforcer)));
        let held = |request: Request<Body>| async move {
            let held = request.extensions().get::<postern_origin::enforcer::HeldPermissions>().is_some();
            Ok::<_, Infallible>(Response::new(held.to_string()))
        };
        token.layer(ask.layer(service_fn(held)))
    };
    let Ok(answer) = hydrate().oneshot(world.alice("/companies/1111/now")).await;
    assert_eq!((answer.status().as_u16(), answer.body().as_str()), (200, "true"), "no record is an answer too");
    world.records.fail_with(500);
    let Ok(answer) = hydrate().oneshot(world.alice("/companies/1111/now")).await;
    assert_eq!(answer.status(), 503);
}

#[tokio::test]
async fn a_layer_that_decides_for_a_caller_looks_at_no_token() {
    let world = World::start().await;
    let layer = AuthorizeLayer::of_caller(Arc::clone(&world.enforcer));
    let good = empty(world.machine("GET", "/companies/1111/orders"));
    assert_eq!(through(layer, good).await.status(), 401, "nobody has established who calls");
}

#[tokio::test]
async fn an_unconfigured_layer_and_a_path_from_elsewhere_are_refused() {
    let world = World::start().await;
    assert_eq!(through(AuthorizeLayer::unconfigured(), empty(Request::get("/health"))).await.status(), 503);
    let layer = world.layer().with_base_path(BasePath::new("/prod").unwrap());
    assert_eq!(through(layer.clone(), empty(Request::get("/prod/health"))).await.status(), 200);
    assert_eq!(through(layer, empty(Request::get("/health"))).await.status(), 404);
}

#[tokio::test]
async fn many_requests_at_once_ask_once() {
    let world = World::start().await;
    world.records.put("alice", r#"{"1111":["Manager"]}"#);
    let permitted = Arc::new(AtomicUsize::new(0));
    let tasks = tokio::task::LocalSet::new();
    for _ in 0..20 {
        let (layer, request, permitted) =
            (world.layer(), world.alice("/companies/1111/lately"), Arc::clone(&permitted));
        tasks.spawn_local(async move {
            if through(layer, request).await.status() == 200 {
                permitted.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    tasks.await;
    assert_eq!((permitted.load(Ordering::SeqCst), world.records.asked(), world.issuer.jwks_fetches()), (20, 1, 1));
}

#[tokio::test]
async fn what_a_platform_decoded_out_of_a_path_is_never_taken_for_a_query() {
    let world = World::start().await;
    let version_2 = |path: &str, domain: &str| {
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "company=2222", "headers": {},
            "requestContext": {
                "accountId": "1", "apiId": "a", "domainName": domain, "domainPrefix": "a", "requestId": "r",
                "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "a"},
                "routeKey": "$default", "stage": "$default", "time": "22/Nov/2026:07:00:00 +0000", "timeEpoch": 1,
            },
            "isBase64Encoded": false,
        })
    };
    let version_1 = |path: &str| {
        json!({
            "path": path, "httpMethod": "GET", "headers": {}, "queryStringParameters": {"company": "2222"},
            "requestContext": {"apiId": "a", "httpMethod": "GET", "identity": {}},
        })
    };
    let balancer = |path: &str| {
        json!({
            "path": path, "httpMethod": "GET", "headers": {}, "queryStringParameters": {"company": "2222"},
            "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-2:1:targetgroup/a/b"}},
        })
    };
    for (path, wanted) in [
        ("/health", 200),
        ("/health?company=1111&x=%25", 400),
        ("/health?company=1111", 400),
        ("/health?%", 400),
        ("/health#company=1111&x=%25", 400),
        ("/health#company=1111", 400),
    ] {
        for event in [
            version_2(path, "a.execute-api.eu-west-2.amazonaws.com"),
            version_2(path, "a.lambda-url.eu-west-2.on.aws"),
            version_1(path),
            balancer(path),
        ] {
            let request = lambda_http::request::from_str(&event.to_string()).expect("an event that lambda_http knows");
            assert_eq!(through(world.layer(), request).await.status(), wanted, "{event}");
        }
    }
}

#[tokio::test]
async fn whom_somebody_else_has_established_is_forgotten_where_no_token_is_shown() {
    use postern_origin::enforcer::HeldPermissions;
    let world = World::start().await;
    world.records.put("alice", r#"{"1111":["Manager"]}"#);
    let token = || TokenLayer::new(Arc::clone(&world.enforcer)).passing_without_credential();
    let says = |request: Request<Body>| async move {
        let (caller, held) = (request.extensions().get::<Caller>(), request.extensions().get::<HeldPermissions>());
        Ok::<_, Infallible>(Response::new(format!("{} {}", caller.is_some(), held.is_some())))
    };
    // Behind another such layer, with the token taken away between the two.
    let inner = token().layer(service_fn(says));
    let between = service_fn(move |mut request: Request<Body>| {
        assert!(request.extensions().get::<HeldPermissions>().is_some(), "nothing is there to be forgotten");
        request.headers_mut().remove("authorization");
        inner.clone().oneshot(request)
    });
    let outer = token().layer(PermissionsLayer::new(Arc::clone(&world.enforcer)).layer(between));
    let Ok(answer) = outer.oneshot(world.alice("/companies/1111/now")).await;
    assert_eq!(answer.body(), "false false");
}
