//! The loop that gives a decision what it lacks, and writes down what became of it.

use postern::{
    Authorizer, Decision, Progress,
    decision_log::{self, CacheState, Observed},
};

use super::{BodySource, Incoming, Platform, keys, permissions, runtime};
use crate::{log, secrets::Secrets};

/// The decision that holds, written down as the policy says. A body is read where its route wants it.
pub(crate) async fn enforced<'i, P: Platform>(
    platform: &'i P,
    incoming: &'i impl Incoming,
    body: &mut impl BodySource,
) -> (Decision, Observed<'i>) {
    let fields = incoming.fields();
    let request = incoming.as_core(&fields);
    let authorizer = platform.authorizer();
    let mut observed = Observed { at: runtime::now(), ..Observed::default() };
    let decision = match platform.secrets() {
        Err(unfit) => {
            runtime::log(&log::failure(unfit.code(), "edge", &unfit.to_string(), incoming.id()));
            authorizer.unfit(&request)
        }
        Ok(_) => {
            let begun = authorizer.begin(&request, observed.at);
            finish(platform, authorizer, begun, body, &mut observed).await
        }
    };
    let policy = authorizer.policy();
    if let Some(left_out) = authorizer.writes_down(&decision, observed.at, runtime::random_bits) {
        let subject_key = platform.secrets().ok().and_then(Secrets::subject_key);
        observed.left_out = left_out;
        observed.request_id = incoming.id();
        observed.deployed_version = platform.deployed_version();
        runtime::log(&decision_log::line(&decision, policy.version(), subject_key, &observed));
    }
    (decision, observed)
}

/// Gives `progress` what it lacks until it is finished.
pub(crate) async fn finish<P: Platform>(
    platform: &P,
    authorizer: &'static Authorizer,
    mut progress: Progress<'static>,
    body: &mut impl BodySource,
    observed: &mut Observed<'_>,
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
                keys::provide(platform, policy, need, &mut observed.keys).await
            }
            Progress::NeedsSignature(need) => P::check(need).await,
            Progress::NeedsPermissions(need) => {
                permissions::provide(platform, policy, need, &mut observed.permissions).await
            }
            Progress::NeedsBody(need) => {
                let digest = body.read(need.limit(), need.time_limit()).await;
                need.resume(digest, runtime::now())
            }
        };
    }
}
