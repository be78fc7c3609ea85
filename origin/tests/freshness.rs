//! How long after a downgrade access is gone where a service decides for itself, and what a permissions service that is
//! asked by tag, fails or hangs comes to.

mod issuer;
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod service;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Request, Response};
use lambda_http::Body;
use postern::policy::from_toml;
use postern_origin::{
    Permit,
    authorize::AuthorizeLayer,
    enforcer::Enforcer,
    http::{Answer, Call, Problem, Router, router::Resource},
};
use service::{Mode, Service, keys};
use tower::{Layer, ServiceExt};

const POLICY: &str = r#"
roles = ["Manager", "Standard"]
[permissions]
origin = "permissions"
[issuer.users]
url = "https://users.example"
algorithms = ["EdDSA"]
audience = ["api"]
token_use = "access"
permissions = "service"
[origin.permissions]
url = "https://permissions.example"
key = "KEY_PERMISSIONS"
[origin.own]
url = "https://own.example"
key = "KEY_OWN"
[defaults]
origin = "own"
issuer = "users"
[[route]]
name = "at-once"
methods = ["GET"]
path = "/{company}/at-once"
company = "{company}"
roles = ["Manager"]
permissions_max_age = "0s"
[[route]]
name = "soon"
methods = ["GET"]
path = "/{company}/soon"
company = "{company}"
roles = ["Manager"]
permissions_max_age = "1s"
[[route]]
name = "standing-in"
methods = ["GET"]
path = "/{company}/standing-in"
company = "{company}"
roles = ["Manager"]
permissions_max_age = "1s"
permissions_stale_if_error = "1m"
"#;

const MANAGER: &str = r#""companies":["1111"],"role":"Manager""#;
const STANDARD: &str = r#""companies":["1111"],"role":"Standard""#;

struct Scene {
    service: Service,
    token: String,
    enforcer: Arc<Enforcer>,
    _issuer: issuer::Issuer,
}

async fn served(_: Permit, _: Call, _: Arc<()>) -> Result<Answer, Problem> {
    Ok(Response::new(Body::Empty))
}

impl Scene {
    async fn start() -> Self {
        let (service, issuer) = (Service::start().await, issuer::Issuer::start("a").await);
        service.set("1111", MANAGER);
        let overlay =
            format!("[issuer.users]\nurl = \"{}\"\n[origin.permissions]\nurl = \"{}\"\n", issuer.url(), service.url());
        let policy = from_toml(POLICY, Some(&overlay)).unwrap_or_else(|errors| panic!("{errors}"));
        let enforcer = Arc::new(Enforcer::new(policy, Some(keys())).unwrap().with_log(|_| ()));
        Self { service, token: issuer.token("a"), enforcer, _issuer: issuer }
    }

    async fn status(&self, route: &str) -> u16 {
        let resource = Resource::at("/{company}/{route}").on(http::Method::GET, served);
        let service = AuthorizeLayer::new(Arc::clone(&self.enforcer)).layer(Router::new("own", (), vec![resource]));
        let request = Request::get(format!("/1111/{route}")).header("authorization", format!("Bearer {}", self.token));
        let Ok(answer) = service.oneshot(request.body(Body::Empty).unwrap()).await;
        answer.status().as_u16()
    }

