//! What each shape's event carries, and what malformed ones come to.

use std::time::Duration;

use postern_origin::{
    assertion::BasePath,
    authorizer::{
        Caching, Settings,
        answer::{MAX_RESULT_BYTES, answer},
        context,
        event::{Event, EventError, Shape},
        verdict::Failure,
    },
};
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, Sent, invokes},
    policies::{nested, orders},
    world::{World, partner, record, user},
};

const ARN: &str = "arn:aws:execute-api:eu-west-2:123456789012:abcdef1234/prod/GET/a";

fn read(event: Value) -> Result<(Shape, String, Option<String>), EventError> {
    let Event::Request(asked) = Event::read(event, &BasePath::none())? else { panic!("of AppSync") };
    Ok((asked.shape(), asked.method().to_owned(), asked.target().map(str::to_owned)))
}

fn rest(path: &str, more: Value) -> Value {
    let mut event = json!({
        "type": "REQUEST", "methodArn": ARN, "path": path, "httpMethod": "GET", "headers": {}, "requestContext": {},
    });
    for (name, value) in more.as_object().expect("members") {
        event[name] = value.clone();
    }
    event
}

#[test]
fn method_and_target_are_what_the_platform_was_sent() {
    let version_2 = |path: &str, query: &str| {
        json!({
            "version": "2.0", "type": "REQUEST", "routeArn": ARN, "rawPath": path, "rawQueryString": query,
            "requestContext": {"http": {"method": "PUT"}},
        })
    };
    for (event, target) in [
        (rest("/users/auth0%7Ca", json!({})), "/users/auth0%7Ca"),
        (rest("/a|b", json!({})), "/a|b"),
        (rest("/a/../b", json!({})), "/a/../b"),
        (rest("/a", json!({"queryStringParameters": {"x": "2"}})), "/a?x=2"),
        (
            rest(
                "/a",
                json!({"queryStringParameters": {"x": "2"}, "multiValueQueryStringParameters": {"x": ["1", "2"]}}),
            ),
            "/a?x=1&x=2",
        ),
        (rest("/a", json!({"queryStringParameters": {"c&d": "e=f+g h'"}})), "/a?c%26d=e%3Df%2Bg%20h%27"),
        (rest("/a", json!({"queryStringParameters": {"a": "1;company=2"}})), "/a?a=1;company%3D2"),
        (version_2("/users/auth0|a", "b=1&a=%7C"), "/users/auth0%7Ca?b=1&a=%7C"),
        (version_2("/users/%7Ca", ""), "/users/%7Ca"),
        (version_2("/a//b", ""), "/a//b"),
        // A `?` was sent as an escape, and begins no query.
        (version_2("/orders?company=1111&x=", "company=2222"), "/orders%3Fcompany=1111&x=?company=2222"),
        (version_2("/orders?x", ""), "/orders%3Fx"),
        (version_2("/orders#x", "company=2"), "/orders#x?company=2"),
        (
            rest("/orders?company=1", json!({"queryStringParameters": {"company": "2"}})),
            "/orders%3Fcompany=1?company=2",
        ),
    ] {
        assert_eq!(read(event.clone()).map(|(_, _, target)| target), Ok(Some(target.to_owned())), "{event}");
    }
    let token = |arn: &str| json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": "x"});
    for (path, target) in
        [("users/auth0%7Ca", "/users/auth0%7Ca"), ("users/auth0|a", "/users/auth0%7Ca"), ("a?b", "/a%3Fb"), ("", "/")]
    {
        let arn = format!("arn:aws:execute-api:eu-west-2:123456789012:abcdef1234/prod/DELETE/{path}");
        let read = read(token(&arn)).expect("an event");
        assert_eq!(read, (Shape::RestToken, "DELETE".to_owned(), Some(target.to_owned())));
    }
}

