//! The core on the host, by either of the native signature backends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, anyhow};
use postern::{
    Authorizer, BodyDigest, Decision, JwkSet, Keys, Permissions, PermissionsRecord, Policy, Progress, SignatureCheck,
    UnixTime,
    authorizer::{NeedsPermissions, NeedsSignature},
    cache::{
        FetchedPermissions, PermissionsAnswer, PermissionsCache, PermissionsFailure, PermissionsFetch,
        PermissionsFetchError, PermissionsLookup,
    },
    digest::sha256,
    forward, policy,
};

use crate::{
    case::{Case, Deny, Expect, Permit, Reach, Request, World, policy_text},
    driver::Driver,
};

type Backend = fn(&NeedsSignature<'_>) -> SignatureCheck;

/// The driver.
#[derive(Debug)]
pub struct Host {
    name: &'static str,
    backend: Backend,
    stage: Option<Stage>,
}

/// A world on the host.
#[derive(Debug)]
pub struct Stage {
    authorizer: Authorizer,
    keys: BTreeMap<String, JwkSet>,
    /// As their service sends them.
    records: BTreeMap<String, String>,
    remembered: Mutex<PermissionsCache>,
    reach_of_keys: Reach,
    reach_of_permissions: Reach,
    now: UnixTime,
}

impl Host {
    /// With the backend in pure Rust.
    #[must_use]
    pub fn portable() -> Self {
        Self { name: "core, portable", backend: portable, stage: None }
    }

    /// With aws-lc.
    #[must_use]
    pub fn native() -> Self {
        Self { name: "core, aws-lc", backend: native, stage: None }
    }
}

impl Driver for Host {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn cannot(&self, _: &World, _: &Case) -> Option<&'static str> {
        None
    }

    fn enter(&mut self, world: &World) -> Result<()> {
        self.stage = Some(Stage::of(world)?);
        Ok(())
    }

    fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>> {
        let stage = self.stage.as_ref().context("no world was entered")?;
        Ok(cases.iter().map(|case| stage.decide(&case.request, self.backend)).collect())
    }
}

impl Stage {
    /// An authoriser of the world's policy, that has seen nothing.
    ///
    /// # Errors
    /// When the policy does not build, or a key set is none.
    pub fn of(world: &World) -> Result<Self> {
        let policy = policy::from_toml(&policy_text(&world.policy)?, None).map_err(|errors| anyhow!("{errors}"))?;
        Self::with_policy(policy, world)
    }

    /// An authoriser of another policy, that has seen nothing.
    ///
    /// # Errors
    /// When a key set is none.
    pub fn with_policy(policy: Policy, world: &World) -> Result<Self> {
        let set = |(section, set): (&String, &serde_json::Value)| {
            let set =
                JwkSet::parse(set.to_string().as_bytes()).map_err(|error| anyhow!("keys of `{section}`: {error}"))?;
            Ok((section.clone(), set))
        };
        Ok(Self {
            // The corpus has a fixed time, which a later version is released after.
            authorizer: Authorizer::new(policy).with_any_clock(),
            keys: world.keys.iter().map(set).collect::<Result<_>>()?,
            records: world.permissions.iter().map(|(subject, text)| (subject.clone(), text.to_string())).collect(),
            remembered: Mutex::new(PermissionsCache::new()),
            reach_of_keys: world.reach_of_keys,
            reach_of_permissions: world.reach_of_permissions,
            now: UnixTime::from_secs(world.now),
        })
    }

    /// The decision on one request.
    pub fn decide(&self, request: &Request, backend: Backend) -> Expect {
        with_core(request, |core| self.finish(self.authorizer.begin(core, self.now), request, backend))
    }

    /// What the shadow route for a request would decide, where there is one.
    pub fn decide_shadow(&self, request: &Request, backend: Backend) -> Option<Expect> {
        with_core(request, |core| {
            let begun = self.authorizer.begin_shadow(core, self.now)?;
            Some(self.finish(begun, request, backend))
        })
    }

    fn finish(&self, mut progress: Progress<'_>, request: &Request, backend: Backend) -> Expect {
        loop {
            progress = match progress {
                Progress::Decided(decision) => return self.shown(&decision, request),
                Progress::NeedsKeys(need) => {
                    let keys = match (self.keys.get(need.issuer().name()), self.reach_of_keys) {
                        (None, _) | (_, Reach::Silent) => Keys::Unavailable,
                        (Some(set), Reach::Answers) => Keys::Fresh(set),
                        (Some(set), Reach::SilentFor(_) | Reach::FailsNow(_)) => Keys::Stale(set),
                    };
                    need.resume(keys, self.now)
                }
                Progress::NeedsSignature(need) => {
                    let check = backend(&need);
                    need.resume(check, self.now)
                }
                Progress::NeedsPermissions(need) => {
                    let record = self.record(&need);
                    let permissions = match &record {
                        Some(Some(record)) => Permissions::Found(record),
                        Some(None) => Permissions::Absent,
                        None => Permissions::Unavailable,
                    };
                    need.resume(permissions, self.now)
                }
                Progress::NeedsBody(need) => {
                    let body = request.body.as_deref().unwrap_or_default().as_bytes();
                    let digest =
                        if body.len() > need.limit() { BodyDigest::TooLarge } else { BodyDigest::Sha256(sha256(body)) };
                    need.resume(digest, self.now)
                }
            };
        }
    }

