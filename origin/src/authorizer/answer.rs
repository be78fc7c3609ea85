//! From an event to its answer.
//!
//! | results are | the answer rests on | and permits |
//! | --- | --- | --- |
//! | not cached | the decision on the request | the request's own ARN |
//! | cached by token | a survey, by a record asked for now | every route and company that the caller may use, and no other |
//! | cached by request | the decision on its method, path and token alone, by a record asked for now | the request's own ARN |
//!
//! Not here: I/O. The same function answers in a Lambda, in the corpus and under a simulated cache.

use postern::{
    Caller, Decision, Denial, Permit, Reason,
    authorizer::{Entitlements, Survey},
};
use serde_json::{Value, json};

use super::{
    AppSync, Caching, Decider, ResponseKind, Settings, appsync,
    context::Context,
    decider::{permissions, record},
    document::{Document, NoList, Unnamed},
    event::{Asked, Event, Shape},
    list::{List, Unlistable, is_decided},
    verdict::{Failure, Verdict},
};
use crate::{assertion::BasePath, enforcer::Hydrated};

/// Longest result, in octets. The quota is stated for WebSocket APIs ("AWS Lambda authorizer result size", 8 KB); that the
/// other kinds take more is stated nowhere.
pub const MAX_RESULT_BYTES: usize = 8 * 1024;

/// The field that is in every key.
const CREDENTIAL: &str = "authorization";

/// Who is named where nobody has been looked at: on public routes, and where a request is denied.
const NOBODY: &str = "anonymous";

/// Answers one event.
///
/// # Errors
/// The [`Failure`] to end with: API Gateway makes a 401 of one, and a 500 of the others.
pub async fn answer(
    decider: &impl Decider,
    settings: Settings,
    base_path: &BasePath,
    event: Value,
) -> Result<Value, Failure> {
    answer_for(decider, settings, None, base_path, event).await
}

/// Answers one event, `api` being what is known of the GraphQL API that it may be of. Without it, events of AppSync fail.
///
/// # Errors
/// The [`Failure`] to end with.
pub async fn answer_for(
    decider: &impl Decider,
    settings: Settings,
    api: Option<&AppSync>,
    base_path: &BasePath,
    event: Value,
) -> Result<Value, Failure> {
    match Event::read(event, base_path).map_err(Failure::Event)? {
        Event::AppSync(event) => {
            let api = api.ok_or_else(|| {
                tracing::error!(event = "appsync_unconfigured", variable = appsync::SCHEMA);
                Failure::Unconfigured
            })?;
            appsync::answer(decider, api, &event).await
        }
        Event::Request(asked) => {
            // A WebSocket's result is for its `$connect`, and API Gateway keeps none.
            let caching = if asked.shape() == Shape::WebSocket { Caching::Off } else { settings.caching() };
            let mut on = On { decider, settings, asked: &asked, fields: asked.fields() };
            match caching {
                Caching::Off => on.exactly(asked.target()).await,
                Caching::ByToken(_) => on.by_list().await,
                Caching::ByRequest(_) => {
                    // What is no part of the key plays no part: other requests have the same key without it.
                    on.fields.retain(|(name, _)| name.eq_ignore_ascii_case(CREDENTIAL));
                    on.by_key().await
                }
            }
        }
    }
}

/// One request that is being answered.
struct On<'a, D> {
    decider: &'a D,
    settings: Settings,
    asked: &'a Asked,
    fields: Vec<(&'a str, &'a str)>,
}

