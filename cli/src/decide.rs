//! `postern decide`: the decisions of a policy, one for each request on standard input.
//!
//! ```text
//! in   {"id": 7, "method": "GET", "target": "/companies/1111/orders", "headers": [["authorization", "Bearer …"]]}
//! out  {"id": 7, "decision": "permit", "status": 200, "reason": null, "route": "…", "subject": "1111", "company": "1111"}
//! ```
//! Nothing is fetched: keys and permissions come from files, and what no file brings is out of reach, as it is in
//! production. Requests hold tokens, so nothing of a line is ever repeated but its `id`.

use std::{
    io::{BufRead, Write},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Args;
use postern::{Decision, Policy, Request};
use serde_json::{Map, Value, json};

use crate::{
    exit::Outcome,
    world::{World, permissions_file},
};

/// What decisions are made with.
#[derive(Args)]
pub(crate) struct DecideArgs {
    /// An issuer section and a file with its JWK set, as in `users=jwks.json`, once for each; or one file for all.
    #[arg(long, value_name = "[ISSUER=]FILE")]
    keys: Vec<String>,
    /// A JSON object of subject to permissions record, in either shape.
    #[arg(long, value_name = "FILE")]
    permissions: Option<PathBuf>,
    /// The time to decide at, in seconds since 1970; without it, now.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
}

/// Decides line by line.
pub(crate) fn decide(
    policy: Policy,
    args: &DecideArgs,
    input: impl BufRead,
    mut output: impl Write,
) -> anyhow::Result<Outcome> {
    let mut world = World::new(policy, args.now);
    args.keys.iter().try_for_each(|named| world.add_keys(named))?;
    world.records = args.permissions.as_deref().map(permissions_file).transpose()?;
    let mut all_decided = true;
    for (index, line) in input.split(b'\n').enumerate() {
        let line = line.context("cannot read standard input")?;
        let decided = decide_line(&world, &line).unwrap_or_else(|error| {
            all_decided = false;
            json!({ "line": index.saturating_add(1), "error": error })
        });
        writeln!(output, "{decided}").context("cannot write to standard output")?;
    }
    Ok(if all_decided { Outcome::Done } else { Outcome::Unusable })
}

/// The decision on one line, or what is wrong with the line, in words that hold nothing of it.
fn decide_line(world: &World, line: &[u8]) -> Result<Value, String> {
    let value: Value = serde_json::from_slice(line).map_err(|_| "the line is not JSON")?;
    let Value::Object(members) = value else { return Err("the line is not a JSON object".into()) };
    if let Some(stranger) = members.keys().find(|name| !["id", "method", "target", "headers"].contains(&name.as_str()))
    {
        // Its length alone: a name may be a token that lost its place.
        return Err(format!("a member with a name of {} octets is none of a request's", stranger.len()));
    }
    let id = members.get("id").ok_or("`id` is missing")?;
    let headers = headers(&members)?;
    let request = Request { method: text(&members, "method")?, target: text(&members, "target")?, headers: &headers };
    let mut shown = outcome(&world.decide(&request));
    shown.insert("id".into(), id.clone());
    Ok(Value::Object(shown))
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
