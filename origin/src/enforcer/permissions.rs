//! Answers `NeedsPermissions` natively: the permissions service, asked with a credential that can only read.
//!
//! When to ask, what an answer is worth and how old it may be is the core's `PermissionsCache` to say: a 200 with a whole
//! record, a 404, and a 304 where its tag was sent are answers. Anything else cannot tell: the core says of which kind it is,
//! and makes a 503 of it.
//! A question is a task of its own, so that it ends even if the request that asked it is given up: who waits for it need
//! not wait for a lapsed lead.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use postern::{
    Permissions, PermissionsRecord, Policy, Progress,
    assertion::{self, Assertion, AssertionKeys, Capability},
    authorizer::NeedsPermissions,
    cache::{
        FetchedPermissions, PermissionsAnswer, PermissionsCache, PermissionsFetch, PermissionsFetchError,
        PermissionsInquiry, PermissionsLookup,
    },
    decision_log::CacheState,
    permissions::PermissionsError,
    policy::{Issuer, Origin},
    target::{CanonicalTarget, encode_segment},
};
use reqwest::{Client, header};
use tokio::{sync::Notify, time};

use crate::{
    outgoing::{self, ClientError, QUESTION_TIMEOUT, ReadError, kind, read},
    token::keys::Clock,
};

/// Longest wait for a question that another request has asked before looking again: a lead may have lapsed.
const WAIT: Duration = Duration::from_millis(500);
/// Longest that a request waits for a record: for a question that was under way and the next one, however often a lead
/// lapses.
const PATIENCE: Duration = Duration::from_secs(7);

/// The outer `None` when nobody can tell.
type Told = Option<Option<Arc<PermissionsRecord>>>;

/// The permissions service of one policy, and what it has said lately. Shared by all requests of a process.
pub struct PermissionsClient {
    service: Origin,
    /// The name under which assertions are made.
    edge: String,
    keys: AssertionKeys,
    cache: Mutex<PermissionsCache>,
    client: Client,
    clock: Clock,
    /// Loopback http is allowed, since a development overlay has put it into the policy.
    plain_http: bool,
    /// A question has ended.
    ended: Notify,
}

/// What is known of one subject's permissions.
#[derive(Clone, Debug)]
pub enum Hydrated {
    /// The subject's record.
    Found(Arc<PermissionsRecord>),
    /// The service has no record of the subject, who then may do nothing.
    Absent,
    /// Nobody can tell: 503, never an allow and never a 403.
    Unavailable,
}

impl PermissionsClient {
    /// A client for the permissions service of `policy`, with `keys` to assert with; `None` where the policy has none.
    ///
    /// # Errors
    /// [`ClientError`] when no HTTP client can be built.
    pub fn new(policy: &Policy, keys: AssertionKeys, clock: Clock) -> Result<Option<Self>, ClientError> {
        let Some(service) = policy.permissions() else { return Ok(None) };
        let plain_http = policy.is_development();
        Ok(Some(Self {
            service: service.clone(),
            edge: policy.edge().to_owned(),
            keys,
            cache: Mutex::new(PermissionsCache::new()),
            client: outgoing::client(plain_http)?,
            clock,
            plain_http,
            ended: Notify::new(),
        }))
    }

    /// The permissions of `subject` in the section `issuer`, no older than the ages say: `max_age`, and how much older
    /// where the service cannot tell.
    pub async fn of(self: &Arc<Self>, issuer: &Issuer, subject: &str, ages: (Duration, Duration)) -> Hydrated {
        Hydrated::of(self.look(issuer, subject, ages, &mut None).await)
    }