impl<D: Decider> On<'_, D> {
    async fn exactly(&self, target: Option<&str>) -> Result<Value, Failure> {
        let Some(target) = target else { return self.outside() };
        let request = self.asked.request(target, &self.fields);
        let permit = match self.decider.decide(&request, self.asked.request_id()).await {
            Decision::Permit(permit) => permit,
            Decision::Deny(denial) => return self.denied(&denial),
            // A preflight carries no credential, and no authorizer is asked about one.
            Decision::Preflight(_) => return self.forbidden(),
        };
        if permit.subject().is_none() {
            return self.permitted(&permit, None, None);
        }
        // Verified a moment ago: the core remembers it.
        let caller = self.decider.identify(&request).await.map_err(|denial| failure(&denial))?;
        let known = if self.settings.companies() { Some(permissions(self.decider, &caller).await) } else { None };
        self.permitted(&permit, Some(&caller), known.as_ref())
    }

    async fn by_key(&self) -> Result<Value, Failure> {
        let Some(path) = self.asked.path() else { return self.outside() };
        let request = self.asked.request(path, &self.fields);
        let caller = match self.decider.identify(&request).await {
            Ok(caller) => caller,
            // Two lines of it, of which the key has one: the other requests with that key are well formed.
            Err(denial) if denial.reason() == Reason::CredentialMalformed => return Err(failure(&denial)),
            // A public route, or a denial: neither rests on a record.
            Err(_) => return self.exactly(Some(path)).await,
        };
        let known = permissions(self.decider, &caller).await;
        match self.decider.decide_by(&caller, &known, &request, self.asked.request_id()).await {
            Decision::Permit(permit) => {
                let known = Some(&known).filter(|_| self.settings.companies());
                let caller = Some(&caller).filter(|_| permit.subject().is_some());
                self.permitted(&permit, caller, known)
            }
            Decision::Deny(denial) => self.denied(&denial),
            Decision::Preflight(_) => self.forbidden(),
        }
    }

    async fn by_list(&self) -> Result<Value, Failure> {
        // The path plays no part: what is answered is used for others.
        let request = self.asked.request("/", &self.fields);
        let caller = self.decider.identify(&request).await.map_err(|denial| match failure(&denial) {
            Failure::Unavailable => Failure::Unavailable,
            // Never a cached denial: the same token may be good before the TTL has passed.
            _ => Failure::Unauthorized,
        })?;
        let now = self.decider.now();
        let (entitlements, known) = match self.decider.authorizer().survey(&caller, now) {
            Survey::Done(done) => (done, None),
            Survey::NeedsPermissions(need) => {
                let known = self.decider.ask(&caller).await;
                (need.resume(known.as_permissions(), self.decider.now()), Some(known))
            }
        };
        let entitlements = entitlements.map_err(|reason| self.fail(reason))?;
        self.listed(&caller, &entitlements, known).await
    }

    async fn listed(
        &self,
        caller: &Caller,
        entitlements: &Entitlements<'_>,
        known: Option<Hydrated>,
    ) -> Result<Value, Failure> {
        let policy = self.decider.authorizer().policy();
        let list = List::of(policy, entitlements).map_err(|why| match why {
            Unlistable::TooMany => Failure::TooLong,
            other => Failure::Unlistable(other),
        })?;
        let document = Document::list(self.asked.arn(), &list, entitlements.expires_at()).map_err(|why| match why {
            NoList::Unnamed => Failure::Arn,
            NoList::TooLong => Failure::TooLong,
        })?;
        let mut context = Context::new(policy.version()).with_caller(caller);
        if self.settings.companies() {
            let known = match known {
                Some(known) => known,
                None => permissions(self.decider, caller).await,
            };
            context = context.with_companies(&record(&known, caller).ok_or(Failure::Unavailable)?);
        }
        tracing::info!(event = "authorizer_listed", resources = list.allow.len());
        fitting(caller.subject(), document, context)
    }

    fn permitted(&self, permit: &Permit, caller: Option<&Caller>, known: Option<&Hydrated>) -> Result<Value, Failure> {
        let policy = self.decider.authorizer().policy();
        let route = policy.routes().iter().find(|route| route.name() == permit.route());
        // Nobody behind an authorizer has what the body was declared to be.
        if !route.is_some_and(|route| is_decided(route, permit.method())) {
            return self.forbidden();
        }
        let mut context = Context::new(permit.policy_version()).with_permit(permit);
        if let Some(caller) = caller {
            context = context.with_caller(caller);
            if let Some(known) = known {
                context = context.with_companies(&record(known, caller).ok_or(Failure::Unavailable)?);
            }
        }
        if self.is_simple() {
            return fitting_in(context, |context| json!({"isAuthorized": true, "context": context}));
        }
        let subject = caller.map_or(NOBODY, Caller::subject);
        match Document::allow(self.asked.arn(), caller.map(Caller::expires_at)) {
            Ok(document) => fitting(subject, document, context),
            // Its path stands for more than itself, or is too long, and so for no resource.
            Err(Unnamed) if self.asked.arn().has_plain_prefix() => self.forbidden(),
            Err(Unnamed) => Err(Failure::Arn),
        }
    }

    fn denied(&self, denial: &Denial) -> Result<Value, Failure> {
        match Verdict::of(denial.reason().public_code()) {
            Some(Verdict::Forbidden) => self.forbidden(),
            _ => Err(failure(denial)),
        }
    }

    /// A path outside the base path: the API is not set up as the function is told.
    fn outside(&self) -> Result<Value, Failure> {
        tracing::warn!(event = "authorizer_base_path");
        self.forbidden()
    }

    fn forbidden(&self) -> Result<Value, Failure> {
        if self.is_simple() {
            return Ok(json!({"isAuthorized": false}));
        }
        let document = Document::deny(self.asked.arn())?.into_value();
        Ok(json!({"principalId": NOBODY, "policyDocument": document}))
    }

    fn fail(&self, reason: Reason) -> Failure {
        tracing::info!(event = "authorizer_failed", reason = reason.code());
        match Verdict::of(reason.public_code()) {
            Some(Verdict::Unauthorized) => Failure::Unauthorized,
            _ => Failure::Unavailable,
        }
    }

    fn is_simple(&self) -> bool {
        self.asked.shape() == Shape::HttpVersion2 && self.settings.response() == ResponseKind::Simple
    }
}

fn failure(denial: &Denial) -> Failure {
    match Verdict::of(denial.reason().public_code()) {
        Some(Verdict::Unauthorized | Verdict::Forbidden) => Failure::Unauthorized,
        Some(Verdict::Error) | None => Failure::Unavailable,
    }
}

fn fitting(principal: &str, document: Document, context: Context) -> Result<Value, Failure> {
    let document = document.into_value();
    fitting_in(context, |context| json!({"principalId": principal, "policyDocument": document, "context": context}))
}

/// The result, without the companies where it would be too long with them.
fn fitting_in(context: Context, result: impl Fn(Value) -> Value) -> Result<Value, Failure> {
    for context in [context.clone(), context.without_companies()] {
        let result = result(context.into_value());
        if result.to_string().len() <= MAX_RESULT_BYTES {
            return Ok(result);
        }
    }
    Err(Failure::TooLong)
}

impl From<Unnamed> for Failure {
    fn from(_: Unnamed) -> Self {
        Self::Arn
    }
}
