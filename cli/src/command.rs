//! The command line: every command, its arguments and its examples.

use std::ffi::OsString;

use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    assertion_key::AssertionKeyCommand,
    check::CheckArgs,
    decide::DecideArgs,
    diff::DiffArgs,
    exit,
    explain::ExplainArgs,
    inspect::InspectArgs,
    keys::KeysArgs,
    output::Format,
    permissions::PermissionsArgs,
    policy_args::{PolicyArgs, PolicyOption},
    probe::ProbeArgs,
    test::TestArgs,
};

/// Authorisation for company APIs, at the edge and at the origin.
#[derive(Parser)]
#[command(name = "postern", version, after_help = exit::HELP)]
pub(crate) struct Cli {
    /// How to say what was found.
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true, value_name = "text|json")]
    pub(crate) format: Format,
    /// When to use colours; `auto` asks the terminal, `NO_COLOR` and `CLICOLOR_FORCE`.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check a policy: every fault with its line, its column and the way to mend it, and what wants a second look.
    #[command(after_help = "Examples:
  postern check
  postern check staging.toml --deny-warnings
  postern check --since 0.1.0
  postern check --cloudfront distribution.json --cloudfront-policy cache-policy.json
  postern check --format json | jq '.faults[] | \"\\(.line): \\(.message)\"'")]
    Check(CheckArgs),
    /// Show the routes of a policy as a table: method, path, who may.
    #[command(after_help = "Examples:
  postern routes
  postern routes --format json | jq -r '.routes[] | select(.public) | .path'")]
    Routes(PolicyArgs),
    /// Run the policy's own tests, its `[[test]]` tables, and say what they leave untested.
    #[command(after_help = "Examples:
  postern test
  postern test --filter manager
  postern test --require-coverage --format json

Each test shows a token that is really signed, by a key of this run, and takes place at 2027-01-15 08:00:00 UTC.")]
    Test(TestArgs),
    /// Say how a request is decided, and each rule that led to it.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain {
        #[command(flatten)]
        policy: PolicyOption,
        #[command(flatten)]
        with: ExplainArgs,
    },
    /// Decide requests: one JSON object a line on standard input, one decision a line on standard output.
    #[command(after_help = DECIDE_EXAMPLES)]
    Decide {
        #[command(flatten)]
        policy: PolicyOption,
        #[command(flatten)]
        with: DecideArgs,
    },
    /// Compare two policies: what callers gain or lose, each with a request that both decide, and what else differs.
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Show what a JWK set offers and which of its keys would be refused; seal keys into a build.
    #[command(after_help = "Examples:
  postern keys https://auth.example.com/.well-known/jwks.json
  postern keys ./jwks.json
  postern keys seal > key-seeds.json

A file that is named like a subcommand is written with its folder: `postern keys ./seal`.")]
    Keys(KeysArgs),
    /// Show the header and the claims of a token. Nothing is verified, and the token itself is never printed.
    #[command(after_help = "Examples:
  postern inspect < token.jwt
  pbpaste | postern inspect --format json")]
    Inspect(InspectArgs),
    /// Make, rotate and hand over the keys that the edge shares with one origin; they are stored nowhere.
    #[command(subcommand, after_help = KEY_EXAMPLES)]
    AssertionKey(AssertionKeyCommand),
    /// Show and change who belongs to which company, with which roles, at the permissions service.
    #[command(after_help = PERMISSIONS_EXAMPLES)]
    Permissions(PermissionsArgs),
    /// Send an origin disguised requests, and report which it reads as another request than the edge decides on.
    #[command(after_help = PROBE_EXAMPLES)]
    ProbeOrigin {
        #[command(flatten)]
        policy: PolicyOption,
        #[command(flatten)]
        with: ProbeArgs,
    },
    /// Print the JSON Schema of a policy's file, by which editors complete and check it.
    #[command(after_help = "Example:
  postern schema > postern.schema.json

