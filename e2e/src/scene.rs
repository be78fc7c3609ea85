//! A cold edge before a hostile issuer, and a clock that stands still unless the test moves it.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::UnixTime;
use serde_json::json;

use crate::{
    assertions,
    client::{Answer, Call},
    cold::{ColdEdge, with_clock},
    hostile_issuer::HostileIssuer,
    random,
    session::Session,
    stack::PARTNERS,
};

/// A route of the partners' issuer, for whose decision nothing but keys is needed.
pub const TARGET: &str = "/companies/1111/orders";
/// How long tokens live here: as long as an access token of most issuers.
const LIFETIME_SECONDS: u64 = 3600;

/// One test's edge, issuer and clock.
#[derive(Debug)]
pub struct Scene<'s> {
    session: &'s Session,
    /// The issuer.
    pub issuer: HostileIssuer,
    /// The edge, which knows no keys yet.
    pub edge: ColdEdge,
    now: UnixTime,
}

impl<'s> Scene<'s> {
    /// Sets one up.
    ///
    /// # Panics
    /// When the edge does not start.
    pub fn new(session: &'s Session) -> Self {
        let issuer = HostileIssuer::start(session);
        let edge = ColdEdge::start_with(session, |config| with_clock(&issuer.in_front_of(config)));
        let scene = Self { session, issuer, edge, now: assertions::now() };
        scene.edge.set_clock(scene.now);
        scene
    }

    /// Moves the edge's clock forward.
    pub fn later(&mut self, by: Duration) {
        self.set(self.now.saturating_add(by));
    }

    /// Moves the edge's clock back.
    pub fn earlier(&mut self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.set(UnixTime::from_millis(self.now.as_millis().saturating_sub(millis)));
    }

    fn set(&mut self, now: UnixTime) {
        self.now = now;
        self.edge.set_clock(now);
    }

    /// A request with a token that no edge has seen, of the key that the real issuer signs with now.
    #[track_caller]
    pub fn call(&self) -> Call {
        let issued = self.now.as_secs();
        let claims = json!({"claims": {"iat": issued, "exp": issued + LIFETIME_SECONDS}});
        self.edge.get(TARGET).bearer(&self.session.control().mint(PARTNERS, claims))
    }

    /// The answer to [such a request](Self::call).
    #[track_caller]
    pub fn known(&self) -> Answer {
        self.call().send()
    }

    /// The answer to a token that names a key that nobody has.
    #[track_caller]
    pub fn unknown(&self) -> Answer {
        self.edge.get(TARGET).bearer(&with_made_up_kid()).send()
    }

    /// Fails unless so many requests have asked for the key set by now, and so many orders got through.
    #[track_caller]
    pub fn expect(&self, fetches: u64, permitted: u64) {
        let seen = (self.issuer.fetches(), self.issuer.permitted());
        assert_eq!(seen, (fetches, permitted), "fetches of the key set, and orders permitted");
        assert_eq!(self.issuer.astray(), 0, "a redirect was followed");
    }
}

/// A token of the right shape whose header names a made-up key. Whether a signature holds is asked after that.
pub fn with_made_up_kid() -> String {
    let encode = |octets: &[u8]| Base64UrlUnpadded::encode_string(octets);
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": random::word("made-up")}).to_string();
    format!("{}.{}.{}", encode(header.as_bytes()), encode(b"{}"), encode(&[0x5a; 256]))
}
