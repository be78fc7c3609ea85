//! Claims of a token that nobody can read, and what follows from that.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use serde_json::{Map, Value};

use crate::{policy::ScopeRule, reason::Reason};

/// For each claim with names, why it is not read, if so. It is then kept as a claim without names, and a rule that needs it
/// is answered with the reason; a route whose rules do not need it is open as before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) scopes: Option<Reason>,
    pub(crate) companies: Option<Reason>,
    pub(crate) roles: Option<Reason>,
}

impl Unread {
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
