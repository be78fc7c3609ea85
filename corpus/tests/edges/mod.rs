//! What the drivers of edges share: everything outside the edge, and the way from a case to octets on a socket and from
//! what became of them to a decision again.

pub(crate) mod outside;
mod stage;

use postern_corpus::Request;
use postern_e2e::Call;

pub(crate) use stage::Stage;

/// A running edge, whose clock the test sets and whose every request goes to one server of the test's.
pub(crate) trait Edge {
    /// A request to it, by the name that its log and the origins are to call it.
    fn call(&self, name: &str, method: &str, target: &str) -> Call;

    /// Sets its clock.
    fn set_clock(&self, seconds: u64);

    /// What it has written down so far.
    fn log(&self) -> String;
}

/// Methods that the runtimes have, and hand on as they are.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Why no edge can be sent this request.
pub(crate) fn unsendable(request: &Request) -> Option<&'static str> {
    if !METHODS.contains(&request.method.as_str()) {
        Some("the runtime has no such method")
    } else if !request.target.bytes().all(|octet| octet.is_ascii_graphic()) || request.target.contains('#') {
        Some("no request line holds these characters")
    } else if !request.target.starts_with('/') {
        Some("the runtime takes the origin form alone")
    } else {
        None
    }
}