#[test]
fn a_path_outside_the_base_path_has_no_target() {
    let base_path = BasePath::new("/v1").expect("a base path");
    for (path, target) in [("/v1/a", Some("/a")), ("/v1", Some("/")), ("/a", None), ("/v10/a", None)] {
        let Event::Request(asked) = Event::read(rest(path, json!({})), &base_path).expect("an event") else { panic!() };
        assert_eq!(asked.target(), target, "{path}");
    }
}

#[test]
fn malformed_events_are_typed_errors() {
    let without = |name: &str| {
        let mut event = rest("/a", json!({}));
        event.as_object_mut().expect("members").remove(name);
        event
    };
    for (event, error) in [
        (json!(null), EventError::NotAnObject),
        (json!([1]), EventError::NotAnObject),
        (json!({}), EventError::Unknown),
        (json!({"type": "token", "methodArn": ARN}), EventError::Unknown),
        (json!({"type": "REQUEST", "version": "3.0", "methodArn": ARN}), EventError::Unknown),
        (json!({"type": "REQUEST", "version": 2.0}), EventError::Member("methodArn")),
        (json!({"type": "TOKEN", "methodArn": ARN}), EventError::Member("authorizationToken")),
        (json!({"type": "TOKEN", "methodArn": "x", "authorizationToken": "x"}), EventError::Arn),
        (
            json!({"type": "TOKEN", "methodArn": format!("{ARN}x").replace("GET/ax", "GET"), "authorizationToken": "x"}),
            EventError::Arn,
        ),
        (without("methodArn"), EventError::Member("methodArn")),
        (without("path"), EventError::Member("path")),
        (without("httpMethod"), EventError::Member("httpMethod")),
        (rest("/a", json!({"path": 7})), EventError::Member("path")),
        (rest("/a", json!({"headers": "x"})), EventError::Member("headers")),
        (rest("/a", json!({"requestContext": {"eventType": "MESSAGE"}})), EventError::NotConnect),
        (rest("/a", json!({"requestContext": {"eventType": "DISCONNECT"}})), EventError::NotConnect),
        (rest("/a", json!({"requestContext": {"eventType": 1}})), EventError::NotConnect),
        (
            json!({"version": "2.0", "type": "REQUEST", "routeArn": ARN, "rawPath": "/a", "requestContext": {}}),
            EventError::Member("requestContext.http.method"),
        ),
    ] {
        assert_eq!(read(event.clone()), Err(error), "{event}");
    }
}

async fn ask(world: &World, settings: Settings, event: Value) -> Result<Value, Failure> {
    answer(world, settings, &BasePath::none(), event).await
}

fn effect(result: &Result<Value, Failure>) -> String {
    match result {
        Ok(result) => result["policyDocument"]["Statement"][0]["Effect"].as_str().unwrap_or_default().to_owned(),
        Err(failure) => failure.to_string(),
    }
}

#[tokio::test]
async fn field_names_are_compared_without_case_and_two_credentials_are_refused() {
    let world = World::of(&orders());
    let token = format!("Bearer {}", partner("1111", 3600));
    let path = "/companies/1111/orders";
    for (headers, lists, expected) in [
        (json!({"AUTHORIZATION": token}), json!(null), "Allow"),
        (json!({"authorization": token}), json!({"authorization": [token]}), "Allow"),
        (json!({"Authorization": token}), json!({"Authorization": [token, token]}), "Deny"),
        (json!({"Authorization": token}), json!({"authorization": [token]}), "Deny"),
        (json!({"authorization": format!("{token},{token}")}), json!(null), "Deny"),
        (json!({"authorization": "Bearer x.y.z"}), json!(null), "Unauthorized"),
        (json!({"x-authorization": token}), json!(null), "Unauthorized"),
        (json!(null), json!(null), "Unauthorized"),
    ] {
        let result =
            ask(&world, Settings::default(), rest(path, json!({"headers": headers, "multiValueHeaders": lists}))).await;
        assert_eq!(effect(&result), expected, "{headers} {lists}");
    }
}

