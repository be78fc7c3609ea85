//! Where in an event a caller stands, for each kind of authorizer that may be believed.

use std::collections::HashMap;

use http::request::Parts;
use lambda_http::request::RequestContext;
use postern::{Authorizer, Caller, PermissionsRecord, Reason, UnixTime};
use serde_json::Value;

use super::claims;
use crate::authorizer::context as written;

/// The kind of authorizer whose word is taken. One event has the word of one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextSource {
    /// Our own Lambda authorizer's context ([`authorizer`](crate::authorizer::context)), behind a REST API or an HTTP API.
    Authorizer,
    /// A Cognito authorizer of a REST API.
    CognitoAuthorizer,
    /// A JWT authorizer of an HTTP API.
    JwtAuthorizer,
}

/// What an event says of its caller.
pub(super) enum Established {
    /// No authorizer was asked, or it had nothing to say.
    Nothing,
    /// Somebody, and what the authorizer knew of their permissions.
    Caller(Caller, Option<PermissionsRecord>),
}

type Members = HashMap<String, Value>;

impl ContextSource {
    /// Reads what the authorizer has established.
    ///
    /// # Errors
    /// The [`Reason`] why it is nobody: another shape than configured, or claims that no rule takes.
    pub(super) fn read(self, parts: &Parts, authorizer: &Authorizer, now: UnixTime) -> Result<Established, Reason> {
        match (self, parts.extensions.get::<RequestContext>()) {
            (Self::Authorizer, Some(RequestContext::ApiGatewayV1(context))) => {
                of_ours(&context.authorizer.fields, authorizer, now)
            }
            (Self::Authorizer, Some(RequestContext::ApiGatewayV2(context))) => match &context.authorizer {
                None => Ok(Established::Nothing),
                Some(said) if said.jwt.is_some() || said.iam.is_some() => Err(Reason::CredentialMissing),
                Some(said) => of_ours(&said.fields, authorizer, now),
            },
            (Self::CognitoAuthorizer, Some(RequestContext::ApiGatewayV1(context))) => {
                match context.authorizer.fields.get("claims") {
                    Some(Value::Object(members)) => {
                        of_claims(members.iter().map(|(name, value)| (name.as_str(), value)), authorizer, now)
                    }
                    _ if is_silent(&context.authorizer.fields) => Ok(Established::Nothing),
                    Some(claims) if !claims.is_null() => Err(Reason::ClaimsMalformed),
                    _ => Err(Reason::CredentialMissing),
                }
            }
            (Self::JwtAuthorizer, Some(RequestContext::ApiGatewayV2(context))) => match &context.authorizer {
                None => Ok(Established::Nothing),
                Some(said) if said.jwt.is_none() && said.iam.is_none() && is_silent(&said.fields) => {
                    Ok(Established::Nothing)
                }
                Some(said) => {
                    let claims = &said.jwt.as_ref().ok_or(Reason::CredentialMissing)?.claims;
                    let values: Members =
                        claims.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect();
                    of_claims(values.iter().map(|(name, value)| (name.as_str(), value)), authorizer, now)
                }
            },
            _ => Err(Reason::CredentialMissing),
        }
    }
}

/// Whether no authorizer has said anything: where none was asked, an HTTP API writes members that are null in its version
/// 1.0 (`{"claims": null, "scopes": null}`).
fn is_silent(members: &Members) -> bool {
    members.values().all(Value::is_null)
}

fn of_claims<'c>(
    values: impl Iterator<Item = (&'c str, &'c Value)>,
    authorizer: &Authorizer,
    now: UnixTime,
) -> Result<Established, Reason> {
    let caller = authorizer.caller_of_claims(&claims::restored(values), now)?;
    Ok(Established::Caller(caller, None))
}

fn of_ours(members: &Members, authorizer: &Authorizer, now: UnixTime) -> Result<Established, Reason> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    match text(written::VERSION) {
        Some(written::VERSION_1) => {}
        None if is_silent(members) => return Ok(Established::Nothing),
        // Somebody else's context, or a form that this build does not know.
        _ => return Err(Reason::CredentialMissing),
    }
    let Some(caller) = members.get(written::CALLER) else { return Ok(Established::Nothing) };
    let caller = authorizer.caller_of_json(caller.as_str().ok_or(Reason::ClaimsMalformed)?, now)?;
    let record = match members.get(written::COMPANIES) {
        None => None,
        Some(companies) => {
            let companies = companies.as_str().ok_or(Reason::ClaimsMalformed)?;
            let record = PermissionsRecord::parse(companies.as_bytes()).map_err(|_| Reason::ClaimsMalformed)?;
            // A record about someone else is no answer to what this caller may do.
            if record.id() != caller.subject() {
                return Err(Reason::ClaimsMalformed);
            }
            Some(record)
        }
    };
    Ok(Established::Caller(caller, record))
}

/// The identifier of the API that an event says it comes from.
pub(super) fn api_of(parts: &Parts) -> Option<&str> {
    match parts.extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV1(context) => context.apiid.as_deref(),
        RequestContext::ApiGatewayV2(context) => context.apiid.as_deref(),
        _ => None,
    }
}
