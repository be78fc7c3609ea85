//! Parsers in Rust: `serde_urlencoded`, axum's extractor, and `lambda_http` with the event of a load balancer.

use std::collections::HashMap;

use axum::extract::Query;
use http::Uri;
use lambda_http::{RequestExt as _, request};
use serde_json::{Map, Value, json};

use crate::Question;

/// What each reads; all values that a handler could take for the parameter.
pub(crate) fn read(question: &Question) -> Map<String, Value> {
    let query = question.target.split_once('?').map_or("", |(_, query)| query);
    let mut read = Map::new();
    read.insert("serde_urlencoded".to_owned(), in_serde_urlencoded(query, &question.name));
    read.insert("axum".to_owned(), in_axum(&question.target, &question.name));
    for (parser, member) in [
        ("lambda_http, load balancer", "queryStringParameters"),
        ("lambda_http, load balancer with lists", "multiValueQueryStringParameters"),
    ] {
        read.insert(parser.to_owned(), in_lambda_http(query, &question.name, member));
    }
    read
}

fn error(error: impl std::fmt::Display) -> Value {
    json!([{"error": error.to_string()}])
}

fn values(pairs: &[(String, String)], name: &str) -> Value {
    pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
}

fn in_serde_urlencoded(query: &str, name: &str) -> Value {
    serde_urlencoded::from_str::<Vec<(String, String)>>(query).map_or_else(error, |pairs| values(&pairs, name))
}

fn in_axum(target: &str, name: &str) -> Value {
    let uri: Uri = match target.parse() {
        Ok(uri) => uri,
        Err(problem) => return error(problem),
    };
    let map = Query::<HashMap<String, String>>::try_from_uri(&uri);
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&uri);
    match (map, pairs) {
        (Ok(Query(map)), Ok(Query(pairs))) => {
            let mut all = values(&pairs, name);
            if let Some(all) = all.as_array_mut() {
                all.push(json!(map.get(name)));
            }
            all
        }
        (Err(problem), _) | (_, Err(problem)) => error(problem),
    }
}

/// Load balancers hand names and values over as they were sent (Elastic Load Balancing, "Lambda functions as targets").
fn in_lambda_http(query: &str, name: &str, member: &str) -> Value {
    let mut parameters = Map::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if member.starts_with("multi") {
            let list = parameters.entry(key.to_owned()).or_insert_with(|| json!([]));
            list.as_array_mut().expect("a list").push(json!(value));
        } else {
            parameters.insert(key.to_owned(), json!(value));
        }
    }
    let event = json!({
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-2:1:targetgroup/a/b"}},
        "httpMethod": "GET", "path": "/orders", "headers": {"host": "edge.example"}, "body": "",
        "isBase64Encoded": false, member: parameters,
    });
    match request::from_str(&event.to_string()) {
        Ok(request) => json!(request.query_string_parameters().all(name).unwrap_or_default()),
        Err(problem) => error(problem),
    }
}
