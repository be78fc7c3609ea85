//! Ports for what a test starts and cannot ask which one it was given.

use std::net::TcpListener;

use crate::random;

/// Below those that systems take for outgoing connections (Linux 32768 and up, others 49152 and up): a port of these that is
/// free now may be a connection's by the time that a server has started. The stack's own are below.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
const TRIES: u8 = 100;

/// One that nobody listens on.
///
/// # Panics
/// When none is found.
pub fn free() -> u16 {
    let any = || FIRST + (random::number() % u64::from(COUNT)) as u16;
    let mut tried = (0..TRIES).map(|_| any());
    let found = tried.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    found.unwrap_or_else(|| panic!("no port of {FIRST} and the {COUNT} behind it is free"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_and_no_outgoing_connections() {
        let port = free();
        assert!((FIRST..32_768).contains(&port), "{port}");
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok());
    }
}
