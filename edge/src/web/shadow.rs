//! Shadow rules: tried on real requests after the answer is under way, written down where they would have decided
//! otherwise, and never heard by any caller or origin.

use std::{rc::Rc, time::Duration};

use postern::{
    Authorizer, BodyDigest, Decision, UnixTime,
    decision_log::{self, Observed},
    digest::OF_NOTHING,
};

use super::{BodySource, Incoming, Platform, decide, outgoing::QUESTION_TIMEOUT, runtime};
use crate::secrets::Secrets;

/// Tries what there is to try: the policy's shadow routes, and the second policy whole. `incoming` is asked for only
/// then.
pub(crate) fn try_rules<P: Platform, I: Incoming + 'static>(
    platform: &P,
    incoming: impl FnOnce() -> Option<Rc<I>>,
    enforced: &Decision,
    at: UnixTime,
) {
    let policy = platform.authorizer().policy();
    let has_any = policy.has_shadow() || platform.shadow().is_some();
    if !has_any || platform.secrets().is_err() || !policy.log().tries_shadow(runtime::random_bits) {
        return;
    }
    let Some(incoming) = incoming() else { return };
    let (own, enforced) = (platform.clone(), enforced.clone());
    platform.try_later(async move {
        let platform = own;
        // Cut short, it would log a failure where the enforced decision had time, and its cache would remember one.
        if platform.time_for(QUESTION_TIMEOUT) < QUESTION_TIMEOUT {
            return;
        }
        if policy.has_shadow() {
            try_one(&platform, platform.authorizer(), &*incoming, &enforced, at).await;
        }
        if let Some(second) = platform.shadow() {
            try_one(&platform, second, &*incoming, &enforced, at).await;
        }
    });
}

async fn try_one<P: Platform>(
    platform: &P,
    authorizer: &'static Authorizer,
    incoming: &impl Incoming,
    enforced: &Decision,
    at: UnixTime,
) {
    let fields = incoming.fields();
    let request = incoming.as_core(&fields);
    let is_whole = !std::ptr::eq(authorizer, platform.authorizer());
    let begun = if is_whole { Some(authorizer.begin(&request, at)) } else { authorizer.begin_shadow(&request, at) };
    let Some(begun) = begun else { return };
    let mut observed = Observed {
        at,
        request_id: incoming.id(),
        deployed_version: platform.deployed_version(),
        ..Observed::default()
    };
    let shadow = decide::finish(platform, authorizer, begun, &mut Untouched, &mut observed).await;
    let subject_key = platform.secrets().ok().and_then(Secrets::subject_key);
    let version = authorizer.policy().version();
    if let Some(line) = decision_log::difference(enforced, &shadow, version, subject_key, &observed) {
        runtime::log(&line);
    }
}

/// Rules that are only tried must not touch what is being forwarded.
struct Untouched;

impl BodySource for Untouched {
    async fn read(&mut self, _: usize, _: Duration) -> BodyDigest {
        BodyDigest::Sha256(OF_NOTHING)
    }
}
