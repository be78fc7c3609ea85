//! An issuer that signs with Ed25519, publishes its keys over HTTP on the loopback interface, and fails as told.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};
use postern_origin::clock::system_time;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With metadata and keys.
    Keys,
    /// The same, after a while.
    After(Duration),
    /// With this status; where it is a redirect, to what would do.
    Status(u16),
    Html,
    /// A body that never ends, and is larger than any cap.
    Endless,
    /// Fewer octets than were announced.
    Cut,
    /// None.
    HangUp,
    /// A set without keys.
    Empty,
    /// Metadata that is about somebody else.
    OtherIssuer,
}

/// Before the paths that redirects lead to.
const ELSEWHERE: &str = "/elsewhere";

pub(crate) struct Issuer {
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    address: String,
    answer: Mutex<Answer>,
    published: Mutex<Vec<String>>,
    pairs: Mutex<BTreeMap<String, Ed25519KeyPair>>,
    metadata: AtomicUsize,
    jwks: AtomicUsize,
}

impl Issuer {
    /// Starts one with one key.
    pub(crate) async fn start(key: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = Arc::new(State {
            address: listener.local_addr().unwrap().to_string(),
            answer: Mutex::new(Answer::Keys),
            published: Mutex::new(vec![key.to_owned()]),
            pairs: Mutex::default(),
            metadata: AtomicUsize::new(0),
            jwks: AtomicUsize::new(0),
        });
        let served = Arc::clone(&state);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&served).serve(stream));
            }
        });
        Self { state, server }
    }

    pub(crate) fn url(&self) -> String {
        self.state.url()
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.state.answer.lock().unwrap() = answer;
    }

    pub(crate) fn publish(&self, keys: &[&str]) {
        *self.state.published.lock().unwrap() = keys.iter().map(|key| (*key).to_owned()).collect();
    }

    pub(crate) fn metadata_fetches(&self) -> usize {
        self.state.metadata.load(Ordering::SeqCst)
    }

    pub(crate) fn jwks_fetches(&self) -> usize {
        self.state.jwks.load(Ordering::SeqCst)
    }

    pub(crate) fn fetches(&self) -> usize {
        self.metadata_fetches() + self.jwks_fetches()
    }

    /// What is published at a URL of its own.
    pub(crate) fn body_at(&self, url: &str) -> String {
        self.state.body(url)
    }

    /// A token of company 1111 by the key of that name, good for a day; no two are alike.
    pub(crate) fn token(&self, key: &str) -> String {
        self.token_of(key, key)
    }

    /// One that names one key and is signed by another.
    pub(crate) fn token_of(&self, key_id: &str, key: &str) -> String {
        self.signed(key_id, key, &json!({}))
    }

    /// One by the key of that name, with these claims instead.
    pub(crate) fn token_claiming(&self, key: &str, changes: &Value) -> String {
        self.signed(key, key, changes)
    }

    fn signed(&self, key_id: &str, key: &str, changes: &Value) -> String {
        let now = system_time().as_secs();
        let mut claims = json!({
            "iss": self.url(), "aud": "api", "sub": "1111", "token_use": "access", "iat": now, "exp": now + 86_400,
            "jti": uuid::Uuid::new_v4().to_string(),
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let message = format!("{}.{}", encode(&json!({"alg": "EdDSA", "kid": key_id})), encode(&claims));
        let signature = self.state.with_pair(key, |pair| pair.sign(message.as_bytes()));
        format!("{message}.{}", Base64UrlUnpadded::encode_string(signature.as_ref()))
    }

    /// One that another key than the one named has signed.
    pub(crate) fn forged_token(&self, key_id: &str) -> String {
        self.token_of(key_id, "nobody's")
    }
}

impl State {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn with_pair<T>(&self, key: &str, ask: impl FnOnce(&Ed25519KeyPair) -> T) -> T {
        let mut pairs = self.pairs.lock().unwrap();
        ask(pairs.entry(key.to_owned()).or_insert_with(|| Ed25519KeyPair::generate().unwrap()))
    }

    fn body(&self, path: &str) -> String {
        if path.ends_with("/.well-known/openid-configuration") {
            return json!({"issuer": self.url(), "jwks_uri": format!("{}/jwks", self.url())}).to_string();
        }
        let published = self.published.lock().unwrap().clone();
        let jwk = |key: &String| {
            let x = self.with_pair(key, |pair| Base64UrlUnpadded::encode_string(pair.public_key().as_ref()));
            json!({"kty": "OKP", "crv": "Ed25519", "kid": key, "x": x})
        };
        json!({"keys": published.iter().map(jwk).collect::<Vec<_>>()}).to_string()
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(octet) => head.push(octet),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let counter = if path == "/jwks" { &self.jwks } else { &self.metadata };
        counter.fetch_add(1, Ordering::SeqCst);
        let answer = match *self.answer.lock().unwrap() {
            // Whoever is sent here finds what they wanted.
            Answer::Status(_) if path.starts_with(ELSEWHERE) => Answer::Keys,
            answer => answer,
        };
        let (status, body) = match answer {
            Answer::Keys => (200, self.body(&path)),
            Answer::After(wait) => {
                tokio::time::sleep(wait).await;
                (200, self.body(&path))
            }
            Answer::Status(status) => (status, self.body(&path)),
            Answer::Html => (200, "<!doctype html><title>Sign in</title>".to_owned()),
            Answer::Empty if path == "/jwks" => (200, "{\"keys\":[]}".to_owned()),
            Answer::OtherIssuer if path != "/jwks" => {
                (200, json!({"issuer": "https://evil.example", "jwks_uri": format!("{}/jwks", self.url())}).to_string())
            }
            Answer::Empty | Answer::OtherIssuer => (200, self.body(&path)),
            Answer::HangUp => return,
            Answer::Cut => {
                let body = self.body(&path);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{}", &body[..body.len() / 2]).as_bytes()).await;
                return;
            }
            Answer::Endless => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"keys\":[").await;
                let piece = vec![b' '; 64 * 1024];
                // 100 MB, unless the reader has had enough before.
                for _ in 0..1_600 {
                    if stream.write_all(&piece).await.is_err() {
                        return;
                    }
                }
                panic!("the whole of an endless body was read");
            }
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\nconnection: close\r\nlocation: {}{ELSEWHERE}{path}\r\ncontent-length: {}\r\n\r\n{body}",
            self.url(),
            body.len()
        );
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}
