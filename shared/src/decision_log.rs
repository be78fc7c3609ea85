//! The decision log: one line of JSON for each decision, alike from every driver.
//!
//! It says who could do what and why not, and never holds a token, a path or a raw subject. A subject is hashed with a
//! secret that is the log's alone, or left out: without that secret nobody can try out subjects against a log. Which
//! decisions are written down is the policy's `[log]` to say.

use alloc::{
    format,
    string::{String, ToString},
};
use core::{fmt, time::Duration};

use jwt_compact::{
    Algorithm as _, AlgorithmSignature as _,
    alg::{Hs256, Hs256Key},
};
use serde_json::{Map, Value};

use crate::{decision::Decision, policy::LogRule, time::UnixTime};

/// Shortest secret that subjects are hashed with, in octets: as many as the digest has.
pub const MIN_SUBJECT_KEY_BYTES: usize = 32;
/// Octets of the hash that are written: enough that no two subjects of one system share them.
const SUBJECT_HASH_BYTES: usize = 16;
/// Longest company that is written. What is longer was made up by a caller.
const MAX_COMPANY_BYTES: usize = 64;

/// The secret with which subjects are hashed.
pub struct SubjectKey(Hs256Key);

/// Why a text is no such secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectKeyError;

impl SubjectKey {
    /// Takes a secret of at least [`MIN_SUBJECT_KEY_BYTES`] octets.
    ///
    /// # Errors
    /// [`SubjectKeyError`] when it is shorter.
    pub fn new(secret: &str) -> Result<Self, SubjectKeyError> {
        let long_enough = secret.len() >= MIN_SUBJECT_KEY_BYTES;
        long_enough.then(|| Self(Hs256Key::new(secret.as_bytes()))).ok_or(SubjectKeyError)
    }

