//! What the permissions service settles before it asks its store, and what it answers when the store fails.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use base64ct::{Base64UrlUnpadded, Encoding};
use lambda_http::Body;
use postern::assertion::{Capability, HEADER};
use postern_origin::{
    config::Environment,
    http::Answer,
    services::permissions::{Store, router},
};
use serde_json::{Value, json as value};
use support::{asserted, assertion, credential, header, json, request, send};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const RECORD: &str = r#"{"id":"alice","companies":["1111"],"role":"Manager"}"#;

fn store(endpoint: String) -> Store {
    let environment = Environment::from_fn(move |name| match name {
        "POSTERN_PERMISSIONS_ISSUER" => Some("users".to_owned()),
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(endpoint.clone()),
        "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
        _ => None,
    });
    Store::from_environment(&environment).expect("store")
}

/// A store at a port where nothing listens, for requests that must not come as far.
fn nowhere() -> Store {
    store("http://127.0.0.1:1".to_owned())
}

async fn ask(store: Store, compact: &str, method: &str, target: &str, body: &str) -> Answer {
    let request = request(method, target)
        .header(HEADER, compact)
        .header("if-none-match", "*")
        .body(Body::from(body))
        .expect("request");
    send(router(store), request).await
}

async fn assert_forbidden(compact: String, method: &str) {
    let answer = ask(nowhere(), &compact, method, "/users/alice", RECORD).await;
    assert_eq!((answer.status().as_u16(), json(&answer)["code"].as_str()), (403, Some("access_denied")));
}

#[tokio::test]
async fn nobody_reads_without_an_assertion() {
    let bare = request("GET", "/users/alice").body(Body::Empty).unwrap();
    assert_eq!(send(router(nowhere()), bare).await.status(), 401);
}

#[tokio::test]
async fn an_assertion_for_a_service_of_the_example_is_refused() {
    let mut assertion = assertion("external-orders", "GET", "/users/alice");
    assertion.capability = Some(Capability::Read);
    assert_eq!(send(router(nowhere()), asserted(&assertion, "")).await.status(), 401);
}

#[tokio::test]
async fn a_credential_without_a_capability_is_403() {
    let mut assertion = assertion("permissions", "GET", "/users/alice");
    assertion.subject_issuer = Some("users".to_owned());
    assert_eq!(send(router(nowhere()), asserted(&assertion, "")).await.status(), 403);
}

#[tokio::test]
async fn a_credential_without_an_issuer_section_is_403() {
    let mut assertion = assertion("permissions", "GET", "/users/alice");
    assertion.capability = Some(Capability::Read);
    assert_eq!(send(router(nowhere()), asserted(&assertion, "")).await.status(), 403);
}

#[tokio::test]
async fn reading_is_not_writing_and_writing_is_not_reading() {
    assert_forbidden(credential("admin", "users", Capability::Read, "PUT", "/users/alice"), "PUT").await;
    assert_forbidden(credential("admin", "users", Capability::Write, "GET", "/users/alice"), "GET").await;
}

#[tokio::test]
async fn the_edges_key_never_writes_whatever_it_claims() {
    assert_forbidden(credential("edge", "users", Capability::Write, "PUT", "/users/alice"), "PUT").await;
}

#[tokio::test]
async fn a_credential_is_good_for_one_user_alone() {
    let compact = credential("edge", "users", Capability::Read, "GET", "/users/alice");
    assert_eq!(ask(nowhere(), &compact, "GET", "/users/bob", "").await.status(), 401);
}

#[tokio::test]
async fn a_write_without_a_precondition_is_428() {
    let request = request("PUT", "/users/alice")
        .header(HEADER, credential("admin", "users", Capability::Write, "PUT", "/users/alice"))
        .body(Body::from(RECORD))
        .unwrap();
    let answer = send(router(nowhere()), request).await;
    assert_eq!((answer.status().as_u16(), json(&answer)["code"].as_str()), (428, Some("precondition_required")));
}

