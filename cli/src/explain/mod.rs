//! `postern explain`: a decision, and each step that led to it.
//!
//! The decision is the core's alone, on the request as it is given and with keys and permissions from files, or keys
//! as the issuer publishes them now. The words come after it. The token is never printed.

mod facts;
mod lines;
mod near;
mod words;

#[cfg(test)]
mod tests;

use std::{fmt::Write as _, path::PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use postern::{
    Decision, Policy, Reason, Request, Stage,
    cache::{KeyCache, KeyLookup},
};
use serde_json::{Value, json};

use crate::{
    exit::Outcome,
    inspect, keys,
    output::{self, BAD, DIM, Format, GOOD, HEADING, shown, styled},
    world::{Seen, World, permissions_file},
};
use facts::Facts;
use lines::{Line, Mark};

/// The request, and what it is decided with.
#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// The request's method.
    #[arg(short = 'X', long, default_value = "GET")]
    method: String,
    /// The request target: path and query.
    target: String,
    /// A header field, as in `x-company: 1111`; once for each. The token's field is made of the token.
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// The file with the token; without it, standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// An issuer section and a file with its JWK set, once for each; or one file for all.
    #[arg(long, value_name = "[ISSUER=]FILE")]
    keys: Vec<String>,
    /// Fetch the issuer's keys now.
    #[arg(long, conflicts_with = "keys")]
    fetch: bool,
    /// A JSON object of subject to permissions record, in either shape.
    #[arg(long, value_name = "FILE")]
    permissions: Option<PathBuf>,
    /// The time to decide at, in seconds since 1970; without it, now.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
}

/// A decision with its reasons.
pub(crate) struct Explanation {
    pub(crate) decision: Decision,
    pub(crate) lines: Vec<Line>,
    /// What the shadow route for the request would decide.
    shadow: Option<Decision>,
}

impl Explanation {
    /// Decides `request`, whose bearer token is `token`, and says how it came to that.
    pub(crate) fn of(world: &World, request: &Request<'_>, token: Option<&str>) -> (Self, Seen) {
        let (decision, seen) = world.observe(request);
        let facts = Facts::gather(world, request, token, &decision);
        let lines = lines::lines(&facts, &decision);
        (Self { decision, lines, shadow: world.shadow(request) }, seen)
    }

    /// The step that failed, or the rules of the route that held; not what every token goes through.
    pub(crate) fn rules_and_failure(&self) -> Vec<Line> {
        let tells = |line: &&Line| match line.mark {
            Mark::Held => line.stage >= Stage::Scopes,
            Mark::Failed => true,
            Mark::NotReached => false,
        };
        self.lines.iter().filter(tells).cloned().collect()
    }

    /// The step that failed, in words.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.lines.iter().find(|line| line.mark == Mark::Failed).map(|line| line.text.as_str())
    }
}

/// Explains a request.
pub(crate) fn run(policy: Policy, args: &ExplainArgs, format: Format) -> anyhow::Result<Outcome> {
    let token = inspect::read_token(args.token_file.as_deref())?;
    let mut world = World::new(policy, args.now);
    args.keys.iter().try_for_each(|named| world.add_keys(named))?;
    world.records = args.permissions.as_deref().map(permissions_file).transpose()?;
    let mut headers = args.header.iter().map(|field| field_of(field)).collect::<anyhow::Result<Vec<_>>>()?;
    let bearer = token.as_ref().map(|token| format!("Bearer {token}"));
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let request = Request { method: &args.method, target: &args.target, headers: &headers };
    let (mut explanation, seen) = Explanation::of(&world, &request, token.as_deref());
    if args.fetch
        && let Some(issuer) = &seen.issuer
    {
        fetch_keys(&mut world, issuer)?;
        (explanation, _) = Explanation::of(&world, &request, token.as_deref());
    }
    let hints = hints(&explanation.decision, args, &world, &seen, token.is_some());
    match format {
        Format::Json => output::print_json(&to_json(&explanation, &hints))?,
        Format::Text => output::print(&to_text(&explanation, &hints, &args.target))?,
    }
    Ok(if matches!(explanation.decision, Decision::Deny(_)) { Outcome::No } else { Outcome::Done })
}

fn field_of(field: &str) -> anyhow::Result<(&str, &str)> {
    let (name, value) = field.split_once(':').with_context(|| format!("`-H {}` is not `NAME: VALUE`", shown(field)))?;
    ensure!(!name.trim().is_empty(), "`-H {}` names no field", shown(field));
    Ok((name.trim(), value.trim()))
}

/// Fetches the keys of the section that the decision asked for.
fn fetch_keys(world: &mut World, section: &str) -> anyhow::Result<()> {
    let policy = world.policy().clone();
    let issuer = policy.issuers().iter().find(|own| own.name() == section).context("the issuer is not there")?;
    let KeyLookup::Fetch(fetch) = KeyCache::new().look_up(issuer, None, world.now) else {
        anyhow::bail!("issuer `{section}`: an empty cache asked for no fetch");
    };
    let client = keys::client(policy.is_development())?;
    let fetched = keys::follow(&client, issuer, fetch).with_context(|| format!("issuer `{section}`"))?;
    world.keys.insert(section.to_owned(), fetched.keys().clone());
    Ok(())
}

