//! Cognito's Pre Token Generation trigger: puts `id`, `companies` and `role` into the tokens of those who have a record.
//!
//! ```text
//! sign-in ──▶ user pool ──event V1 │ V2 │ V3──▶ PreToken ──record of the client's issuer section──▶ permissions service
//!                  ▲                               │
//!                  └── the same event + claims ────┘
//! ```
//! A V1 event changes the ID token alone, and its claims are strings; V2 changes access tokens as well and V3 those of
//! machine clients, both with any JSON. Whoever has no record signs in without the claims. While the permissions service
//! cannot tell, everybody does, or nobody signs in, as [`ON_OUTAGE`] says; so it is with events of a version that is not
//! known here. What an event does not have to have is not
//! asked of it, and all its other members are handed back as they came.
//!
//! Records come from the permissions service, with the credential that only reads, and not from its table: the function
//! then needs no leave at the table, and the two shapes of a record are read in one place.
//!
//! Not here: any decision. A token's claims are as old as the token; an issuer section with `permissions = "service"`
//! looks at none of them.
//!
//! Events: <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>.

mod claims;
mod event;
mod settings;

pub use event::PreTokenError;
pub use settings::{ON_OUTAGE, OnOutage, SCOPES};

use std::{fmt, time::Duration};

use lambda_http::{
    Error,
    lambda_runtime::{LambdaEvent, run as serve, service_fn},
};
use postern::policy::{Issuer, PermissionsSource};
use serde_json::Value;
use tokio::time;

use crate::{
    config::Environment,
    enforcer::{Enforcer, Hydrated},
    log,
};
use claims::Additions;
use event::{Event, Read};
use settings::Settings;

/// The function's name: its binary's.
pub const NAME: &str = "pre-token-generation";

/// For the record. Cognito waits five seconds for a trigger, a cold start among them.
const BUDGET: Duration = Duration::from_millis(2_500);

/// The trigger, as it is configured.
pub struct PreToken {
    /// `None` where it could not be configured: nobody's record can be had.
    enforcer: Option<Enforcer>,
    settings: Settings,
}

/// What an event's token is about to say.
enum Found {
    Additions(Additions),
    /// Nothing, and why.
    Nothing(&'static str),
    Unavailable,
}

impl PreToken {
    /// The trigger that `environment` configures.
    ///
    /// One that cannot be configured is one whose permissions service is down: what that means is configured as well,
    /// and where that setting is what is wrong, nobody signs in.
    #[must_use]
    pub fn from_environment(environment: &Environment) -> Self {
        let settings = Settings::from_environment(environment).unwrap_or_else(|error| {
            tracing::error!(service = NAME, code = error.code(), %error, "not configured: nobody signs in");
            Settings::deny()
        });
        let enforcer = Enforcer::from_environment(environment);
        if let Err(error) = &enforcer {
            tracing::error!(service = NAME, code = error.code(), %error, "not configured: no record can be had");
        }
        if let Ok(enforcer) = &enforcer {
            check(enforcer);
        }
        Self { enforcer: enforcer.ok(), settings }
    }

    /// With an enforcer of one's own, and what `environment` says beside it.
    ///
    /// # Errors
    /// [`ConfigError`](crate::config::ConfigError) for a setting that cannot be used.
    pub fn new(enforcer: Enforcer, environment: &Environment) -> Result<Self, crate::config::ConfigError> {
        check(&enforcer);
        Ok(Self { enforcer: Some(enforcer), settings: Settings::from_environment(environment)? })
    }

    /// The same event, its response with what the caller's record adds to the tokens.
    ///
    /// # Errors
    /// [`PreTokenError`]: Cognito then issues no token.
    pub async fn answer(&self, event: Value) -> Result<Value, PreTokenError> {
        let answered = self.answered(event).await;
        if let Err(error) = &answered {
            tracing::warn!(service = NAME, code = error.code(), "no token is issued");
        }
        answered
    }

    async fn answered(&self, event: Value) -> Result<Value, PreTokenError> {
        let event = match Event::read(event)? {
            Read::Event(event) => event,
            Read::UnknownVersion(event) => return self.without_claims(event),
        };
        match self.found(&event).await {
            Found::Additions(additions) => {
                tracing::info!(service = NAME, version = event.version().name(), "claims added");
                event.answer(additions)
            }
            Found::Nothing(why) => {
                tracing::warn!(service = NAME, version = event.version().name(), code = why, "no claims are added");
                event.unchanged()
            }
            Found::Unavailable => match self.settings.on_outage {
                OnOutage::Deny => Err(PreTokenError::Outage),
                OnOutage::Allow => {
                    tracing::warn!(service = NAME, code = "outage", "a token is issued without the claims");
                    event.unchanged()
                }
            },
        }
    }