    /// The decision, with what would reach a Worker's origin.
    fn shown(&self, decision: &Decision, request: &Request) -> Expect {
        let mut expect = shown(decision);
        if let (Decision::Permit(permit), Expect::Permit(shown)) = (decision, &mut expect) {
            let forward = permit.forward(self.authorizer.policy(), forward::Driver::Worker, "");
            let fields = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            shown.reaching = Some(request.reaching(fields.filter(|(name, _)| !forward.removes(name))));
        }
        expect
    }

    /// What a driver in production makes of the core's cache. The outer `None` when nobody can tell.
    fn record(&self, need: &NeedsPermissions<'_>) -> Option<Option<Arc<PermissionsRecord>>> {
        let (issuer, subject) = (need.issuer(), need.subject());
        let mut cache = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let ages = (need.max_age(), need.stale_if_error());
        let before = |seconds| UnixTime::from_secs(self.now.as_secs().saturating_sub(seconds));
        if let Some(seconds) = self.reach_of_permissions.age() {
            let inquiry = cache.inquire(issuer, subject, ages);
            if let PermissionsLookup::Fetch(fetch) = cache.look_up(&inquiry, before(seconds)) {
                match self.answer(&fetch, subject) {
                    Ok(fetched) => cache.store(fetched, before(seconds)),
                    Err(error) => cache.fail(&fetch, error.failure(), before(seconds)),
                }
            }
        }
        for seconds in self.reach_of_permissions.asked_in_vain() {
            let inquiry = cache.inquire(issuer, "somebody else", ages);
            if let PermissionsLookup::Fetch(fetch) = cache.look_up(&inquiry, before(*seconds)) {
                cache.fail(&fetch, PermissionsFailure::Outage, before(*seconds));
            }
        }
        let inquiry = cache.inquire(issuer, subject, ages);
        match cache.look_up(&inquiry, self.now) {
            PermissionsLookup::Known(record) | PermissionsLookup::StandIn(record) => Some(record),
            PermissionsLookup::Unavailable => None,
            PermissionsLookup::Wait => panic!("nobody else asks"),
            PermissionsLookup::Fetch(fetch) => {
                let answers = self.reach_of_permissions == Reach::Answers;
                let silent = Err(PermissionsFetchError::Unreachable);
                match if answers { self.answer(&fetch, subject) } else { silent } {
                    Ok(fetched) => {
                        let record = fetched.record();
                        cache.store(fetched, self.now);
                        Some(record)
                    }
                    Err(error) => {
                        cache.fail(&fetch, error.failure(), self.now);
                        cache.stand_in(&inquiry, self.now)
                    }
                }
            }
        }
    }

    /// What the service says about a subject.
    fn answer(&self, fetch: &PermissionsFetch, subject: &str) -> Result<FetchedPermissions, PermissionsFetchError> {
        let (status, body) = self.records.get(subject).map_or((404, ""), |text| (200, text.as_str()));
        fetch.answered(&PermissionsAnswer { status, etag: None, retry_after: None, body: body.as_bytes() })
    }
}

/// The backend in pure Rust.
pub fn portable(need: &NeedsSignature<'_>) -> SignatureCheck {
    postern::signature::check(need)
}

/// The backend on aws-lc.
fn native(need: &NeedsSignature<'_>) -> SignatureCheck {
    postern_origin::token::signature::check(need)
}

fn with_core<T>(request: &Request, work: impl FnOnce(&postern::Request<'_>) -> T) -> T {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    work(&postern::Request { method: &request.method, target: &request.target, headers: &headers })
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A decision in the corpus's words.
pub fn shown(decision: &Decision) -> Expect {
    match decision {
        Decision::Permit(permit) => Expect::Permit(Permit {
            route: permit.route().to_owned(),
            issuer: permit.issuer().map(str::to_owned),
            subject: permit.subject().map(str::to_owned),
            company: permit.company().map(str::to_owned),
            roles: permit.roles().to_vec(),
            scopes: permit.scopes().to_vec(),
            handed_on: permit.handed_on().iter().cloned().collect(),
            body_sha256: permit.content_sha256().map(|digest| hex(digest)),
            reaching: None,
        }),
        Decision::Deny(denial) => Expect::Deny(Deny {
            reason: denial.reason().code().to_owned(),
            status: denial.answer().status,
            route: denial.route().map(str::to_owned),
        }),
        Decision::Preflight(_) => Expect::Preflight {},
    }
}
