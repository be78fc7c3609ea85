//! A permissions service on the loopback interface, which checks who asks, counts, and fails as told; and enforcers of the
//! example's policy that ask it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use postern::{
    Policy,
    assertion::{AssertionKeys, AssertionVerifier, Capability, HEADER},
    policy::from_toml,
};
use postern_origin::{clock::system_time, enforcer::Enforcer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub(crate) const EXAMPLE: &str = include_str!("../../../postern.toml");
/// Before the paths that redirects lead to.
const ELSEWHERE: &str = "/elsewhere";
const KEY: &str = r#"{"kty":"oct","kid":"1","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}"#;

pub(crate) struct Records {
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    address: String,
    verifier: AssertionVerifier,
    records: Mutex<BTreeMap<String, String>>,
    /// Answered with in place of records, if any; 0 hangs up.
    status: Mutex<Option<u16>>,
    asked: AtomicUsize,
}

impl Records {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let trusted = format!(r#"{{"issuers":{{"edge":{{"keys":[{KEY}],"capabilities":["read"]}}}}}}"#);
        let state = Arc::new(State {
            address: listener.local_addr().unwrap().to_string(),
            verifier: AssertionVerifier::from_json("permissions", &trusted).unwrap(),
            records: Mutex::default(),
            status: Mutex::new(None),
            asked: AtomicUsize::new(0),
        });
        let served = Arc::clone(&state);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&served).serve(stream));
            }
        });
        Self { state, server }
    }

    /// From now on `subject` has this record.
    pub(crate) fn put(&self, subject: &str, companies: &str) {
        let record = format!(r#"{{"id":"{subject}","companies":{companies}}}"#);
        self.state.records.lock().unwrap().insert(format!("/users/{subject}"), record);
    }

    /// From now on the answer is this status, or none at all for 0.
    pub(crate) fn fail_with(&self, status: u16) {
        *self.state.status.lock().unwrap() = Some(status);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// A policy with this service in the place of its own, and whatever else `overlay` says.
    pub(crate) fn policy(&self, text: &str, overlay: &str) -> Policy {
        let overlay = format!("{overlay}\n[origin.permissions]\nurl = \"http://{}\"\n", self.state.address);
        from_toml(text, Some(&overlay)).unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// An enforcer of the example's policy.
    pub(crate) fn enforcer(&self) -> Arc<Enforcer> {
        Arc::new(Enforcer::new(self.policy(EXAMPLE, ""), Some(keys())).unwrap().with_log(|_| {}))
    }
}

/// The keys that this service trusts.
pub(crate) fn keys() -> AssertionKeys {
    AssertionKeys::from_json(&format!(r#"{{"keys":[{KEY}]}}"#)).unwrap()
}

impl State {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(octet) => head.push(octet),
                Err(_) => return,
            }
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let head = String::from_utf8(head).unwrap();
        let target = head.split(' ').nth(1).unwrap();
        let assertion = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case(HEADER).then_some(value)
        });
        let verified = self.verifier.verify(assertion.unwrap_or_default(), "GET", target, system_time());
        let may_read = verified.is_ok_and(|verified| verified.capability() == Some(Capability::Read));
        let status = *self.status.lock().unwrap();
        let elsewhere = target.strip_prefix(ELSEWHERE);
        let record = self.records.lock().unwrap().get(elsewhere.unwrap_or(target)).cloned();
        let (status, body) = match (status, record) {
            // Whoever is sent here finds what they wanted.
            (_, Some(record)) if elsewhere.is_some() => (200, record),
            (Some(0), _) => return,
            (Some(status), _) => (status, String::new()),
            (None, _) if !may_read => (401, String::new()),
            (None, Some(record)) => (200, record),
            (None, None) => (404, String::new()),
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\nconnection: close\r\nlocation: {ELSEWHERE}{target}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.server.abort();
    }
}
