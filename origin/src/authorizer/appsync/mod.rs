//! AppSync's authorizer: whether a GraphQL document may be executed, and which fields are denied in it.
//!
//! The answer's `deniedFields` are made `null` by AppSync "even if a value was returned from a resolver". So a field of
//! `Query` that the caller may not select is denied alone, and the rest of the document is executed; a document with a
//! field of `Mutation` or `Subscription` that the caller may not select is refused whole, before anything is done.
//! Fields of other types are denied by name wherever they are selected.
//!
//! # Why the schema
//! A field whose type is `Query` would lead back to root fields, below the root, where nobody has looked at them. So the
//! API's schema is needed, and one in which some field leads back is refused. It also says which root fields there are
//! that the policy does not name.
//!
//! # What may be cached
//! AppSync keeps an answer by the token, whatever document comes next. So `ttlOverride` is 0, unless the answer holds for
//! every document there is: no field that is open to the caller looks at arguments, none of `Mutation` or `Subscription` is
//! closed, nor is introspection, of which nobody says that AppSync denies it field by field. Then it is no longer than the
//! TTL that is set, the caller's token lives, and records may be old.
//!
//! Source: AWS AppSync developer guide, "AWS_LAMBDA authorization".

mod document;
mod schema;

pub use schema::SchemaError;

use std::{collections::BTreeSet, time::Duration};

use postern::{
    Caller, Denial, Reason, Request,
    authorizer::{Entitlements, FieldEntitlement, Survey},
    policy::OPERATION_TYPES,
};
use serde_json::{Map, Value, json};

use super::{
    Decider,
    context::Context,
    decider::{permissions, record},
    event::EventError,
    verdict::{Failure, Verdict},
};
use crate::{
    config::{ConfigError, Environment},
    enforcer::Hydrated,
};
use document::{Selected, selected};

/// For how many seconds AppSync may keep an answer; 0, the default, for none.
pub const TTL: &str = "POSTERN_APPSYNC_TTL";
/// The file with the API's schema in SDL, in the function's package. Without it, events of AppSync fail.
pub const SCHEMA: &str = "POSTERN_APPSYNC_SCHEMA";

/// AppSync's longest TTL.
const MAX_TTL: Duration = Duration::from_secs(3600);
/// What is known of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppSync {
    ttl: Duration,
    root_fields: BTreeSet<String>,
    companies: bool,
}

impl AppSync {
    /// An API whose answers may be kept for `ttl`, and whose schema is `sdl`.
    ///
    /// # Errors
    /// [`SchemaError`] when it is none.
    pub fn new(ttl: Duration, sdl: &str) -> Result<Self, SchemaError> {
        Ok(Self { ttl: ttl.min(MAX_TTL), root_fields: schema::root_fields(sdl)?, companies: false })
    }

    /// The same, with the caller's companies in each answer, for resolvers that look at them.
    #[must_use]
    pub fn with_companies(self, companies: bool) -> Self {
        Self { companies, ..self }
    }

    /// From the function's environment; `None` where it names no schema, and the function is not for AppSync.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the mend.
    pub fn from_environment(environment: &Environment) -> Result<Option<Self>, ConfigError> {
        const TTL_MEND: &str = "set it to a number of seconds from 0 to 3600";
        const SCHEMA_MEND: &str = "set it to the file with the API's schema, in which no field leads back to `Query`";
        let invalid = |variable: &str, problem: String, mend| ConfigError::Invalid {
            variable: variable.to_owned(),
            problem,
            mend,
        };
        let ttl = match environment.optional(TTL) {
            None => Duration::ZERO,
            Some(text) => text
                .parse()
                .ok()
                .map(Duration::from_secs)
                .filter(|ttl| *ttl <= MAX_TTL)
                .ok_or_else(|| invalid(TTL, "it is no such number".to_owned(), TTL_MEND))?,
        };
        let path = match environment.optional(SCHEMA) {
            Some(path) => path,
            None if ttl.is_zero() => return Ok(None),
            None => return Err(ConfigError::Missing { variable: SCHEMA.to_owned(), mend: SCHEMA_MEND }),
        };
        let sdl = std::fs::read_to_string(&path).map_err(|error| invalid(SCHEMA, error.to_string(), SCHEMA_MEND))?;
        Self::new(ttl, &sdl).map(Some).map_err(|error| invalid(SCHEMA, error.to_string(), SCHEMA_MEND))
    }
}

