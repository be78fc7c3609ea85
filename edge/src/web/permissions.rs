//! Answers `NeedsPermissions`: the permissions service, asked with a credential that can only read.
//!
//! When to ask, what an answer is worth and how old it may be is the core's `PermissionsCache` to say: a 200 with a
//! whole record, a 404, and a 304 where its tag was sent are answers. Anything else cannot tell: the core says of which kind
//! it is, and makes a 503 of it. A question that another request has asked cannot be awaited in a Worker: followers look at
//! the cache on timers of their own.

use std::{cell::RefCell, sync::Arc, time::Duration};

use postern::{
    ByPurpose, Permissions, PermissionsRecord, Policy, Progress, Purpose,
    assertion::{self, Assertion, Capability},
    authorizer::NeedsPermissions,
    cache::{
        FetchedPermissions, PermissionsAnswer, PermissionsCache, PermissionsFetch, PermissionsFetchError,
        PermissionsInquiry, PermissionsLookup,
    },
    decision_log::CacheState,
    permissions::PermissionsError,
    policy::{Issuer, Origin},
};

use super::{
    Platform,
    outgoing::{self, FetchError, QUESTION_TIMEOUT, Question},
    runtime,
};
use crate::log;
#[cfg(feature = "sigv4")]
use crate::{payload, sigv4::sign_for_function};
#[cfg(feature = "sigv4")]
use postern::digest::OF_NOTHING;

/// Time between two looks at a question that another request has asked.
const WAIT: Duration = Duration::from_millis(10);
/// Most looks: together longer than a question that was under way and the next one, yet not for ever.
const MOST_LOOKS: u32 = 700;

type Record = Option<Arc<PermissionsRecord>>;

thread_local! {
    /// Rules that are only tried have one of their own.
    static CACHES: RefCell<ByPurpose<PermissionsCache>> =
        RefCell::new(ByPurpose::new(PermissionsCache::new(), PermissionsCache::new()));
}

fn with_cache<T>(purpose: Purpose, ask: impl FnOnce(&mut PermissionsCache) -> T) -> T {
    CACHES.with_borrow_mut(|caches| ask(caches.of_mut(purpose)))
}

/// Goes on with the subject's permissions, or without. `policy` is the one that is being decided by.
pub(crate) async fn provide<P: Platform>(
    platform: &P,
    policy: &'static Policy,
    need: NeedsPermissions<'static>,
    seen: &mut Option<CacheState>,
) -> Progress<'static> {
    *seen = Some(CacheState::Hit);
    let ages = (need.max_age(), need.stale_if_error());
    let inquiry = with_cache(need.purpose(), |cache| cache.inquire(need.issuer(), need.subject(), ages));
    let mut record = obtain(platform, policy, &need, &inquiry, seen).await;
    if record.is_none() {
        record = with_cache(need.purpose(), |cache| cache.stand_in(&inquiry, runtime::now()));
        *seen = Some(if record.is_some() { CacheState::Stale } else { CacheState::Unavailable });
    }
    let permissions = match &record {
        Some(Some(record)) => Permissions::Found(record),
        Some(None) => Permissions::Absent,
        None => Permissions::Unavailable,
    };
    need.resume(permissions, runtime::now())
}

/// The outer `None` when nobody can tell.
async fn obtain<P: Platform>(
    platform: &P,
    policy: &'static Policy,
    need: &NeedsPermissions<'static>,
    inquiry: &PermissionsInquiry,
    seen: &mut Option<CacheState>,
) -> Option<Record> {
    let (issuer, purpose) = (need.issuer(), need.purpose());
    for _ in 0..MOST_LOOKS {
        let now = runtime::now();
        match with_cache(purpose, |cache| cache.look_up(inquiry, now)) {
            PermissionsLookup::Known(record) => return Some(record),
            PermissionsLookup::StandIn(record) => {
                *seen = Some(CacheState::Stale);
                return Some(record);
            }
            PermissionsLookup::Unavailable => return None,
            PermissionsLookup::Wait => {
                *seen = Some(CacheState::Miss);
                if !platform.pause(WAIT).await {
                    return None;
                }
            }
            PermissionsLookup::Fetch(fetch) => {
                // What it brings decides here, whatever its age by then. It goes on where the platform can, so that
                // followers need not wait for a lapsed lead when this caller hangs up.
                *seen = Some(CacheState::Miss);
                let asking = ask(platform.clone(), policy, (issuer, purpose), fetch, need.target());
                return platform.lead(asking).await.flatten();
            }
        }
    }
    None
}

