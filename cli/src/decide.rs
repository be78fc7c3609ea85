//! `postern decide`: the decisions of a policy, one for each request on standard input.
//!
//! ```text
//! in   {"id": 7, "method": "GET", "target": "/companies/1111/orders", "headers": [["authorization", "Bearer …"]]}
//! out  {"id": 7, "decision": "permit", "status": 200, "reason": null, "route": "…", "subject": "1111", "company": "1111"}
//! ```
//! Nothing is fetched: keys and permissions come from files, and what no file brings is out of reach, as it is in
//! production. Requests hold tokens, so nothing of a line is ever repeated but its `id`.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use postern::{
    Authorizer, BodyDigest, Decision, JwkSet, Keys, Permissions, PermissionsRecord, Policy, Progress, Request,
    UnixTime, digest::sha256, signature,
};
use serde_json::{Map, Value, json};

/// What decisions are made with.
#[derive(Args)]
pub(crate) struct DecideArgs {
    /// An issuer section and a file with its JWK set, as in `users=jwks.json`; once for each.
    #[arg(long, value_name = "ISSUER=FILE")]
    keys: Vec<String>,
    /// A JSON object of subject to permissions record, in either shape.
    #[arg(long, value_name = "FILE")]
    permissions: Option<PathBuf>,
    /// The time to decide at, in seconds since 1970; without it, now.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
}

/// Everything that a decision may ask for.
struct World {
    authorizer: Authorizer,
    keys: BTreeMap<String, JwkSet>,
    /// `None`: the permissions service is out of reach.
    records: Option<BTreeMap<String, PermissionsRecord>>,
    now: UnixTime,
}

/// Decides line by line; `false` when a line was no request.
pub(crate) fn decide(
    policy: Policy,
    args: &DecideArgs,
    input: impl BufRead,
    mut output: impl Write,
) -> anyhow::Result<bool> {
    let keys = args.keys.iter().map(|named| key_file(&policy, named)).collect::<anyhow::Result<_>>()?;
    let records = args.permissions.as_deref().map(permissions_file).transpose()?;
    let now = args.now.map_or_else(crate::now, UnixTime::from_secs);
    let world = World { authorizer: Authorizer::new(policy), keys, records, now };
    let mut all_decided = true;
    for (index, line) in input.split(b'\n').enumerate() {
        let line = line.context("cannot read standard input")?;
        let decided = world.line(&line).unwrap_or_else(|error| {
            all_decided = false;
            json!({ "line": index.saturating_add(1), "error": error })
        });
        writeln!(output, "{decided}").context("cannot write to standard output")?;
    }
    Ok(all_decided)
}

fn key_file(policy: &Policy, named: &str) -> anyhow::Result<(String, JwkSet)> {
    let (issuer, path) = named.split_once('=').with_context(|| format!("`--keys {named}` is not `ISSUER=FILE`"))?;
    let known = policy.issuers().iter().map(|own| own.name());
    ensure!(
        known.clone().any(|own| own == issuer),
        "`--keys {named}`: the policy has no issuer `{issuer}`, only {}",
        known.collect::<Vec<_>>().join(", ")
    );
    let body = fs::read(path).with_context(|| format!("cannot read `{path}`"))?;
    let keys = JwkSet::parse(&body)
        .map_err(|error| anyhow!("`{path}`: {error}; give the issuer's JWK set as it publishes it"))?;
    Ok((issuer.to_owned(), keys))
}

fn permissions_file(path: &Path) -> anyhow::Result<BTreeMap<String, PermissionsRecord>> {
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

impl World {
    /// The decision on one line, or what is wrong with the line, in words that hold nothing of it.
    fn line(&self, line: &[u8]) -> Result<Value, String> {
        let value: Value = serde_json::from_slice(line).map_err(|_| "the line is not JSON")?;
        let Value::Object(members) = value else { return Err("the line is not a JSON object".into()) };
        if let Some(stranger) =
            members.keys().find(|name| !["id", "method", "target", "headers"].contains(&name.as_str()))
        {
            // Its length alone: a name may be a token that lost its place.
            return Err(format!("a member with a name of {} octets is none of a request's", stranger.len()));
        }
        let id = members.get("id").ok_or("`id` is missing")?;
        let headers = headers(&members)?;
        let request =
            Request { method: text(&members, "method")?, target: text(&members, "target")?, headers: &headers };
        let mut shown = outcome(&self.decide(&request));
        shown.insert("id".into(), id.clone());
        Ok(Value::Object(shown))
    }

    fn decide(&self, request: &Request<'_>) -> Decision {
        let mut progress = self.authorizer.begin(request, self.now);
        loop {
            progress = match progress {
                Progress::Decided(decision) => return decision,
                Progress::NeedsKeys(need) => {
                    let keys = self.keys.get(need.issuer().name()).map_or(Keys::Unavailable, Keys::Fresh);
                    need.resume(keys, self.now)
                }
                Progress::NeedsSignature(need) => {
                    let check = signature::check(&need);
                    need.resume(check, self.now)
                }
                Progress::NeedsPermissions(need) => {
                    let permissions = match &self.records {
                        None => Permissions::Unavailable,
                        Some(records) => records.get(need.subject()).map_or(Permissions::Absent, Permissions::Found),
                    };
                    need.resume(permissions, self.now)
                }
                // A line is a request without a body.
                Progress::NeedsBody(need) => need.resume(BodyDigest::Sha256(sha256(&[])), self.now),
            };
        }
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    members.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is not a string"))
}

fn headers(members: &Map<String, Value>) -> Result<Vec<(&str, &str)>, String> {
    let pairs = members.get("headers").and_then(Value::as_array).ok_or("`headers` is not a list")?;
    let pair = |pair| match Value::as_array(pair).map(Vec::as_slice) {
        Some([Value::String(name), Value::String(value)]) => Ok((name.as_str(), value.as_str())),
        _ => Err("`headers` holds something other than `[name, value]`, both strings".to_owned()),
    };
    pairs.iter().map(pair).collect()
}

/// A decision in the command's words. A preflight is answered and never forwarded: a `deny` whose reason says so.
fn outcome(decision: &Decision) -> Map<String, Value> {
    let (decision, status, reason, route, subject, company) = match decision {
        Decision::Permit(permit) => ("permit", 200, None, Some(permit.route()), permit.subject(), permit.company()),
        Decision::Deny(denial) => {
            ("deny", denial.answer().status, Some(denial.reason().code()), denial.route(), None, None)
        }
        Decision::Preflight(answer) => ("deny", answer.status, Some("preflight"), None, None, None),
    };
    Map::from_iter([
        ("decision".to_owned(), decision.into()),
        ("status".to_owned(), status.into()),
        ("reason".to_owned(), reason.into()),
        ("route".to_owned(), route.into()),
        ("subject".to_owned(), subject.into()),
        ("company".to_owned(), company.into()),
    ])
}
