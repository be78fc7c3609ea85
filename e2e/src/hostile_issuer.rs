//! An issuer whose key set is served as a test pleases, between a cold edge and everything that the edge asks.
//!
//! ```text
//!  ColdEdge: workerd ── postern ──▶ line ──▶ HostileIssuer   the partners' key set: counted, answered by the test
//!                                    │                       an order: counted, answered with 200
//!                                    └──▶ nobody, or a server that speaks no TLS, where the test says so
//! ```
//!
//! The edge's configuration alone is changed: all its requests go by a service `line`, absolute-form as to a proxy
//! (RFC 9112 §3.2.2), so that the policy's URLs stay as they are. Orders are answered here because an edge whose clock
//! a test has moved makes assertions that no real service takes.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use postern::assertion;
use serde_json::Value;

use crate::{
    client::Call,
    cold::{ColdEdge, quoted},
    server::{Arrival, Server},
    stack::Stack,
};

/// First octet of a TLS record that holds a handshake (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 22;
/// Answers with this field are not for the edge: they tell `line` to go on by the service that it names.
const GO_ON: &str = "postern-test-go-on";
/// A port on which nothing listens: TCPMUX, which nobody has and nobody without privileges can take.
const NOBODY: &str = "127.0.0.1:1";
/// `line`: asks this server first, so that each request is counted, and does what it says.
const LINE: &str = r#"export default {
  async fetch(request, env) {
    const answer = await env.hostile.fetch(request);
    const service = answer.headers.get("postern-test-go-on");
    return service ? env[service].fetch(request.url) : answer;
  }
};"#;

type Respond = dyn Fn(Arrival) -> io::Result<()> + Send + Sync;

/// The running issuer. Dropping it ends it.
#[derive(Debug)]
pub struct HostileIssuer {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    /// The issuer's base URL.
    issuer: String,
    /// Its key set's.
    jwks: String,
    respond: Mutex<Arc<Respond>>,
    /// How its metadata is answered; as the real issuer does where there is nothing.
    metadata: Mutex<Option<Arc<Respond>>>,
    /// How an order is answered.
    order: Mutex<Arc<Respond>>,
    looks_at_metadata: AtomicU64,
    fetches: AtomicU64,
    astray: AtomicU64,
    handshakes: AtomicU64,
    permitted: AtomicU64,
}

