//! The rows beside peers.

use std::{cell::Cell, hint::black_box};

use anyhow::{Context as _, Result, ensure};
use postern::{Request, authorizer::Identification};

use crate::{
    harness::{Plan, contender, once_each, repeated},
    peers::{
        aws_lc::{self, Bare},
        cedar::Cedar,
        jwt::Service,
    },
    requests::{fields, targets},
    tokens::{Issuer, now},
    world::{POLICY, World, permitted, policy},
};

/// New tokens that each contender has in a turn: some milliseconds' worth.
const NEW_TOKENS: usize = 128;

pub(crate) fn measure(plan: Plan) -> Result<()> {
    let issuer = Issuer::new()?;
    new_tokens(plan, &issuer)?;
    repeated_token(plan, &issuer)?;
    decision_alone(plan, &issuer)
}

fn new_tokens(plan: Plan, issuer: &Issuer) -> Result<()> {
    let count = NEW_TOKENS * plan.rounds * plan.turns;
    let bearers: Vec<String> =
        (0..count).map(|number| Ok(format!("Bearer {}", issuer.token(number)?))).collect::<Result<_>>()?;
    let parts = bearers.iter().map(|bearer| aws_lc::parts(bearer.trim_start_matches("Bearer ")));
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let (bare, service) = (Bare::new(issuer)?, Service::new(issuer)?);
    let world = World::new(policy(POLICY)?, &issuer.jwks()?, now())?;
    let targets = targets("1111");
    let [postern, verify, jwt] = [const { Cell::new(0) }; 3];
    let next = |counter: &Cell<usize>| counter.replace(counter.get() + 1);
    let contenders = vec![
        contender("postern", || {
            let number = next(&postern);
            let headers = fields(&bearers[number]);
            let request = Request { method: "GET", target: &targets[number % targets.len()], headers: &headers };
            permitted(world.decide(&request));
        }),
        contender("aws-lc verify", || assert!(bare.holds(black_box(&parts[next(&verify)])))),
        contender("jsonwebtoken", || {
            let number = next(&jwt);
            assert!(service.permits(black_box(&bearers[number]), &targets[number % targets.len()]));
        }),
    ];
    let notes = vec![
        format!("RS256 with 2048 bits, tokens of {} octets, each shown once to each", bearers[0].len() - 7),
        "aws-lc-rs 1.19, key parsed once, signatures decoded beforehand".to_owned(),
        "jsonwebtoken 11.1.0 on aws-lc, the rules in Rust behind it".to_owned(),
    ];
    once_each("new token, whole decision", plan, count, notes, contenders);
    Ok(())
}

fn repeated_token(plan: Plan, issuer: &Issuer) -> Result<()> {
    let bearer = format!("Bearer {}", issuer.token(0)?);
    let service = Service::new(issuer)?;
    let world = World::new(policy(POLICY)?, &issuer.jwks()?, now())?;
    let targets = targets("1111");
    let headers = fields(&bearer);
    let (mut own, mut others) = (targets.iter().cycle(), targets.iter().cycle());
    let contenders = vec![
        contender("postern", || {
            let Some(target) = own.next() else { return };
            permitted(world.decide(black_box(&Request { method: "GET", target, headers: &headers })));
        }),
        contender("jsonwebtoken", || {
            let Some(target) = others.next() else { return };
            assert!(service.permits(black_box(&bearer), target));
        }),
    ];
    let notes = vec!["jsonwebtoken keeps no verified tokens: it checks each anew".to_owned()];
    repeated("repeated token, whole decision", plan, notes, contenders);
    Ok(())
}

fn decision_alone(plan: Plan, issuer: &Issuer) -> Result<()> {
    let bearer = format!("Bearer {}", issuer.token(0)?);
    let checked = policy(POLICY)?;
    let (actions, paths) = (Cedar::with_actions(&checked)?, Cedar::with_paths(&checked)?);
    let world = World::new(checked, &issuer.jwks()?, now())?;
    let targets = targets("1111");
    let headers = fields(&bearer);
    permitted(world.decide(&Request { method: "GET", target: &targets[0], headers: &headers }));
    let asked = Request { method: "GET", target: "/", headers: &headers };
    let Identification::Identified(caller) = world.authorizer.identify(&asked, world.now()) else {
        anyhow::bail!("a token that was just verified is known");
    };
    let others = targets.first().context("there are targets")?.replace("1111", "4444");
    ensure!(!actions.permits_action(&others) && !paths.permits_path(&others), "Cedar permits another company");
    let (mut own, mut routed, mut whole) = (targets.iter().cycle(), targets.iter().cycle(), targets.iter().cycle());
    let contenders = vec![
        contender("postern", || {
            let Some(target) = own.next() else { return };
            let request = Request { method: "GET", target, headers: &[] };
            let progress = world.authorizer.begin_as(&caller, black_box(&request), world.now());
            permitted(world.finish(progress, |_| unreachable!("the caller is known")));
        }),
        contender("cedar-policy", || {
            let Some(target) = routed.next() else { return };
            assert!(actions.permits_action(black_box(target)));
        }),
        contender("cedar-policy, finding the route", || {
            let Some(target) = whole.next() else { return };
            assert!(paths.permits_path(black_box(target)));
        }),
    ];
    let notes = vec![
        "cedar-policy 4.14: policies and the caller's entity made once, request and context for each request"
            .to_owned(),
        "cedar-policy has its route found by hand-written Rust; Postern and the third find it themselves".to_owned(),
    ];
    repeated("decision alone", plan, notes, contenders);
    Ok(())
}
