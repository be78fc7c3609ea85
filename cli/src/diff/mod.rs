//! `postern diff`: what callers gain or lose between two policies, and what else differs.
//!
//! Exact, not sampled: both policies are taken apart into cells ([`access`]) of which each is asked by itself whether
//! some caller is decided differently there, and each difference is replayed with a real token. Sections of issuers that
//! are not the same ([`sections`]), parameters that become unbound ([`freed`]) and settings that are not about who may
//! ([`settings`]) are listed.
//!
//! Not compared: answers to preflights (they follow `[cors]`, which is), and decisions while something is out of reach
//! (they follow the ages that are listed).

mod access;
mod clauses;
mod freed;
mod paths;
mod replay;
mod report;
mod sections;
mod settings;
mod solve;
mod spellings;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;
use postern::Policy;

use crate::{
    check,
    exit::Outcome,
    output::{self, Format},
    policy_args::Sources,
};

/// Which policies are compared.
#[derive(Args)]
pub(crate) struct DiffArgs {
    /// The policy as it was.
    old: PathBuf,
    /// The policy as it is to be.
    new: PathBuf,
}

/// All that differs between two policies.
struct Differences {
    access: Vec<access::Difference>,
    sections: Vec<sections::SectionChange>,
    freed: Vec<freed::Freed>,
    settings: Vec<settings::Setting>,
}

impl Differences {
    fn between(policies: [&Policy; 2]) -> anyhow::Result<Self> {
        Ok(Self {
            access: access::differences(policies)?,
            sections: sections::changes(policies),
            freed: freed::changes(policies),
            settings: settings::changes(policies),
        })
    }

    /// Whether callers gain or lose, or tokens are believed otherwise.
    fn concern_callers(&self) -> bool {
        !self.access.is_empty() || !self.sections.is_empty()
    }

    fn are_none(&self) -> bool {
        self.access.is_empty() && self.sections.is_empty() && self.freed.is_empty() && self.settings.is_empty()
    }
}

/// Compares them.
pub(crate) fn run(args: &DiffArgs, format: Format) -> anyhow::Result<Outcome> {
    let mut policies = Vec::new();
    for path in [&args.old, &args.new] {
        let sources = Sources::read(path, None)?;
        match sources.policy() {
            Ok(policy) => policies.push(policy),
            Err(errors) => return check::refused(&sources, &errors, format),
        }
    }
    let [old, new] = policies.as_slice() else { unreachable!("two were read") };
    let differences = Differences::between([old, new])?;
    match format {
        Format::Json => output::print_json(&report::to_json(args, [old, new], &differences))?,
        Format::Text => output::print(&report::to_text(args, &differences))?,
    }
    Ok(if differences.are_none() { Outcome::Done } else { Outcome::Different })
}
