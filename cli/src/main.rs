//! The `postern` command: checks a policy, shows, tests and explains what it permits, decides by it, looks into keys
//! and tokens, makes assertion keys, edits permissions. What its exit codes mean: [`exit`].

mod allow;
mod arguments;
mod assertion_key;
mod check;
mod cloudfront;
mod command;
mod decide;
mod diff;
mod draft;
mod exit;
mod explain;
mod inspect;
mod keys;
mod lint;
mod output;
mod permissions;
mod policy_args;
mod probe;
mod routes;
mod rules;
mod schema;
mod secret_file;
mod signer;
mod since;
mod test;
mod world;

use std::{
    ffi::OsString,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{CommandFactory as _, FromArgMatches as _};
use postern::UnixTime;

use command::{Cli, Command};
use exit::Outcome;

/// The system's time, in whole seconds.
fn now() -> UnixTime {
    UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments::hold_a_credential(&arguments) {
        output::complain(&format!("postern: {}\n", arguments::REFUSAL));
        return Outcome::Unusable.into();
    }
    let matches = Cli::command().color(command::color_before_parsing(&arguments)).get_matches_from(arguments);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    cli.color.choice().write_global();
    let outcome = run(cli).unwrap_or_else(|error| {
        output::complain(&format!("postern: {error:#}\n"));
        Outcome::Unusable
    });
    outcome.into()
}

fn run(cli: Cli) -> anyhow::Result<Outcome> {
    let format = cli.format;
    match cli.command {
        Command::Check(args) => check::run(&args, format),
        Command::Routes(args) => args.with_policy(format, |policy| routes::print(&policy, format)),
        Command::Test(args) => args.policy.with_policy(format, |policy| test::run(&policy, &args, format)),
        Command::Decide { policy, with } => policy.with_policy(format, |policy| {
            decide::decide(policy, &with, std::io::stdin().lock(), std::io::stdout().lock())
        }),
        Command::Explain { policy, with } => policy.with_policy(format, |policy| explain::run(policy, &with, format)),
        Command::Keys(args) => keys::run(args, format),
        Command::Inspect(args) => inspect::run(&args, format),
        Command::AssertionKey(command) => assertion_key::run(&command).map(|()| Outcome::Done),
        Command::Permissions(args) => permissions::run(&args, format),
        Command::Diff(args) => diff::run(&args, format),
        Command::ProbeOrigin { policy, with } => {
            policy.with_policy(format, |policy| probe::run(&policy, &with, format))
        }
        Command::Schema => schema::run(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "postern", &mut script);
            output::print(&String::from_utf8_lossy(&script))?;
            Ok(Outcome::Done)
        }
    }
}