and in the first line of the policy: #:schema ./postern.schema.json")]
    Schema,
    /// Print completions for a shell.
    #[command(after_help = "Examples:
  postern completions bash > ~/.local/share/bash-completion/completions/postern
  postern completions zsh > ~/.zfunc/_postern")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

const EXPLAIN_EXAMPLES: &str = "Examples:
  postern explain /companies/1111/orders --fetch < token.jwt
  postern explain -X POST /companies/1111/orders --keys partners=jwks.json --token-file token.jwt
  postern explain /companies/1111/users/jane/orders --keys jwks.json --permissions records.json < token.jwt

The token is never an argument, which shells and process lists keep, and it is never printed. What no file brings is out
of reach, as it is in production: 503. The exit code is 0 for a permit and 1 for a denial.";

const DECIDE_EXAMPLES: &str = "Example:
  postern decide --keys partners=jwks.json --permissions records.json < requests.jsonl

  in   {\"id\": 7, \"method\": \"GET\", \"target\": \"/health\", \"headers\": [[\"accept\", \"*/*\"]]}
  out  {\"company\":null,\"decision\":\"permit\",\"id\":7,\"reason\":null,\"route\":\"health\",\"status\":200,\"subject\":null}

A line that is no such object is answered with {\"line\", \"error\"}; the run goes on and ends with exit code 2. An
issuer without `--keys` and a service without `--permissions` are out of reach: 503. A CORS preflight, which is
answered and never forwarded, is a `deny` with the reason `preflight`. A request has no body here: where a route binds
one, it is that of no octets. `--format` changes nothing: both ways it is JSON.";

const DIFF_EXAMPLES: &str = "Examples:
  postern diff postern.toml next.toml
  postern diff <(git show main:postern.toml) postern.toml --format json | jq '.access[] | select(.change == \"gained\")'

Nothing is sampled: every class of paths, every method and every rule is asked by itself. Each gain and each loss has a
request and a caller, whose token is really signed by a key of this run, and what both policies decide on it. The exit
code is 0 where nothing differs and 3 where something does.";

const KEY_EXAMPLES: &str = "Example, for one origin:
  postern assertion-key new --kid 2026-11 --out vouchers.key
  npx wrangler secret put POSTERN_KEY_VOUCHERS < vouchers.key
  postern assertion-key trust edge < vouchers.key     # the origin's POSTERN_TRUSTED_KEYS";

const PERMISSIONS_EXAMPLES: &str = "Examples, with `--url`, `--key-file` and `--issuer`, which every subcommand takes:
  postern permissions get 5d0c …
  postern permissions set 5d0c --company 1111=Manager …
  postern permissions revoke 5d0c --company 1111 …
  postern permissions import records.jsonl --dry-run …
  postern permissions list … > records.jsonl";

const PROBE_EXAMPLES: &str = "Examples:
  postern probe-origin --url https://orders.internal.example --origin orders --key-file orders.key
  postern probe-origin --url http://127.0.0.1:3000 --key-file orders.key --insecure-loopback --path /orders
  postern probe-origin … --format json | jq -r '.results[] | select(.outcome == \"changed\") | .disguise'

Each request carries a valid credential of the edge, in a disguise that the edge refuses or removes. So this shows what the
origin would do without the edge's rules. Mount one of the echo handlers of docs/probe.md for exact answers. Without one,
each answer is compared with those to a known and to an unknown path. Only GET and OPTIONS are sent, unless
`--unsafe-methods` is given. The exit code is 0 if no disguise works, 1 if one does, and 2 if nothing can be told.";

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// In the words of what writes.
    pub(crate) const fn choice(self) -> anstream::ColorChoice {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
    }
}

/// What `--color` says, for messages about arguments that do not parse.
pub(crate) fn color_before_parsing(arguments: &[OsString]) -> clap::ColorChoice {
    let mut said = None;
    for (index, argument) in arguments.iter().enumerate() {
        let next = arguments.get(index.saturating_add(1));
        said = match argument.to_str() {
            Some("--color") => next.and_then(|next| next.to_str()).or(said),
            Some(text) => text.strip_prefix("--color=").or(said),
            None => said,
        };
    }
    match said {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}
