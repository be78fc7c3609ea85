//! One test: a token as it asks for, a world as it describes, the real decision.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use postern::{
    Algorithm, Decision, JwkSet, PermissionsRecord, Policy, Request, UnixTime,
    policy::{Expectation, Issuer, PermissionsSource, PolicyTest, TestCaller, TokenKind},
};
use serde_json::{Value, json};

use crate::{
    draft::{Caller, Draft},
    explain::{Explanation, in_short},
    signer::{PREFERENCE, Signer},
    world::World,
};

/// When every test takes place: 2027-01-15 08:00:00 UTC. A fixed moment, so that no test depends on the day it is run.
const NOW: u64 = 1_800_000_000;
/// Well beyond any leeway that a section may have.
const FAR: u64 = 7 * 24 * 3600;
/// A run of tests: the policy, and the keys that its issuers have in it.
pub(crate) struct Run<'p> {
    policy: &'p Policy,
    /// What a build would embed: the same rules, without the tests.
    embedded: Policy,
    /// By issuer URL, as issuers publish one set for all of their sections.
    signers: BTreeMap<&'p str, Vec<Signer>>,
    /// One that no issuer publishes, for each algorithm that needed one.
    strangers: Vec<Signer>,
}

/// What became of one test.
pub(crate) struct TestOutcome<'p> {
    pub(crate) test: &'p PolicyTest,
    pub(crate) explanation: Explanation,
    /// What came instead of what was expected.
    pub(crate) difference: Option<String>,
}

impl<'p> Run<'p> {
    pub(crate) fn new(policy: &'p Policy) -> anyhow::Result<Self> {
        let embedded = Policy::from_json(policy.to_json()).context("the policy does not load again")?;
        Ok(Self { policy, embedded, signers: BTreeMap::new(), strangers: Vec::new() })
    }

    pub(crate) fn test(&mut self, test: &'p PolicyTest) -> anyhow::Result<TestOutcome<'p>> {
        let shown = test.caller.as_ref().map(|caller| self.token(caller)).transpose();
        let token = shown.with_context(|| format!("test `{}`", test.name))?;
        let mut headers: Vec<(&str, &str)> =
            test.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let bearer = token.as_ref().map(|token| format!("Bearer {token}"));
        let times = if test.caller.as_ref().is_some_and(|caller| caller.token == TokenKind::Twice) { 2 } else { 1 };
        headers.extend(bearer.iter().flat_map(|bearer| vec![("authorization", bearer.as_str()); times]));
        let request = Request { method: &test.method, target: &test.target, headers: &headers };
        let (explanation, _) = Explanation::of(&self.world(test)?, &request, token.as_deref());
        let difference = difference(test, &explanation.decision);
        Ok(TestOutcome { test, explanation, difference })
    }

    fn world(&self, test: &PolicyTest) -> anyhow::Result<World> {
        let mut world = World::new(self.embedded.clone(), Some(NOW));
        if !test.keys_out {
            for issuer in self.policy.issuers() {
                let signers = self.signers.get(issuer.url()).into_iter().flatten();
                let keys = signers.map(Signer::jwk).collect::<anyhow::Result<Vec<Value>>>()?;
                // An issuer that no token was asked of publishes nothing; nobody looks.
                let Ok(set) = JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()) else { continue };
                world.keys.insert(issuer.name().to_owned(), set);
            }
        }
        if !test.permissions_out {
            world.records = Some(test.caller.iter().filter_map(|caller| record(self.policy, caller)).collect());
        }
        Ok(world)
    }

    fn token(&mut self, caller: &TestCaller) -> anyhow::Result<String> {
        let policy = self.policy;
        let issuer = policy.issuers().iter().find(|own| own.name() == caller.issuer);
        let issuer = issuer.with_context(|| format!("there is no issuer `{}`", caller.issuer))?;
        let about = Caller {
            subject: &caller.subject,
            client: caller.client.as_deref(),
            scopes: &caller.scopes,
            companies: caller.companies.as_ref(),
        };
        let mut draft = Draft::fitting(issuer, &about, UnixTime::from_secs(NOW));
        draft.claims.extend(caller.claims.clone());
        spoil(&mut draft, issuer, caller.token);
        let algorithm = algorithm_for(policy, issuer, caller.token)?;
        self.signer(issuer.url(), algorithm)?;
        match caller.token {
            TokenKind::Malformed => return Ok("this-is-no-token".to_owned()),
            TokenKind::Unsigned => {
                draft.header.insert("alg".to_owned(), "none".into());
            }
            TokenKind::UnknownKey => {
                draft.header.insert("kid".to_owned(), "unknown".into());
            }
            TokenKind::Forged => {
                let stranger = self.stranger(algorithm)?;
                return stranger.token(&draft.header, &draft.claims);
            }
            _ => {}
        }
        self.signer(issuer.url(), algorithm)?.token(&draft.header, &draft.claims)
    }

    /// The key that the issuer at `url` signs with by `algorithm`.
    fn signer(&mut self, url: &'p str, algorithm: Algorithm) -> anyhow::Result<&Signer> {
        with_algorithm(self.signers.entry(url).or_default(), algorithm)
    }

