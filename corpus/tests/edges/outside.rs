//! Everything outside the edge, on one port: issuers, the permissions service, origins, Secrets Manager. Asked
//! absolute-form, as a proxy is (RFC 9112 §3.2.2), or with the URL in a field of its own, so that the policy's own `https`
//! URLs stay as they are; and by CloudFront, which sends on to an origin itself, for a target alone.

use std::{
    collections::BTreeMap,
    io,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Result, anyhow};
use postern::{
    Policy, UnixTime,
    assertion::{AssertionVerifier, HEADER},
    policy::JwksLocation,
};
use postern_corpus::case::{Permit, Reach, Request, World};
use postern_e2e::server::{Arrival, Server};
use serde_json::{Value, json};

/// The field that says which URL was asked for, where the request line does not.
const WANTED: &str = "postern-test-url";

/// The running server, and what it knows.
pub(crate) struct Outside {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    /// What is served at a URL: key sets, metadata.
    documents: BTreeMap<String, String>,
    /// Where CloudFront's function asks for secrets, and what it is told.
    secrets: Option<(String, String)>,
    /// Base URL, verifier.
    origins: Vec<(String, AssertionVerifier)>,
    /// The base URL of the permissions service.
    service: String,
    records: BTreeMap<String, Value>,
    now: UnixTime,
    state: Mutex<State>,
}

/// What an origin was told, or why it would not have believed it.
type Told = std::result::Result<Permit, String>;

#[derive(Default)]
struct State {
    keys_answer: bool,
    permissions_answer: bool,
    /// By the request's name, with the fields that arrived.
    permits: BTreeMap<String, (Told, Vec<(String, String)>)>,
}

/// The assertion key of an origin, for this run alone.
fn secret(origin: &str) -> Value {
    let mut octets = [0x5A; 32];
    for (octet, letter) in octets.iter_mut().zip(origin.bytes()) {
        *octet = letter;
    }
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    json!({"keys": [{"kty": "oct", "kid": format!("corpus-{origin}"), "k": Base64UrlUnpadded::encode_string(&octets)}]})
}

/// The secret of each origin, by the name that the policy gives it.
pub(crate) fn secrets(policy: &Policy) -> impl Iterator<Item = (String, Value)> {
    policy.origins().iter().filter_map(|origin| Some((origin.key()?.to_owned(), secret(origin.name()))))
}

impl Outside {
    pub(crate) fn start(policy: &Policy, world: &World) -> Result<Self> {
        let mut documents = BTreeMap::new();
        for issuer in policy.issuers() {
            let Some(set) = world.keys.get(issuer.name()) else { continue };
            match issuer.jwks() {
                JwksLocation::Url(url) => documents.insert(url.clone(), set.to_string()),
                JwksLocation::Discovery(url) => {
                    let keys = format!("{}/corpus/keys", issuer.url().trim_end_matches('/'));
                    documents.insert(keys.clone(), set.to_string());
                    documents.insert(url.clone(), json!({"issuer": issuer.url(), "jwks_uri": keys}).to_string())
                }
            };
        }
        let verifier = |name: &str| {
            let trusted = json!({"issuers": {policy.edge(): secret(name)}});
            AssertionVerifier::from_json(name, &trusted.to_string()).map_err(|error| anyhow!("{error}"))
        };
        let origins = policy
            .origins()
            .iter()
            .map(|origin| Ok((origin.url().to_owned(), verifier(origin.name())?)))
            .collect::<Result<_>>()?;
        let values: serde_json::Map<String, Value> = secrets(policy).collect();
        let secrets = policy.cloudfront().map(|place| {
            let told = json!({"Name": "corpus", "SecretString": Value::Object(values).to_string()});
            (format!("{}/", place.url()), told.to_string())
        });
        let shared = Arc::new(Shared {
            documents,
            secrets,
            origins,
            service: policy.permissions().map(|origin| origin.url().to_owned()).unwrap_or_default(),
            records: world.permissions.clone(),
            now: UnixTime::from_secs(world.now),
            state: Mutex::new(State {
                keys_answer: world.reach_of_keys != Reach::Silent,
                permissions_answer: world.reach_of_permissions != Reach::Silent,
                permits: BTreeMap::new(),
            }),
        });
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Server::start(listener, {
            let shared = Arc::clone(&shared);
            move |stream| shared.serve(Arrival::read(stream)?)
        });
        Ok(Self { server, shared })
    }

