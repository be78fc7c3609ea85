//! The `postern` command: checks a policy, shows what it permits, decides by it, seals issuers' keys, makes assertion keys.
//!
//! Exit codes: 0 done; 1 the policy has faults; 2 the command line, a file or a line could not be used.

mod check;
mod decide;
mod keys;
mod routes;
mod seal;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, Parser, Subcommand};
use postern::{Policy, UnixTime};

/// Authorisation for company APIs, at the edge and at the origin.
#[derive(Parser)]
#[command(
    name = "postern",
    version,
    after_help = "Exit codes: 0 done, 1 the policy has faults, 2 wrong usage, unreadable file or line."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a policy: every fault with its line, its column and the way to mend it.
    #[command(after_help = "Example: postern check postern.toml")]
    Check(PolicyArgs),
    /// Show the routes of a policy as a table: method, path, who may.
    #[command(after_help = "Example: postern routes postern.toml")]
    Routes(PolicyArgs),
    /// Decide requests: one JSON object a line on standard input, one decision a line on standard output.
    #[command(after_help = DECIDE_EXAMPLES)]
    Decide {
        /// The policy file.
        #[arg(long, default_value = "postern.toml")]
        policy: PathBuf,
        /// A development overlay, whose URLs replace the policy's.
        #[arg(long)]
        overlay: Option<PathBuf>,
        #[command(flatten)]
        with: decide::DecideArgs,
    },
    /// Issuers' public keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Make, rotate and hand over the keys that the edge shares with one origin; they are stored nowhere.
    #[command(subcommand, after_help = KEY_EXAMPLES)]
    AssertionKey(keys::AssertionKeyCommand),
}

const DECIDE_EXAMPLES: &str = "Example:
  postern decide --keys partners=jwks.json --permissions records.json < requests.jsonl

  in   {\"id\": 7, \"method\": \"GET\", \"target\": \"/health\", \"headers\": [[\"accept\", \"*/*\"]]}
  out  {\"company\":null,\"decision\":\"permit\",\"id\":7,\"reason\":null,\"route\":\"health\",\"status\":200,\"subject\":null}

A line that is no such object is answered with {\"line\", \"error\"}; the run goes on and ends with exit code 2. An
issuer without `--keys` and a service without `--permissions` are out of reach: 503. A CORS preflight, which is
answered and never forwarded, is a `deny` with the reason `preflight`.";

const KEY_EXAMPLES: &str = "Example, for one origin:
  postern assertion-key new --kid 2026-11 > vouchers.key
  npx wrangler secret put POSTERN_KEY_VOUCHERS < vouchers.key
  postern assertion-key trust edge < vouchers.key     # the origin's POSTERN_TRUSTED_KEYS";

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

#[derive(Args)]
struct PolicyArgs {
    /// The policy file.
    #[arg(default_value = "postern.toml")]
    file: PathBuf,
    /// A development overlay, whose URLs replace the policy's.
    #[arg(long)]
    overlay: Option<PathBuf>,
}

impl PolicyArgs {
    /// The checked policy, or an exit code after everything wrong with it has been printed.
    fn load(&self) -> Result<Policy, ExitCode> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).map_err(|error| {
                eprintln!("postern: cannot read `{}`: {error}", path.display());
                ExitCode::from(2)
            })
        };
        let text = read(&self.file)?;
        let overlay = self.overlay.as_ref().map(read).transpose()?;
        postern::policy::from_toml(&text, overlay.as_deref()).map_err(|errors| {
            check::print(&self.file, &text, self.overlay.as_deref(), overlay.as_deref(), &errors);
            ExitCode::from(1)
        })
    }
}

/// The system's time, in whole seconds.
fn now() -> UnixTime {
    UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// An error that is not the policy's.
fn unusable(error: anyhow::Error) -> ExitCode {
    eprintln!("postern: {error:#}");
    ExitCode::from(2)
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Check(args) => args.load().map(|policy| check::passed(&args.file, &policy)),
        Command::Routes(args) => args.load().map(|policy| routes::print(&policy)),
        Command::Decide { policy, overlay, with } => {
            let args = PolicyArgs { file: policy, overlay };
            args.load().and_then(|policy| {
                let all = decide::decide(policy, &with, std::io::stdin().lock(), std::io::stdout().lock());
                if all.map_err(unusable)? { Ok(()) } else { Err(ExitCode::from(2)) }
            })
        }
        Command::Keys(KeysCommand::Seal(args)) => args.load().and_then(|policy| seal::seal(&policy).map_err(unusable)),
        Command::Keys(KeysCommand::Check { keys, policy: args }) => {
            args.load().and_then(|policy| seal::check(&policy, &keys).map_err(unusable))
        }
        Command::AssertionKey(command) => keys::run(&command).map_err(unusable),
    };
    outcome.err().unwrap_or(ExitCode::SUCCESS)
}
