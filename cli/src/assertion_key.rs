//! `postern assertion-key`: the secrets that an edge shares with one origin.
//!
//! They are read from standard input and written to standard output, never taken as arguments: shells and
//! process lists keep those.

use anyhow::{Context as _, ensure};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use clap::Subcommand;
use postern::assertion::{AssertionKeys, MIN_SECRET_BYTES};
use serde_json::{Value, json};

use crate::output;

/// What to do with assertion keys.
#[derive(Subcommand)]
pub(crate) enum AssertionKeyCommand {
    /// Print a set with one fresh key: the secret that the edge wants.
    #[command(after_help = "Example: postern assertion-key new --kid 2026-11 > vouchers.key")]
    New {
        /// The key's name, such as the month it is made in.
        #[arg(long)]
        kid: String,
    },
    /// Read a set, put a fresh key before its first and drop the rest: two are then valid at once.
    #[command(after_help = "Example: postern assertion-key rotate --kid 2026-12 < vouchers.key > next.key")]
    Rotate {
        /// The fresh key's name; not that of the old one.
        #[arg(long)]
        kid: String,
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
    },
}

/// Does it, and prints the outcome.
pub(crate) fn run(command: &AssertionKeyCommand) -> anyhow::Result<()> {
    let printed = match command {
        AssertionKeyCommand::New { kid } => checked(json!({ "keys": [fresh(kid)?] }))?,
        AssertionKeyCommand::Rotate { kid } => {
            let old = from_standard_input()?;
            checked(json!({ "keys": [fresh(kid)?, old["keys"][0]] }))?
        }
        AssertionKeyCommand::Trust { issuer, capability } => {
            let mut entry = from_standard_input()?;
            if !capability.is_empty() {
                entry["capabilities"] = capability.iter().map(String::as_str).collect();
            }
            json!({ "issuers": { issuer: entry } })
        }
    };
    output::print(&format!("{printed}\n"))
}

fn from_standard_input() -> anyhow::Result<Value> {
    let text = std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?;
    let set = serde_json::from_str(&text)
        .context("standard input is not JSON; pipe the output of `postern assertion-key new` in")?;
    checked(set)
        .context("standard input is not a set of assertion keys; pipe the output of `postern assertion-key new` in")
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
