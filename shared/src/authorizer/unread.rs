//! Claims of a token that are not read, and what follows from that.
//!
//! Nobody can say what a text with separators names; or the claim is over a cap: it lists more names than a token may have,
//! or is too large. The token's signature, dates and subject are not in doubt because of that. So such a claim ends no
//! request by itself: it is kept without its value and with the reason, and only rules that need it refuse.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use serde_json::{Map, Value};

use crate::{
    claims::ClaimPath,
    json::{self, Json},
    policy::{ClaimPaths, ScopeRule},
    reason::Reason,
};

/// Most scopes of one token. Issuers limit what one API defines: Auth0 to 1,000 permissions, and consent screens show a
/// handful.
pub const MAX_TOKEN_SCOPES: usize = 1_024;
/// Most companies of one token. Entra ID stops listing groups at 200 and names a place to ask instead.
pub const MAX_TOKEN_COMPANIES: usize = 1_024;
/// Most roles of one token, those of all companies together. A policy's vocabulary has a dozen.
pub const MAX_TOKEN_ROLES: usize = 1_024;
/// Largest claim that is kept for a route's `require` and `headers`, in octets: of a text, else of its JSON. The 200 groups
/// that Entra ID lists take 7,801.
pub const MAX_CLAIM_BYTES: usize = 8 * 1024;

/// A claim that some route checks or forwards, as the token cache keeps it.
#[derive(Clone)]
pub(crate) enum KeptClaim {
    /// Its value.
    Value(Value),
    /// It is over a cap. A rule that needs it refuses, and it is not forwarded.
    TooLarge,
}

impl KeptClaim {
    /// What is kept of the claim at `path`. Names that are not read because they are too many are not kept here either.
    pub(super) fn of(path: &ClaimPath, claim: &Json<'_>, paths: &ClaimPaths, unread: Unread) -> Self {
        let lists = unread.over_caps(paths).any(|list| list.is_within(path));
        if lists {
            return Self::TooLarge;
        }
        let value = claim.to_value();
        if json::length(&value) > MAX_CLAIM_BYTES { Self::TooLarge } else { Self::Value(value) }
    }

    pub(super) const fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::TooLarge => None,
        }
    }
}

/// For each claim with names, why it is not read, if so. It is then kept as a claim without names, and a rule that needs it
/// is answered with the reason; a route whose rules do not need it is open as before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) scopes: Option<Reason>,
    pub(crate) companies: Option<Reason>,
    pub(crate) roles: Option<Reason>,
}

impl Unread {
    /// The claims that list more names than a token may have. Roles per company are part of the claim with the companies.
    fn over_caps(self, paths: &ClaimPaths) -> impl Iterator<Item = &ClaimPath> {
        let scopes = (self.scopes == Some(Reason::TooManyScopes)).then_some(&paths.scopes);
        let names = self.companies == Some(Reason::TooManyCompanies) || self.roles == Some(Reason::TooManyRoles);
        scopes.into_iter().chain(names.then_some([&paths.companies, &paths.roles]).into_iter().flatten())
    }

    /// Whether what the rule needs is read.
    pub(super) fn check_scopes(&self, rule: &ScopeRule) -> Result<(), Reason> {
        self.scopes.filter(|_| !rule.is_empty()).map_or(Ok(()), Err)
    }

    /// Whether a rule on companies can be judged.
    pub(super) fn check_companies(&self) -> Result<(), Reason> {
        self.companies.map_or(Ok(()), Err)
    }

    /// Whether a rule on these roles can be judged.
    pub(super) fn check_roles(&self, wanted: &[String]) -> Result<(), Reason> {
        self.roles.filter(|_| !wanted.is_empty()).map_or(Ok(()), Err)
    }

    /// The reasons by the names of the claims; `None` where everything is read.
    pub(super) fn to_json(self) -> Option<Value> {
        let named =
            self.named().into_iter().filter_map(|(name, reason)| Some((name.to_owned(), reason?.code().into())));
        let members: Map<_, _> = named.collect();
        (!members.is_empty()).then_some(Value::Object(members))
    }

    /// What [`Self::to_json`] gave; `None` where it is anything else.
    pub(super) fn from_json(value: Option<&Value>) -> Option<Self> {
        let Some(value) = value else { return Some(Self::default()) };
        let members: Vec<(&str, &str)> = value
            .as_object()?
            .iter()
            .map(|(name, code)| Some((name.as_str(), code.as_str()?)))
            .collect::<Option<_>>()?;
        let mut unread = Self::default();
        for (name, code) in members {
            let reason = Reason::ALL.into_iter().find(|reason| reason.code() == code)?;
            let place = match name {
                "scopes" => &mut unread.scopes,
                "companies" => &mut unread.companies,
                "roles" => &mut unread.roles,
                _ => return None,
            };
            *place = Some(reason);
        }
        Some(unread)
    }

    const fn named(self) -> [(&'static str, Option<Reason>); 3] {
        [("scopes", self.scopes), ("companies", self.companies), ("roles", self.roles)]
    }
}
