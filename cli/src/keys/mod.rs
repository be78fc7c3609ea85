//! `postern keys`: issuers' public keys, as they are published and as a build may begin with them.

mod fetch;
mod seal;
mod show;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};

use crate::{exit::Outcome, output::Format, policy_args::PolicyArgs};

pub(crate) use fetch::{body, causes, client, follow};
pub(crate) use show::checked_scheme;

/// A JWK set to look into, or what else to do with keys.
#[derive(Args)]
// Not `args_conflicts_with_subcommands`: `--format` before the subcommand would be such an argument.
#[command(arg_required_else_help = true)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: Option<KeysCommand>,
    /// Where the JWK set is: an `https://` URL, or a file.
    #[arg(value_name = "URL|FILE")]
    source: Option<String>,
    /// Let the URL be `http://` when its host is the loopback interface.
    #[arg(long)]
    insecure_loopback: bool,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Fetch every issuer's keys and print them, for a build to begin with: `POSTERN_KEY_SEEDS`.
    #[command(after_help = "Example:
  postern keys seal > key-seeds.json
  POSTERN_KEY_SEEDS=$PWD/key-seeds.json npx wrangler deploy")]
    Seal(PolicyArgs),
    /// Check a file of sealed keys: whose they are, and for how long they may still be used.
    #[command(after_help = "Example: postern keys check key-seeds.json")]
    Check {
        /// What `postern keys seal` wrote.
        keys: PathBuf,
        #[command(flatten)]
        policy: PolicyArgs,
    },
}

/// Does it.
pub(crate) fn run(args: KeysArgs, format: Format) -> anyhow::Result<Outcome> {
    ensure!(
        args.command.is_none() || (args.source.is_none() && !args.insecure_loopback),
        "`postern keys` takes either a JWK set or a subcommand"
    );
    match args.command {
        Some(KeysCommand::Seal(policy)) => policy.with_policy(format, |policy| seal::seal(&policy)),
        Some(KeysCommand::Check { keys, policy }) => {
            policy.with_policy(format, |policy| seal::check(&policy, &keys, format))
        }
        None => {
            let source = args.source.context("name a JWK set: `postern keys URL|FILE`")?;
            show::show(&source, args.insecure_loopback, format)
        }
    }
}
