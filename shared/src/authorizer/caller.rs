//! A caller by itself: whom a token was found to belong to, apart from any request.
//!
//! A service may stand behind somebody who has verified the token already, API Gateway for one. What that somebody
//! says is believed by configuration alone: nothing in a [`Caller`]'s JSON or in claims tells where they came from.

use alloc::{borrow::ToOwned, format, string::String, sync::Arc, vec::Vec};
use core::fmt;

use serde_json::{Map, Value, json};

use super::{
    Authorizer, VerifiedToken,
    credential::{self, Candidates},
    unread::{KeptClaim, Unread},
};
use crate::{
    claims::{ClaimPath, Claims, MAX_SUBJECT_BYTES},
    json,
    permissions::PermissionsRecord,
    policy::{ClaimForms, PermissionsSource, Policy},
    reason::Reason,
    time::UnixTime,
};

/// Largest caller in JSON, in octets: what an authorizer may hand on in its context is about as much.
const MAX_CALLER_BYTES: usize = 16 * 1024;

/// Somebody whose credential was verified: by this authoriser, or by whom its driver was configured to believe.
#[derive(Clone)]
pub struct Caller {
    token: Arc<VerifiedToken>,
    section: Arc<str>,
}

impl Caller {
    pub(super) fn new(policy: &Policy, token: Arc<VerifiedToken>) -> Option<Self> {
        let section = policy.issuers.get(token.issuer)?.name.clone();
        Some(Self { token, section })
    }

    /// The token, if it is one by `policy`: sections are known by their place, and another policy has others there.
    pub(super) fn token(&self, policy: &Policy) -> Option<Arc<VerifiedToken>> {
        let known = policy.issuers.get(self.token.issuer).is_some_and(|issuer| issuer.name == self.section);
        known.then(|| Arc::clone(&self.token))
    }

    /// The issuer section that the token is of.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.section
    }

    /// The caller's subject. Personal data: not for logs.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.token.subject
    }

    /// The token's scopes.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.token.scopes
    }

    /// The moment from which the token is no longer good.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.token.expires_at
    }

    /// The caller's companies and roles, where the token itself says them.
    #[must_use]
    pub fn permissions(&self) -> Option<&PermissionsRecord> {
        self.token.permissions.as_ref()
    }

    /// All of it, to hand on to a driver that believes whoever hands it on: the section, the subject, scopes, the
    /// claims that the section's routes look at, and the end. Not the token, and nothing that would prove it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let token = &self.token;
        let written = |(path, claim): &(ClaimPath, KeptClaim)| match claim {
            KeptClaim::Value(value) => json!({"path": path.names(), "value": value}),
            KeptClaim::TooLarge => json!({"path": path.names(), "too_large": true}),
        };
        let claims: Vec<Value> = token.claims.iter().map(written).collect();
        let mut members = Map::new();
        members.insert("issuer".to_owned(), (*self.section).to_owned().into());
        members.insert("subject".to_owned(), (*token.subject).into());
        members.insert("scopes".to_owned(), token.scopes.to_vec().into());
        members.insert("claims".to_owned(), claims.into());
        // Rounded down: what is handed on ends no later.
        members.insert("expires_at".to_owned(), token.expires_at.as_secs().into());
        if let Some(record) = &token.permissions {
            let companies: Map<String, Value> =
                record.companies().map(|(company, roles)| (company.to_owned(), roles.to_vec().into())).collect();
            members.insert("companies".to_owned(), companies.into());
        }
        if let Some(unread) = token.unread.to_json() {
            members.insert("unread".to_owned(), unread);
        }
        format!("{}", Value::Object(members))
    }
}

impl Authorizer {
    /// The caller whose access token has these `claims`, for a driver in front of which somebody has verified the
    /// token's signature: API Gateway's authorizers, say. Every rule of the issuer section is applied but those on the
    /// signature and its algorithm. A section that knows access tokens by their header's `typ` takes nobody so.
    ///
    /// # Errors
    /// The [`Reason`] why these are no claims of a caller's access token, as a decision would have it.
    pub fn caller_of_claims(&self, claims: &Map<String, Value>, now: UnixTime) -> Result<Caller, Reason> {
        self.check_clock(now)?;
        let claims = Claims::from_members(claims.into()).ok_or(Reason::ClaimsMalformed)?;
        let token = credential::judge((&self.policy, self.purpose), &Candidates::All, None, &claims, None, now)?;
        Caller::new(&self.policy, Arc::new(token)).ok_or(Reason::IssuerUnknown)
    }

    /// The caller that [`Caller::to_json`] gave, by this policy or another that has the section.
    ///
    /// # Errors
    /// The [`Reason`] why it is none: another shape, an unknown section, an end that has come.
    pub fn caller_of_json(&self, text: &str, now: UnixTime) -> Result<Caller, Reason> {
        let token = self.read_caller(text)?;
        self.check_validity(&token, now)?;
        Caller::new(&self.policy, Arc::new(token)).ok_or(Reason::IssuerUnknown)
    }

    fn read_caller(&self, text: &str) -> Result<VerifiedToken, Reason> {
        let malformed = Reason::ClaimsMalformed;
        if text.len() > MAX_CALLER_BYTES {
            return Err(malformed);
        }
        let members = json::object(text.as_bytes()).map_err(|_| malformed)?;
        let text_of = |name: &str| members.get(name).and_then(Value::as_str).ok_or(malformed);
        let section = text_of("issuer")?;
        let (index, issuer) = self
            .policy
            .issuers
            .iter()
            .enumerate()
            .find(|(_, issuer)| *issuer.name == *section)
            .ok_or(Reason::IssuerUnknown)?;
        let subject = text_of("subject")?;
        if subject.is_empty() || subject.len() > MAX_SUBJECT_BYTES || subject.chars().any(char::is_control) {
            return Err(Reason::SubjectUnusable);
        }
        let array = |name: &str| members.get(name).and_then(Value::as_array).ok_or(malformed);
        let claims = array("claims")?.iter().map(|claim| {
            let path = json::strings(claim.get("path")?.as_array()?)?;
            let kept = match (claim.get("value"), claim.get("too_large")) {
                (Some(value), None) => KeptClaim::Value(value.clone()),
                (None, Some(Value::Bool(true))) => KeptClaim::TooLarge,
                _ => return None,
            };
            Some((ClaimPath::new(&path)?, kept))
        });
        let permissions = match issuer.permissions {
            PermissionsSource::Service => None,
            PermissionsSource::Subject => Some(PermissionsRecord::from_subject(subject.into())),
            PermissionsSource::Claims => {
                let companies = members.get("companies").filter(|companies| companies.is_object());
                let companies = companies.ok_or(malformed)?;
                Some(
                    PermissionsRecord::from_claims(subject, Some(companies), None, ClaimForms::default())
                        .map_err(|_| malformed)?,
                )
            }
        };
        Ok(VerifiedToken {
            issuer: index,
            subject: subject.into(),
            scopes: json::strings(array("scopes")?).ok_or(malformed)?.into(),
            permissions,
            unread: Unread::from_json(members.get("unread")).ok_or(malformed)?,
            claims: claims.collect::<Option<_>>().ok_or(malformed)?,
            expires_at: members.get("expires_at").and_then(Value::as_u64).map(UnixTime::from_secs).ok_or(malformed)?,
        })
    }
}

/// Who it is stays out of debug output: it ends in logs.
impl fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Caller").field("issuer", &self.section).finish_non_exhaustive()
    }
}
