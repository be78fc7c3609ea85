//! One request, byte for byte as the test writes it, and its answer.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use rustix::net::sockopt::set_socket_linger;
use serde_json::Value;

use crate::message::{Body, Framing, Head};

/// Longest wait for the next octet: longer than every timeout in the product that a test waits for.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A request under construction. Each goes over a connection of its own, unless a [`Connection`] sends it.
#[derive(Clone, Debug)]
pub struct Call {
    authority: String,
    method: String,
    target: Vec<u8>,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer, read whole.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    head: Head,
    body: Vec<u8>,
}

/// A connection on which the head of a request has been sent.
#[derive(Debug)]
pub struct Exchange {
    stream: TcpStream,
    method: String,
}

/// A connection for one request after the other, where thousands of connections would be too many.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Call {
    /// A request to `base`, whose own path, if it has one, goes before `target`. Nothing of `target` is looked at.
    pub fn new(base: &str, method: &str, target: impl AsRef<[u8]>) -> Self {
        let rest = base.strip_prefix("http://").unwrap_or_else(|| panic!("`{base}` is not plain http"));
        let (authority, prefix) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        Self {
            authority: authority.to_owned(),
            method: method.to_owned(),
            target: [prefix.as_bytes(), target.as_ref()].concat(),
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With all of the target as given, whatever path the base has.
    pub fn with_target(mut self, target: impl AsRef<[u8]>) -> Self {
        self.target = target.as_ref().to_vec();
        self
    }

    /// With one more field, its name as written here.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With an access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a body, whose length is stated.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the answer.
    ///
    /// # Panics
    /// When there is no whole answer.
    #[track_caller]
    pub fn send(&self) -> Answer {
        self.try_send().unwrap_or_else(|error| panic!("no answer to {self}: {error}"))
    }

    /// Sends it and reads the answer, if there is one.
    pub fn try_send(&self) -> io::Result<Answer> {
        let length = (!self.body.is_empty()).then(|| format!("content-length: {}\r\n", self.body.len()));
        let mut exchange = self.open(length.as_deref().unwrap_or_default())?;
        // A server that refuses early may close before it has read everything; its answer is still there to read.
        let _ = exchange.send(&self.body);
        exchange.answer()
    }

    /// The head, with `framing` lines (each ended by CRLF) for the body that will follow.
    fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("{} ", self.method).into_bytes();
        head.extend(&self.target);
        head.extend(format!(" HTTP/1.1\r\nhost: {}\r\n{framing}", self.authority).bytes());
        if !self.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
            head.extend(b"connection: close\r\n");
        }
        for (name, value) in &self.fields {
            head.extend(format!("{name}: {value}\r\n").bytes());
        }
        head.extend(b"\r\n");
        head
    }

    /// Sends the head alone, with `framing` lines (each ended by CRLF) for the body that will follow.
    pub fn open(&self, framing: &str) -> io::Result<Exchange> {
        let mut exchange = Exchange { stream: connect(&self.authority)?, method: self.method.clone() };
        exchange.send(&self.head(framing))?;
        Ok(exchange)
    }
}

impl Exchange {
    /// Sends octets of the body.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)
    }

    /// Reads the head of the answer, and leaves the body to come.
    pub fn begin_answer(self) -> io::Result<(u16, Head, Body<BufReader<TcpStream>>)> {
        begin(BufReader::new(self.stream), &self.method)
    }

    /// Reads the whole answer.
    pub fn answer(self) -> io::Result<Answer> {
        let (status, head, body) = self.begin_answer()?;
        Ok(Answer { status, head, body: body.whole()? })
    }
}

impl Connection {
    /// Connects to `base`, of which only host and port are looked at.
    pub fn open(base: &str) -> io::Result<Self> {
        connect(&Call::new(base, "GET", "").authority).map(Self)
    }

    /// Sends a request without a body.
    pub fn ask(&mut self, call: &Call) -> io::Result<()> {
        self.0.write_all(&call.clone().header("connection", "keep-alive").head(""))
    }

    /// Reads the answer to a request other than HEAD; the connection stays open for the next.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let (status, head, body) = begin(BufReader::new(&self.0), "GET")?;
        Ok(Answer { status, head, body: body.whole()? })
    }

    /// Hangs up in the middle of a request, in the way that a runtime notices: an orderly end could be that of a caller
    /// that has said all and still listens (RFC 9293 §3.6), a reset cannot.
    pub fn reset(self) -> io::Result<()> {
        Ok(set_socket_linger(&self.0, Some(Duration::ZERO))?)
    }
}