    /// A key of the same name that is nobody's.
    fn stranger(&mut self, algorithm: Algorithm) -> anyhow::Result<&Signer> {
        with_algorithm(&mut self.strangers, algorithm)
    }
}

fn with_algorithm(signers: &mut Vec<Signer>, algorithm: Algorithm) -> anyhow::Result<&Signer> {
    let index = match signers.iter().position(|signer| signer.algorithm() == algorithm) {
        Some(index) => index,
        None => {
            signers.push(Signer::generate(algorithm, &format!("test-{}", algorithm.name()))?);
            signers.len().saturating_sub(1)
        }
    };
    signers.get(index).context("the key is not there")
}

/// What the permissions service has of the caller, where the caller's issuer asks it.
fn record(policy: &Policy, caller: &TestCaller) -> Option<(String, PermissionsRecord)> {
    let issuer = policy.issuers().iter().find(|own| own.name() == caller.issuer)?;
    let companies = caller.companies.as_ref().filter(|_| issuer.permissions() == PermissionsSource::Service)?;
    let record = json!({"id": caller.subject, "companies": companies}).to_string();
    Some((caller.subject.clone(), PermissionsRecord::parse(record.as_bytes()).ok()?))
}

/// The algorithm to sign with: one of the section's, or for `wrong_algorithm` one of none of the issuer's.
fn algorithm_for(policy: &Policy, issuer: &Issuer, kind: TokenKind) -> anyhow::Result<Algorithm> {
    let same = || policy.issuers().iter().filter(|own| own.url() == issuer.url());
    let fits = |algorithm: &Algorithm| match kind {
        TokenKind::WrongAlgorithm => same().all(|own| !own.algorithms().contains(algorithm)),
        _ => issuer.algorithms().contains(algorithm),
    };
    match PREFERENCE.into_iter().find(fits) {
        Some(algorithm) => Ok(algorithm),
        None if kind == TokenKind::WrongAlgorithm => {
            bail!("`{}` signs with every algorithm that there is", issuer.name())
        }
        None => Err(anyhow!("`{}` signs with no algorithm", issuer.name())),
    }
}

/// Makes wrong what the test wants wrong, of what is in the claims.
fn spoil(draft: &mut Draft, issuer: &Issuer, kind: TokenKind) {
    match kind {
        TokenKind::Expired => {
            draft.set("iat", NOW.saturating_sub(60));
            draft.set("exp", NOW);
        }
        TokenKind::NotYetValid => draft.set("nbf", NOW.saturating_add(FAR)),
        TokenKind::IssuedInFuture => {
            draft.set("iat", NOW.saturating_add(FAR));
            draft.set("exp", NOW.saturating_add(FAR).saturating_add(60));
        }
        TokenKind::TooOld => {
            let issued_at = NOW.saturating_sub(issuer.max_age().map_or(0, |age| age.as_secs()));
            draft.set("iat", issued_at);
            // Not longer than it may live, or that would be why.
            if let Some(most) = issuer.max_lifetime() {
                draft.set("exp", issued_at.saturating_add(most.as_secs()));
            }
        }
        TokenKind::TooLongLived => {
            let most = issuer.max_lifetime().map_or(0, |most| most.as_secs());
            draft.set("exp", NOW.saturating_add(most).saturating_add(1));
        }
        TokenKind::WithoutExpiry => drop(draft.claims.remove("exp")),
        TokenKind::WithoutIssueDate => drop(draft.claims.remove("iat")),
        TokenKind::WithoutSubject => match issuer.subject_claim() {
            [name] => drop(draft.claims.remove(name)),
            path => draft.put(path, ""),
        },
        TokenKind::WrongIssuer => draft.set("iss", "https://somebody-else.invalid"),
        TokenKind::WrongAudience => {
            draft.set("aud", "https://somebody-else.invalid");
            for path in issuer.client_claims() {
                draft.put(path, "somebody-else");
            }
        }
        TokenKind::IdToken => {
            draft.set("token_use", "id");
            draft.header.insert("typ".to_owned(), "JWT".into());
            for (name, _) in issuer.required() {
                draft.claims.remove(name);
            }
        }
        _ => {}
    }
}

/// What came instead of what the test expects.
fn difference(test: &PolicyTest, decision: &Decision) -> Option<String> {
    let (fits, route, company) = match decision {
        Decision::Permit(permit) => (test.expect == Expectation::Permit, Some(permit.route()), permit.company()),
        Decision::Deny(denial) => (test.expect == Expectation::Deny(denial.reason()), denial.route(), None),
        Decision::Preflight(_) => (test.expect == Expectation::Preflight, None, None),
    };
    let expected = match test.expect {
        Expectation::Permit => "permit".to_owned(),
        Expectation::Preflight => "preflight".to_owned(),
        Expectation::Deny(reason) => format!("deny: {reason}"),
        _ => "something else".to_owned(),
    };
    let came = in_short(decision);
    if !fits {
        return Some(format!("expected {expected}; came {came}"));
    }
    if let Some(wanted) = test.route.as_deref().filter(|wanted| Some(*wanted) != route) {
        return Some(format!("expected the route `{wanted}` to decide; came {came}"));
    }
    if let Some(wanted) = test.company.as_deref().filter(|wanted| Some(*wanted) != company) {
        return Some(format!("expected the permit to be for company {wanted}; came {came}"));
    }
    None
}
