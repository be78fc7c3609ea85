//! Answers `NeedsKeys` natively: issuers' JWK sets, fetched and kept in the process.
//!
//! When to fetch, what, and what an answer is worth is the core's `KeyCache` to say; here is how. A fetch is a task of
//! its own, so that it ends even if the request that led it is given up. A Lambda function is frozen between its
//! answers, and what runs in the background with it: so whoever leads a refresh gives it a little of its own time.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use postern::{
    Keys, Policy, UnixTime,
    authorizer::{NeedsKeys, Pursuit},
    cache::{FetchedKeys, KeyAnswer, KeyCache, KeyFetch, KeyLookup, KeySeeds, KeyStep},
    policy::Issuer,
};
use reqwest::{Client, header};
use tokio::{sync::Notify, task::JoinHandle, time};

pub use crate::outgoing::ClientError;
use crate::{
    clock::system_time,
    outgoing::{self, QUESTION_TIMEOUT, kind, read},
};

/// Time that a request gives a refresh which it leads but does not need.
const REFRESH_BUDGET: Duration = Duration::from_millis(250);
/// Longest wait for a fetch that another request leads before looking again: a lead may have lapsed.
const WAIT: Duration = Duration::from_millis(500);
/// Longest that a request waits for keys, however often a lead lapses.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says what time it is; tests have clocks of their own.
pub type Clock = fn() -> UnixTime;

/// The issuers' keys of one policy. Shared by all requests of a process.
pub struct IssuerKeys {
    cache: Mutex<KeyCache>,
    client: Client,
    /// For places that only an issuer's metadata names.
    public_client: Client,
    clock: Clock,
    /// Loopback http is allowed, since a development overlay has put it into the policy.
    plain_http: bool,
    /// A fetch has ended.
    ended: Notify,
}

impl IssuerKeys {
    /// An empty cache for the issuers of `policy`.
    ///
    /// # Errors
    /// [`ClientError`] when no HTTP client can be built.
    pub fn new(policy: &Policy) -> Result<Self, ClientError> {
        Self::with_clock(policy, system_time)
    }

    /// The same with a clock of one's own.
    ///
    /// # Errors
    /// [`ClientError`] when no HTTP client can be built.
    pub fn with_clock(policy: &Policy, clock: Clock) -> Result<Self, ClientError> {
        let plain_http = policy.is_development();
        let (client, public_client) = (outgoing::client(plain_http)?, outgoing::public_client()?);
        Ok(Self { cache: Mutex::new(KeyCache::new()), client, public_client, clock, plain_http, ended: Notify::new() })
    }

    /// Begins with what was sealed at build time, as far as it may still be used.
    pub fn seed(&self, policy: &Policy, seeds: &KeySeeds) {
        for issuer in policy.issuers() {
            if let Err(error) = self.cache().restore(issuer, seeds.of(issuer).cloned(), (self.clock)()) {
                tracing::warn!(event = "key_seed_unused", name = issuer.name(), reason = %error);
            }
        }
    }

