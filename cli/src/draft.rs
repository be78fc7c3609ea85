//! Tokens that fit an issuer section: what its issuer would write for a caller.

use std::collections::BTreeMap;

use postern::{
    UnixTime,
    policy::{Issuer, PermissionsSource, TextForm},
};
use serde_json::{Map, Value, json};

/// How long a token lives, unless the section allows less.
const LIFETIME_SECONDS: u64 = 300;

/// The caller that a token is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Caller<'a> {
    pub(crate) subject: &'a str,
    /// The client it is issued to; without one, the section's first.
    pub(crate) client: Option<&'a str>,
    pub(crate) scopes: &'a [String],
    /// Companies with the roles held there, for sections that take them from claims.
    pub(crate) companies: Option<&'a BTreeMap<String, Vec<String>>>,
}

/// A token before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
}

impl Draft {
    /// A token that `issuer` accepts at `now`.
    pub(crate) fn fitting(issuer: &Issuer, caller: &Caller<'_>, now: UnixTime) -> Self {
        let mut draft = Self { header: Map::new(), claims: Map::new() };
        let lifetime = issuer.max_lifetime().map_or(LIFETIME_SECONDS, |most| most.as_secs().min(LIFETIME_SECONDS));
        draft.set("iss", issuer.url());
        draft.set("iat", now.as_secs());
        draft.set("exp", now.as_secs().saturating_add(lifetime));
        if let Some(audience) = issuer.audience().names().first() {
            draft.set("aud", audience.as_str());
        }
        // Before the claims that the section names one by one, which may be the same.
        for (name, values) in issuer.required() {
            // A text where anything will do: the claim may be the client's or another that must be one.
            draft.set(name, values.first().map_or("present", String::as_str));
        }
        let client = caller.client.or_else(|| issuer.clients().first().map(String::as_str));
        if let (Some(path), Some(client)) = (issuer.client_claims().next(), client) {
            draft.put(path, client);
        }
        if let Some(token_use) = issuer.token_use() {
            draft.set("token_use", token_use);
        }
        if let Some(token_type) = issuer.token_type() {
            draft.header.insert("typ".into(), token_type.into());
        }
        draft.put(issuer.subject_claim(), caller.subject);
        if !caller.scopes.is_empty() {
            // An array is read alike in each form.
            let scopes = match issuer.scopes_form() {
                TextForm::Spaces => caller.scopes.join(" ").into(),
                _ => json!(caller.scopes),
            };
            draft.put(issuer.scopes_claim(), scopes);
        }
        if issuer.permissions() == PermissionsSource::Claims
            && let Some(companies) = caller.companies
        {
            draft.put(issuer.companies_claim(), json!(companies));
        }
        draft
    }

    /// Sets the claim `name`.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.claims.insert(name.to_owned(), value.into());
    }

    /// Sets the claim at `path`.
    pub(crate) fn put(&mut self, path: &[String], value: impl Into<Value>) {
        put(&mut self.claims, path, value.into());
    }
}

fn put(members: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            members.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = members.entry(name.clone()).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// The claim at `path`.
pub(crate) fn claim<'a>(claims: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(claims.get(first)?, |value, name| value.get(name))
}
