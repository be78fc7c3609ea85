//! Postern as a native driver has it: the authoriser, its key cache, and the origin crate's check of signatures.

use std::{
    hint::black_box,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, anyhow, bail};
use postern::{
    Authorizer, Decision, JwkSet, Keys, Permissions, PermissionsRecord, Permit, Policy, Progress, Request,
    SignatureCheck, UnixTime,
    cache::{KeyAnswer, KeyCache, KeyLookup, KeyStep},
    policy::from_toml,
};
use postern_origin::token::signature;

/// The policy that every part measures.
pub(crate) const POLICY: &str = include_str!("../../policy.toml");

pub(crate) fn policy(text: &str) -> Result<Policy> {
    from_toml(text, None).map_err(|errors| anyhow!("{errors}"))
}

/// An authoriser, and what it asks for.
pub(crate) struct World {
    pub(crate) authorizer: Authorizer,
    keys: Mutex<KeyCache>,
    record: Option<PermissionsRecord>,
    now: UnixTime,
}

impl World {
    /// One that has the issuer's keys already.
    pub(crate) fn new(policy: Policy, keys: &JwkSet, now: UnixTime) -> Result<Self> {
        let issuer = policy.issuers().first().context("there is an issuer")?;
        let mut cache = KeyCache::new();
        let KeyLookup::Fetch(mut fetch) = cache.look_up(issuer, None, now) else { bail!("an empty cache asks") };
        let body = keys.to_json().to_string();
        let metadata = format!(r#"{{"issuer":"{0}","jwks_uri":"{0}/jwks"}}"#, issuer.url());
        loop {
            // Where the policy says no place for the keys, discovery comes first.
            let body = if fetch.url().contains("well-known/openid") { &metadata } else { &body };
            let answer = KeyAnswer { status: 200, cache_control: None, age: None, body: body.as_bytes() };
            match fetch.answered(issuer, &answer).map_err(|error| anyhow!("{}", error.code()))? {
                KeyStep::Fetched(fetched) => {
                    cache.store(issuer, fetched, now);
                    break;
                }
                KeyStep::Next(next) => fetch = next,
            }
        }
        Ok(Self { authorizer: Authorizer::new(policy), keys: Mutex::new(cache), record: None, now })
    }

    /// The same, with this record for whoever asks.
    pub(crate) fn with_record(self, record: PermissionsRecord) -> Self {
        Self { record: Some(record), ..self }
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.now
    }

    /// The whole decision on `request`, with signatures checked by aws-lc.
    pub(crate) fn decide(&self, request: &Request<'_>) -> Decision {
        self.finish(self.authorizer.begin(request, self.now), |need| signature::check(need))
    }

    /// The same, but whoever shows a token is believed: to fill caches with what nobody signed.
    pub(crate) fn believe(&self, request: &Request<'_>) -> Decision {
        self.finish(self.authorizer.begin(request, self.now), |_| SignatureCheck::Valid)
    }

    pub(crate) fn finish<'a>(
        &self,
        mut progress: Progress<'a>,
        check: impl Fn(&postern::authorizer::NeedsSignature<'a>) -> SignatureCheck,
    ) -> Decision {
        loop {
            progress = match progress {
                Progress::Decided(decision) => return decision,
                Progress::NeedsKeys(need) => match self.keys(need.issuer(), need.key_id()) {
                    Some(keys) => need.resume(Keys::Fresh(&keys), self.now),
                    None => need.resume(Keys::Unavailable, self.now),
                },
                Progress::NeedsSignature(need) => {
                    let outcome = check(&need);
                    need.resume(outcome, self.now)
                }
                Progress::NeedsPermissions(need) => {
                    let permissions = self.record.as_ref().map_or(Permissions::Absent, Permissions::Found);
                    need.resume(permissions, self.now)
                }
                Progress::NeedsBody(_) => unreachable!("no route binds a body"),
            };
        }
    }

    fn keys(&self, issuer: &postern::policy::Issuer, key_id: Option<&str>) -> Option<Arc<JwkSet>> {
        match self.keys.lock().unwrap_or_else(PoisonError::into_inner).look_up(issuer, key_id, self.now) {
            KeyLookup::Fresh(keys) | KeyLookup::Refresh(keys, _) => Some(keys),
            _ => None,
        }
    }
}

/// What must come of each decision that is measured; anything else would measure something else.
pub(crate) fn permitted(decision: Decision) -> Permit {
    match decision {
        Decision::Permit(permit) => black_box(permit),
        other => panic!("not permitted: {other:?}"),
    }
}