/// What went wrong, and in which words it is logged.
type Failed = (PermissionsFetchError, String);

/// Asks the service and tells the cache.
async fn ask<P: Platform>(
    platform: P,
    policy: &'static Policy,
    (issuer, purpose): (&'static Issuer, Purpose),
    fetch: PermissionsFetch,
    target: Option<String>,
) -> Option<Record> {
    match follow(&platform, policy, issuer, &fetch, target.as_deref()).await {
        Ok(fetched) => {
            let record = fetched.record();
            with_cache(purpose, |cache| cache.store(fetched, runtime::now()));
            Some(record)
        }
        Err((error, why)) => {
            let failure = error.failure();
            runtime::log(&log::failure(failure.event(), issuer.name(), &why, None));
            with_cache(purpose, |cache| cache.fail(&fetch, failure, runtime::now()));
            None
        }
    }
}

async fn follow<P: Platform>(
    platform: &P,
    policy: &Policy,
    issuer: &Issuer,
    fetch: &PermissionsFetch,
    target: Option<&str>,
) -> Result<FetchedPermissions, Failed> {
    let unsendable = |why: &str| (PermissionsFetchError::Unsendable, why.to_owned());
    let target = target.ok_or_else(|| unsendable("no canonical path holds the subject"))?;
    let service = policy.permissions().ok_or_else(|| unsendable("the policy names no permissions service"))?;
    let secrets = platform.secrets().ok();
    let keys = secrets
        .and_then(|secrets| secrets.of(service.name()))
        .ok_or_else(|| unsendable("the permissions service has no key"))?;
    let id = runtime::random_id().map_err(|_| unsendable("the runtime gives no random octets"))?;
    let credential = Assertion::for_permissions(
        policy.edge(),
        service.name(),
        issuer.name(),
        Capability::Read,
        ("GET", target),
        runtime::now(),
        id,
    )
    .sign(keys);
    let signed = signed(platform, service, target, &credential).map_err(|why| unsendable(&why))?;
    let mut fields = vec![("accept", "application/json"), (assertion::HEADER, credential.as_str())];
    fields.extend(fetch.if_none_match().map(|tag| ("if-none-match", tag)));
    fields.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let question = Question {
        url: &format!("{}{target}", service.url()),
        fields: &fields,
        plain_http: policy.is_development(),
        limit: platform.time_for(QUESTION_TIMEOUT),
        cap: fetch.max_bytes(),
    };
    let fetched =
        outgoing::get::<P>(&question).await.map_err(|error| (meaning(error, &question), error.to_string()))?;
    let answer = PermissionsAnswer {
        status: fetched.status,
        etag: fetched.etag.as_deref(),
        retry_after: fetched.retry_after.as_deref(),
        body: &fetched.body,
    };
    fetch.answered(&answer).map_err(|error| (error, error.to_string()))
}

/// What the core makes of a question that had no answer.
fn meaning(error: FetchError, question: &Question<'_>) -> PermissionsFetchError {
    match error {
        // An invocation near its end gives the service less time than it may take.
        FetchError::TimedOut if question.limit < QUESTION_TIMEOUT => PermissionsFetchError::CutShort,
        FetchError::TimedOut => PermissionsFetchError::TimedOut,
        FetchError::Unreachable => PermissionsFetchError::Unreachable,
        FetchError::TooLarge => PermissionsFetchError::Record(PermissionsError::TooLarge),
        FetchError::Insecure | FetchError::Rewritten | FetchError::Unsendable => PermissionsFetchError::Unsendable,
    }
}

/// The fields that sign the question, where the service takes signed ones alone.
#[cfg(feature = "sigv4")]
fn signed<P: Platform>(
    platform: &P,
    service: &Origin,
    target: &str,
    credential: &str,
) -> Result<Vec<(String, String)>, String> {
    if !service.wants_signature() {
        return Ok(Vec::new());
    }
    let credentials =
        platform.credentials(service).ok_or("there are no AWS credentials for the permissions service")?;
    let payload = payload::hex(&OF_NOTHING);
    sign_for_function(service, &credentials, ("GET", target), credential, &payload, runtime::now())
        .map_err(|error| error.to_string())
}

/// A build that cannot sign, where there is nothing to be signed.
#[cfg(not(feature = "sigv4"))]
fn signed<P: Platform>(_: &P, service: &Origin, _: &str, _: &str) -> Result<[(String, String); 0], String> {
    if service.wants_signature() { Err("this build cannot sign".to_owned()) } else { Ok([]) }
}