/// What to try next, where the denial is about what was given to the command and not about the request.
fn hints(decision: &Decision, args: &ExplainArgs, world: &World, seen: &Seen, has_token: bool) -> Vec<String> {
    let Decision::Deny(denial) = decision else { return Vec::new() };
    let mut hints = Vec::new();
    match denial.reason() {
        Reason::NoRoute => {
            let path = args.target.split('?').next().unwrap_or_default();
            for route in near::nearest(world.policy(), path) {
                hints.push(format!("near: `{}`, {} {}", route.name(), route.methods().join(" "), route.path()));
            }
        }
        Reason::CredentialMissing if !has_token => {
            hints.push("no token was read: give it on standard input or with `--token-file`".to_owned());
        }
        Reason::KeysUnavailable => {
            let issuer = seen.issuer.as_deref().unwrap_or("ISSUER");
            hints.push(format!("keys: name a file with `--keys {issuer}=FILE`, or ask the issuer with `--fetch`"));
        }
        Reason::PermissionsUnavailable if args.permissions.is_none() => {
            hints.push("permissions: name a file of records with `--permissions FILE`".to_owned());
        }
        _ => {}
    }
    hints
}

/// The marks: signs where the locale has them, letters of the alphabet where not.
fn marks() -> [&'static str; 3] {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let is_utf8 = locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    if is_utf8 { ["✓", "✗", "–"] } else { ["+", "x", "-"] }
}

/// The lines of an explanation, each on its own line.
pub(crate) fn lines_text(lines: &[Line]) -> String {
    let [held, failed, not_reached] = marks();
    let mut text = String::new();
    for Line { stage, mark, text: said } in lines {
        let label = words::label(*stage);
        let _ = match mark {
            Mark::Held => writeln!(text, "  {} {label}: {said}", styled(GOOD, held)),
            Mark::Failed => writeln!(text, "  {} {}: {said}", styled(BAD, failed), styled(HEADING, label)),
            Mark::NotReached => writeln!(text, "  {}", styled(DIM, format!("{not_reached} {label}: {said}"))),
        };
    }
    text
}

/// A decision in a few words.
pub(crate) fn in_short(decision: &Decision) -> String {
    match decision {
        Decision::Permit(permit) => {
            let company = permit.company().map(|company| format!(", company {}", shown(company))).unwrap_or_default();
            format!("permit by `{}`{company}", permit.route())
        }
        Decision::Deny(denial) => {
            let route = denial.route().map(|route| format!(" by `{route}`")).unwrap_or_default();
            format!("deny{route}: {}", denial.reason())
        }
        Decision::Preflight(_) => "preflight".to_owned(),
    }
}

fn to_text(explanation: &Explanation, hints: &[String], target: &str) -> String {
    let decision = &explanation.decision;
    let style = if matches!(decision, Decision::Deny(_)) { BAD } else { GOOD };
    let mut text = format!("{}\n\n{}\n", styled(style, in_short(decision)), lines_text(&explanation.lines));
    let _ = match decision {
        Decision::Permit(permit) => {
            let origin = permit.origin();
            writeln!(text, "forwarded to `{}`: {}{}", origin.name(), origin.url(), shown(target))
        }
        Decision::Deny(denial) => {
            let code = denial.reason().public_code();
            writeln!(text, "the caller gets: {} {code}", denial.answer().status)
        }
        Decision::Preflight(answer) => writeln!(text, "the caller gets: {}", answer.status),
    };
    if let Some(shadow) = &explanation.shadow {
        let _ = writeln!(text, "in shadow, which decides nothing: {}", in_short(shadow));
    }
    for hint in hints {
        let _ = writeln!(text, "{}", shown(hint));
    }
    text
}

fn to_json(explanation: &Explanation, hints: &[String]) -> Value {
    let rules: Vec<Value> = explanation
        .lines
        .iter()
        .map(|line| {
            let outcome = match line.mark {
                Mark::Held => "held",
                Mark::Failed => "failed",
                Mark::NotReached => "not_reached",
            };
            json!({"rule": line.stage.name(), "outcome": outcome, "text": line.text})
        })
        .collect();
    let mut document = decision_json(&explanation.decision);
    document["rules"] = rules.into();
    document["shadow"] = explanation.shadow.as_ref().map(decision_json).into();
    document["hints"] = hints.into();
    document
}

fn decision_json(decision: &Decision) -> Value {
    match decision {
        Decision::Permit(permit) => json!({
            "decision": "permit", "status": 200, "code": null, "reason": null, "route": permit.route(),
            "origin": permit.origin().name(), "subject": permit.subject(), "company": permit.company(),
        }),
        Decision::Deny(denial) => json!({
            "decision": "deny", "status": denial.answer().status, "code": denial.reason().public_code().as_str(),
            "reason": denial.reason().code(), "route": denial.route(), "origin": null,
            "subject": denial.subject(), "company": denial.company(),
        }),
        Decision::Preflight(answer) => json!({
            "decision": "preflight", "status": answer.status, "code": null, "reason": null, "route": null,
            "origin": null, "subject": null, "company": null,
        }),
    }
}
