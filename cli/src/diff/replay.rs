//! A witness: a request, and a caller with a token that is really signed, decided by the real authoriser under both
//! policies.

use std::collections::BTreeMap;

use anyhow::Context as _;
use postern::{Algorithm, Decision, JwkSet, PermissionsRecord, Policy, Reason, Request, UnixTime};
use serde_json::{Map, Value, json};

use super::{
    clauses::{Source, is_denial},
    paths::{PathClass, target},
    sections::Common,
    solve::Answer,
};
use crate::{
    draft::{Caller, Draft},
    signer::Signer,
    world::World,
};

/// When every request is made: 2027-01-15 08:00:00 UTC.
const NOW: u64 = 1_800_000_000;
/// The digest of no octets (RFC 9530), for routes that want one declared.
const NO_BODY: (&str, &str) = ("content-digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");

/// A request and who makes it, with what is decided on it.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    /// The issuer section and the claims of the token; none without a token.
    pub(super) token: Option<(String, Map<String, Value>)>,
    /// The caller's record at the permissions service.
    pub(super) record: Option<Value>,
    pub(super) decisions: [Decision; 2],
}

/// Both policies, and the issuers' keys of this run.
pub(super) struct Replay {
    worlds: [World; 2],
    signers: BTreeMap<(String, &'static str), Signer>,
}

impl Replay {
    pub(super) fn new(policies: [&Policy; 2]) -> anyhow::Result<Self> {
        let world = |policy: &Policy| -> anyhow::Result<World> {
            // What a build would embed.
            let embedded = Policy::from_json(policy.to_json()).context("the policy does not load again")?;
            Ok(World::new(embedded, Some(NOW)))
        };
        Ok(Self { worlds: [world(policies[0])?, world(policies[1])?], signers: BTreeMap::new() })
    }

    /// The names of the routes that `method` has at `target` in either policy.
    pub(super) fn deciding(&self, method: &str, target: &str) -> [Option<String>; 2] {
        let request = Request { method, target, headers: &[] };
        // To its end: a public route may ask for the body first.
        [0, 1].map(|index| match self.worlds[index].decide(&request) {
            Decision::Permit(permit) => Some(permit.route().to_owned()),
            // Nobody may use such a path, as if no route had it.
            Decision::Deny(denial) if denial.reason() == Reason::PathAmbiguous => None,
            Decision::Deny(denial) => denial.route().map(str::to_owned),
            Decision::Preflight(_) => None,
        })
    }

    /// Has both policies decide on a request of somebody without a token.
    pub(super) fn anonymous(&mut self, method: &str, class: &PathClass) -> anyhow::Result<Witness> {
        let target = target(class, &BTreeMap::new());
        self.decide(method, target, Vec::new(), None, None)
    }

    /// Has both policies decide on the request of `answer`.
    pub(super) fn caller(
        &mut self,
        method: &str,
        class: &PathClass,
        common: &Common<'_>,
        answer: &Answer,
    ) -> anyhow::Result<Witness> {
        let mut target = target(class, &answer.segments);
        let queries: Vec<String> =
            answer.queries.iter().map(|(name, value)| format!("{name}={}", in_query(value))).collect();
        if !queries.is_empty() {
            target = format!("{target}?{}", queries.join("&"));
        }
        let headers = answer.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let companies = |source| answer.companies.get(&source).map(|companies| json!(companies));
        let record = companies(Source::Service).map(|companies| json!({"id": answer.subject, "companies": companies}));
        let draft = draft(common, answer);
        self.decide(method, target, headers, Some((common, draft)), record)
    }

