//! A server of the test's own in the place of what is behind the edge: it sees every octet that the edge sends, and
//! answers what no real service would.
//!
//! The relay in front of the real part is cut, which frees its port, and this listens there instead.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

pub use crate::server::Arrival;
use crate::{message::Head, server::Server, session::Session};

/// Time for the system to give the port free.
const PATIENCE: Duration = Duration::from_secs(5);

/// The running server. Dropping it gives the place back to the real part.
#[derive(Debug)]
pub struct StandIn<'s> {
    session: &'s Session,
    line: &'static str,
    seen: Arc<Mutex<Vec<Head>>>,
    server: Option<Server>,
}

impl<'s> StandIn<'s> {
    /// Takes the place of the three services.
    pub fn for_services(
        session: &'s Session,
        handler: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::on(session, "origins", "external-orders", handler)
    }

    /// Takes the place of the permissions service.
    pub fn for_permissions(
        session: &'s Session,
        handler: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::on(session, "permissions", "permissions", handler)
    }

    fn on(
        session: &'s Session,
        line: &'static str,
        origin: &str,
        handler: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let base = &session.origins[origin];
        let address = base.trim_start_matches("http://").split('/').next().unwrap_or_default();
        session.control().line(line, "cut");
        let seen: Arc<Mutex<Vec<Head>>> = Arc::default();
        let server = Server::start(bind(address), {
            let seen = Arc::clone(&seen);
            move |stream| {
                let arrival = Arrival::read(stream)?;
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(arrival.head.clone());
                handler(arrival)
            }
        });
        Self { session, line, seen, server: Some(server) }
    }

    /// The heads of all requests so far.
    pub fn seen(&self) -> Vec<Head> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
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

impl Drop for StandIn<'_> {
    fn drop(&mut self) {
        // The real part takes the port over, so it must be free first.
        drop(self.server.take());
        if !thread::panicking() {
            self.session.control().line(self.line, "open");
        }
    }
}
