//! Echo handler for axum: says how axum reads a request. docs/probe.md says when to mount it.
//!
//! Run it with `POSTERN_ECHO=1 cargo run -p postern-probe --example axum -- PORT`.

use std::{collections::HashMap, env, net::SocketAddr};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Query},
    http::{HeaderMap, Method, Uri, header},
    routing::any,
};
use serde_json::{Value, json};

/// The handler. Mount it with `Router::new().route("/postern/echo", any(echo))`.
async fn echo(
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Query(pairs): Query<Vec<(String, String)>>,
    Query(by_name): Query<HashMap<String, String>>,
) -> Json<Value> {
    Json(json!({
        "postern_echo": 1,
        "framework": "axum 0.8",
        "method": method.as_str(),
        // axum has no notion of a scheme.
        "scheme": uri.scheme_str(),
        "host": headers.get(header::HOST).and_then(|host| host.to_str().ok()),
        "path": uri.path(),
        "prefix": "",
        "query": pairs,
        "company": by_name.get("company"),
        "address": client.ip().to_string(),
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port: u16 = env::args().nth(1).and_then(|port| port.parse().ok()).expect("a port as the only argument");
    let echoes = env::var_os("POSTERN_ECHO").is_some();
    let router = if echoes { Router::new().route("/postern/echo", any(echo)) } else { Router::new() };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
}
