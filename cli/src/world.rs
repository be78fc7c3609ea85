//! Everything that a decision may ask for, out of files and memory, and the loop that asks.
//!
//! Nothing is fetched here: what nobody brought is out of reach, as it is in production.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, anyhow, bail, ensure};
use postern::{
    Algorithm, Authorizer, BodyDigest, Decision, JwkSet, Keys, Permissions, PermissionsRecord, Policy, Progress,
    Request, SignatureCheck, UnixTime, cache::KeySeeds, digest::OF_NOTHING, policy::Issuer, signature,
};
use serde_json::Value;

/// A policy and the world around it.
pub(crate) struct World {
    pub(crate) authorizer: Authorizer,
    /// Keys by issuer section; a section that is not here is out of reach.
    pub(crate) keys: BTreeMap<String, JwkSet>,
    /// Records by subject; `None`: the permissions service is out of reach.
    pub(crate) records: Option<BTreeMap<String, PermissionsRecord>>,
    pub(crate) now: UnixTime,
}

/// What a decision asked for on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The issuer section whose keys were asked for.
    pub(crate) issuer: Option<String>,
    /// The algorithm that the signature was checked with, and whether it held.
    pub(crate) signature: Option<(Algorithm, bool)>,
    /// The issuer section whose permissions were asked for, when they were.
    pub(crate) permissions: Option<String>,
}

impl World {
    /// A world at the time that a person chose, in seconds since 1970, or else at the system's time.
    pub(crate) fn new(policy: Policy, chosen: Option<u64>) -> Self {
        let authorizer = Authorizer::new(policy);
        let (authorizer, now) = match chosen {
            Some(seconds) => (authorizer.with_any_clock(), UnixTime::from_secs(seconds)),
            None => (authorizer, crate::now()),
        };
        Self { authorizer, keys: BTreeMap::new(), records: None, now }
    }

    pub(crate) const fn policy(&self) -> &Policy {
        self.authorizer.policy()
    }

    /// The decision on `request`.
    pub(crate) fn decide(&self, request: &Request<'_>) -> Decision {
        self.observe(request).0
    }

    /// The decision on `request`, and what it asked for.
    pub(crate) fn observe(&self, request: &Request<'_>) -> (Decision, Seen) {
        self.follow(self.authorizer.begin(request, self.now))
    }

    /// What the shadow route for `request` would decide, where there is one.
    pub(crate) fn shadow(&self, request: &Request<'_>) -> Option<Decision> {
        Some(self.follow(self.authorizer.begin_shadow(request, self.now)?).0)
    }

    fn follow(&self, mut progress: Progress<'_>) -> (Decision, Seen) {
        let mut seen = Seen::default();
        loop {
            progress = match progress {
                Progress::Decided(decision) => return (decision, seen),
                Progress::NeedsKeys(need) => {
                    seen.issuer = Some(need.issuer().name().to_owned());
                    let keys = self.keys_of(need.issuer()).map_or(Keys::Unavailable, Keys::Fresh);
                    need.resume(keys, self.now)
                }
                Progress::NeedsSignature(need) => {
                    let check = signature::check(&need);
                    seen.signature = Some((need.algorithm(), check == SignatureCheck::Valid));
                    need.resume(check, self.now)
                }
                Progress::NeedsPermissions(need) => {
                    seen.permissions = Some(need.issuer().name().to_owned());
                    let permissions = match &self.records {
                        None => Permissions::Unavailable,
                        Some(records) => records.get(need.subject()).map_or(Permissions::Absent, Permissions::Found),
                    };
                    need.resume(permissions, self.now)
                }
                // A request has no body here.
                Progress::NeedsBody(need) => need.resume(BodyDigest::Sha256(OF_NOTHING), self.now),
            };
        }
    }

    /// The keys of a section; sections of one URL share theirs.
    pub(crate) fn keys_of(&self, issuer: &Issuer) -> Option<&JwkSet> {
        self.keys.get(issuer.name()).or_else(|| {
            let mut same = self.policy().issuers().iter().filter(|other| other.url() == issuer.url());
            same.find_map(|other| self.keys.get(other.name()))
        })
    }

    /// Takes `ISSUER=FILE`, or a `FILE` for every section: a JWK set as its issuer publishes it, or what
    /// `postern keys seal` wrote.
    pub(crate) fn add_keys(&mut self, named: &str) -> anyhow::Result<()> {
        let sections: Vec<String> = self.policy().issuers().iter().map(|own| own.name().to_owned()).collect();
        let (wanted, path) = match named.split_once('=') {
            None => (sections, named),
            Some((issuer, path)) => {
                ensure!(
                    sections.iter().any(|own| own == issuer),
                    "`--keys {named}`: the policy has no issuer `{issuer}`, only {}",
                    sections.join(", ")
                );
                (vec![issuer.to_owned()], path)
            }
        };
        let body = fs::read(path).with_context(|| format!("cannot read `{path}`"))?;
        let seeds = KeySeeds::parse(&body).ok();
        for section in wanted {
            let issuer = self.policy().issuers().iter().find(|own| own.name() == section);
            let sealed = seeds.as_ref().zip(issuer).and_then(|(seeds, issuer)| Some((seeds.of(issuer)?, issuer)));
            let sealed = match sealed {
                Some((seed, issuer)) => {
                    seed.check(issuer, self.now).map_err(|error| anyhow!("`{path}`: `{section}`: {error}"))?;
                    Some(seed.keys().clone())
                }
                None => None,
            };
            let keys = match sealed {
                Some(keys) => keys,
                // A file of sealed keys need not have those of every section.
                None if seeds.is_some() && !named.contains('=') => continue,
                None => JwkSet::parse(&body)
                    .map_err(|error| anyhow!("`{path}`: {error}; give the issuer's JWK set as it publishes it"))?,
            };
            self.keys.insert(section, keys);
        }
        Ok(())
    }
}

/// Reads a JSON object of subject to permissions record, in either shape.
pub(crate) fn permissions_file(path: &Path) -> anyhow::Result<BTreeMap<String, PermissionsRecord>> {
    let shown = path.display();
    let text = fs::read(path).with_context(|| format!("cannot read `{shown}`"))?;
    let value: Value = serde_json::from_slice(&text).with_context(|| format!("`{shown}` is not JSON"))?;
    let Value::Object(members) = value else { bail!("`{shown}` is not a JSON object of subject to record") };
    let record = |(subject, mut record): (String, Value)| {
        if let Some(members) = record.as_object_mut() {
            members.entry("id").or_insert_with(|| subject.clone().into());
        }
        match PermissionsRecord::parse(record.to_string().as_bytes()) {
            Ok(record) if record.id() == subject => Ok((subject, record)),
            Ok(_) => Err(anyhow!("`{shown}`: the record under `{subject}` is about somebody else")),
            Err(error) => Err(anyhow!("`{shown}`: the record of `{subject}`: {error}")),
        }
    };
    members.into_iter().map(record).collect()
}