    /// Goes on with the subject's permissions, or without.
    pub(super) async fn provide<'a>(
        self: &Arc<Self>,
        need: NeedsPermissions<'a>,
        seen: &mut Option<CacheState>,
    ) -> Progress<'a> {
        let ages = (need.max_age(), need.stale_if_error());
        let known = Hydrated::of(self.look(need.issuer(), need.subject(), ages, seen).await);
        need.resume(known.as_permissions(), (self.clock)())
    }

    async fn look(
        self: &Arc<Self>,
        issuer: &Issuer,
        subject: &str,
        ages: (Duration, Duration),
        seen: &mut Option<CacheState>,
    ) -> Told {
        *seen = Some(CacheState::Hit);
        let inquiry = self.cache().inquire(issuer, subject, ages);
        let told = self.obtain(issuer, subject, &inquiry, seen).await;
        if told.is_some() {
            return told;
        }
        let stand_in = self.cache().stand_in(&inquiry, (self.clock)());
        *seen = Some(if stand_in.is_some() { CacheState::Stale } else { CacheState::Unavailable });
        stand_in
    }

    async fn obtain(
        self: &Arc<Self>,
        issuer: &Issuer,
        subject: &str,
        inquiry: &PermissionsInquiry,
        seen: &mut Option<CacheState>,
    ) -> Told {
        let deadline = time::Instant::now().checked_add(PATIENCE);
        while deadline.is_some_and(|deadline| time::Instant::now() < deadline) {
            // Registered before the look, so that a question that ends between the two is not missed.
            let ended = self.ended.notified();
            let looked_up = self.cache().look_up(inquiry, (self.clock)());
            match looked_up {
                PermissionsLookup::Known(record) => return Some(record),
                PermissionsLookup::StandIn(record) => {
                    *seen = Some(CacheState::Stale);
                    return Some(record);
                }
                PermissionsLookup::Unavailable => return None,
                PermissionsLookup::Wait => {
                    *seen = Some(CacheState::Miss);
                    let _ = time::timeout(WAIT, ended).await;
                }
                PermissionsLookup::Fetch(fetch) => {
                    // What it brings decides here, whatever its age by then.
                    *seen = Some(CacheState::Miss);
                    let asking = Arc::clone(self).ask(issuer.clone(), subject.to_owned(), fetch);
                    return tokio::spawn(asking).await.ok().flatten();
                }
            }
        }
        None
    }

    /// Asks the service and tells the cache.
    async fn ask(self: Arc<Self>, issuer: Issuer, subject: String, fetch: PermissionsFetch) -> Told {
        let fetched = time::timeout(QUESTION_TIMEOUT, self.follow(&issuer, &subject, &fetch)).await;
        let told = match fetched.unwrap_or_else(|_| Err(Failed::of(PermissionsFetchError::TimedOut))) {
            Ok(fetched) => {
                let record = fetched.record();
                self.cache().store(fetched, (self.clock)());
                Some(record)
            }
            Err(Failed(error, reason)) => {
                let failure = error.failure();
                tracing::warn!(event = failure.event(), name = issuer.name(), reason);
                self.cache().fail(&fetch, failure, (self.clock)());
                None
            }
        };
        self.ended.notify_waiters();
        told
    }

    async fn follow(
        &self,
        issuer: &Issuer,
        subject: &str,
        fetch: &PermissionsFetch,
    ) -> Result<FetchedPermissions, Failed> {
        let unsendable = |why: &str| Failed(PermissionsFetchError::Unsendable, why.to_owned());
        let target = format!("/users/{}", encode_segment(subject));
        CanonicalTarget::parse(&target).map_err(|_| unsendable("no canonical path holds the subject"))?;
        let url = format!("{}{target}", self.service.url());
        if !url.starts_with("https://") && !self.plain_http {
            return Err(unsendable("the URL is not https"));
        }
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| unsendable("there are no random octets"))?;
        let credential = Assertion::for_permissions(
            &self.edge,
            self.service.name(),
            issuer.name(),
            Capability::Read,
            ("GET", &target),
            (self.clock)(),
            id,
        )
        .sign(&self.keys);
        let send = || {
            let mut request = self.client.get(&url).header(header::ACCEPT, "application/json");
            if let Some(tag) = fetch.if_none_match() {
                request = request.header(header::IF_NONE_MATCH, tag);
            }
            request.header(assertion::HEADER, &credential).send()
        };
        let response = match send().await {
            // While the function was frozen nobody saw its connections close. One that cannot even be made is no such
            // case, and one that takes too long is none.
            Err(error) if !error.is_timeout() && !error.is_connect() && !error.is_builder() => send().await,
            sent => sent,
        };
        let response = response.map_err(|error| Failed::to_send(&error))?;
        let status = response.status().as_u16();
        let field = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, retry_after) = (field(header::ETAG), field(header::RETRY_AFTER));
        let body = if status == 200 { read(response, fetch.max_bytes()).await? } else { Vec::new() };
        let (etag, retry_after) = (etag.as_deref(), retry_after.as_deref());
        fetch.answered(&PermissionsAnswer { status, etag, retry_after, body: &body }).map_err(Failed::of)
    }

    /// Whoever panicked with it left a cache that is whole: each of its steps is.
    fn cache(&self) -> MutexGuard<'_, PermissionsCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What went wrong, and in which words it is logged.
struct Failed(PermissionsFetchError, String);

impl Failed {
    fn of(error: PermissionsFetchError) -> Self {
        Self(error, error.to_string())
    }

    fn to_send(error: &reqwest::Error) -> Self {
        let meaning = if error.is_timeout() {
            PermissionsFetchError::TimedOut
        } else if error.is_builder() {
            PermissionsFetchError::Unsendable
        } else {
            PermissionsFetchError::Unreachable
        };
        Self(meaning, kind(error))
    }
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Broken(cause) => Self::to_send(cause),
            ReadError::TooLarge => Self(PermissionsFetchError::Record(PermissionsError::TooLarge), error.to_string()),
        }
    }
}

impl Hydrated {
    fn of(told: Told) -> Self {
        match told {
            Some(Some(record)) => Self::Found(record),
            Some(None) => Self::Absent,
            None => Self::Unavailable,
        }
    }

    /// The same, as the core takes it.
    #[must_use]
    pub fn as_permissions(&self) -> Permissions<'_> {
        match self {
            Self::Found(record) => Permissions::Found(record),
            Self::Absent => Permissions::Absent,
            Self::Unavailable => Permissions::Unavailable,
        }
    }
}

// By hand, so that no key is printed whatever the keys' own `Debug` shows.
impl fmt::Debug for PermissionsClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PermissionsClient").field("service", &self.service.name()).finish_non_exhaustive()
    }
}
