//! A permissions service on the loopback interface that answers as told, and counts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use postern::{Policy, assertion::AssertionKeys, policy::from_toml};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub(crate) const EXAMPLE: &str = include_str!("../../../postern.toml");

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With records and their tags.
    Serves,
    Status(u16),
    /// As it does when the question arrives, and said half a second later.
    Slow,
    Hangs,
}

pub(crate) struct Service {
    address: String,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

struct State {
    mode: Mode,
    records: BTreeMap<String, (u64, String)>,
    /// Status and `If-None-Match` of each question.
    seen: Vec<(u16, Option<String>)>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { mode: Mode::Serves, records: BTreeMap::new(), seen: Vec::new() }));
        let shared = Arc::clone(&state);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state, server }
    }

    pub(crate) fn url(&self) -> &str {
        &self.address
    }

    /// The example's policy with this service, and whatever else a test changes in its text.
    pub(crate) fn policy(&self, change: impl FnOnce(String) -> String) -> Policy {
        let overlay = format!("[origin.permissions]\nurl = \"{}\"\n", self.address);
        from_toml(&change(EXAMPLE.to_owned()), Some(&overlay)).unwrap_or_else(|errors| panic!("{errors}"))
    }

    pub(crate) fn set(&self, subject: &str, rest: &str) {
        let mut state = self.state.lock().unwrap();
        let version = state.records.get(subject).map_or(1, |(version, _)| version + 1);
        let record = format!(r#"{{"id":"{subject}",{rest},"version":{version}}}"#);
        state.records.insert(subject.to_owned(), (version, record));
    }

    pub(crate) fn mode(&self, mode: Mode) {
        self.state.lock().unwrap().mode = mode;
    }

    pub(crate) fn seen(&self) -> Vec<(u16, Option<String>)> {
        self.state.lock().unwrap().seen.clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What whoever asks it signs with; it looks at no signature, the real service's tests do.
pub(crate) fn keys() -> AssertionKeys {
    let key = r#"{"kty":"oct","kid":"1","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}"#;
    AssertionKeys::from_json(&format!(r#"{{"keys":[{key}]}}"#)).unwrap()
}

async fn answer(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let Ok(octet) = stream.read_u8().await else { return };
        head.push(char::from(octet));
    }
    let subject = head.split(' ').nth(1).and_then(|target| target.strip_prefix("/users/")).unwrap_or_default();
    let known = head.lines().find_map(|line| line.strip_prefix("if-none-match: ")).map(str::to_owned);
    let mode = state.lock().unwrap().mode;
    if mode == Mode::Hangs {
        state.lock().unwrap().seen.push((0, known));
        tokio::time::sleep(Duration::from_secs(60)).await;
        return;
    }
    let (status, tag, body) = {
        let mut state = state.lock().unwrap();
        let (status, tag, body) = match (mode, state.records.get(subject)) {
            (Mode::Status(status), _) => (status, String::new(), String::new()),
            (_, None) => (404, String::new(), String::new()),
            (_, Some((version, record))) => {
                let tag = format!("\"{version}\"");
                let is_known = known.as_ref() == Some(&tag);
                (if is_known { 304 } else { 200 }, tag, if is_known { String::new() } else { record.clone() })
            }
        };
        state.seen.push((status, known));
        (status, tag, body)
    };
    let etag = if tag.is_empty() { String::new() } else { format!("etag: {tag}\r\n") };
    let length = if status == 304 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let text = format!("HTTP/1.1 {status} X\r\n{etag}{length}connection: close\r\n\r\n{body}");
    if mode == Mode::Slow {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let _ = stream.write_all(text.as_bytes()).await;
}