    fn decide(
        &mut self,
        method: &str,
        target: String,
        headers: Vec<(String, String)>,
        token: Option<(&Common<'_>, Draft)>,
        record: Option<Value>,
    ) -> anyhow::Result<Witness> {
        let mut fields: Vec<(String, String)> = headers.clone();
        fields.push((NO_BODY.0.to_owned(), NO_BODY.1.to_owned()));
        if let Some((common, draft)) = &token {
            let signer = self.signer(common.old.url(), common.algorithm)?;
            let compact = signer.token(&draft.header, &draft.claims)?;
            let keys = json!({ "keys": [signer.jwk()?] }).to_string();
            fields.push(("authorization".to_owned(), format!("Bearer {compact}")));
            let set = JwkSet::parse(keys.as_bytes()).context("the key of this run is refused")?;
            for (world, section) in self.worlds.iter_mut().zip([common.old, common.new]) {
                world.keys = BTreeMap::from([(section.name().to_owned(), set.clone())]);
            }
        }
        let mut records = BTreeMap::new();
        if let Some(record) = &record {
            let parsed = PermissionsRecord::parse(record.to_string().as_bytes()).context("the record is refused")?;
            records.insert(parsed.id().to_owned(), parsed);
        }
        let headers_seen: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = Request { method, target: &target, headers: &headers_seen };
        let [old, new] = &mut self.worlds;
        let decisions = [old, new].map(|world| {
            world.records = Some(records.clone());
            world.decide(&request)
        });
        let token = token.map(|(common, draft)| (common.old.name().to_owned(), draft.claims));
        Ok(Witness { method: method.to_owned(), target, headers, token, record, decisions })
    }

    fn signer(&mut self, url: &str, algorithm: Algorithm) -> anyhow::Result<&Signer> {
        let name = (url.to_owned(), algorithm.name());
        if !self.signers.contains_key(&name) {
            self.signers.insert(name.clone(), Signer::generate(algorithm, "diff")?);
        }
        self.signers.get(&name).context("the key is not there")
    }
}

/// Claims that say something to the authoriser beside what a rule asks of them: the outermost name of each.
pub(super) fn is_read_otherwise(common: &Common<'_>, name: &str) -> bool {
    let issuer = common.old;
    let paths = [issuer.subject_claim(), issuer.scopes_claim(), issuer.roles_claim(), issuer.companies_claim()];
    ["iss", "aud", "exp", "nbf", "iat", "token_use"].contains(&name)
        || paths.into_iter().chain(issuer.client_claims()).any(|path| path.first().is_some_and(|first| first == name))
}

/// The text as the value of a query parameter, with every octet escaped that is not unreserved (RFC 3986 §2.3).
fn in_query(text: &str) -> String {
    let octet = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(octet).collect()
}

/// A token that the section accepts in both policies, with what the answer wants.
fn draft(common: &Common<'_>, answer: &Answer) -> Draft {
    let scopes: Vec<String> = answer.scopes.iter().cloned().collect();
    let caller =
        Caller { subject: &answer.subject, client: common.client.as_deref(), scopes: &scopes, companies: None };
    let now = UnixTime::from_secs(NOW);
    // Each is one that its section accepts; laid over one another they are one that both accept.
    let mut draft = Draft::fitting(common.old, &caller, now);
    let new = Draft::fitting(common.new, &caller, now);
    let expires = [&draft, &new].iter().filter_map(|draft| draft.claims.get("exp")?.as_u64()).min();
    draft.claims.extend(new.claims);
    draft.header.extend(new.header);
    for (name, value) in [("exp", expires.map(Value::from)), ("aud", common.audience.clone().map(Value::from))] {
        draft.claims.extend(value.map(|value| (name.to_owned(), value)));
    }
    for (name, values) in &answer.claims {
        if is_read_otherwise(common, name) {
            draft.claims.entry(name.clone()).or_insert_with(|| values.first().map_or("yes", String::as_str).into());
            continue;
        }
        let values: Vec<&String> = values.iter().collect();
        let value = match values.as_slice() {
            // Not a text, since a rule could name any text.
            [] => json!(true),
            // As an item of a list, a text that counts as absent is a value like any other.
            [one] if answer.denied.contains(name) || !is_denial(one) => json!(one),
            several => json!(several),
        };
        draft.claims.insert(name.clone(), value);
    }
    if let Some(companies) = answer.companies.get(&Source::Claims) {
        draft.put(common.old.companies_claim(), json!(companies));
    }
    draft
}