#[tokio::test]
async fn a_record_for_another_user_or_in_no_shape_is_400() {
    let compact = credential("admin", "users", Capability::Write, "PUT", "/users/bob");
    for body in [RECORD, "", "{", r#"{"id":"bob","companies":"1111"}"#, r#"{"id":"bob","companies":[],"admin":true}"#] {
        let answer = ask(nowhere(), &compact, "PUT", "/users/bob", body).await;
        assert_eq!(answer.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn other_methods_are_405_and_other_paths_404() {
    let compact = credential("admin", "users", Capability::Write, "PATCH", "/users/alice");
    let answer = ask(nowhere(), &compact, "PATCH", "/users/alice", "").await;
    assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (405, Some("GET, PUT, DELETE, HEAD")));
    let compact = credential("admin", "users", Capability::Write, "DELETE", "/users");
    assert_eq!(ask(nowhere(), &compact, "DELETE", "/users", "").await.status(), 405);
    let compact = credential("edge", "users", Capability::Read, "GET", "/user");
    assert_eq!(ask(nowhere(), &compact, "GET", "/user", "").await.status(), 404);
}

/// An edge asks about the one user who is before it; whoever steals its key learns no more than that of those they know.
#[tokio::test]
async fn the_edges_credential_lists_nobody_and_reads_no_history() {
    for target in ["/users", "/users?limit=1", "/users/alice/history"] {
        for (issuer, capability) in
            [("edge", Capability::Read), ("edge", Capability::Write), ("admin", Capability::Read)]
        {
            let compact = credential(issuer, "users", capability, "GET", target);
            assert_eq!(
                ask(nowhere(), &compact, "GET", target, "").await.status(),
                403,
                "{target} {issuer} {capability:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_400() {
    for target in ["/users?limit=0", "/users?limit=1000", "/users?cursor=%2A", "/users?company=1111"] {
        let compact = credential("admin", "users", Capability::Write, "GET", target);
        assert_eq!(ask(nowhere(), &compact, "GET", target, "").await.status(), 400, "{target}");
    }
}

async fn assert_unavailable(store: Store) {
    let begun = Instant::now();
    let compact = credential("edge", "users", Capability::Read, "GET", "/users/alice");
    let answer = ask(store, &compact, "GET", "/users/alice", "").await;
    assert_eq!((answer.status().as_u16(), json(&answer)["code"].as_str()), (503, Some("temporarily_unavailable")));
    assert!(header(&answer, "retry-after").is_some());
    // That it is given up, and no measure of speed.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_store_that_is_down_is_503() {
    assert_unavailable(nowhere()).await;
}

/// A listener that never answers its first `stalled` connections, and each other one with `answer`.
async fn listener(stalled: usize, answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("address"));
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if counted.fetch_add(1, Ordering::SeqCst) < stalled {
                open.push(stream);
            } else {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (endpoint, connections)
}

#[tokio::test]
async fn a_store_that_never_answers_is_503_within_its_budget() {
    let (endpoint, connections) = listener(usize::MAX, "").await;
    assert_unavailable(store(endpoint)).await;
    assert!(connections.load(Ordering::SeqCst) <= 3, "three attempts at most");
}

#[tokio::test]
async fn a_store_that_answers_nonsense_is_503() {
    for answer in [
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>",
        "nonsense\r\n\r\n",
    ] {
        let (endpoint, connections) = listener(0, answer).await;
        assert_unavailable(store(endpoint)).await;
        assert!(connections.load(Ordering::SeqCst) <= 3, "three attempts at most: {answer}");
    }
}

/// A connection from before the function was frozen may be dead without saying so.
#[tokio::test]
async fn a_store_that_stalls_once_is_asked_again() {
    let (endpoint, connections) =
        listener(1, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
    let compact = credential("edge", "users", Capability::Read, "GET", "/users/alice");
    let answer = ask(store(endpoint), &compact, "GET", "/users/alice", "").await;
    assert_eq!((answer.status().as_u16(), connections.load(Ordering::SeqCst)), (404, 2));
}

/// What leaves the machine is encrypted: the first octet is that of a TLS handshake record (RFC 8446 §5.1).
#[tokio::test]
async fn an_https_store_is_spoken_to_in_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("https://{}", listener.local_addr().expect("address"));
    let first_octet = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.read_u8().await.expect("an octet")
    });
    assert_unavailable(store(endpoint)).await;
    assert_eq!(first_octet.await.expect("the listener"), 0x16);
}

/// What DynamoDB says to whoever is too fast for it.
const THROTTLED: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 76\r\nconnection: close\r\n\r\n{\"__type\":\"com.amazonaws.dynamodb#ProvisionedThroughputExceededException\"  }";
const NOTHING: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// A store that throttles its first requests.
async fn throttling(first: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("address"));
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = if counted.fetch_add(1, Ordering::SeqCst) < first { THROTTLED } else { NOTHING };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (endpoint, requests)
}

#[tokio::test]
async fn a_store_that_throttles_is_asked_again_after_a_while_and_not_for_ever() {
    let compact = credential("edge", "users", Capability::Read, "GET", "/users/alice");
    for (first, status, asked) in [(0, 404, 1), (1, 404, 2), (2, 404, 3), (9, 503, 3)] {
        let (endpoint, requests) = throttling(first).await;
        let begun = Instant::now();
        let answer = ask(store(endpoint), &compact, "GET", "/users/alice", "").await;
        assert_eq!((answer.status().as_u16(), requests.load(Ordering::SeqCst)), (status, asked), "{first}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}

/// A table whose record stands at version 4. It makes the first update and hangs up; somebody else writes version 6 on top
/// of it; and every further update finds another state than it was read in. Also how often it was asked to update.
async fn losing_its_answer() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("address"));
    let updates = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&updates);
    tokio::spawn(async move {
        let item = |role: &str, version: u64, audit: Value| {
            value!({"Item": {
                "id": {"S": "alice"}, "companies": {"L": [{"S": "1111"}]}, "role": {"S": role},
                "version": {"N": version.to_string()}, "postern_audit": audit,
            }})
        };
        let mut stored = item("Standard", 4, value!({"L": []}));
        while let Ok((mut stream, _)) = listener.accept().await {
            let (head, body) = question(&mut stream).await;
            let (status, answer) = if head.contains("DynamoDB_20120810.GetItem") {
                ("200 OK", stored.clone())
            } else if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                let own = body["ExpressionAttributeValues"][":audit"]["L"][0].clone();
                let mut other = own.clone();
                other["M"]["id"] = value!({"S": "another"});
                (other["M"]["from"], other["M"]["to"]) = (value!({"N": "5"}), value!({"N": "6"}));
                stored = item("Other", 6, value!({"L": [other, own]}));
                continue;
            } else {
                (
                    "400 Bad Request",
                    value!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}),
                )
            };
            let answer = answer.to_string();
            let head = format!("content-type: application/x-amz-json-1.0\r\ncontent-length: {}", answer.len());
            let text = format!("HTTP/1.1 {status}\r\n{head}\r\nconnection: close\r\n\r\n{answer}");
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    (endpoint, updates)
}

/// One request's head, and its body as JSON.
async fn question(stream: &mut TcpStream) -> (String, Value) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    let head = String::from_utf8(head).expect("a head in UTF-8");
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body).await.expect("a body");
    (head, serde_json::from_slice(&body).unwrap_or_default())
}

/// Made again, it would undo what the other has written, who was told 200; and whoever is told that nothing was written
/// would be told wrong.
#[tokio::test]
async fn a_write_whose_answer_was_lost_is_known_under_a_later_one_and_is_not_made_again() {
    let read: Value = serde_json::from_str(RECORD).unwrap();
    for any in [true, false] {
        let (endpoint, updates) = losing_its_answer().await;
        let store = store(endpoint);
        let known = store.read("users", "alice", true).await.unwrap().unwrap().tag();
        let known = known.header().unwrap().to_str().unwrap().to_owned();
        let request = request("PUT", "/users/alice")
            .header(HEADER, credential("admin", "users", Capability::Write, "PUT", "/users/alice"))
            .header("if-match", if any { "*" } else { known.as_str() })
            .body(Body::from(RECORD))
            .unwrap();
        let answer = send(router(store), request).await;
        assert_eq!(answer.status(), 200, "{}", json(&answer));
        assert_eq!(
            json(&answer),
            value!({"id": "alice", "companies": read["companies"], "role": "Manager", "version": 5})
        );
        assert_eq!(updates.load(Ordering::SeqCst), 2, "once by us, and once more by the SDK");
    }
}

/// A table of these items, in this order.
async fn table_of(ids: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (_, body) = question(&mut stream).await;
            let after = body["ExclusiveStartKey"]["id"]["S"].as_str();
            let start = after.map_or(0, |after| ids.iter().position(|id| *id == after).expect("an item") + 1);
            let limit = usize::try_from(body["Limit"].as_u64().expect("a limit")).expect("a small one");
            let end = ids.len().min(start + limit);
            let item = |id: &&str| value!({"id": {"S": id}, "companies": {"L": [{"S": "1111"}]}});
            let items: Vec<Value> = ids[start..end].iter().map(item).collect();
            let mut answer = value!({"Items": items});
            if end < ids.len() {
                answer["LastEvaluatedKey"] = value!({"id": {"S": ids[end - 1]}});
            }
            let answer = answer.to_string();
            let head = format!("content-type: application/x-amz-json-1.0\r\ncontent-length: {}", answer.len());
            let text = format!("HTTP/1.1 200 OK\r\n{head}\r\nconnection: close\r\n\r\n{answer}");
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    endpoint
}

/// A cursor is base64 and no secret.
#[tokio::test]
async fn where_a_page_ends_is_said_by_no_subject_of_another_section() {
    let endpoint = table_of(&["a", "partners#1", "b", "partners#2", "partners#3", "partners#4", "c", "d", "e"]).await;
    for (section, subjects) in
        [("users", &["a", "b", "c", "d", "e"][..]), ("partners", &["1", "2", "3", "4"]), ("none", &[])]
    {
        for limit in 1..=9 {
            let (mut listed, mut ends, mut cursor) = (Vec::new(), Vec::new(), String::new());
            loop {
                let target = format!("/users?limit={limit}{cursor}");
                let compact = credential("admin", section, Capability::Write, "GET", &target);
                let page = json(&ask(store(endpoint.clone()), &compact, "GET", &target, "").await);
                let users = page["users"].as_array().unwrap_or_else(|| panic!("{section} {target}: {page}"));
                assert!(users.len() <= limit);
                listed.extend(users.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { break };
                ends.push(String::from_utf8(Base64UrlUnpadded::decode_vec(next).unwrap()).unwrap());
                cursor = format!("&cursor={next}");
            }
            assert_eq!(listed, subjects, "{section} by {limit}");
            assert!(
                ends.iter().all(|end| end.starts_with("partners#") == (section == "partners")),
                "{section}: {ends:?}"
            );
            assert!(section != "none" || ends.is_empty(), "{ends:?}");
        }
    }
}
