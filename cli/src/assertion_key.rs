//! `postern assertion-key`: the secrets that an edge shares with one origin.
//!
//! They are read from standard input and written to standard output or to a file that only its owner can read. They are
//! never arguments: shells and process lists keep those.

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context as _, ensure};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use clap::{Args, Subcommand};
use postern::assertion::{AssertionKeys, MIN_SECRET_BYTES};
use serde_json::{Value, json};

use crate::{output, secret_file};

/// Where a secret goes.
#[derive(Args)]
pub(crate) struct Out {
    /// Write a new file that only you can read (mode 0600) instead of standard output. An existing file is left as it is.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What to do with assertion keys.
#[derive(Subcommand)]
pub(crate) enum AssertionKeyCommand {
    /// Print a set with one fresh key: the secret that the edge wants.
    #[command(after_help = "Example: postern assertion-key new --kid 2026-11 --out vouchers.key")]
    New {
        /// The key's name, such as the month it is made in.
        #[arg(long)]
        kid: String,
        #[command(flatten)]
        out: Out,
    },
    /// Read a set, put a fresh key before its first and drop the rest: two are then valid at once.
    #[command(after_help = "Example: postern assertion-key rotate --kid 2026-12 --out next.key < vouchers.key")]
    Rotate {
        /// The fresh key's name; not that of the old one.
        #[arg(long)]
        kid: String,
        #[command(flatten)]
        out: Out,
    },
    /// Read a set and print what the origin wants: `POSTERN_TRUSTED_KEYS`.
    #[command(after_help = "Example: postern assertion-key trust edge --capability read < permissions.key")]
    Trust {
        /// The edge's name in its assertions: `edge` in the policy.
        #[arg(default_value = "edge")]
        issuer: String,
        /// What these keys may grant at the permissions service; the edge needs `read`.
        #[arg(long, value_parser = ["read", "write"])]
        capability: Vec<String>,
        #[command(flatten)]
        out: Out,
    },
}

/// Does it, and prints or writes the outcome.
pub(crate) fn run(command: &AssertionKeyCommand) -> anyhow::Result<()> {
    let (printed, out) = match command {
        AssertionKeyCommand::New { kid, out } => (checked(json!({ "keys": [fresh(kid)?] }))?, out),
        AssertionKeyCommand::Rotate { kid, out } => {
            let old = from_standard_input()?;
            (checked(json!({ "keys": [fresh(kid)?, old["keys"][0]] }))?, out)
        }
        AssertionKeyCommand::Trust { issuer, capability, out } => {
            let mut entry = from_standard_input()?;
            if !capability.is_empty() {
                entry["capabilities"] = capability.iter().map(String::as_str).collect();
            }
            (json!({ "issuers": { issuer: entry } }), out)
        }
    };
    match &out.out {
        None => output::print(&format!("{printed}\n")),
        Some(path) => {
            let mut file = secret_file::create(path)?;
            writeln!(file, "{printed}").with_context(|| format!("cannot write `{}`", path.display()))
        }
    }
}

fn from_standard_input() -> anyhow::Result<Value> {
    #[cfg(unix)]
    secret_file::warn_if_others_can_read(&standard_input()?, "the key file on standard input");
    let text = std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?;
    let set = serde_json::from_str(&text)
        .context("standard input is not JSON; pipe the output of `postern assertion-key new` in")?;
    checked(set)
        .context("standard input is not a set of assertion keys; pipe the output of `postern assertion-key new` in")
}

/// Standard input as a file, whose mode can be asked for.
#[cfg(unix)]
fn standard_input() -> anyhow::Result<std::fs::File> {
    use std::os::fd::AsFd as _;
    let duplicate = std::io::stdin().as_fd().try_clone_to_owned();
    duplicate.map(std::fs::File::from).context("cannot read standard input")
}

/// Nothing is printed that an edge or an origin would refuse.
fn checked(set: Value) -> anyhow::Result<Value> {
    AssertionKeys::from_json(&set.to_string())?;
    Ok(set)
}

fn fresh(kid: &str) -> anyhow::Result<Value> {
    ensure!(!kid.is_empty(), "`--kid` is empty; name the key, for example `--kid 2026-11`");
    let mut secret = [0; MIN_SECRET_BYTES];
    getrandom::fill(&mut secret).context("the operating system gave no random numbers")?;
    Ok(json!({ "kty": "oct", "kid": kid, "alg": "HS256", "k": Base64UrlUnpadded::encode_string(&secret) }))
}