#[tokio::test]
async fn a_web_socket_is_judged_at_its_connect_by_a_route_of_that_name() {
    let policy = orders()
        + "\n[[route]]\nname = \"connect\"\nmethods = [\"GET\"]\npath = \"/$connect\"\norigin = \"api\"\nissuer = \"users\"\n";
    let world = World::of(&policy);
    // Whatever the function is told of caching: API Gateway keeps no result of a WebSocket's.
    for caching in [Caching::Off, Caching::ByToken(Duration::from_secs(30))] {
        let mut gateway = Gateway::new(Shape::WebSocket, Caching::Off);
        let settings = Settings::default().with_caching(caching);
        for (token, expected) in [(user("alice", "", 3600), 200), (partner("1111", 3600), 401)] {
            let sent = Sent {
                method: "GET".to_owned(),
                path: String::new(),
                query: String::new(),
                token: Some(format!("Bearer {token}")),
            };
            let now = world.state.borrow().now;
            let seen = gateway
                .send(&sent, now, async |event| {
                    ask(&world, settings, event).await.map_err(|failure| failure.to_string())
                })
                .await;
            assert_eq!(seen.status, expected, "{caching:?}");
        }
    }
    // Beside routes whose results are cached by the token.
    let world = world.with(record("alice", &[("1111", &["Manager"])]));
    let by_token = Caching::ByToken(Duration::from_secs(30));
    let settings = Settings::default().with_caching(by_token);
    settings.fit_for(world.authorizer().policy()).expect("a fit policy");
    let gateway = Gateway::new(Shape::RestToken, by_token);
    for (token, path) in [
        (user("alice", "", 3600), "/companies/1111/users/alice/orders"),
        (partner("1111", 3600), "/companies/1111/orders"),
    ] {
        let token = Some(format!("Bearer {token}"));
        let sent = Sent { method: "GET".to_owned(), path: path.to_owned(), query: String::new(), token };
        let result = ask(&world, settings, gateway.event(&sent)).await.expect("a result");
        assert_eq!(gateway.use_of(&result, &sent, crate::world::BEGIN), 200, "{path}");
    }
    let without = World::of(&orders());
    let gateway = Gateway::new(Shape::WebSocket, Caching::Off);
    let sent = Sent {
        method: "GET".to_owned(),
        path: String::new(),
        query: String::new(),
        token: Some(format!("Bearer {}", user("a", "", 9))),
    };
    assert_eq!(effect(&ask(&without, Settings::default(), gateway.event(&sent)).await), "Deny");
}

/// What is cached by the token is another request's by then.
#[tokio::test]
async fn a_context_that_is_cached_by_token_holds_nothing_of_the_request() {
    let world = World::of(&orders()).with(record("alice", &[("1111", &["Manager"]), ("2222", &["Standard"])]));
    let token = Some(format!("Bearer {}", user("alice", "audit", 3600)));
    let sent = Sent {
        method: "GET".to_owned(),
        path: "/companies/1111/users/alice/orders".to_owned(),
        query: String::new(),
        token,
    };
    let mut seen = Vec::new();
    for caching in
        [Caching::Off, Caching::ByRequest(Duration::from_secs(30)), Caching::ByToken(Duration::from_secs(30))]
    {
        for companies in [false, true] {
            let settings = Settings::default().with_caching(caching).with_companies(companies);
            let event = Gateway::new(Shape::RestRequest, caching).event(&sent);
            let result = ask(&world, settings, event).await.expect("a result");
            assert_eq!(result["principalId"], "alice");
            let of = |name: &str| result["context"].get(name).and_then(Value::as_str).map(str::to_owned);
            assert_eq!(of(context::VERSION).as_deref(), Some(context::VERSION_1));
            assert_eq!(
                (of(context::SUBJECT).as_deref(), of(context::ISSUER).as_deref()),
                (Some("alice"), Some("users"))
            );
            assert_eq!(of(context::SCOPES).as_deref(), Some("audit"));
            let caller = of(context::CALLER).expect("a caller");
            let now = postern::UnixTime::from_secs(world.state.borrow().now);
            assert_eq!(world.authorizer().caller_of_json(&caller, now).expect("a caller").subject(), "alice");
            assert_eq!(of(context::COMPANIES).is_some(), companies);
            let is_of_the_request = !matches!(caching, Caching::ByToken(_));
            for name in [context::ROUTE, context::COMPANY, context::ROLES] {
                assert_eq!(of(name).is_some(), is_of_the_request, "{name} {caching:?}");
            }
            seen.push((of(context::COMPANY), of(context::ROLES)));
        }
    }
    assert_eq!(seen[0], (Some("1111".to_owned()), Some("[\"Manager\"]".to_owned())));
    assert_eq!(seen[5], (None, None));
}

