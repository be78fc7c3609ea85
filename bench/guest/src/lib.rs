//! Fixed decisions, one after another: the same policy, tokens, times and answers in every run, so that what they cost
//! in instructions and allocations is the same as well.
//!
//! Whoever asks for a signature check is told that it holds: its mathematics is the host's, and is not counted.

use std::{cell::RefCell, fmt::Write as _};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::{
    Authorizer, Decision, JwkSet, Keys, Progress, Request, SignatureCheck, UnixTime, assertion::AssertionKeys,
    policy::from_toml,
};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

const POLICY: &str = include_str!("../../policy.toml");
const NOW: u64 = 1_800_000_000;
/// Decisions before those that are counted.
const WARM_UP: u32 = 8;
/// Decisions that are counted together.
pub const DECISIONS: u32 = 64;
/// Among how many routes the last row finds one.
const ROUTES: usize = 1_000;

/// What is counted, by name; a row's number is its place.
pub const ROWS: [&str; 5] = [
    "repeated token, permitted",
    "repeated token, permitted, assertion signed",
    "new token, permitted, signature not counted",
    "repeated token, denied",
    "repeated token, permitted, among 1000 routes",
];

struct Scene {
    row: u32,
    authorizer: Authorizer,
    keys: JwkSet,
    assertion_keys: AssertionKeys,
    bearers: Vec<String>,
    next: usize,
}

thread_local! {
    static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
}

/// Sets the scene for `row` and decides a few times; `most` decisions may follow. Whether they are as they must be.
#[wasm_bindgen]
#[must_use]
pub fn prepare(row: u32, most: u32) -> bool {
    let scene = Scene::new(row, most + WARM_UP);
    let stands = scene.is_some();
    SCENE.set(scene);
    stands && decide(WARM_UP)
}

/// Decides so many times. Whether every decision was as it must be.
#[wasm_bindgen]
#[must_use]
pub fn decide(count: u32) -> bool {
    SCENE.with_borrow_mut(|scene| scene.as_mut().is_some_and(|scene| (0..count).all(|_| scene.decide())))
}

impl Scene {
    fn new(row: u32, most: u32) -> Option<Self> {
        let text = if row == 4 { with_routes(ROUTES) } else { POLICY.to_owned() };
        let secret = Base64UrlUnpadded::encode_string(&[7; 32]);
        let set = json!({"keys": [{"kty": "oct", "kid": "edge-1", "k": secret}]}).to_string();
        let tokens = if row == 2 { most } else { 1 };
        Some(Self {
            row,
            authorizer: Authorizer::new(from_toml(&text, None).ok()?),
            keys: keys()?,
            assertion_keys: AssertionKeys::from_json(&set).ok()?,
            bearers: (0..tokens).map(|number| format!("Bearer {}", token(number))).collect(),
            next: 0,
        })
    }

    fn decide(&mut self) -> bool {
        let now = UnixTime::from_secs(NOW);
        let target = match self.row {
            3 => "/companies/4444/orders/2a7f0c1e",
            4 => "/companies/1111/r777/2a7f0c1e",
            _ => "/companies/1111/orders/2a7f0c1e",
        };
        let Some(bearer) = self.bearers.get(self.next % self.bearers.len()) else { return false };
        self.next += 1;
        let headers = [
            ("accept", "application/json"),
            ("accept-encoding", "gzip, br"),
            ("accept-language", "en-GB,en;q=0.9"),
            ("authorization", bearer.as_str()),
            ("host", "api.bench.example"),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
        ];
        let mut progress = self.authorizer.begin(&Request { method: "GET", target, headers: &headers }, now);
        loop {
            progress = match progress {
                Progress::Decided(Decision::Permit(permit)) => {
                    let edge = self.authorizer.policy().edge();
                    return self.row != 3
                        && (self.row != 1
                            || !permit.signed_assertion(edge, now, [9; 16], &self.assertion_keys).is_empty());
                }
                Progress::Decided(_) => return self.row == 3,
                Progress::NeedsKeys(need) => need.resume(Keys::Fresh(&self.keys), now),
                Progress::NeedsSignature(need) => need.resume(SignatureCheck::Valid, now),
                Progress::NeedsPermissions(_) | Progress::NeedsBody(_) => return false,
            };
        }
    }
}

/// The bench's policy with its routes replaced by `count` others.
fn with_routes(count: usize) -> String {
    let mut text = POLICY.split("[[route]]").next().unwrap_or_default().to_owned();
    for number in 0..count {
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "[[route]]\nname = \"r{number}\"\nmethods = [\"GET\"]\npath = \"/companies/{{company}}/r{number}/{{id}}\"\n\
             company = \"{{company}}\"\nroles = [\"Manager\"]\nscopes = [\"orders/get.order\"]\n\n"
        );
    }
    text
}

/// A modulus of 2048 bits that nobody has the key of.
fn keys() -> Option<JwkSet> {
    let modulus = [vec![0xA5; 255], vec![1]].concat();
    let n = Base64UrlUnpadded::encode_string(&modulus);
    let set = json!({"keys": [{"kty": "RSA", "kid": "k1", "alg": "RS256", "n": n, "e": "AQAB"}]});
    JwkSet::parse(set.to_string().as_bytes()).ok()
}

/// As Cognito makes them, with a signature of the right length.
fn token(number: u32) -> String {
    let part = |text: String| Base64UrlUnpadded::encode_string(text.as_bytes());
    let subject = format!("b0a1c2d3-0000-4000-8000-{number:012}");
    let claims = json!({
        "sub": subject, "iss": "https://issuer.bench.example", "version": 2, "client_id": "bench-client",
        "origin_jti": "5f0c9a1e-0000-4000-8000-000000000000", "event_id": "c4d2b8f7-0000-4000-8000-000000000000",
        "token_use": "access", "scope": "orders/get.order orders/list.orders orders/create.order",
        "auth_time": NOW - 60, "exp": NOW + 3600, "iat": NOW - 60,
        "jti": "0b7e6d5c-0000-4000-8000-000000000000", "username": subject,
        "companies": ["1111", "2222", "3333"], "role": "Manager",
    });
    let mut signature = vec![0; 256];
    signature.splice(252.., number.to_be_bytes());
    let header = part(json!({"alg": "RS256", "kid": "k1"}).to_string());
    format!("{header}.{}.{}", part(claims.to_string()), Base64UrlUnpadded::encode_string(&signature))
}