/// What became of a document.
struct Judged {
    /// Not to be executed at all.
    is_refused: bool,
    denied: BTreeSet<String>,
    /// It holds for this document alone.
    is_particular: bool,
}

/// Answers an event.
pub(super) async fn answer(
    decider: &impl Decider,
    api: &AppSync,
    event: &Map<String, Value>,
) -> Result<Value, Failure> {
    let token = event.get("authorizationToken").and_then(Value::as_str).ok_or(malformed("authorizationToken"))?;
    let context = event.get("requestContext").and_then(Value::as_object).ok_or(malformed("requestContext"))?;
    let credential = credential(token);
    let headers = [("authorization", credential.as_str())];
    let caller = match decider.identify(&Request { method: "POST", target: "/", headers: &headers }).await {
        Ok(caller) => caller,
        Err(denial) => return unidentified(&denial),
    };
    // What may be used for later documents rests on what is true now.
    let now_only = !api.ttl.is_zero();
    let (entitlements, known) = match decider.authorizer().survey_fields(&caller, decider.now()) {
        Survey::Done(done) => (done, None),
        Survey::NeedsPermissions(need) => {
            let ages =
                if now_only { (Duration::ZERO, Duration::ZERO) } else { (need.max_age(), need.stale_if_error()) };
            let known = decider.ask_within(&caller, ages).await;
            (need.resume(known.as_permissions(), decider.now()), Some(known))
        }
    };
    let entitlements = match entitlements {
        Ok(entitlements) => entitlements,
        Err(reason) => return undecided(reason),
    };
    let selected = match asked(context) {
        Ok(selected) => selected,
        Err(code) => {
            tracing::info!(event = "appsync_refused", code);
            return Ok(refusal());
        }
    };
    let judged = judge(api, &entitlements, &selected);
    tracing::info!(
        event = "appsync_decided",
        executed = !judged.is_refused,
        selections = selected.len(),
        denied = judged.denied.len(),
    );
    if judged.is_refused {
        return Ok(refusal());
    }
    let ttl = if judged.is_particular { Duration::ZERO } else { lasting(api, &entitlements, decider) };
    let context = resolver_context(decider, api, &caller, known).await?;
    Ok(json!({
        "isAuthorized": true,
        "resolverContext": context.into_value(),
        "deniedFields": judged.denied,
        "ttlOverride": ttl.as_secs(),
    }))
}

/// A token as a credential: AppSync hands on what stands in the field, and its clients leave the scheme out.
fn credential(token: &str) -> String {
    if token.contains([' ', '\t']) { token.to_owned() } else { format!("Bearer {token}") }
}

/// The selections of the event's document. An event without one opens a connection, over which each subscription is then
/// asked about by itself.
fn asked(context: &Map<String, Value>) -> Result<Vec<Selected>, &'static str> {
    let document = match context.get("queryString") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(document) => document.as_str().ok_or("document_malformed")?,
    };
    let operation = match context.get("operationName") {
        None | Some(Value::Null) => None,
        Some(name) => Some(name.as_str().ok_or("document_malformed")?),
    };
    let none = Map::new();
    let variables = match context.get("variables") {
        None | Some(Value::Null) => &none,
        Some(variables) => variables.as_object().ok_or("document_malformed")?,
    };
    if document.is_empty() {
        return Ok(Vec::new());
    }
    selected(document, operation, variables).map_err(document::DocumentError::code)
}