#[tokio::test]
async fn a_list_that_does_not_fit_is_an_error_and_never_a_part_of_it() {
    let companies: Vec<String> = (0..120).map(|number| format!("company-{number:04}")).collect();
    let held: Vec<(&str, &[&str])> = companies.iter().map(|company| (company.as_str(), &["Manager"][..])).collect();
    let world = World::of(&orders()).with(record("alice", &held));
    let token = Some(format!("Bearer {}", user("alice", "", 3600)));
    let sent = Sent {
        method: "GET".to_owned(),
        path: "/companies/company-0007/report".to_owned(),
        query: String::new(),
        token,
    };
    let event = || Gateway::new(Shape::RestToken, Caching::Off).event(&sent);
    let by_token = Settings::default().with_caching(Caching::ByToken(Duration::from_secs(30)));
    assert_eq!(ask(&world, by_token, event()).await, Err(Failure::TooLong));
    for caching in [Caching::Off, Caching::ByRequest(Duration::from_secs(30))] {
        let settings = Settings::default().with_caching(caching).with_companies(true);
        let result = ask(&world, settings, event()).await;
        assert_eq!(effect(&result), "Allow");
        assert!(result.expect("a result").to_string().len() <= MAX_RESULT_BYTES);
    }
}

/// A resource has 512 characters at most.
#[tokio::test]
async fn what_is_too_long_for_a_resource_is_denied_and_no_list_is_made_without_it() {
    let long = "c".repeat(500);
    let world = World::of(&orders()).with(record("alice", &[(&long, &["Manager"]), ("1111", &["Manager"])]));
    let token = Some(format!("Bearer {}", user("alice", "", 3600)));
    let path = format!("/companies/{long}/report");
    let sent = Sent { method: "GET".to_owned(), path, query: String::new(), token };
    let event = || Gateway::new(Shape::RestToken, Caching::Off).event(&sent);
    let exact = ask(&world, Settings::default(), event()).await.expect("a result");
    let statements = exact["policyDocument"]["Statement"].as_array().expect("statements");
    assert_eq!((statements.len(), &statements[0]["Effect"]), (1, &json!("Deny")));
    assert!(statements[0]["Resource"][0].as_str().expect("a text").ends_with("/prod/NONE/"));
    let by_token = Settings::default().with_caching(Caching::ByToken(Duration::from_secs(30)));
    assert_eq!(ask(&world, by_token, event()).await, Err(Failure::TooLong));
}

/// What another reader would take for another path.
#[tokio::test]
async fn no_list_opens_a_path_that_a_reader_might_decode_into_another() {
    let world = World::of(&orders()).with(record("alice", &[("1111", &["Manager"])]));
    let token = Some(format!("Bearer {}", user("alice", "", 3600)));
    let mut gateway = Gateway::new(Shape::RestToken, Caching::ByToken(Duration::from_secs(30)));
    gateway.decodes = false;
    let at = |end: &str| {
        let path = format!("/companies/1111/users/alice/orders/{end}");
        Sent { method: "GET".to_owned(), path, query: String::new(), token: token.clone() }
    };
    let settings = Settings::default().with_caching(gateway.caching);
    let result = ask(&world, settings, gateway.event(&at("17"))).await.expect("a result");
    for end in ["17", "caf%C3%A9", "%E0%A4%85", "%F0%9F%98%80"] {
        assert_eq!(gateway.use_of(&result, &at(end), crate::world::BEGIN), 200, "{end}");
    }
    for end in [
        "..%c0%af..%C0%AFx",
        "%c1%9c",
        "%C1%9C",
        "%e0%80%af",
        "%E0%80%AF",
        "%e0%9f%bf",
        "%E0%9F%BF",
        "%f0%80%80%af",
        "%F0%80%80%AF",
        "%u002f",
        "%U002F",
        "%2f",
        "%5C",
        ";x",
        "%00",
        "%25",
        "%c2%85",
    ] {
        assert_eq!(gateway.use_of(&result, &at(end), crate::world::BEGIN), 403, "{end}");
    }
}

