//! `postern permissions`: who belongs to which company with which roles, for the people who say so.
//!
//! Every write is conditional on what was read a moment before, so whoever works on the same record at the same time is
//! told and overwrites nothing. The credential is made for each request from a key in a file; it is never an argument.

mod edit;
mod import;
mod records;
mod service;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{exit::Outcome, output::Format};
use service::Service;

/// The permissions service and what to do there.
#[derive(Args)]
pub(crate) struct PermissionsArgs {
    #[command(subcommand)]
    command: PermissionsCommand,
}

/// Where the service is, and who asks it.
#[derive(Args)]
struct Connection {
    /// Where the permissions service is.
    #[arg(long, value_name = "URL")]
    url: String,
    /// The file of the key that the service trusts, as `postern assertion-key new` made it.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The issuer section of the policy that the user belongs to.
    #[arg(long, value_name = "SECTION")]
    issuer: String,
    /// The name under which the service trusts the key.
    #[arg(long = "as", value_name = "NAME", default_value = "admin")]
    name: String,
    /// The service's own name: the audience of what is signed.
    #[arg(long, value_name = "NAME", default_value = "permissions")]
    audience: String,
    /// Let the URL be `http://` when its host is the loopback interface.
    #[arg(long)]
    insecure_loopback: bool,
}

#[derive(Subcommand)]
enum PermissionsCommand {
    /// Show a user's companies and roles, or who changed them when.
    #[command(after_help = GET_EXAMPLES)]
    Get {
        /// The user: the `sub` of their tokens.
        user: String,
        /// Show the last changes instead: who made them, when, and what was there before.
        #[arg(long)]
        history: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Give a user roles in companies; companies that are not named stay as they are.
    #[command(after_help = SET_EXAMPLES)]
    Set {
        /// The user: the `sub` of their tokens.
        user: String,
        /// A company and the roles held there: `1111=Manager,Standard`; with `--role` the company alone.
        #[arg(long = "company", value_name = "COMPANY[=ROLES]", required = true)]
        companies: Vec<String>,
        /// One role for all companies: writes the older shape, and takes away every company that is not named.
        #[arg(long)]
        role: Option<String>,
        /// Show what would change, and write nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Take companies away from a user: those that are named, or all of them.
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke {
        /// The user: the `sub` of their tokens.
        user: String,
        /// A company to take away; without any, all are.
        #[arg(long = "company", value_name = "COMPANY")]
        companies: Vec<String>,
        /// Show what would change, and write nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Write the records of a file, in either shape: JSON Lines, or one JSON array.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// The file; `-` is standard input.
        file: PathBuf,
        /// Write over records that are there and differ, as they were read; without it they are told and left as they are.
        #[arg(long)]
        replace: bool,
        /// Read and compare, and write nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Print every record of the section, one JSON object a line, as `import` reads them.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        connection: Connection,
    },
}

const GET_EXAMPLES: &str = "Examples:
  postern permissions get 5d0c --url https://permissions.example --key-file admin.key --issuer users
  postern permissions get 5d0c --history --url https://permissions.example --key-file admin.key --issuer users

The exit code is 1 where there is no record.";

const SET_EXAMPLES: &str = "Examples, with `--url`, `--key-file` and `--issuer` as for `get`:
  postern permissions set 5d0c --company 1111=Manager,Standard --company 2222=Standard …
  postern permissions set 5d0c --company 1111 --company 2222 --role Manager …

What changes is shown. If somebody else changes the record meanwhile nothing is written, and the exit code is 1.";

const REVOKE_EXAMPLES: &str = "Examples, with `--url`, `--key-file` and `--issuer` as for `get`:
  postern permissions revoke 5d0c --company 1111 …
  postern permissions revoke 5d0c …

The record and its history stay. How soon access is gone is each route's `permissions_max_age` to say.";

const IMPORT_EXAMPLES: &str = "Examples, with `--url`, `--key-file` and `--issuer` as for `get`:
  postern permissions import records.jsonl --dry-run …
  postern permissions import records.jsonl …
  postern permissions import records.jsonl --replace …

The whole file is checked before anything is written. A record that is there already, and equal, is skipped: a run that
was interrupted is resumed by running it again. One that is there and differs is told with its line and left as it is,
with exit code 1: somebody may have changed it since. `--replace` writes over it, if nobody is faster. A record's
`version` in the file is not looked at.";

const LIST_EXAMPLES: &str = "Example, with `--url`, `--key-file` and `--issuer` as for `get`:
  postern permissions list … > records.jsonl";

/// Does it.
pub(crate) fn run(args: &PermissionsArgs, format: Format) -> anyhow::Result<Outcome> {
    match &args.command {
        PermissionsCommand::Get { user, history, connection } => {
            edit::get(&Service::new(connection)?, user, *history, format)
        }
        PermissionsCommand::Set { user, companies, role, dry_run, connection } => {
            edit::set(&Service::new(connection)?, user, companies, role.as_deref(), *dry_run, format)
        }
        PermissionsCommand::Revoke { user, companies, dry_run, connection } => {
            edit::revoke(&Service::new(connection)?, user, companies, *dry_run, format)
        }
        PermissionsCommand::Import { file, replace, dry_run, connection } => {
            import::run(&Service::new(connection)?, file, (*replace, *dry_run), format)
        }
        PermissionsCommand::List { connection } => edit::list(&Service::new(connection)?),
    }
}