    /// Goes on with the issuer's keys, or without.
    pub async fn provide<'a, P: Pursuit>(self: &Arc<Self>, need: NeedsKeys<'a, P>) -> P {
        let issuer = need.issuer();
        let deadline = time::Instant::now().checked_add(PATIENCE);
        while deadline.is_some_and(|deadline| time::Instant::now() < deadline) {
            // Registered before the look, so that a fetch that ends between the two is not missed.
            let ended = self.ended.notified();
            let now = (self.clock)();
            let looked_up = self.cache().look_up(issuer, need.key_id(), now);
            match looked_up {
                KeyLookup::Fresh(keys) => return need.resume(Keys::Fresh(&keys), now),
                KeyLookup::Refresh(keys, fetch) => {
                    let _ = time::timeout(REFRESH_BUDGET, self.lead(issuer, fetch)).await;
                    return need.resume(Keys::Fresh(&keys), (self.clock)());
                }
                KeyLookup::Stale(keys) => return need.resume(Keys::Stale(&keys), now),
                KeyLookup::Unavailable => break,
                // The outcome is in the cache, where the next look finds it.
                KeyLookup::Fetch(fetch) => drop(self.lead(issuer, fetch).await),
                // There is no second layer: a process that lives on keeps its first.
                KeyLookup::Recall => drop(self.cache().restore(issuer, None, now)),
                KeyLookup::Wait => drop(time::timeout(WAIT, ended).await),
            }
        }
        need.resume(Keys::Unavailable, (self.clock)())
    }

    /// Starts the fetch at once; it ends even if nobody awaits it.
    fn lead(self: &Arc<Self>, issuer: &Issuer, fetch: KeyFetch) -> JoinHandle<()> {
        let (keys, issuer) = (Arc::clone(self), issuer.clone());
        tokio::spawn(async move {
            let outcome = time::timeout(QUESTION_TIMEOUT, keys.follow(&issuer, fetch)).await;
            keys.conclude(&issuer, outcome.unwrap_or(Err("no answer in time".to_owned())));
            keys.ended.notify_waiters();
        })
    }

    fn conclude(&self, issuer: &Issuer, outcome: Result<FetchedKeys, String>) {
        match outcome {
            Ok(fetched) => {
                for refused in fetched.keys().refused() {
                    let why = format!("key {} of the set: {}", refused.index, refused.reason);
                    tracing::warn!(event = "key_refused", name = issuer.name(), reason = why);
                }
                let _ = self.cache().store(issuer, fetched, (self.clock)());
            }
            Err(why) => {
                tracing::warn!(event = "keys_failed", name = issuer.name(), reason = why);
                self.cache().fail(issuer, (self.clock)());
            }
        }
    }

    /// Makes one request after another until the keys are there or something failed.
    async fn follow(&self, issuer: &Issuer, mut fetch: KeyFetch) -> Result<FetchedKeys, String> {
        loop {
            if !fetch.url().starts_with("https://") && !self.plain_http {
                return Err("the URL is not https".to_owned());
            }
            let client = if fetch.wants_public_address() { &self.public_client } else { &self.client };
            let request = client.get(fetch.url()).header(header::ACCEPT, fetch.accept());
            // The client's own messages quote the URL, which says nothing that the policy does not.
            let response = request.send().await.map_err(|error| kind(&error))?;
            let field = |name| {
                let values: Vec<_> = response.headers().get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
                Some(values.join(", ")).filter(|joined| !joined.is_empty())
            };
            let (cache_control, age) = (field(header::CACHE_CONTROL), field(header::AGE));
            let status = response.status().as_u16();
            let body = if status == 200 {
                read(response, fetch.max_bytes()).await.map_err(|error| error.to_string())?
            } else {
                Vec::new()
            };
            let answer =
                KeyAnswer { status, cache_control: cache_control.as_deref(), age: age.as_deref(), body: &body };
            match fetch.answered(issuer, &answer).map_err(|error| error.to_string())? {
                KeyStep::Next(next) => fetch = next,
                KeyStep::Fetched(fetched) => return Ok(fetched),
            }
        }
    }

    /// Whoever panicked with it left a cache that is whole: each of its steps is.
    fn cache(&self) -> MutexGuard<'_, KeyCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IssuerKeys").field("plain_http", &self.plain_http).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use postern::policy::from_toml;

    use super::*;

    /// A section that is asked for its keys by discovery.
    fn policy(more: &str) -> Policy {
        let text = format!(
            "[issuer.users]\nurl = \"https://issuer.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
             token_use = \"access\"\npermissions = \"claims\"\n{more}\n[origin.o]\nurl = \"https://o.example\"\n\
             key = \"KEY\"\n[[route]]\nname = \"r\"\nmethods = [\"GET\"]\npath = \"/r\"\norigin = \"o\"\n\
             issuer = \"users\"\n"
        );
        from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The fetch of the keys at `jwks_uri`, which the issuer's metadata names.
    fn discovered(issuer: &Issuer, jwks_uri: &str) -> Result<KeyFetch, postern::cache::KeyFetchError> {
        let mut cache = KeyCache::new();
        let KeyLookup::Fetch(fetch) = cache.look_up(issuer, None, system_time()) else { panic!("nothing is fetched") };
        let metadata = serde_json::json!({"issuer": issuer.url(), "jwks_uri": jwks_uri}).to_string();
        let answer = KeyAnswer { status: 200, cache_control: None, age: None, body: metadata.as_bytes() };
        match fetch.answered(issuer, &answer)? {
            KeyStep::Next(next) => Ok(next),
            KeyStep::Fetched(_) => panic!("these are no keys"),
        }
    }

    #[tokio::test]
    async fn a_discovered_place_in_the_own_network_is_never_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let place = format!("https://localhost:{port}/jwks.json");
        let is_connected_to = || async { time::timeout(Duration::from_millis(200), listener.accept()).await.is_ok() };

        let named_by_metadata = policy("");
        let issuer = &named_by_metadata.issuers()[0];
        let keys = IssuerKeys::new(&named_by_metadata).unwrap();
        let fetch = discovered(issuer, &place).unwrap();
        assert!(fetch.wants_public_address());
        let error = keys.follow(issuer, fetch).await.unwrap_err();
        assert!(error.contains("without a public address"), "{error}");
        assert!(!is_connected_to().await);
        // An address instead of a name is refused before anybody connects.
        for place in ["https://127.0.0.1:1/x", "https://10.0.0.1/x", "https://169.254.169.254/x"] {
            assert!(discovered(issuer, place).is_err(), "{place}");
        }

        // The policy may name any place.
        let named_by_policy = policy(&format!("jwks_url = \"{place}\""));
        let issuer = &named_by_policy.issuers()[0];
        let keys = IssuerKeys::new(&named_by_policy).unwrap();
        let mut cache = KeyCache::new();
        let KeyLookup::Fetch(fetch) = cache.look_up(issuer, None, system_time()) else { panic!("nothing is fetched") };
        let (outcome, was_connected_to) = tokio::join!(keys.follow(issuer, fetch), async {
            let accepted = time::timeout(Duration::from_secs(5), listener.accept()).await;
            accepted.is_ok_and(|accepted| accepted.is_ok())
        });
        assert!(outcome.is_err(), "nobody speaks TLS there");
        assert!(was_connected_to);
    }

    #[test]
    fn the_issuers_own_host_is_named_by_the_policy() {
        let policy = policy("");
        let issuer = &policy.issuers()[0];
        for (place, is_restricted) in [
            ("https://issuer.example/jwks.json", false),
            ("https://issuer.example:8443/jwks.json", true),
            ("https://keys.issuer.example/jwks.json", true),
        ] {
            assert_eq!(discovered(issuer, place).unwrap().wants_public_address(), is_restricted, "{place}");
        }
    }
}