    /// The same subject of the same issuer section always gives the same text: 32 hex digits.
    fn hash(&self, issuer: &str, subject: &str) -> String {
        // No section's name holds the octet between.
        let digest = Hs256.sign(&self.0, format!("{issuer}\0{subject}").as_bytes());
        digest.as_bytes().iter().take(SUBJECT_HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What a cache had for one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// What was wanted.
    Hit,
    /// It had to be fetched.
    Miss,
    /// Only something past its time, while it could not be fetched.
    Stale,
    /// Nothing, and nothing could be fetched.
    Unavailable,
}

impl CacheState {
    const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What a driver saw of one decision; caches that were not asked are `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Observed<'a> {
    /// When the request came.
    pub at: UnixTime,
    /// How long the decision took.
    pub took: Duration,
    /// The platform's name for the request; text that the platform vouches for.
    pub request_id: Option<&'a str>,
    /// The platform's name for the deployed version of the driver that decides, where it has one. A caller may be able to
    /// choose between two versions.
    pub deployed_version: Option<&'a str>,
    /// The cache of verified tokens: a miss where a signature was checked.
    pub token: Option<CacheState>,
    /// The issuer's keys.
    pub keys: Option<CacheState>,
    /// The subject's permissions.
    pub permissions: Option<CacheState>,
    /// Number of lines left out since the last one, from
    /// [`Authorizer::writes_down`](crate::Authorizer::writes_down).
    pub left_out: u64,
}

impl LogRule {
    /// Whether this decision is among those that are written down. `random` is asked for 32 random bits where that takes
    /// chance.
    pub(crate) fn wants(&self, decision: &Decision, random: impl FnOnce() -> u32) -> bool {
        match decision {
            Decision::Permit(_) | Decision::Preflight(_) => is_drawn(self.permits, random),
            Decision::Deny(_) => is_drawn(self.denials, random),
        }
    }

    /// Whether shadow rules are tried on a request.
    pub fn tries_shadow(&self, random: impl FnOnce() -> u32) -> bool {
        is_drawn(self.shadow, random)
    }
}

fn is_drawn(share: f64, random: impl FnOnce() -> u32) -> bool {
    // 2³² outcomes: none lies below nothing, and all lie below one.
    if share <= 0.0 { false } else { share >= 1.0 || f64::from(random()) < share * 4_294_967_296.0 }
}

/// The line for a decision. `policy` is the version of the policy that decided.
#[must_use]
pub fn line(decision: &Decision, policy: &str, key: Option<&SubjectKey>, observed: &Observed<'_>) -> String {
    let mut line = begin("decision", observed);
    describe(&mut line, decision, key);
    line.insert("policy".into(), policy.into());
    line.insert("took_ms".into(), u64::try_from(observed.took.as_millis()).unwrap_or(u64::MAX).into());
    if let Decision::Permit(permit) = decision {
        let removed: Map<String, Value> =
            permit.unusual_names().classes().map(|(class, count)| (class.into(), count.into())).collect();
        if !removed.is_empty() {
            line.insert("removed_fields".into(), removed.into());
        }
    }
    // A caller who is known without a signature check was known before.
    let known = if issuer(decision).is_some() { Some(CacheState::Hit) } else { None };
    let states = [("token", observed.token.or(known)), ("keys", observed.keys), ("permissions", observed.permissions)];
    let caches: Map<String, Value> =
        states.into_iter().filter_map(|(name, state)| Some((name.into(), state?.name().into()))).collect();
    if !caches.is_empty() {
        line.insert("caches".into(), caches.into());
    }
    if observed.left_out > 0 {
        line.insert("left_out".into(), observed.left_out.into());
    }
    Value::Object(line).to_string()
}

/// The line for shadow rules that would have decided otherwise; `None` where they agree in outcome and reason.
///
/// `policy` is the version of the policy that the shadow rules stand in.
#[must_use]
pub fn difference(
    enforced: &Decision,
    shadow: &Decision,
    policy: &str,
    key: Option<&SubjectKey>,
    observed: &Observed<'_>,
) -> Option<String> {
    if (outcome(enforced), reason(enforced)) == (outcome(shadow), reason(shadow)) {
        return None;
    }
    let mut line = begin("shadow", observed);
    describe(&mut line, shadow, key);
    line.insert("policy".into(), policy.into());
    let mut said = Map::new();
    say(&mut said, enforced);
    line.insert("enforced".into(), said.into());
    Some(Value::Object(line).to_string())
}

fn begin(event: &str, observed: &Observed<'_>) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("event".into(), event.into());
    line.insert("time".into(), observed.at.as_millis().into());
    if let Some(id) = observed.request_id {
        line.insert("request".into(), id.into());
    }
    if let Some(version) = observed.deployed_version {
        line.insert("version".into(), version.into());
    }
    line
}

fn describe(line: &mut Map<String, Value>, decision: &Decision, key: Option<&SubjectKey>) {
    say(line, decision);
    let (subject, company) = match decision {
        Decision::Permit(permit) => (permit.subject(), permit.company()),
        // Before its token was verified, what a caller names may be anything, a token in the wrong place too.
        Decision::Deny(denial) => (denial.subject(), denial.company().filter(|_| denial.issuer().is_some())),
        Decision::Preflight(_) => (None, None),
    };
    if let Some(issuer) = issuer(decision) {
        line.insert("issuer".into(), issuer.into());
        if let (Some(key), Some(subject)) = (key, subject) {
            line.insert("subject".into(), key.hash(issuer, subject).into());
        }
    }
    // A machine client is itself the company: what is hashed above must not stand here as it is.
    let company = company.filter(|company| subject != Some(*company));
    if let Some(company) = company.filter(|company| is_identifier(company)) {
        line.insert("company".into(), company.into());
    }
}

fn say(line: &mut Map<String, Value>, decision: &Decision) {
    line.insert("decision".into(), outcome(decision).into());
    let (route, status) = match decision {
        Decision::Permit(permit) => (Some(permit.route()), None),
        Decision::Deny(denial) => (denial.route(), Some(denial.answer().status)),
        Decision::Preflight(answer) => (None, Some(answer.status)),
    };
    let members = [
        ("reason", reason(decision).map(Value::from)),
        ("route", route.map(Value::from)),
        ("status", status.map(Value::from)),
    ];
    line.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))));
}

const fn outcome(decision: &Decision) -> &'static str {
    match decision {
        Decision::Permit(_) => "permit",
        Decision::Deny(_) => "deny",
        Decision::Preflight(_) => "preflight",
    }
}

const fn reason(decision: &Decision) -> Option<&'static str> {
    match decision {
        Decision::Deny(denial) => Some(denial.reason().code()),
        Decision::Permit(_) | Decision::Preflight(_) => None,
    }
}

fn issuer(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Permit(permit) => permit.issuer(),
        Decision::Deny(denial) => denial.issuer(),
        Decision::Preflight(_) => None,
    }
}

/// A company's id as systems give them, and no address, name or sentence.
fn is_identifier(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:|".contains(&byte);
    !text.is_empty() && text.len() <= MAX_COMPANY_BYTES && text.bytes().all(fits)
}

/// The secret stays out of debug output.
impl fmt::Debug for SubjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SubjectKey").finish_non_exhaustive()
    }
}

impl fmt::Display for SubjectKeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the secret is shorter than {MIN_SUBJECT_KEY_BYTES} octets")
    }
}

impl core::error::Error for SubjectKeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_drawn_as_they_say() {
        let never = || -> u32 { panic!("no chance is needed") };
        assert!(!is_drawn(0.0, never) && is_drawn(1.0, never));
        for (bits, drawn) in [(0, true), (0x3FFF_FFFF, true), (0x4000_0000, false), (u32::MAX, false)] {
            assert_eq!(is_drawn(0.25, || bits), drawn, "{bits}");
        }
    }

    #[test]
    fn a_subject_is_hashed_with_its_section_and_the_secret() {
        let secret = "0123456789abcdef0123456789abcdef";
        let key = SubjectKey::new(secret).unwrap();
        let hash = key.hash("users", "ann");
        assert_eq!(hash.len(), 32);
        assert_eq!(hash, SubjectKey::new(secret).unwrap().hash("users", "ann"));
        for (secret, issuer, subject) in [
            (secret, "users", "bob"),
            (secret, "partners", "ann"),
            ("another secret of at least 32 octets", "users", "ann"),
        ] {
            assert_ne!(SubjectKey::new(secret).unwrap().hash(issuer, subject), hash);
        }
        assert!(SubjectKey::new(&secret[1..]).is_err());
        assert_eq!(format!("{key:?}"), "SubjectKey { .. }");
    }

    #[test]
    fn only_ids_of_companies_are_written() {
        for text in ["1111", "acme-ltd", "org_8fG.2", "auth0|x", "a:b"] {
            assert!(is_identifier(text), "{text}");
        }
        for text in ["", "ann@example.com", "Ann Smith", "caf\u{e9}", "a/b", &"1".repeat(65), "a,b"] {
            assert!(!is_identifier(text), "{text}");
        }
    }
}
