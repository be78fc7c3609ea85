//! The request-bound assertion: what the edge tells one origin about one request.
//!
//! A compact JWS, HMAC-SHA-256 with a key that the edge shares with that origin alone, made anew for each
//! request and good for at most [`ASSERTION_LIFETIME`]. It names its issuer (`iss`), its audience (`aud`, one
//! origin), the method (`htm`, as in RFC 9449) and the canonical path and query, so that it is worth nothing on
//! another request; and the outcome of the decision: subject, company, roles, scopes, route, policy version.
//!
//! The same form with audience `permissions` and a [`Capability`] is the credential of the permissions service.
//!
//! Not bound: the body. Not remembered: `jti`; within its lifetime an assertion can be shown again on the very
//! same request.

mod claims;
mod keys;
mod sign;
mod verify;

pub(crate) use claims::Claims;
pub use keys::{AssertionKeyError, AssertionKeys, MIN_SECRET_BYTES};
pub use sign::Assertion;
pub use verify::{AssertionError, AssertionVerifier, VerifiedAssertion};

use core::time::Duration;

/// The header field that carries it. `Authorization` is not ours to use: origin access control and SigV4 take it.
pub const HEADER: &str = "postern-assertion";

/// Longest that an assertion is good for: the time of a request to a cold origin, with a margin.
pub const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

/// How far the clocks of edge and origin may differ. Both are kept by NTP, to milliseconds; seconds are for one that has just
/// started.
pub const ASSERTION_LEEWAY: Duration = Duration::from_secs(5);

/// Longest assertion that is looked at, in octets: a target of 8 KiB, base64url, and room for the claims.
pub const MAX_ASSERTION_BYTES: usize = 32 * 1024;

/// The `typ` of an assertion, so that no other JWS signed with the key passes for one (RFC 8725 §3.11).
const TYPE: &str = "postern-assertion+jwt";

/// What its bearer may do at the permissions service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Read records.
    Read,
    /// Write records.
    Write,
}

impl Capability {
    /// The name in claims and configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|capability| capability.name() == name)
    }
}
