//! A driver of the decision, with issuers and a permissions service in memory, that counts what it is asked for.

use std::{collections::BTreeMap, time::Duration};

use postern::{
    Answer, Authorizer, BodyDigest, Caller, Decision, Denial, JwkSet, Keys, Permissions, Permit, Policy, Progress,
    Reason, Request, SignatureCheck, UnixTime,
    cache::{
        FetchedKeys, FetchedPermissions, KeyAnswer, KeyCache, KeyFetch, KeyLookup, KeyStep, PermissionsAnswer,
        PermissionsCache, PermissionsFailure, PermissionsFetch, PermissionsLookup,
    },
    policy::Issuer,
};
use serde_json::json;

use super::{at, keys, policies, token};

/// Everything around an authoriser.
pub(crate) struct World {
    pub(crate) authorizer: Authorizer,
    pub(crate) keys: KeyCache,
    pub(crate) permissions: PermissionsCache,
    /// What is published at each URL; a URL that is not here is out of reach.
    pub(crate) published: BTreeMap<String, String>,
    /// What the permissions service holds, by issuer section and subject.
    pub(crate) records: BTreeMap<(String, String), String>,
    pub(crate) service_is_up: bool,
    pub(crate) now: UnixTime,
    pub(crate) counts: Counts,
}

/// How often the decision, or a cache on its behalf, asked for something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) keys: usize,
    pub(crate) key_fetches: usize,
    pub(crate) signatures: usize,
    pub(crate) permissions: usize,
    pub(crate) permission_fetches: usize,
}

/// A decision in the terms of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Permit,
    Deny(u16, Reason),
    Preflight,
}

/// A request that owns its parts.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body(self, body: &str) -> Self {
        Self { body: body.into(), ..self }
    }

    pub(crate) fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", &format!("Bearer {}", token.as_ref()))
    }
}