fn connect(authority: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads the head of the answer to a request of this method, past interim ones.
fn begin<R: BufRead>(mut reader: R, method: &str) -> io::Result<(u16, Head, Body<R>)> {
    loop {
        let head = Head::read(&mut reader)?;
        let status: u16 = head.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        if (100..200).contains(&status) {
            continue;
        }
        let bodiless = method == "HEAD" || status == 204 || status == 304;
        let framing = if bodiless { Framing::Length(0) } else { head.framing(Framing::Connection) };
        return Ok((status, head, Body::new(reader, framing)));
    }
}

impl Answer {
    /// The status code.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The first value of a field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.value(name)
    }

    /// The members of a field that is a list, repeated or with commas, in lower case and sorted.
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.head.values(name).flat_map(|value| value.split(','));
        let mut members: Vec<String> = values.map(|member| member.trim().to_ascii_lowercase()).collect();
        members.sort();
        members
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// The `code` of a problem document, if it is one.
    pub fn code(&self) -> Option<String> {
        serde_json::from_slice::<Value>(&self.body).ok()?.get("code")?.as_str().map(str::to_owned)
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Fails the test unless this is the edge's own refusal with this code, whole and as the RFCs have it.
    ///
    /// An origin refuses some of the same requests; its answers look otherwise, so that a rule that is gone from
    /// the edge is found out.
    #[track_caller]
    pub fn denied(self, status: u16, code: &str) -> Self {
        self.check_challenge(code);
        self.check_denial(status, code);
        self
    }

    /// The same for a credential that breaks the grammar: 400 with a challenge (RFC 6750 §3.1), which no other bad request
    /// has.
    #[track_caller]
    pub fn denied_malformed_credential(self) -> Self {
        let challenge = self.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer realm=\"postern\", error=\"invalid_request\""), "{self:?}");
        self.check_denial(400, "invalid_request");
        self
    }

    #[track_caller]
    fn check_denial(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_deref()), (status, Some(code)), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "RFC 9457: {self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "not an answer of the edge's: {self:?}");
        let problem = self.json();
        assert_eq!((problem["status"].as_u64(), problem["type"].as_str()), (Some(status.into()), Some("about:blank")));
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.ends_with('.') && problem["title"].is_string(), "{self:?}");
        assert_eq!(self.header("allow").is_some(), status == 405, "RFC 9110 section 15.5.6: {self:?}");
        let retry_after = self.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
        assert_eq!(retry_after.is_some_and(|seconds| seconds > 0), status == 503, "{self:?}");
    }

    /// RFC 6750 §3: bare without a credential, `error` for a bad token, `scope` where one lacks, and none otherwise.
    #[track_caller]
    fn check_challenge(&self, code: &str) {
        let challenge = self.header("www-authenticate");
        match code {
            "missing_token" => assert_eq!(challenge, Some("Bearer realm=\"postern\""), "{self:?}"),
            "invalid_token" | "insufficient_scope" => {
                let challenge = challenge.unwrap_or_default();
                assert!(challenge.starts_with("Bearer realm=\"postern\", "), "{self:?}");
                assert!(challenge.contains(&format!("error=\"{code}\"")), "{self:?}");
                assert_eq!(challenge.contains("scope=\""), code == "insufficient_scope", "{self:?}");
            }
            _ => assert_eq!(challenge, None, "{self:?}"),
        }
    }

    /// Fails the test unless an origin refused this, because no valid assertion came with it.
    #[track_caller]
    pub fn refused_by(self, origin: &str) -> Self {
        assert_eq!((self.status, self.code().as_deref()), (401, Some("assertion_required")), "{self:?}");
        let challenge = format!("postern-assertion realm=\"{origin}\"");
        assert_eq!(self.header("www-authenticate"), Some(challenge.as_str()), "{self:?}");
        self
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} at {}", self.method, self.target.escape_ascii(), self.authority)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.head.start)?;
        for (name, value) in &self.head.fields {
            writeln!(formatter, "  {name}: {value}")?;
        }
        write!(formatter, "  {}", self.body[..self.body.len().min(2048)].escape_ascii())
    }
}
