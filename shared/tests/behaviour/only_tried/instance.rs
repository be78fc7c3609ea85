//! One instance of an edge with its caches, in a world whose service, issuer and clock change: the driver of the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use postern::{
    Authorizer, BodyDigest, ByPurpose, Decision, Keys, Permissions, PermissionsRecord, Policy, Progress, Purpose,
    Request, SignatureCheck, UnixTime,
    authorizer::{NeedsKeys, NeedsPermissions},
    cache::{
        KeyAnswer, KeyCache, KeyFetch, KeyLookup, KeySnapshot, KeyStep, PermissionsAnswer, PermissionsCache,
        PermissionsFailure, PermissionsFetch, PermissionsLookup,
    },
    digest::sha256,
    policy::Issuer,
};

use super::variants::{EDGE, Variant};
use crate::support::{
    Call, NOW, TestKey, Token,
    keys::{self, PARTNERS_ED, STRANGER_EC},
};

/// What the service said: a record, or that there is none. The outer `None`: nobody can tell.
type Told = Option<Option<Arc<PermissionsRecord>>>;

/// How the permissions service answers, whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Answers,
    Fails,
    /// It wants to be left alone.
    Limits,
}

/// The world around the instance.
#[derive(Clone, Debug)]
struct World {
    service: Service,
    issuer_is_up: bool,
    has_rotated: bool,
    managers: BTreeSet<String>,
    now: UnixTime,
}

/// A question that has left and is not answered yet.
enum Hanging {
    Keys(Box<Issuer>, KeyFetch),
    Permissions(PermissionsFetch, String),
}

/// One step of a history.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A request. `tried` says whether what is only tried is tried on it; each may find that its first question hangs.
    Request { call: usize, hangs: bool, tried: Option<bool> },
    /// The oldest question that hangs is answered.
    Answer { of: Purpose },
    /// The service answers, or does not.
    Service(Service),
    /// A subject becomes a manager, or is none any more.
    Role { subject: &'static str, is_manager: bool },
    /// The issuer can be reached, or not.
    Issuer(bool),
    /// The issuer publishes other keys, or the first ones again.
    Rotate,
    /// The clock advances, or moves backwards.
    Clock(i64),
}

/// The instance.
pub(crate) struct Instance {
    authorizer: Rc<Authorizer>,
    tried: Option<Rc<Authorizer>>,
    keys: ByPurpose<KeyCache>,
    permissions: ByPurpose<PermissionsCache>,
    second_layer: BTreeMap<String, KeySnapshot>,
    hanging: ByPurpose<Vec<Hanging>>,
    world: World,
    /// Plants the fault: what is only tried uses the caches of what is enforced.
    shares_caches: bool,
}

/// What is asked for, in the order of [`Step::Request`]'s `call`.
pub(crate) fn calls() -> Vec<Call> {
    let mut calls = Vec::new();
    for subject in ["u", "v"] {
        let user = Token::user(subject).claim("iss", "https://issuer.example".into()).claim("aud", "api".into());
        let token = user.signed_by(&PARTNERS_ED).with_signature(&[7; 64]);
        for (method, path) in [("GET", "orders"), ("GET", "slow"), ("POST", "orders")] {
            calls.push(Call::new(method, &format!("/companies/1/{path}")).bearer(&token));
        }
    }
    let partner = Token::partner("1").claim("aud", "api".into()).claim("companies", serde_json::json!(["1"]));
    calls.push(Call::get("/companies/1/reports").bearer(partner.signed_by(&PARTNERS_ED).with_signature(&[7; 64])));
    calls.push(
        Call::new("OPTIONS", "/companies/1/orders")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "GET"),
    );
    calls
}

impl Instance {
    pub(crate) fn new(variant: &Variant, shares_caches: bool) -> Self {
        let keys = ByPurpose::new(KeyCache::with_second_layer(), KeyCache::with_second_layer().that_keeps_to_itself());
        Self {
            authorizer: Rc::new(Authorizer::new(variant.policy.clone())),
            tried: variant.shadow.clone().map(|policy| Rc::new(Authorizer::new(policy).only_tried())),
            keys,
            permissions: ByPurpose::default(),
            second_layer: BTreeMap::new(),
            hanging: ByPurpose::default(),
            world: World {
                service: Service::Answers,
                issuer_is_up: true,
                has_rotated: false,
                managers: BTreeSet::from(["u".to_owned(), "v".to_owned()]),
                now: UnixTime::from_secs(NOW),
            },
            shares_caches,
        }
    }

