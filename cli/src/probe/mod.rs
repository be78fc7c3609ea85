//! `postern probe-origin`: whether an origin reads a disguised request as another one than the edge decided on.
//!
//! The disguises and the judgement are `postern-probe`'s. This module signs each request as the edge would, sends it, and
//! prints what was found out.

mod report;
mod samples;
mod sender;

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use postern::{
    Policy,
    assertion::AssertionKeys,
    policy::{Origin, Verifies},
};
use postern_probe::{ECHO_PATH, probe_answers, probe_echo};

use crate::{exit::Outcome, inspect, keys, output::Format, secret_file};

use sender::{Credential, Sender};

/// The origin, and how to ask it.
#[derive(Args)]
pub(crate) struct ProbeArgs {
    /// Where the origin is. The edge is not asked.
    #[arg(long, value_name = "URL")]
    url: String,
    /// The origin's section of the policy; may be left out if the policy has one only.
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// The file of the key that edge and origin share, as `postern assertion-key new` made it.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The file of a token, for an origin with `verifies = "token"`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A path that the origin serves, to compare with if it has no echo handler. Without one, the paths of the policy's
    /// own tests are used.
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// Send POST requests too. They may have effects, unless the origin has an echo handler.
    #[arg(long)]
    unsafe_methods: bool,
    /// Let the URL be `http://` when its host is the loopback interface.
    #[arg(long)]
    insecure_loopback: bool,
}

/// Does it.
pub(crate) fn run(policy: &Policy, args: &ProbeArgs, format: Format) -> anyhow::Result<Outcome> {
    let url = args.url.trim_end_matches('/');
    let is_http = keys::checked_scheme(url, args.insecure_loopback, "an origin is probed")?;
    let origin = named(policy, args.origin.as_deref())?;
    let credential = credential(origin, args)?;
    samples::check(&args.paths)?;
    let mut mark = [0; 8];
    getrandom::fill(&mut mark).context("the operating system gave no random numbers")?;
    let mark = format!("postern-{:016x}", u64::from_be_bytes(mark));
    let mut sender = Sender::new(url, is_http, credential, (policy.edge(), origin.name(), policy.version()))?;
    let report = match probe_echo(&mut sender, &mark, args.unsafe_methods)? {
        Some(report) => report,
        None => {
            let samples = samples::samples(policy, origin, &args.paths)?;
            ensure!(
                !samples.is_empty(),
                "no path to compare with: the origin has no echo handler at `{ECHO_PATH}`, and no `[[test]]` of the \
                 policy is permitted to GET a path of `{}`; name one with `--path`",
                origin.name()
            );
            sender.say(&samples);
            probe_answers(&mut sender, &samples.known(), &mark, args.unsafe_methods)?
        }
    };
    report::print(&report, (origin.name(), url, &mark), format)?;
    Ok(if report.findings().next().is_some() {
        Outcome::No
    } else if report.is_blind() {
        Outcome::Unusable
    } else {
        Outcome::Done
    })
}

fn named<'p>(policy: &'p Policy, name: Option<&str>) -> anyhow::Result<&'p Origin> {
    let names = || policy.origins().iter().map(Origin::name).collect::<Vec<_>>().join(", ");
    match (name, policy.origins()) {
        (Some(name), origins) => origins
            .iter()
            .find(|origin| origin.name() == name)
            .with_context(|| format!("the policy has no origin `{name}`, only {}", names())),
        (None, [origin]) => Ok(origin),
        (None, _) => Err(anyhow!("the policy has several origins; name one of {} with `--origin`", names())),
    }
}

fn credential(origin: &Origin, args: &ProbeArgs) -> anyhow::Result<Credential> {
    let name = origin.name();
    if origin.verifies() == Verifies::Token {
        let file = args.token_file.as_deref();
        ensure!(file.is_some(), "origin `{name}` verifies tokens; name the file of one with `--token-file`");
        let token = inspect::read_token(file)?.context("the file of the token is empty")?;
        return Ok(Credential::Token(token));
    }
    let Some(path) = &args.key_file else {
        bail!("origin `{name}` verifies assertions; name the file of its key with `--key-file`");
    };
    let file = path.display();
    let text = secret_file::read(path)?;
    let keys = AssertionKeys::from_json(&text)
        .map_err(|error| anyhow!("`{file}`: {error}; make one with `postern assertion-key new`"))?;
    Ok(Credential::Assertion(keys))
}
