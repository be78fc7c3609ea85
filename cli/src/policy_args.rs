//! Which policy a command is about, and how it is read.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use postern::{Policy, policy::PolicyErrors};
use serde_json::Value;

use crate::{check, exit::Outcome, output::Format};

/// A policy named by position.
#[derive(Args)]
pub(crate) struct PolicyArgs {
    /// The policy file.
    #[arg(default_value = "postern.toml")]
    file: PathBuf,
    /// A development overlay, whose URLs replace the policy's.
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,
}

/// A policy named by an option, for commands whose arguments are something else.
#[derive(Args)]
pub(crate) struct PolicyOption {
    /// The policy file.
    #[arg(long, value_name = "FILE", default_value = "postern.toml")]
    policy: PathBuf,
    /// A development overlay, whose URLs replace the policy's.
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,
}

/// The texts that a policy is made of.
pub(crate) struct Sources {
    file: (PathBuf, String),
    overlay: Option<(PathBuf, String)>,
}

impl PolicyArgs {
    /// Reads the files.
    pub(crate) fn read(&self) -> anyhow::Result<Sources> {
        Sources::read(&self.file, self.overlay.as_deref())
    }

    /// Does something with the policy, or says what is wrong with it.
    pub(crate) fn with_policy(
        &self,
        format: Format,
        run: impl FnOnce(Policy) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        self.read()?.with_policy(format, run)
    }
}

impl PolicyOption {
    /// Reads the files.
    pub(crate) fn read(&self) -> anyhow::Result<Sources> {
        Sources::read(&self.policy, self.overlay.as_deref())
    }

    /// Does something with the policy, or says what is wrong with it.
    pub(crate) fn with_policy(
        &self,
        format: Format,
        run: impl FnOnce(Policy) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        self.read()?.with_policy(format, run)
    }
}

impl Sources {
    /// Reads the files.
    pub(crate) fn read(file: &Path, overlay: Option<&Path>) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            Ok::<_, anyhow::Error>((path.to_owned(), text))
        };
        Ok(Self { file: read(file)?, overlay: overlay.map(read).transpose()? })
    }

    /// The checked policy.
    pub(crate) fn policy(&self) -> Result<Policy, PolicyErrors> {
        postern::policy::from_toml(&self.file.1, self.overlay.as_ref().map(|(_, text)| text.as_str()))
    }

    /// Returns the policy file as it is written, without any check; `None` if it is not TOML.
    pub(crate) fn document(&self) -> Option<Value> {
        toml::from_str(&self.file.1).ok()
    }

    fn with_policy(
        &self,
        format: Format,
        run: impl FnOnce(Policy) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        match self.policy() {
            Ok(policy) => run(policy),
            Err(errors) => check::refused(self, &errors, format),
        }
    }

    /// The policy file.
    pub(crate) fn path(&self) -> &Path {
        &self.file.0
    }

    /// The policy file's text.
    pub(crate) fn text(&self) -> &str {
        &self.file.1
    }

    /// The file that a fault stands in, and its text.
    pub(crate) fn holding(&self, in_overlay: bool) -> (&Path, &str) {
        match &self.overlay {
            Some((path, text)) if in_overlay => (path, text),
            _ => (&self.file.0, &self.file.1),
        }
    }
}
