//! A decider with a clock, keys and records of the test's own. The decisions are the core's, and signatures are real.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{
    Authorizer, BodyDigest, Caller, Decision, Denial, JwkSet, Keys, PermissionsRecord, Progress, Request, UnixTime,
    authorizer::Identification, policy::from_toml,
};
use postern_origin::{authorizer::Decider, enforcer::Hydrated, token::signature};
use serde_json::{Value, json};

/// When a test begins.
pub(crate) const BEGIN: u64 = 1_800_000_000;

/// Subject to record.
pub(crate) type Records = BTreeMap<String, PermissionsRecord>;

/// The decider.
pub(crate) struct World {
    authorizer: Authorizer,
    keys: JwkSet,
    pub(crate) state: RefCell<State>,
}

/// What changes in it.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) now: u64,
    pub(crate) records: Records,
    /// Whether the permissions service answers.
    pub(crate) answers: bool,
}

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key")
}

/// A signed access token of these claims.
pub(crate) fn token(claims: &Value) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "1"})), part(claims));
    let signature = key().sign(signed.as_bytes());
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(signature.as_ref()))
}

/// A user's token, good for `life` seconds from [`BEGIN`].
pub(crate) fn user(subject: &str, scope: &str, life: u64) -> String {
    token(&json!({
        "iss": "https://users.example", "sub": subject, "client_id": "app", "token_use": "access", "scope": scope,
        "exp": BEGIN + life,
    }))
}

/// A partner's token.
pub(crate) fn partner(company: &str, life: u64) -> String {
    token(&json!({
        "iss": "https://partners.example", "sub": company, "aud": "https://api.example", "token_use": "access",
        "exp": BEGIN + life,
    }))
}

/// A record with roles per company.
pub(crate) fn record(subject: &str, companies: &[(&str, &[&str])]) -> PermissionsRecord {
    let companies: serde_json::Map<String, Value> =
        companies.iter().map(|(company, roles)| ((*company).to_owned(), json!(roles))).collect();
    PermissionsRecord::parse(json!({"id": subject, "companies": companies}).to_string().as_bytes()).expect("a record")
}

impl World {
    pub(crate) fn of(policy: &str) -> Self {
        let public = Base64UrlUnpadded::encode_string(key().public_key().as_ref());
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "1", "x": public}]});
        Self {
            authorizer: Authorizer::new(from_toml(policy, None).unwrap_or_else(|errors| panic!("{errors}"))),
            keys: JwkSet::parse(keys.to_string().as_bytes()).expect("keys"),
            state: RefCell::new(State { now: BEGIN, records: Records::new(), answers: true }),
        }
    }

    pub(crate) fn with(self, record: PermissionsRecord) -> Self {
        self.state.borrow_mut().records.insert(record.id().to_owned(), record);
        self
    }

    pub(crate) fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// What the core says of one request where these are the records and this is the time.
    pub(crate) fn judge(&self, request: &Request<'_>, records: &Records, now: u64) -> Decision {
        self.finish(self.authorizer.begin(request, UnixTime::from_secs(now)), |subject| known(records, subject), now)
    }

    fn finish(&self, mut progress: Progress<'_>, told: impl Fn(&str) -> Hydrated, now: u64) -> Decision {
        let now = UnixTime::from_secs(now);
        loop {
            progress = match progress {
                Progress::Decided(decision) => return decision,
                Progress::NeedsKeys(need) => need.resume(Keys::Fresh(&self.keys), now),
                Progress::NeedsSignature(need) => {
                    let check = signature::check(&need);
                    need.resume(check, now)
                }
                Progress::NeedsPermissions(need) => {
                    let told = told(need.subject());
                    need.resume(told.as_permissions(), now)
                }
                Progress::NeedsBody(need) => need.resume(BodyDigest::Unreadable, now),
            };
        }
    }

    fn told(&self, subject: &str) -> Hydrated {
        let state = self.state.borrow();
        if state.answers { known(&state.records, subject) } else { Hydrated::Unavailable }
    }
}

fn known(records: &Records, subject: &str) -> Hydrated {
    records.get(subject).map_or(Hydrated::Absent, |record| Hydrated::Found(Arc::new(record.clone())))
}

impl Decider for World {
    fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.state.borrow().now)
    }

    async fn decide(&self, request: &Request<'_>, _: Option<&str>) -> Decision {
        let now = self.state.borrow().now;
        self.finish(self.authorizer.begin(request, self.now()), |subject| self.told(subject), now)
    }

    async fn decide_by(&self, caller: &Caller, held: &Hydrated, request: &Request<'_>, _: Option<&str>) -> Decision {
        let now = self.state.borrow().now;
        self.finish(self.authorizer.begin_as(caller, request, self.now()), |_| held.clone(), now)
    }

    async fn identify(&self, request: &Request<'_>) -> Result<Caller, Denial> {
        let now = self.now();
        let mut identification = self.authorizer.identify(request, now);
        loop {
            identification = match identification {
                Identification::Identified(caller) => return Ok(caller),
                Identification::Refused(denial) => return Err(denial),
                Identification::NeedsKeys(need) => need.resume(Keys::Fresh(&self.keys), now),
                Identification::NeedsSignature(need) => {
                    let check = signature::check(&need);
                    need.resume(check, now)
                }
            };
        }
    }

    async fn ask(&self, caller: &Caller) -> Hydrated {
        self.told(caller.subject())
    }
}
