//! The rows that compare Postern with itself: the same decision among few and among many.

use std::{fmt::Write as _, fs, hint::black_box};

use anyhow::{Context as _, Result, anyhow};
use postern::{PermissionsRecord, Request};
use serde_json::json;

use crate::{
    harness::{Contender, Plan, contender, repeated},
    requests::{fields, targets},
    tokens::{Issuer, claims, now, subject, unsigned},
    world::{POLICY, World, permitted, policy},
};

/// What the cache of verified tokens holds at most.
const FULL_CACHE: usize = 2048;

pub(crate) fn measure(plan: Plan) -> Result<()> {
    let issuer = Issuer::new()?;
    // First, since it looks at what memory the process has.
    tokens(plan, &issuer)?;
    routes(plan, &issuer)?;
    companies_of_records(plan, &issuer)?;
    companies_of_claims(plan, &issuer)
}

/// The bench's policy with its routes replaced by `count` others.
fn with_routes(count: usize) -> String {
    let mut text = POLICY.split("[[route]]").next().unwrap_or_default().to_owned();
    for number in 0..count {
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "[[route]]\nname = \"r{number}\"\nmethods = [\"GET\"]\npath = \"/companies/{{company}}/r{number}/{{id}}\"\n\
             company = \"{{company}}\"\nroles = [\"Manager\"]\nscopes = [\"orders/get.order\"]\n\n"
        );
    }
    text
}

fn routes(plan: Plan, issuer: &Issuer) -> Result<()> {
    let bearer = format!("Bearer {}", issuer.token(0)?);
    let headers = fields(&bearer);
    let mut worlds = Vec::new();
    for count in [10, 10_000] {
        let world = World::new(policy(&with_routes(count))?, &issuer.jwks()?, now())?;
        // Ten of them in turn, spread over all.
        let targets: Vec<String> =
            (0..10).map(|number| format!("/companies/1111/r{}/2a7f0c1e", number * count / 10)).collect();
        worlds.push((count, world, targets));
    }
    let contenders = worlds.iter().map(|(count, world, targets)| {
        let (headers, mut targets) = (&headers, targets.iter().cycle());
        contender(format!("{count} routes"), move || {
            let Some(target) = targets.next() else { return };
            permitted(world.decide(black_box(&Request { method: "GET", target, headers })));
        })
    });
    let notes =
        vec!["a repeated token, the whole decision; ten routes spread over all are asked for in turn".to_owned()];
    repeated("routes", plan, notes, contenders.collect());
    Ok(())
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{}", 100_000 + number * 7)).collect()
}

fn counted(companies: usize) -> String {
    if companies == 1 { "1 company".to_owned() } else { format!("{companies} companies") }
}

/// Eight companies spread over these.
fn spread(names: &[String]) -> Vec<String> {
    (0..8).flat_map(|number| targets(&names[number * names.len() / 8]).into_iter().nth(number)).collect()
}

fn companies_of_records(plan: Plan, issuer: &Issuer) -> Result<()> {
    let text = POLICY.replace("permissions = \"claims\"", "permissions = \"service\"")
        + "\n[permissions]\norigin = \"orders\"\n";
    let bearer = format!("Bearer {}", issuer.token(0)?);
    let headers = fields(&bearer);
    let mut worlds = Vec::new();
    for count in [1, 10_000] {
        let names = names(count);
        let companies: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), json!(["Manager"]))).collect();
        let record = json!({"id": subject(0), "companies": companies, "version": 1}).to_string();
        let record = PermissionsRecord::parse(record.as_bytes()).map_err(|error| anyhow!("{error}"))?;
        let world = World::new(policy(&text)?, &issuer.jwks()?, now())?.with_record(record);
        worlds.push((count, world, spread(&names)));
    }
    let contenders = worlds.iter().map(|(count, world, targets)| {
        let (headers, mut targets) = (&headers, targets.iter().cycle());
        contender(counted(*count), move || {
            let Some(target) = targets.next() else { return };
            permitted(world.decide(black_box(&Request { method: "GET", target, headers })));
        })
    });
    let notes = vec!["companies in a permissions record; a repeated token, the whole decision".to_owned()];
    repeated("companies of a record", plan, notes, contenders.collect());
    Ok(())
}

fn companies_of_claims(plan: Plan, issuer: &Issuer) -> Result<()> {
    let world = World::new(policy(POLICY)?, &issuer.jwks()?, now())?;
    let mut callers = Vec::new();
    for count in [1, 10_000] {
        let names = names(count);
        let texts: Vec<&str> = names.iter().map(String::as_str).collect();
        let caller = world.authorizer.caller_of_claims(&claims(0, &texts), world.now());
        let caller = caller.map_err(|reason| anyhow!("{}", reason.code()))?;
        callers.push((count, caller, spread(&names)));
    }
    let contenders = callers.iter().map(|(count, caller, targets)| {
        let (world, mut targets) = (&world, targets.iter().cycle());
        contender(counted(*count), move || {
            let Some(target) = targets.next() else { return };
            let request = Request { method: "GET", target, headers: &[] };
            let progress = world.authorizer.begin_as(caller, black_box(&request), world.now());
            permitted(world.finish(progress, |_| unreachable!("the caller is known")));
        })
    });
    let notes = vec![
        "companies in the claims, which somebody else has verified: no token of 16 KiB holds 10000; the decision alone"
            .to_owned(),
    ];
    repeated("companies of a token", plan, notes, contenders.collect());
    Ok(())
}

fn tokens(plan: Plan, issuer: &Issuer) -> Result<()> {
    let targets = targets("1111");
    let bearers: Vec<String> =
        (0..FULL_CACHE).map(|number| format!("Bearer {}", unsigned(number, &["1111", "2222", "3333"]))).collect();
    let mut worlds = Vec::new();
    let mut notes = vec!["all that are remembered are shown in turn".to_owned()];
    for count in [100, FULL_CACHE] {
        let world = World::new(policy(POLICY)?, &issuer.jwks()?, now())?;
        let before = resident_kibibytes()?;
        for bearer in bearers.iter().take(count) {
            permitted(world.believe(&Request { method: "GET", target: &targets[0], headers: &fields(bearer) }));
        }
        let grown = resident_kibibytes()?.saturating_sub(before);
        notes.push(format!("{count} tokens of {} octets take {grown} KiB", bearers[0].len() - 7));
        worlds.push((count, world));
    }
    let contenders = worlds.iter().map(|(count, world)| -> Contender<'_> {
        let (mut shown, mut targets) = (bearers[..*count].iter().cycle(), targets.iter().cycle());
        contender(format!("{count} tokens"), move || {
            let (Some(bearer), Some(target)) = (shown.next(), targets.next()) else { return };
            let headers = fields(bearer);
            permitted(world.decide(black_box(&Request { method: "GET", target, headers: &headers })));
        })
    });
    repeated("token cache", plan, notes, contenders.collect());
    Ok(())
}

/// What this process has in memory.
fn resident_kibibytes() -> Result<usize> {
    let status = fs::read_to_string("/proc/self/status").context("cannot read this process's status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("its status has no `VmRSS`")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
