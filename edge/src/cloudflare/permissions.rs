//! Answers `NeedsPermissions`: the permissions service, asked with a credential that can only read.
//!
//! Only a 200 with a whole record and a 404 are answers. Anything else cannot tell, and the core makes a 503
//! of it. How old an answer may be is the core's `PermissionsCache` to say.

use std::{cell::RefCell, sync::Arc, time::Duration};

use postern::{
    Permissions, PermissionsRecord, Policy, Progress,
    assertion::{self, Assertion, Capability},
    authorizer::NeedsPermissions,
    cache::{PermissionsCache, PermissionsLookup},
    decision_log::CacheState,
    permissions::MAX_RECORD_BYTES,
    policy::Issuer,
};

use worker::worker_sys::Context;

use super::{isolate::Isolate, outgoing, runtime};
use crate::log;

/// Time for one question. Shorter than the lease that the core gives whoever leads.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// Time between two looks at a question that another request has asked.
const WAIT: Duration = Duration::from_millis(10);
/// Most looks: together longer than a lapsed lead, yet not for ever.
const MOST_LOOKS: u32 = 500;

type Record = Option<Arc<PermissionsRecord>>;

thread_local! {
    static CACHE: RefCell<PermissionsCache> = RefCell::new(PermissionsCache::new());
}

/// Goes on with the subject's permissions, or without.
pub(super) async fn provide(
    isolate: &'static Isolate,
    policy: &'static Policy,
    need: NeedsPermissions<'static>,
    seen: &mut Option<CacheState>,
    context: &Context,
) -> Progress<'static> {
    *seen = Some(CacheState::Hit);
    let mut record = obtain(isolate, policy, &need, seen, context).await;
    if record.is_none() {
        let ages = (need.max_age(), need.stale_if_error());
        let now = runtime::now();
        record = CACHE.with_borrow_mut(|cache| cache.stand_in(need.issuer(), need.subject(), ages, now));
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
async fn obtain(
    isolate: &'static Isolate,
    policy: &'static Policy,
    need: &NeedsPermissions<'static>,
    seen: &mut Option<CacheState>,
    context: &Context,
) -> Option<Record> {
    let issuer = need.issuer();
    for _ in 0..MOST_LOOKS {
        let now = runtime::now();
        match CACHE.with_borrow_mut(|cache| cache.look_up(issuer, need.subject(), need.max_age(), now)) {
            PermissionsLookup::Known(record) => return Some(record),
            PermissionsLookup::Wait => {
                *seen = Some(CacheState::Miss);
                runtime::pause(WAIT).await;
            }
            PermissionsLookup::Fetch => {
                // What it brings decides here, whatever its age by then. Detached, so that followers need not
                // wait for a lapsed lead when this caller hangs up.
                *seen = Some(CacheState::Miss);
                let asking = ask(isolate, policy, issuer, need.subject().to_owned(), need.target());
                return runtime::detach(context, asking).await.flatten();
            }
        }
    }
    None
}

/// Asks the service and tells the cache.
async fn ask(
    isolate: &'static Isolate,
    policy: &'static Policy,
    issuer: &'static Issuer,
    subject: String,
    target: Option<String>,
) -> Option<Record> {
    let asked_at = runtime::now();
    match fetch(isolate, policy, issuer, target.as_deref()).await {
        Ok(record) => {
            CACHE.with_borrow_mut(|cache| cache.store(issuer, &subject, record.clone(), asked_at));
            Some(record)
        }
        Err(why) => {
            runtime::log(&log::failure("permissions_failed", issuer.name(), &why, None));
            CACHE.with_borrow_mut(|cache| cache.fail(issuer, &subject));
            None
        }
    }
}

async fn fetch(isolate: &Isolate, policy: &Policy, issuer: &Issuer, target: Option<&str>) -> Result<Record, String> {
    let target = target.ok_or("no canonical path holds the subject")?;
    let service = policy.permissions().ok_or("the policy names no permissions service")?;
    let keys = isolate.keys_of(service.name()).ok_or("the permissions service has no key")?;
    let id = runtime::random_id().map_err(|_| "the runtime gives no random octets")?;
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
    let url = format!("{}{target}", service.url());
    let fields = [("accept", "application/json"), (assertion::HEADER, credential.as_str())];
    let fetched = outgoing::get(&url, &fields, policy.is_development(), FETCH_TIMEOUT, MAX_RECORD_BYTES)
        .await
        .map_err(|error| error.to_string())?;
    match fetched.status {
        200 => {
            let record = PermissionsRecord::parse(&fetched.body).map_err(|error| error.to_string())?;
            Ok(Some(Arc::new(record)))
        }
        404 => Ok(None),
        status => Err(format!("the status is {status}")),
    }
}
