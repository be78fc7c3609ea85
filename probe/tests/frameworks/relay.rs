//! What is behind the Worker: the issuer's keys, and a way on to the framework whose turn it is.
//!
//! Octets go through as they came, so that the framework sees exactly what the Worker sends, and heads are kept.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postern_e2e::{
    message::Head,
    server::{Arrival, Server},
};

/// Longest wait for a framework's next octet.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Default)]
struct State {
    /// `host:port` of the framework whose turn it is.
    framework: String,
    seen: Vec<Head>,
}

pub(crate) struct Relay {
    state: Arc<Mutex<State>>,
    _server: Server,
}

impl Relay {
    /// Serves `keys` as the issuer's key set.
    pub(crate) fn start(port: u16, keys: String) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let shared = Arc::clone(&state);
        let server = Server::start(listener, move |stream| serve(Arrival::read(stream)?, &shared, &keys));
        Ok(Self { state, _server: server })
    }

    /// From now on requests go to the framework at `url`.
    pub(crate) fn send_to(&self, url: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        url.trim_start_matches("http://").clone_into(&mut state.framework);
        state.seen.clear();
    }

    /// The heads that have come since the last call.
    pub(crate) fn seen(&self) -> Vec<Head> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).seen)
    }
}

fn serve(arrival: Arrival, state: &Mutex<State>, keys: &str) -> io::Result<()> {
    if arrival.head.start.starts_with("GET /issuer/") {
        return arrival.answer("200 OK", "content-type: application/json\r\n", keys);
    }
    let (head, body, mut stream) = arrival.whole()?;
    let mut text = format!("{}\r\n", head.start);
    for (name, value) in head.fields.iter().filter(|(name, _)| !is_framing(name)) {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || !head.start.starts_with("GET ") {
        text += &format!("content-length: {}\r\n", body.len());
    }
    text += "connection: close\r\n\r\n";
    let framework = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen.push(head);
        state.framework.clone()
    };
    let mut origin = TcpStream::connect(framework)?;
    origin.set_read_timeout(Some(TIMEOUT))?;
    origin.write_all(text.as_bytes())?;
    origin.write_all(&body)?;
    let mut answer = Vec::new();
    origin.read_to_end(&mut answer)?;
    stream.write_all(&answer)
}

/// Fields of the connection that ends here.
fn is_framing(name: &str) -> bool {
    ["connection", "content-length", "transfer-encoding"].iter().any(|own| name.eq_ignore_ascii_case(own))
}