    pub(crate) fn address(&self) -> &str {
        self.server.address()
    }

    /// From now on nobody answers who has been silent in this world.
    pub(crate) fn fall_silent(&self, world: &World) {
        let mut state = self.shared.state();
        state.keys_answer = world.reach_of_keys == Reach::Answers;
        state.permissions_answer = world.reach_of_permissions == Reach::Answers;
    }

    /// What an origin made of the request of that name: what it was told, or why it would not have believed it.
    pub(crate) fn permit(&self, name: &str, request: &Request) -> Option<Told> {
        let (told, fields) = self.shared.state().permits.remove(name)?;
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Some(told.map(|permit| Permit { reaching: Some(request.reaching(fields)), ..permit }))
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, arrival: Arrival) -> io::Result<()> {
        let target = arrival.head.start.split(' ').nth(1).unwrap_or_default();
        let url = arrival.head.value(WANTED).unwrap_or(target).to_owned();
        let json = "content-type: application/json\r\ncache-control: max-age=600\r\n";
        if let Some((_, told)) = self.secrets.as_ref().filter(|(place, _)| *place == url) {
            return arrival.answer("200 OK", json, told);
        }
        if let Some(document) = self.documents.get(&url) {
            let answers = self.state().keys_answer;
            return if answers {
                arrival.answer("200 OK", json, document)
            } else {
                arrival.answer("503 Silent", "", "")
            };
        }
        if let Some(subject) = url.strip_prefix(&format!("{}/users/", self.service)) {
            if !self.state().permissions_answer {
                return arrival.answer("503 Silent", "", "");
            }
            let record = self.records.get(&unescaped(subject));
            return match record {
                Some(record) => arrival.answer("200 OK", json, &record.to_string()),
                None => arrival.answer("404 Not Found", "", ""),
            };
        }
        let name = arrival.head.value("cf-ray").unwrap_or_default().to_owned();
        let told = self.told(&arrival, &url);
        self.state().permits.insert(name, (told, arrival.head.fields.clone()));
        arrival.answer("200 OK", "", "")
    }

    /// What the assertion tells this origin, if it is good for this very request.
    fn told(&self, arrival: &Arrival, url: &str) -> Told {
        let method = arrival.head.start.split(' ').next().unwrap_or_default();
        let assertion = arrival.head.value(HEADER).ok_or("no assertion")?;
        let mut verified = Err(format!("`{url}` is no origin's"));
        for (base, verifier) in &self.origins {
            // A target alone is of any origin: CloudFront's behaviours choose, and each has a key of its own.
            let target = if url.starts_with('/') { Some(url) } else { url.strip_prefix(base.as_str()) };
            let Some(target) = target.filter(|target| target.starts_with('/')) else { continue };
            verified = verifier.verify(assertion, method, target, self.now).map_err(|error| error.to_string());
            if verified.is_ok() {
                break;
            }
        }
        let verified = verified?;
        for (field, value) in verified.handed_on() {
            let arrived: Vec<&str> = arrival.head.values(field).collect();
            if arrived != [value.as_str()] {
                return Err(format!("`{field}` arrived as {arrived:?}"));
            }
        }
        Ok(Permit {
            route: verified.route().unwrap_or_default().to_owned(),
            issuer: verified.subject_issuer().map(str::to_owned),
            subject: verified.subject().map(str::to_owned),
            company: verified.company().map(str::to_owned),
            roles: verified.roles().to_vec(),
            scopes: verified.scopes().to_vec(),
            handed_on: verified.handed_on().iter().cloned().collect(),
            body_sha256: verified
                .content_sha256()
                .map(|digest| digest.iter().map(|octet| format!("{octet:02x}")).collect()),
            reaching: None,
        })
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
