//! A server of the test's own in the place of what is behind the edge: it sees every octet that the edge sends, and
//! answers what no real service would.
//!
//! The relay in front of the real part is cut, which frees its port, and this listens there instead.

use std::{
    io::{self, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    message::{Body, Framing, Head},
    session::Session,
};

const TIMEOUT: Duration = Duration::from_secs(20);
/// Time for the system to give the port free.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request that has come in; its body is still to be read.
#[derive(Debug)]
pub struct Arrival {
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Body<BufReader<TcpStream>>,
    stream: TcpStream,
}

/// The running server. Dropping it gives the place back to the real part.
#[derive(Debug)]
pub struct StandIn<'s> {
    session: &'s Session,
    line: &'static str,
    address: String,
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Head>>>,
    thread: Option<JoinHandle<()>>,
}

type Handler = dyn Fn(Arrival) -> io::Result<()> + Send + Sync;

impl<'s> StandIn<'s> {
    /// Takes the place of the three services.
    pub fn for_services(
        session: &'s Session,
        handler: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::on(session, "origins", "external-orders", Arc::new(handler))
    }

    /// Takes the place of the permissions service.
    pub fn for_permissions(
        session: &'s Session,
        handler: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::on(session, "permissions", "permissions", Arc::new(handler))
    }

    fn on(session: &'s Session, line: &'static str, origin: &str, handler: Arc<Handler>) -> Self {
        let base = &session.origins[origin];
        let address = base.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
        session.control().line(line, "cut");
        let listener = bind(&address);
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let thread = thread::spawn({
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(&seen));
            move || {
                for stream in listener.incoming().flatten() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (handler, seen) = (Arc::clone(&handler), Arc::clone(&seen));
                    thread::spawn(move || serve(stream, &seen, &*handler));
                }
            }
        });
        Self { session, line, address, stop, seen, thread: Some(thread) }
    }

    /// The heads of all requests so far.
    pub fn seen(&self) -> Vec<Head> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One request a connection: the answer says `connection: close`.
fn serve(stream: TcpStream, seen: &Mutex<Vec<Head>>, handler: &Handler) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let head = Head::read(&mut reader)?;
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
    let body = Body::new(reader, head.framing(Framing::Length(0)));
    handler(Arrival { head, body, stream })
}

fn bind(address: &str) -> TcpListener {
    let start = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(error) => assert!(start.elapsed() < PATIENCE, "cannot stand in at {address}: {error}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

impl Arrival {
    /// Reads the body to its end and answers with `fields`, each ended by CRLF, and `content`.
    pub fn answer(self, status: &str, fields: &str, content: &str) -> io::Result<()> {
        self.body.whole()?;
        let mut stream = self.stream;
        let length = content.len();
        write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{fields}\r\n{content}")
    }

    /// The connection, for an answer in pieces.
    pub fn stream(self) -> TcpStream {
        self.stream
    }
}

impl Drop for StandIn<'_> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is over and gives the port free.
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if !thread::panicking() {
            self.session.control().line(self.line, "open");
        }
    }
}