    /// Goes through a history. Returns each enforced decision as a text; with `is_tried` unset nothing is tried.
    pub(crate) fn run(mut self, steps: &[Step], calls: &[Call], is_tried: bool) -> Vec<String> {
        let mut enforced = Vec::new();
        for step in steps {
            match step {
                Step::Request { call, hangs, tried } => {
                    let call = &calls[call % calls.len()];
                    enforced.push(self.decide(Purpose::Enforce, call, *hangs));
                    if let Some(hangs) = tried.filter(|_| is_tried) {
                        self.decide(Purpose::Try, call, hangs);
                    }
                }
                Step::Answer { of } => self.answer_one(*of),
                Step::Service(service) => self.world.service = *service,
                Step::Role { subject, is_manager: true } => drop(self.world.managers.insert((*subject).to_owned())),
                Step::Role { subject, is_manager: false } => drop(self.world.managers.remove(*subject)),
                Step::Issuer(is_up) => self.world.issuer_is_up = *is_up,
                Step::Rotate => self.world.has_rotated = !self.world.has_rotated,
                Step::Clock(millis) => {
                    let now = self.world.now.as_millis();
                    self.world.now = UnixTime::from_millis(now.saturating_add_signed(*millis).max(NOW * 1_000));
                }
            }
        }
        enforced
    }

    /// The caches that decisions for `purpose` use.
    fn side(&self, purpose: Purpose) -> Purpose {
        if self.shares_caches { Purpose::Enforce } else { purpose }
    }

    fn decide(&mut self, purpose: Purpose, call: &Call, hangs: bool) -> String {
        let headers: Vec<(&str, &str)> = call.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let request = Request { method: &call.method, target: &call.target, headers: &headers };
        let now = self.world.now;
        let (own, tried) = (Rc::clone(&self.authorizer), self.tried.clone());
        let begun = match (purpose, &tried) {
            (Purpose::Enforce, _) => Some(own.begin(&request, now)),
            (Purpose::Try, Some(tried)) => Some(tried.begin(&request, now)),
            (Purpose::Try, None) => own.begin_shadow(&request, now),
        };
        let by = tried.as_ref().filter(|_| purpose == Purpose::Try).unwrap_or(&own);
        begun.map_or_else(String::new, |begun| self.finish(begun, by.policy(), hangs))
    }

    fn finish(&mut self, mut progress: Progress<'_>, policy: &Policy, hangs: bool) -> String {
        let now = self.world.now;
        loop {
            progress = match progress {
                Progress::Decided(decision) => return shown(&decision),
                Progress::NeedsKeys(need) => match self.obtain_keys(&need, hangs) {
                    Some(KeyLookup::Stale(set)) => need.resume(Keys::Stale(&set), now),
                    Some(KeyLookup::Fresh(set)) => need.resume(Keys::Fresh(&set), now),
                    Some(_) => need.resume(Keys::Unavailable, now),
                    None => return "waits for keys".to_owned(),
                },
                Progress::NeedsSignature(need) => need.resume(SignatureCheck::Valid, now),
                Progress::NeedsPermissions(need) => match self.obtain_permissions(&need, policy, hangs) {
                    Some(Some(Some(record))) => need.resume(Permissions::Found(&record), now),
                    Some(Some(None)) => need.resume(Permissions::Absent, now),
                    Some(None) => need.resume(Permissions::Unavailable, now),
                    None => return "waits for permissions".to_owned(),
                },
                Progress::NeedsBody(need) => need.resume(BodyDigest::Sha256(sha256(b"")), now),
            };
        }
    }

    /// `None`: the request waits, for its own question or for another's.
    fn obtain_keys(&mut self, need: &NeedsKeys<'_>, hangs: bool) -> Option<KeyLookup> {
        let (issuer, side, now) = (need.issuer(), self.side(need.purpose()), self.world.now);
        for _ in 0..4 {
            match self.keys.of_mut(side).look_up(issuer, need.key_id(), now) {
                KeyLookup::Refresh(set, fetch) => {
                    self.fetch_keys(side, issuer, fetch, hangs);
                    return Some(KeyLookup::Fresh(set));
                }
                KeyLookup::Fetch(fetch) => {
                    self.fetch_keys(side, issuer, fetch, hangs);
                    if hangs {
                        return None;
                    }
                }
                KeyLookup::Recall => {
                    let kept = self.second_layer.get(issuer.url()).cloned();
                    let _ = self.keys.of_mut(side).restore(issuer, kept, now);
                }
                KeyLookup::Wait => return None,
                settled => return Some(settled),
            }
        }
        Some(KeyLookup::Unavailable)
    }

