//! The loop that gives a decision what it lacks, and writes down what became of it.

use postern::{
    Authorizer, BodyDigest, Decision, Progress,
    decision_log::{self, CacheState, Observed},
    digest::sha256,
};
use worker::worker_sys::Context;

use super::{body::RequestBody, isolate::Isolate, keys, permissions, request::Incoming, runtime, signature};
use crate::log;

/// What a decision is made of beside its policy.
pub(super) enum Body<'b> {
    /// The request's own, to be read where the route wants it.
    Of(&'b mut RequestBody),
    /// Rules that are only tried must not touch what is being forwarded.
    Untouched,
}

/// The decision that holds, written down as the policy says.
pub(super) async fn enforced<'i>(
    isolate: &'static Isolate,
    incoming: &'i Incoming,
    body: &mut RequestBody,
    context: &Context,
) -> (Decision, Observed<'i>) {
    let fields = incoming.fields();
    let request = incoming.as_core(&fields);
    let mut observed = Observed { at: runtime::now(), request_id: incoming.id(), ..Observed::default() };
    let decision = if let Some(unfit) = isolate.unfit() {
        runtime::log(&log::failure(unfit.code(), "worker", &unfit.to_string(), incoming.id()));
        isolate.authorizer.unfit(&request)
    } else {
        let begun = isolate.authorizer.begin(&request, observed.at);
        finish(isolate, &isolate.authorizer, begun, Body::Of(body), &mut observed, context).await
    };
    let policy = isolate.authorizer.policy();
    if policy.log().wants(&decision, runtime::random_bits) {
        runtime::log(&decision_log::line(&decision, policy.version(), isolate.subject_key(), &observed));
    }
    (decision, observed)
}

/// Gives `progress` what it lacks until it is finished.
pub(super) async fn finish(
    isolate: &'static Isolate,
    authorizer: &'static Authorizer,
    mut progress: Progress<'static>,
    mut body: Body<'_>,
    observed: &mut Observed<'_>,
    context: &Context,
) -> Decision {
    let policy = authorizer.policy();
    loop {
        progress = match progress {
            Progress::Decided(decision) => {
                observed.took = runtime::now().saturating_since(observed.at);
                return decision;
            }
            Progress::NeedsKeys(need) => {
                observed.token = Some(CacheState::Miss);
                keys::provide(policy, need, &mut observed.keys, context).await
            }
            Progress::NeedsSignature(need) => signature::check(need).await,
            Progress::NeedsPermissions(need) => {
                permissions::provide(isolate, policy, need, &mut observed.permissions, context).await
            }
            Progress::NeedsBody(need) => {
                let digest = match &mut body {
                    Body::Of(body) => body.read(need.limit(), need.time_limit()).await,
                    Body::Untouched => BodyDigest::Sha256(sha256(&[])),
                };
                need.resume(digest, runtime::now())
            }
        };
    }
}