#[tokio::test]
async fn identifiers_that_mean_more_in_a_resource_never_stand_in_one() {
    for company in ["*", "1*", "?", "${aws:username}", "$"] {
        let world = World::of(&orders()).with(record("alice", &[(company, &["Manager"]), ("1111", &["Manager"])]));
        let token = Some(format!("Bearer {}", user("alice", "", 3600)));
        let path = format!("/companies/{}/report", postern::target::encode_segment(company));
        for caching in [Caching::ByToken(Duration::from_secs(30)), Caching::Off] {
            let gateway = Gateway::new(Shape::RestToken, caching);
            let sent =
                Sent { method: "GET".to_owned(), path: path.clone(), query: String::new(), token: token.clone() };
            let settings = Settings::default().with_caching(caching);
            let result = ask(&world, settings, gateway.event(&sent)).await.expect("a result");
            let statements = result["policyDocument"]["Statement"].as_array().expect("statements").clone();
            for resource in statements
                .iter()
                .filter(|statement| statement["Effect"] == "Allow")
                .flat_map(|s| s["Resource"].as_array())
            {
                for resource in resource {
                    assert!(
                        !resource.as_str().expect("a text").contains("companies/*/report"),
                        "{company}: {resource}"
                    );
                    assert!(!resource.as_str().expect("a text").contains(['?', '$']), "{company}: {resource}");
                }
            }
            for other in ["9999", "1x", "x"] {
                let arn =
                    format!("arn:aws:execute-api:eu-west-2:123456789012:abcdef1234/prod/GET/companies/{other}/report");
                assert!(!invokes(&result["policyDocument"], &arn, crate::world::BEGIN), "{company}: {other}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_a_route_binds_cannot_be_vouched_for() {
    let bound = orders()
        + "\n[[route]]\nname = \"bound\"\nmethods = [\"GET\", \"POST\"]\npath = \"/bound\"\norigin = \"api\"\nissuer = \"partners\"\nbody = \"declared\"\n";
    let world = World::of(&bound);
    let token = format!("Bearer {}", partner("1111", 3600));
    let digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    for (method, expected) in [("GET", "Allow"), ("POST", "Deny")] {
        let headers = json!({"authorization": token, "content-digest": digest});
        let event = rest("/bound", json!({"httpMethod": method, "headers": headers}));
        assert_eq!(effect(&ask(&world, Settings::default(), event).await), expected, "{method}");
    }
    let by_token = Settings::default().with_caching(Caching::ByToken(Duration::from_secs(30)));
    let event = rest("/bound", json!({"headers": {"authorization": token}}));
    let document = ask(&world, by_token, event).await.expect("a result");
    let at = |method: &str| {
        let arn = format!("arn:aws:execute-api:eu-west-2:123456789012:abcdef1234/prod/{method}/bound");
        invokes(&document["policyDocument"], &arn, crate::world::BEGIN)
    };
    assert_eq!((at("GET"), at("HEAD"), at("POST")), (true, true, false));
}

#[tokio::test]
async fn a_public_route_that_asks_an_authorizer_all_the_same_is_permitted() {
    let world = World::of(&nested());
    let result = ask(&world, Settings::default(), rest("/health", json!({}))).await;
    assert_eq!(effect(&result), "Allow");
    assert_eq!(result.expect("a result")["principalId"], "anonymous");
}