    fn fetch_keys(&mut self, side: Purpose, issuer: &Issuer, fetch: KeyFetch, hangs: bool) {
        if hangs {
            return self.hanging.of_mut(side).push(Hanging::Keys(Box::new(issuer.clone()), fetch));
        }
        let key: &TestKey = if self.world.has_rotated { &STRANGER_EC } else { &PARTNERS_ED };
        let set = keys::jwks(&[key]);
        let answer = KeyAnswer { status: 200, cache_control: None, age: None, body: set.as_bytes() };
        let answered = fetch.answered(issuer, &answer).ok().filter(|_| self.world.issuer_is_up);
        let (cache, now) = (self.keys.of_mut(side), self.world.now);
        match answered {
            Some(KeyStep::Fetched(fetched)) => {
                if let Some(snapshot) = cache.store(issuer, fetched, now) {
                    self.second_layer.insert(issuer.url().to_owned(), snapshot);
                }
            }
            _ => cache.fail(issuer, now),
        }
    }

    /// The outer `None`: the request waits, for its own question or for another's.
    fn obtain_permissions(&mut self, need: &NeedsPermissions<'_>, policy: &Policy, hangs: bool) -> Option<Told> {
        let (issuer, subject, now) = (need.issuer(), need.subject(), self.world.now);
        let side = self.side(need.purpose());
        let ages = (need.max_age(), need.stale_if_error());
        let inquiry = self.permissions.of_mut(side).inquire(issuer, subject, ages);
        match self.permissions.of_mut(side).look_up(&inquiry, now) {
            PermissionsLookup::Known(record) | PermissionsLookup::StandIn(record) => Some(Some(record)),
            PermissionsLookup::Unavailable => Some(None),
            PermissionsLookup::Wait => None,
            PermissionsLookup::Fetch(fetch) if hangs => {
                self.hanging.of_mut(side).push(Hanging::Permissions(fetch, policy.edge().to_owned()));
                None
            }
            PermissionsLookup::Fetch(fetch) => {
                let told = self.ask(side, &fetch, subject, policy.edge());
                Some(told.or_else(|| self.permissions.of_mut(side).stand_in(&inquiry, now)))
            }
        }
    }

    /// Asks the service, which knows one edge.
    fn ask(&mut self, side: Purpose, fetch: &PermissionsFetch, subject: &str, edge: &str) -> Told {
        let roles = if self.world.managers.contains(subject) { r#"["Manager"]"# } else { "[]" };
        let record = format!(r#"{{"id":"{subject}","companies":{{"1":{roles}}}}}"#);
        let (status, body) = match self.world.service {
            Service::Fails => (500, ""),
            Service::Limits => (429, ""),
            Service::Answers if edge != EDGE => (401, ""),
            Service::Answers => (200, record.as_str()),
        };
        let answered =
            fetch.answered(&PermissionsAnswer { status, etag: None, retry_after: None, body: body.as_bytes() });
        let (cache, now) = (self.permissions.of_mut(side), self.world.now);
        match answered {
            Ok(fetched) => {
                cache.store(fetched.clone(), now);
                Some(fetched.record())
            }
            // As the fault was: whatever failed let records stand in.
            Err(_) if self.shares_caches => {
                cache.fail(fetch, PermissionsFailure::Outage, now);
                None
            }
            Err(error) => {
                cache.fail(fetch, error.failure(), now);
                None
            }
        }
    }

    fn answer_one(&mut self, of: Purpose) {
        let hanging = self.hanging.of_mut(of);
        if hanging.is_empty() {
            return;
        }
        match hanging.remove(0) {
            Hanging::Keys(issuer, fetch) => self.fetch_keys(of, &issuer, fetch, false),
            Hanging::Permissions(fetch, edge) => {
                let subject = subject_of(&fetch);
                drop(self.ask(of, &fetch, &subject, &edge));
            }
        }
    }
}

/// The fetch says whom it is about to the service alone, by the target: here its answer is tried for each.
fn subject_of(fetch: &PermissionsFetch) -> String {
    let is_about = |subject: &&str| {
        let body = format!(r#"{{"id":"{subject}","companies":{{}}}}"#);
        fetch.answered(&PermissionsAnswer { status: 200, etag: None, retry_after: None, body: body.as_bytes() }).is_ok()
    };
    ["u", "v"].into_iter().find(is_about).unwrap_or("u").to_owned()
}

/// Everything that a caller or an origin sees of a decision. The policy's version is not part of it: a shadow route
/// changes the text that it is made from.
fn shown(decision: &Decision) -> String {
    match decision {
        Decision::Permit(permit) => format!(
            "permit {} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            permit.route(),
            permit.origin().name(),
            permit.issuer(),
            permit.subject(),
            permit.company(),
            permit.roles(),
            permit.scopes(),
            permit.handed_on(),
            permit.content_sha256(),
            permit.response_headers(),
        ),
        Decision::Deny(denial) => format!("deny {} {:?} {:?}", denial.reason(), denial.route(), denial.answer()),
        Decision::Preflight(answer) => format!("preflight {answer:?}"),
    }
}