    /// How long after a downgrade the last request was permitted that began after it.
    async fn gone_after(&self, route: &str, most: Duration) -> Duration {
        assert_eq!(self.status(route).await, 200);
        self.service.set("1111", STANDARD);
        let change = Instant::now();
        let mut last = Duration::ZERO;
        while change.elapsed() < most + Duration::from_millis(300) {
            let began = change.elapsed();
            match self.status(route).await {
                200 => last = began,
                403 => {}
                status => panic!("{status}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.service.set("1111", MANAGER);
        last
    }
}

#[tokio::test]
async fn after_a_downgrade_access_is_gone_within_the_routes_permissions_max_age() {
    for (route, max_age) in [("at-once", Duration::ZERO), ("soon", Duration::from_secs(1))] {
        let gone = Scene::start().await.gone_after(route, max_age).await;
        println!("tower layer, permissions_max_age {max_age:?}: access was gone {gone:?} after the downgrade");
        assert!(gone <= max_age, "{route}: still permitted after {gone:?}");
        // Else the record was not remembered, and nothing was measured.
        assert!(max_age.is_zero() || gone > max_age / 2, "{route}: {gone:?}");
    }
}

#[tokio::test]
async fn a_record_that_has_not_changed_is_asked_about_by_its_tag() {
    let scene = Scene::start().await;
    for _ in 0..3 {
        assert_eq!(scene.status("at-once").await, 200);
    }
    scene.service.set("1111", STANDARD);
    assert_eq!(scene.status("at-once").await, 403);
    let tag = |version: u64| Some(format!("\"{version}\""));
    assert_eq!(scene.service.seen(), [(200, None), (304, tag(1)), (304, tag(1)), (200, tag(1))]);
}

/// Before that is known the answer is 503. Then only one request waits for the service; the others do not, and no route that
/// says nothing of it is served.
#[tokio::test]
async fn a_service_that_hangs_costs_one_request_its_time_where_a_record_may_stand_in() {
    let scene = Scene::start().await;
    assert_eq!(scene.status("standing-in").await, 200);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    scene.service.mode(Mode::Status(500));
    for _ in 0..3 {
        assert_eq!(scene.status("standing-in").await, 503);
        tokio::time::sleep(Duration::from_millis(3_500)).await;
    }
    assert_eq!(scene.status("standing-in").await, 200);
    // Past the cooldown it is asked again.
    tokio::time::sleep(Duration::from_millis(5_050)).await;
    scene.service.mode(Mode::Hangs);
    let begun = Instant::now();
    assert_eq!(scene.status("standing-in").await, 200);
    assert!(begun.elapsed() > Duration::from_secs(1), "it did not ask");
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(scene.status("standing-in").await, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "twenty requests took {:?}", begun.elapsed());
    assert_eq!(scene.status("soon").await, 503);
}

/// The record is there, and would stand in for a service that is out of order.
#[tokio::test]
async fn a_service_that_refuses_or_wants_to_be_left_alone_has_nothing_stand_in() {
    for status in [401, 403, 429] {
        let scene = Scene::start().await;
        assert_eq!(scene.status("standing-in").await, 200);
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        scene.service.mode(Mode::Status(status));
        let before = scene.service.seen().len();
        for _ in 0..4 {
            assert_eq!(scene.status("standing-in").await, 503, "{status}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        // After 429 it is asked nothing more.
        assert_eq!(scene.service.seen().len() - before, if status == 429 { 1 } else { 4 }, "{status}");
    }
}

/// The record changes between the first question and the second request.
#[tokio::test]
async fn at_zero_requests_that_come_during_a_question_are_answered_by_the_next_which_is_one() {
    let scene = Arc::new(Scene::start().await);
    assert_eq!(scene.status("at-once").await, 200);
    scene.service.mode(Mode::Slow);
    let before = scene.service.seen().len();
    let ask = |scene: &Arc<Scene>| {
        tokio::spawn({
            let scene = Arc::clone(scene);
            async move { scene.status("at-once").await }
        })
    };
    let first = ask(&scene);
    tokio::time::sleep(Duration::from_millis(100)).await;
    scene.service.set("1111", STANDARD);
    let others: Vec<_> = (0..10).map(|_| ask(&scene)).collect();
    assert_eq!(first.await.unwrap(), 200);
    for other in others {
        assert_eq!(other.await.unwrap(), 403);
    }
    assert_eq!(scene.service.seen().len() - before, 2);
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_answer() {
    let scene = Scene::start().await;
    scene.service.mode(Mode::Status(304));
    assert_eq!(scene.status("at-once").await, 503);
}
