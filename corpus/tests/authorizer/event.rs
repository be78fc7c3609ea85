//! A case as each shape's event has it, and why a shape cannot have some.

use postern::policy::{BodyRule, Policy};
use postern_corpus::{Case, Expect, Request};
use postern_origin::{
    assertion::BasePath,
    authorizer::{
        answer::MAX_RESULT_BYTES,
        event::{Event, Shape},
    },
};
use serde_json::{Map, Value, json};

use crate::gateway::decoded;

/// Nobody shows an authorizer a body, and nobody behind it has one bound.
pub(crate) const NO_BODY: &str = "no event has the body, which the route binds";
/// `*`, `?` and `$` mean more in a resource.
pub(crate) const NO_NAME: &str = "no resource names a path with `*`, `?` or `$`";

const API: &str = "arn:aws:execute-api:eu-west-2:123456789012:abcdef1234/prod/";

/// Longest credential, in octets, whose claims fit into a result for sure: a result has them up to twice, and a quarter of
/// what base64 writes is no content.
const LONG_CREDENTIAL: usize = MAX_RESULT_BYTES / 2;

/// Why API Gateway would not have asked about this request, or not shown it as it is.
pub(crate) fn cannot(shape: Shape, is_simple: bool, policy: &Policy, case: &Case) -> Option<&'static str> {
    let request = &case.request;
    let has = |wanted: &str| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if !request.target.bytes().all(|octet| octet.is_ascii_graphic()) || request.target.contains('#') {
        return Some("no request line holds these characters");
    }
    if !request.target.starts_with('/') || request.target.ends_with('?') {
        return Some("API Gateway takes the origin form alone, and shows no empty query");
    }
    if request.method == "OPTIONS" && has("origin") && has("access-control-request-method") {
        return Some("API Gateway answers preflights itself");
    }
    if shape == Shape::RestToken {
        if !has("authorization") {
            return Some("API Gateway itself answers 401 where the identity source is missing");
        }
        if request.headers.len() > 1 {
            return Some("the event has no field but the token");
        }
        if request.target.contains('?') {
            return Some("the event has no query");
        }
    }
    let shown = Event::read(event(shape, request), &BasePath::none());
    let is_as_sent = matches!(&shown, Ok(Event::Request(asked)) if asked.target() == Some(&request.target));
    if !is_as_sent {
        return Some("the event does not show the target as it was sent");
    }
    let credential = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if matches!(case.expect, Expect::Permit(_)) && credential.is_some_and(|(_, value)| value.len() > LONG_CREDENTIAL) {
        return Some("a result with all of the caller's claims is larger than API Gateway takes");
    }
    let route = match &case.expect {
        Expect::Permit(permit) => Some(permit.route.as_str()),
        Expect::Deny(deny) => deny.route.as_deref(),
        Expect::Preflight {} => None,
    };
    let route = policy.routes().iter().find(|own| Some(own.name()) == route);
    if route.is_some_and(|route| route.body() != BodyRule::Streamed)
        && !["GET", "HEAD"].contains(&request.method.as_str())
    {
        return Some(NO_BODY);
    }
    let path = request.target.split('?').next().unwrap_or_default();
    if !is_simple && decoded(path).contains(['*', '?', '$']) {
        return Some(NO_NAME);
    }
    None
}

/// The ARN of a request, its path as the shape has it.
pub(crate) fn arn(shape: Shape, request: &Request) -> String {
    format!("{API}{}{}", request.method, delivered(shape, request))
}

fn delivered(shape: Shape, request: &Request) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    if matches!(shape, Shape::HttpVersion1 | Shape::HttpVersion2) { decoded(path) } else { path.to_owned() }
}

/// The event of a request.
pub(crate) fn event(shape: Shape, request: &Request) -> Value {
    let query = request.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let path = delivered(shape, request);
    let arn = arn(shape, request);
    match shape {
        Shape::RestToken => {
            let token = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            let token = token.map(|(_, value)| value.as_str()).unwrap_or_default();
            json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": token})
        }
        Shape::RestRequest => {
            let (headers, header_lists) = maps(request.headers.iter().cloned());
            let (query, query_lists) = maps(pairs(query));
            json!({
                "type": "REQUEST", "methodArn": arn, "path": path, "httpMethod": request.method,
                "headers": headers, "multiValueHeaders": header_lists,
                "queryStringParameters": query, "multiValueQueryStringParameters": query_lists,
                "requestContext": {"requestId": "r", "stage": "prod"},
            })
        }
        Shape::HttpVersion1 => json!({
            "version": "1.0", "type": "REQUEST", "methodArn": arn, "path": path, "httpMethod": request.method,
            "headers": joined(request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))),
            "queryStringParameters": joined(pairs(query)), "requestContext": {"requestId": "r", "stage": "prod"},
        }),
        Shape::HttpVersion2 | Shape::WebSocket => json!({
            "version": "2.0", "type": "REQUEST", "routeArn": arn, "rawPath": path, "rawQueryString": query,
            "headers": joined(request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))),
            "requestContext": {"http": {"method": request.method}, "requestId": "r", "stage": "$default"},
        }),
    }
}

/// A query's pairs, decoded.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |text: &str| decoded(&text.replace('+', " "));
        (plain(name), plain(value))
    })
}

/// The last value of each name, and all of them.
fn maps(pairs: impl Iterator<Item = (String, String)>) -> (Value, Value) {
    let (mut last, mut all): (Map<String, Value>, Map<String, Value>) = (Map::new(), Map::new());
    for (name, value) in pairs {
        last.insert(name.clone(), json!(value));
        if let Some(list) = all.entry(name).or_insert_with(|| json!([])).as_array_mut() {
            list.push(json!(value));
        }
    }
    (Value::Object(last), Value::Object(all))
}

/// All values of each name, with commas between.
fn joined(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut joined: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let value = match joined.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value,
        };
        joined.insert(name, json!(value));
    }
    Value::Object(joined)
}