    /// The answer to an event that is not understood.
    fn without_claims(&self, event: Value) -> Result<Value, PreTokenError> {
        match self.settings.on_outage {
            OnOutage::Deny => Err(PreTokenError::Version),
            OnOutage::Allow => {
                tracing::error!(
                    service = NAME,
                    code = PreTokenError::Version.code(),
                    mend = "set the trigger's version to 1, 2 or 3 at the user pool",
                    "a token is issued without the claims"
                );
                Ok(event)
            }
        }
    }

    async fn found(&self, event: &Event) -> Found {
        let Some(enforcer) = &self.enforcer else { return Found::Unavailable };
        let Some(subject) = event.subject() else { return Found::Nothing("no_subject") };
        let Some(section) = section_of(enforcer, event.client()) else {
            let mut issuers = enforcer.policy().issuers().iter();
            if let Some(issuer) = issuers.find(|issuer| reads_claims(issuer) && names(issuer, event.client())) {
                tell(issuer);
            }
            return Found::Nothing("no_section");
        };
        let Some(service) = enforcer.permissions() else { return Found::Unavailable };
        // Asked anew: a token may live for a day, and begins with what holds now.
        let asked = service.of(section, subject, (Duration::ZERO, Duration::ZERO));
        match time::timeout(BUDGET, asked).await {
            Ok(Hydrated::Found(record)) if record.id() == subject => {
                match Additions::of(&record, event.version(), &self.settings.scopes) {
                    Some(additions) => Found::Additions(additions),
                    None => {
                        tracing::warn!(
                            service = NAME,
                            code = "claims_too_large",
                            "a token is issued without the claims"
                        );
                        Found::Nothing("claims_too_large")
                    }
                }
            }
            Ok(Hydrated::Absent) => Found::Nothing("no_record"),
            Ok(Hydrated::Found(_) | Hydrated::Unavailable) | Err(_) => Found::Unavailable,
        }
    }
}

/// The issuer section that the tokens of this app client belong to, where its records are the service's to give. A
/// client of no section has tokens that open nothing.
fn section_of<'e>(enforcer: &'e Enforcer, client: &str) -> Option<&'e Issuer> {
    let mut sections = enforcer
        .policy()
        .issuers()
        .iter()
        .filter(|issuer| issuer.permissions() == PermissionsSource::Service && names(issuer, client));
    let section = sections.next()?;
    // Two that name the same client: whose subject it is cannot be told.
    sections.next().is_none().then_some(section)
}

fn names(issuer: &Issuer, client: &str) -> bool {
    issuer.clients().iter().any(|name| name == client)
}

fn reads_claims(issuer: &Issuer) -> bool {
    issuer.permissions() == PermissionsSource::Claims
}

/// Tells of user pools that nobody gets claims from: their sections read them from the token, and those alone that have
/// records say what this trigger puts there. Signing in goes on. (A pool elsewhere than at AWS is seen with its first
/// event.)
fn check(enforcer: &Enforcer) {
    let pools = enforcer.policy().issuers().iter().filter(|issuer| issuer.url().starts_with("https://cognito-idp."));
    pools.filter(|issuer| reads_claims(issuer)).for_each(tell);
}

fn tell(issuer: &Issuer) {
    tracing::error!(
        service = NAME,
        code = "section_reads_claims",
        section = issuer.name(),
        mend = "set `permissions = \"service\"` for this section, in this function's policy at least",
        "this trigger adds no claims to the tokens of a section with `permissions = \"claims\"`"
    );
}

/// Serves the trigger until Lambda ends the process.
///
/// # Errors
/// The runtime's own, when it cannot reach Lambda.
pub async fn run() -> Result<(), Error> {
    let environment = Environment::of_process();
    log::start(&environment);
    let trigger = PreToken::from_environment(&environment);
    let trigger = &trigger;
    serve(service_fn(async |event: LambdaEvent<Value>| trigger.answer(event.payload).await)).await
}

impl fmt::Debug for PreToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PreToken")
            .field("enforcer", &self.enforcer)
            .field("on_outage", &self.settings.on_outage)
            .finish_non_exhaustive()
    }
}
