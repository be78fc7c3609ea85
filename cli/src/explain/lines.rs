//! The steps of a decision as a person would say them, each with its mark.
//!
//! Which step failed is the reason's to say; which held before it, the order of the steps.

use postern::{
    Decision, Reason, Stage,
    policy::{BodyRule, CompanyRule, PermissionsSource},
};

use super::{facts::Facts, words};

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It held.
    Held,
    /// It is why the request was denied.
    Failed,
    /// The decision had been taken before it.
    NotReached,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) stage: Stage,
    pub(crate) mark: Mark,
    pub(crate) text: String,
}

/// The steps of `decision`, in the order in which they were taken.
pub(crate) fn lines(facts: &Facts<'_>, decision: &Decision) -> Vec<Line> {
    let reason = match decision {
        Decision::Deny(denial) => Some(denial.reason()),
        Decision::Permit(_) => None,
        Decision::Preflight(_) => {
            let text = "it is a CORS preflight, which is answered from `[cors]` and never forwarded".to_owned();
            return vec![Line { stage: Stage::Route, mark: Mark::Held, text }];
        }
    };
    let failed = reason.map(Reason::stage);
    let stages = Stage::ALL.iter().copied();
    let stages = stages.filter(|stage| Some(*stage) == failed || applies(*stage, facts));
    let line = |stage| match (reason, failed) {
        (Some(reason), Some(failed)) if stage == failed => {
            Some(Line { stage, mark: Mark::Failed, text: words::failed(reason, facts, decision) })
        }
        (_, Some(failed)) if stage > failed => {
            Some(Line { stage, mark: Mark::NotReached, text: words::wanted(stage, facts)? })
        }
        _ => Some(Line { stage, mark: Mark::Held, text: words::held(stage, facts) }),
    };
    stages.filter_map(line).collect()
}

/// Whether the route takes this step.
fn applies(stage: Stage, facts: &Facts<'_>) -> bool {
    let Some(route) = facts.route else { return matches!(stage, Stage::Target | Stage::Route) };
    let is_read = matches!(facts.method, "GET" | "HEAD");
    let service = || match facts.section {
        Some(section) => section.permissions() == PermissionsSource::Service,
        None => facts.policy.issuers_of(route).any(|issuer| issuer.permissions() == PermissionsSource::Service),
    };
    match stage {
        // Told only where it fails.
        Stage::Fitness | Stage::Method => false,
        Stage::Target | Stage::Route => true,
        Stage::Body => route.body() != BodyRule::Streamed && !is_read,
        _ if route.is_public() => false,
        Stage::Scopes => !route.scopes().is_empty(),
        Stage::Condition => !route.required().is_empty(),
        Stage::SubjectRule => route.subject_parameter().is_some(),
        Stage::CompanyName => matches!(route.company(), CompanyRule::Header(_) | CompanyRule::Query(_)),
        Stage::Permissions => route.company().binds() && service(),
        Stage::Company => route.company().binds(),
        Stage::Role => !route.roles().is_empty(),
        _ => true,
    }
}