fn judge(api: &AppSync, entitlements: &Entitlements<'_>, selected: &[Selected]) -> Judged {
    let fields = entitlements.fields();
    let is_open = |field: &&FieldEntitlement<'_>| field.is_open().is_ok();
    let mut denied: BTreeSet<String> =
        fields.iter().filter(|field| !is_open(field)).map(|field| field.field().name().to_owned()).collect();
    // Root fields that the policy does not name are nobody's.
    let named: BTreeSet<&str> = fields.iter().map(|field| field.field().name()).collect();
    denied.extend(api.root_fields.iter().filter(|name| !named.contains(name.as_str())).cloned());
    let closes_more_than_queries = denied.iter().any(|name| is_of_operation(name) && !is_denied_alone(name));
    let looks_at_arguments = fields.iter().filter(is_open).any(|field| field.field().looks_at_arguments());
    let mut judged = Judged {
        is_refused: false,
        denied,
        is_particular: closes_more_than_queries || looks_at_arguments || selected.is_empty(),
    };
    let mut executed = selected.is_empty();
    for selection in selected {
        let field = fields.iter().find(|field| field.field().name() == selection.name);
        match field.map(|field| field.decide(|name| selection.argument(name))) {
            Some(Ok(())) => executed = true,
            outcome => {
                let reason = outcome.and_then(Result::err).unwrap_or(Reason::NoRoute);
                // A name of the policy's, or none: what callers make up stays out of logs.
                let name = field.map(|field| field.field().name());
                tracing::info!(event = "appsync_denied", field = name, reason = reason.code());
                judged.is_refused |= !is_denied_alone(&selection.name);
                judged.is_particular |= !judged.denied.contains(&selection.name);
                judged.denied.insert(selection.name.clone());
            }
        }
    }
    // One field may be selected twice, once for a company that is not the caller's.
    executed &= selected.is_empty() || selected.iter().any(|selection| !judged.denied.contains(&selection.name));
    judged.is_refused |= !executed;
    judged
}

fn is_of_operation(name: &str) -> bool {
    name.split_once('.').is_some_and(|(type_name, _)| OPERATION_TYPES.contains(&type_name))
}

/// Whether nothing has been done, and nothing is told, where the rest of a document is executed and this is made `null`.
fn is_denied_alone(name: &str) -> bool {
    name.strip_prefix("Query.").is_some_and(|field| !field.starts_with("__"))
}

/// How long the answer may be used.
fn lasting(api: &AppSync, entitlements: &Entitlements<'_>, decider: &impl Decider) -> Duration {
    let life = entitlements.expires_at().saturating_since(decider.now());
    let ttl = api.ttl.min(life).min(entitlements.max_age().unwrap_or(MAX_TTL));
    Duration::from_secs(ttl.as_secs())
}

async fn resolver_context(
    decider: &impl Decider,
    api: &AppSync,
    caller: &Caller,
    known: Option<Hydrated>,
) -> Result<Context, Failure> {
    let context = Context::new(decider.authorizer().policy().version()).with_caller(caller);
    if !api.companies {
        return Ok(context);
    }
    let known = match known {
        Some(known) => known,
        None => permissions(decider, caller).await,
    };
    Ok(context.with_companies(&record(&known, caller).ok_or(Failure::Unavailable)?))
}

/// AppSync answers 401 to it, whatever the reason.
fn refusal() -> Value {
    json!({"isAuthorized": false, "ttlOverride": 0})
}

fn unidentified(denial: &Denial) -> Result<Value, Failure> {
    tracing::info!(event = "appsync_refused", code = denial.reason().code());
    match Verdict::of(denial.reason().public_code()) {
        Some(Verdict::Unauthorized | Verdict::Forbidden) => Ok(refusal()),
        Some(Verdict::Error) | None => Err(Failure::Unavailable),
    }
}

fn undecided(reason: Reason) -> Result<Value, Failure> {
    tracing::info!(event = "appsync_refused", code = reason.code());
    match Verdict::of(reason.public_code()) {
        Some(Verdict::Unauthorized) => Ok(refusal()),
        _ => Err(Failure::Unavailable),
    }
}

fn malformed(member: &'static str) -> Failure {
    Failure::Event(EventError::Member(member))
}
