//! What stands around the layer: issuers' keys and the permissions service, which checks who asks.

use std::{
    collections::BTreeMap,
    io,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Result, anyhow};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::{
    Policy, UnixTime,
    assertion::{AssertionKeys, AssertionVerifier, Capability, HEADER},
    policy::Issuer,
};
use postern_corpus::case::{Reach, World};
use postern_e2e::server::{Arrival, Server};
use serde_json::{Value, json};

/// The running server.
pub(crate) struct Outside {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    keys: BTreeMap<String, Value>,
    records: BTreeMap<String, Value>,
    verifier: Option<AssertionVerifier>,
    clock: fn() -> UnixTime,
    /// Whether keys are told, and records.
    answers: Mutex<(bool, bool)>,
}

/// The assertion key of the permissions service, for this run alone.
fn secret() -> Value {
    json!({"keys": [{"kty": "oct", "kid": "corpus", "k": Base64UrlUnpadded::encode_string(&[0x5A; 32])}]})
}

/// The same, as the layer has it.
pub(crate) fn assertion_keys() -> Result<AssertionKeys> {
    AssertionKeys::from_json(&secret().to_string()).map_err(|error| anyhow!("{error}"))
}

impl Outside {
    pub(crate) fn start(policy: &Policy, world: &World, clock: fn() -> UnixTime) -> Result<Self> {
        let mut trusted = secret();
        trusted["capabilities"] = json!(["read"]);
        let trusted = json!({"issuers": {policy.edge(): trusted}}).to_string();
        let verifier = policy
            .permissions()
            .map(|service| AssertionVerifier::from_json(service.name(), &trusted).map_err(|error| anyhow!("{error}")));
        let shared = Arc::new(Shared {
            keys: world.keys.clone(),
            records: world.permissions.clone(),
            verifier: verifier.transpose()?,
            clock,
            answers: Mutex::new((world.reach_of_keys != Reach::Silent, world.reach_of_permissions != Reach::Silent)),
        });
        let server = Server::start(TcpListener::bind("127.0.0.1:0")?, {
            let shared = Arc::clone(&shared);
            move |stream| shared.serve(Arrival::read(stream)?)
        });
        Ok(Self { server, shared })
    }

    /// The overlay that puts this server in everybody's place; nobody's `iss` is touched.
    pub(crate) fn overlay(&self, policy: &Policy) -> String {
        let base = format!("http://{}", self.server.address());
        let keys = policy.issuers().iter().map(|issuer| {
            // Sections of one issuer have one set of keys.
            let same = || policy.issuers().iter().filter(|other| other.url() == issuer.url()).map(Issuer::name);
            let published = same().find(|name| self.shared.keys.contains_key(*name)).or_else(|| same().next());
            let place = published.unwrap_or(issuer.name());
            format!("[issuer.{}]\njwks_url = \"{base}/keys/{place}\"\n", issuer.name())
        });
        let service = policy.permissions().map(|service| format!("[origin.{}]\nurl = \"{base}\"\n", service.name()));
        keys.chain(service).collect()
    }

    /// From now on nobody answers who has been silent in this world.
    pub(crate) fn fall_silent(&self, world: &World) {
        *self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner) =
            (world.reach_of_keys == Reach::Answers, world.reach_of_permissions == Reach::Answers);
    }
}

impl Shared {
    fn serve(&self, arrival: Arrival) -> io::Result<()> {
        let target = arrival.head.start.split(' ').nth(1).unwrap_or_default().to_owned();
        let (keys_answer, records_answer) = *self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let json = "content-type: application/json\r\ncache-control: max-age=600\r\n";
        if let Some(section) = target.strip_prefix("/keys/") {
            return match self.keys.get(section).filter(|_| keys_answer) {
                Some(set) => arrival.answer("200 OK", json, &set.to_string()),
                None => arrival.answer("503 Silent", "", ""),
            };
        }
        let (true, Some(subject)) = (records_answer, target.strip_prefix("/users/")) else {
            return arrival.answer("503 Silent", "", "");
        };
        let asserted = arrival
            .head
            .value(HEADER)
            .zip(self.verifier.as_ref())
            .and_then(|(assertion, verifier)| verifier.verify(assertion, "GET", &target, (self.clock)()).ok());
        if asserted.is_none_or(|asserted| asserted.capability() != Some(Capability::Read)) {
            return arrival.answer("401 Unauthorized", "", "");
        }
        match self.records.get(&unescaped(subject)) {
            Some(record) => arrival.answer("200 OK", json, &record.to_string()),
            None => arrival.answer("404 Not Found", "", ""),
        }
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        octets.push(part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(b'?'));
        octets.extend(part.get(2..).unwrap_or_default().bytes());
    }
    String::from_utf8_lossy(&octets).into_owned()
}