impl World {
    /// The example's policy, its two issuers and the records that its documentation names.
    pub(crate) fn example() -> Self {
        let mut world = Self::new(policies::example());
        world.publish(token::PARTNERS_URL, &[&keys::PARTNERS_RSA, &keys::PARTNERS_EC, &keys::PARTNERS_ED]);
        world.publish(token::USERS_URL, &[&keys::USERS]);
        for (subject, record) in [
            ("user-manager", r#"{"id":"user-manager","companies":["1111"],"role":"Manager"}"#),
            ("user-standard", r#"{"id":"user-standard","companies":["1111"],"role":"Standard"}"#),
            (
                "user-percompany",
                r#"{"id":"user-percompany","companies":{"1111":["Manager"],"2222":["Standard"]},"version":1}"#,
            ),
            ("auth0|pipe", r#"{"id":"auth0|pipe","companies":["1111"],"role":"Manager"}"#),
        ] {
            world.record("users", subject, record);
        }
        world
    }

    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            authorizer: Authorizer::new(policy),
            keys: KeyCache::new(),
            permissions: PermissionsCache::new(),
            published: BTreeMap::new(),
            records: BTreeMap::new(),
            service_is_up: true,
            now: at(0),
            counts: Counts::default(),
        }
    }

    pub(crate) fn publish(&mut self, issuer_url: &str, keys: &[&keys::TestKey]) {
        let jwks_url = format!("{issuer_url}/.well-known/jwks.json");
        let metadata = json!({ "issuer": issuer_url, "jwks_uri": jwks_url }).to_string();
        self.published.insert(format!("{issuer_url}/.well-known/openid-configuration"), metadata);
        self.published.insert(jwks_url, keys::jwks(keys));
    }

    pub(crate) fn record(&mut self, section: &str, subject: &str, record: &str) {
        self.records.insert((section.into(), subject.into()), record.into());
    }

    /// Drives `call` to its decision with the portable signature check.
    pub(crate) fn decide(&mut self, call: &Call) -> Decision {
        self.drive(call, |authorizer, request, now| Some(authorizer.begin(request, now))).expect("a decision")
    }

    /// Drives `call` to its decision as one of `caller`'s.
    pub(crate) fn decide_as(&mut self, caller: &Caller, call: &Call) -> Decision {
        self.drive(call, |authorizer, request, now| Some(authorizer.begin_as(caller, request, now)))
            .expect("a decision")
    }

    /// What the shadow route for `call` would decide.
    pub(crate) fn shadow(&mut self, call: &Call) -> Option<Decision> {
        self.drive(call, |authorizer, request, now| authorizer.begin_shadow(request, now))
    }

    fn drive(
        &mut self,
        call: &Call,
        begin: impl for<'a> Fn(&'a Authorizer, &Request<'_>, UnixTime) -> Option<Progress<'a>>,
    ) -> Option<Decision> {
        let headers: Vec<(&str, &str)> = call.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let request = Request { method: &call.method, target: &call.target, headers: &headers };
        let Self { authorizer, keys, permissions, published, records, service_is_up, now, counts } = self;
        let now = *now;
        let mut progress = begin(authorizer, &request, now)?;
        loop {
            progress = match progress {
                Progress::Decided(decision) => return Some(decision),
                Progress::NeedsBody(need) if call.body.len() > need.limit() => need.resume(BodyDigest::TooLarge, now),
                Progress::NeedsBody(need) => need.resume(BodyDigest::Sha256(postern::digest::sha256(&call.body)), now),
                Progress::NeedsKeys(need) => {
                    counts.keys += 1;
                    match look_up_keys(keys, published, counts, &need, now) {
                        KeyLookup::Fresh(set) | KeyLookup::Refresh(set, _) => need.resume(Keys::Fresh(&set), now),
                        KeyLookup::Stale(set) => need.resume(Keys::Stale(&set), now),
                        _ => need.resume(Keys::Unavailable, now),
                    }
                }
                Progress::NeedsSignature(need) => {
                    counts.signatures += 1;
                    let check = postern::signature::check(&need);
                    need.resume(check, now)
                }
                Progress::NeedsPermissions(need) => {
                    counts.permissions += 1;
                    let (issuer, subject) = (need.issuer(), need.subject());
                    let ages = (need.max_age(), need.stale_if_error());
                    let inquiry = permissions.inquire(issuer, subject, ages);
                    let found = match permissions.look_up(&inquiry, now) {
                        PermissionsLookup::Known(record) | PermissionsLookup::StandIn(record) => Some(record),
                        PermissionsLookup::Unavailable => None,
                        PermissionsLookup::Wait => panic!("nobody else asks"),
                        PermissionsLookup::Fetch(fetch) if *service_is_up => {
                            counts.permission_fetches += 1;
                            let record = records.get(&(issuer.name().into(), subject.into()));
                            let fetched = fetch_permissions(&fetch, record.map(String::as_str));
                            permissions.store(fetched.clone(), now);
                            Some(fetched.record())
                        }
                        PermissionsLookup::Fetch(fetch) => {
                            counts.permission_fetches += 1;
                            permissions.fail(&fetch, PermissionsFailure::Outage, now);
                            permissions.stand_in(&inquiry, now)
                        }
                    };
                    match found {
                        Some(Some(record)) => need.resume(Permissions::Found(&record), now),
                        Some(None) => need.resume(Permissions::Absent, now),
                        None => need.resume(Permissions::Unavailable, now),
                    }
                }
            };
        }
    }

    pub(crate) fn outcome(&mut self, call: &Call) -> Outcome {
        Self::outcome_of(&self.decide(call))
    }

    pub(crate) fn outcome_of(decision: &Decision) -> Outcome {
        match decision {
            Decision::Permit(_) => Outcome::Permit,
            Decision::Deny(denial) => Outcome::Deny(denial.answer().status, denial.reason()),
            Decision::Preflight(_) => Outcome::Preflight,
        }
    }

    pub(crate) fn permit(&mut self, call: &Call) -> Permit {
        match self.decide(call) {
            Decision::Permit(permit) => permit,
            other => panic!("{} {} was not permitted: {other:?}", call.method, call.target),
        }
    }

    pub(crate) fn deny(&mut self, call: &Call) -> Denial {
        match self.decide(call) {
            Decision::Deny(denial) => denial,
            other => panic!("{} {} was not denied: {other:?}", call.method, call.target),
        }
    }

    pub(crate) fn later(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(Duration::from_secs(seconds));
    }
}

/// As a driver does: fetches when the cache says so, and looks up again.
fn look_up_keys(
    keys: &mut KeyCache,
    published: &BTreeMap<String, String>,
    counts: &mut Counts,
    need: &postern::authorizer::NeedsKeys<'_>,
    now: UnixTime,
) -> KeyLookup {
    let first = keys.look_up(need.issuer(), need.key_id(), now);
    let (KeyLookup::Fetch(fetch) | KeyLookup::Refresh(_, fetch)) = first else { return first };
    counts.key_fetches += 1;
    match fetch_keys(need.issuer(), fetch, None, |url| published.get(url).cloned()) {
        Some(fetched) => drop(keys.store(need.issuer(), fetched, now)),
        None => keys.fail(need.issuer(), now),
    }
    keys.look_up(need.issuer(), need.key_id(), now)
}

/// Follows a fetch to its end, with what is published at each URL.
pub(crate) fn fetch_keys(
    issuer: &Issuer,
    mut fetch: KeyFetch,
    cache_control: Option<&str>,
    published: impl Fn(&str) -> Option<String>,
) -> Option<FetchedKeys> {
    loop {
        let body = published(fetch.url())?;
        let answer = KeyAnswer { status: 200, cache_control, age: None, body: body.as_bytes() };
        match fetch.answered(issuer, &answer).ok()? {
            KeyStep::Next(next) => fetch = next,
            KeyStep::Fetched(fetched) => return Some(fetched),
        }
    }
}

/// The value of an answer's header field.
pub(crate) fn field<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut values = answer.headers.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.as_str());
    let value = values.next();
    assert_eq!(values.next(), None, "`{name}` stands twice");
    value
}

/// The answer to `need`, given without a look at the signature: for tests of what comes after it.
pub(crate) fn believe<'a>(progress: Progress<'a>, keys: &JwkSet, now: UnixTime) -> Progress<'a> {
    let Progress::NeedsKeys(need) = progress else { panic!("no keys were asked for: {progress:?}") };
    let Progress::NeedsSignature(need) = need.resume(Keys::Fresh(keys), now) else {
        panic!("no signature check was asked for")
    };
    need.resume(SignatureCheck::Valid, now)
}

/// The answer of a service that has this record, or none.
pub(crate) fn fetch_permissions(fetch: &PermissionsFetch, record: Option<&str>) -> FetchedPermissions {
    let (status, body) = record.map_or((404, ""), |record| (200, record));
    fetch.answered(&PermissionsAnswer { status, etag: None, retry_after: None, body: body.as_bytes() }).unwrap()
}
