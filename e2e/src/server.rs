//! A server of a test's own on the loopback interface: one request a connection, each on a thread of its own.

use std::{
    fmt,
    io::{self, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::message::{Body, Framing, Head};

/// Longest wait for the next octet from the edge.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The running server. Dropping it gives its port free; connections that are open go on to their end.
pub struct Server {
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A request that has come in; its body is still to be read.
#[derive(Debug)]
pub struct Arrival {
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Body<BufReader<TcpStream>>,
    stream: TcpStream,
}

impl Server {
    /// Gives every connection that `listener` takes to `serve`.
    ///
    /// # Panics
    /// When the listener has no address.
    pub fn start(listener: TcpListener, serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap_or_else(|error| panic!("a listener without address: {error}"));
        let (stop, serve) = (Arc::new(AtomicBool::new(false)), Arc::new(serve));
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                for stream in listener.incoming().flatten() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let serve = Arc::clone(&serve);
                    // What becomes of a connection is the edge's to notice: some are meant to break.
                    thread::spawn(move || serve(stream));
                }
            }
        });
        Self { address: address.to_string(), stop, thread: Some(thread) }
    }

    /// Where it listens: `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Arrival {
    /// Reads the head of the request on this connection.
    pub fn read(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let head = Head::read(&mut reader)?;
        let body = Body::new(reader, head.framing(Framing::Length(0)));
        Ok(Self { head, body, stream })
    }

    /// Reads the body to its end and answers with `fields`, each ended by CRLF, and `content`.
    pub fn answer(self, status: &str, fields: &str, content: &str) -> io::Result<()> {
        self.body.whole()?;
        let mut stream = self.stream;
        let length = content.len();
        write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{fields}\r\n{content}")
    }

    /// All of it, and the connection for an answer.
    pub fn whole(self) -> io::Result<(Head, Vec<u8>, TcpStream)> {
        Ok((self.head, self.body.whole()?, self.stream))
    }

    /// The connection, for an answer in pieces.
    pub fn stream(self) -> TcpStream {
        self.stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is over and gives the port free.
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