impl HostileIssuer {
    /// Starts one in the place of the stack's partners' issuer, whose key set it serves.
    ///
    /// # Panics
    /// When there is no port.
    pub fn start(stack: &Stack) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no free port: {error}"));
        let shared = Arc::new(Shared {
            issuer: stack.partners.issuer.clone(),
            jwks: stack.partners.jwks.clone(),
            respond: Mutex::new(Arc::new(serve_set(&published(stack)))),
            metadata: Mutex::new(None),
            looks_at_metadata: AtomicU64::new(0),
            order: Mutex::new(Arc::new(|arrival: Arrival| arrival.answer("200 OK", "", ""))),
            fetches: AtomicU64::new(0),
            astray: AtomicU64::new(0),
            handshakes: AtomicU64::new(0),
            permitted: AtomicU64::new(0),
        });
        let server = Server::start(listener, {
            let shared = Arc::clone(&shared);
            move |stream| shared.serve(stream)
        });
        Self { server, shared }
    }

    /// Serves its key set like this from now on.
    pub fn answers(&self, respond: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static) {
        *self.shared.respond.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(respond);
    }

    /// Says this of itself from now on, instead of what the real issuer says.
    pub fn answers_metadata(&self, respond: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static) {
        *self.shared.metadata.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(respond));
    }

    /// Says of itself what the real issuer says.
    pub fn tells_the_truth(&self) {
        *self.shared.metadata.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Answers orders like this from now on.
    pub fn answers_orders(&self, respond: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static) {
        *self.shared.order.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(respond);
    }

    /// A cold edge that reaches nothing but this.
    pub fn edge(&self, stack: &Stack) -> ColdEdge {
        ColdEdge::start_with(stack, |config| self.in_front_of(config))
    }

    /// The configuration of an edge that reaches nothing but this.
    #[track_caller]
    pub fn in_front_of(&self, config: &str) -> String {
        let address = self.server.address();
        let services = format!(
            r#"services = [
    (name = "line", worker = .line),
    (name = "hostile", external = (address = "{address}", http = (style = proxy))),
    (name = "nobody", external = (address = "{NOBODY}", http = ())),
    (name = "tls", external = (address = "{address}", https = (tlsOptions = (trustBrowserCas = true)))),"#
        );
        let line = format!(
            r#"
const line :Workerd.Worker = (
  modules = [(name = "line.js", esModule = {})],
  bindings = [(name = "hostile", service = "hostile"), (name = "nobody", service = "nobody"), (name = "tls", service = "tls")],
  compatibilityDate = "2026-10-01",
);
"#,
            quoted(LINE)
        );
        let changed = config.replacen("services = [", &services, 1).replacen(
            "  compatibilityDate = ",
            "  globalOutbound = \"line\",\n  compatibilityDate = ",
            1,
        );
        assert!(changed.contains("globalOutbound") && changed.contains(address), "not as expected: {config}");
        changed + &line
    }

    /// How often the key set was asked for.
    pub fn fetches(&self) -> u64 {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// How often it was asked for its metadata.
    pub fn looks_at_metadata(&self) -> u64 {
        self.shared.looks_at_metadata.load(Ordering::SeqCst)
    }

    /// Requests for anything but its key set, its metadata and orders: a redirect or a lie that was followed.
    pub fn astray(&self) -> u64 {
        self.shared.astray.load(Ordering::SeqCst)
    }

    /// TLS handshakes that were begun.
    pub fn handshakes(&self) -> u64 {
        self.shared.handshakes.load(Ordering::SeqCst)
    }

    /// Orders that the edge has permitted and sent on.
    pub fn permitted(&self) -> u64 {
        self.shared.permitted.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        if is_tls(&stream)? {
            self.handshakes.fetch_add(1, Ordering::SeqCst);
            return (&stream).write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
        let arrival = Arrival::read(stream)?;
        let url = arrival.head.start.split(' ').nth(1).unwrap_or_default().to_owned();
        let Some(path) = url.strip_prefix(&self.issuer).filter(|path| path.starts_with('/')) else {
            // Only what the edge vouches for is an order.
            if arrival.head.value(assertion::HEADER).is_none() {
                self.astray.fetch_add(1, Ordering::SeqCst);
                return arrival.answer("400 Bad Request", "", "");
            }
            self.permitted.fetch_add(1, Ordering::SeqCst);
            let respond = Arc::clone(&self.order.lock().unwrap_or_else(PoisonError::into_inner));
            return respond(arrival);
        };
        if url == self.jwks {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let respond = Arc::clone(&self.respond.lock().unwrap_or_else(PoisonError::into_inner));
            return respond(arrival);
        }
        if path.starts_with("/.well-known/") {
            self.looks_at_metadata.fetch_add(1, Ordering::SeqCst);
            let respond = self.metadata.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(respond) = respond {
                return respond(arrival);
            }
            let document = Call::new(&self.issuer, "GET", path).try_send()?;
            let content = String::from_utf8_lossy(document.body()).into_owned();
            return arrival.answer(&document.status().to_string(), "content-type: application/json\r\n", &content);
        }
        self.astray.fetch_add(1, Ordering::SeqCst);
        let respond = serve_set(&Call::new(&self.jwks, "GET", "").try_send()?.json());
        respond(arrival)
    }
}

/// The partners' key set as it is now.
#[track_caller]
pub fn published(stack: &Stack) -> Value {
    Call::new(&stack.partners.jwks, "GET", "").send().expect(200).json()
}

/// Serves this set, good for 300 s.
pub fn serve_set(set: &Value) -> impl Fn(Arrival) -> io::Result<()> + Clone + Send + Sync + use<> {
    let content = set.to_string();
    move |arrival| {
        let fields = "content-type: application/jwk-set+json\r\ncache-control: public, max-age=300\r\n";
        arrival.answer("200 OK", fields, &content)
    }
}

/// Sends the edge on to where nobody listens: the connection is refused.
pub fn refuse(arrival: Arrival) -> io::Result<()> {
    arrival.answer("200 OK", &format!("{GO_ON}: nobody\r\n"), "")
}

/// Sends the edge on, by TLS, to a server that speaks none.
pub fn speak_no_tls(arrival: Arrival) -> io::Result<()> {
    arrival.answer("200 OK", &format!("{GO_ON}: tls\r\n"), "")
}

fn is_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first)? == 1 && first == [TLS_HANDSHAKE])
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("jwks", &self.jwks).finish_non_exhaustive()
    }
}
