//! What an edge carries beside its code: the policy, one that is only tried, and keys that were sealed.
//!
//! ```text
//!  postern.toml (+ overlay) ─┐                             ┌─▶ cargo xtask build worker: into the module's memory
//!  shadow policy ────────────┼─▶ embed(inputs).to_config() ┤
//!  key seeds ────────────────┘                             └─▶ cargo xtask package cloudfront: into the zip
//! ```
//! All of it is checked here: a policy that does not hold, or that the host cannot enforce, is an error as compilers
//! write it. This crate knows files and no edge; what a build does with the texts is the build's.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod error;

use std::{
    fs,
    path::{Path, PathBuf},
};

use postern::{
    Algorithm, Policy,
    cache::KeySeeds,
    policy::{PolicyErrors, from_toml},
};

pub use error::EmbedError;

/// The runtimes that edges run in, by the signatures that their cryptography can check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Host {
    /// Web Cryptography as Cloudflare's runtime has it.
    Workers,
    /// `node:crypto`.
    Node,
}

impl Host {
    /// What messages call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workers => "the Workers runtime",
            Self::Node => "Node.js",
        }
    }

    /// What it can check.
    #[must_use]
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Workers | Self::Node => &Algorithm::ALL,
        }
    }
}

/// The files that an edge is built from.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The policy that decides.
    pub policy: PathBuf,
    /// A development overlay, for both policies. What it touches is stamped.
    pub overlay: Option<PathBuf>,
    /// A policy that is only tried beside the one that decides.
    pub shadow: Option<PathBuf>,
    /// What `postern keys seal` wrote.
    pub seeds: Option<PathBuf>,
}

impl Inputs {
    /// All that [`embed`] reads: what a build has to watch.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.policy), self.overlay.as_ref(), self.shadow.as_ref(), self.seeds.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }
}

/// Checked policies and seeds.
#[derive(Debug)]
pub struct Embedded {
    policy: Policy,
    shadow: Option<Policy>,
    seeds: String,
}

impl Embedded {
    /// The policy that decides.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its text, of which its version is the hash.
    #[must_use]
    pub fn policy_json(&self) -> &str {
        self.policy.to_json()
    }

    /// The policy that is only tried.
    #[must_use]
    pub const fn shadow(&self) -> Option<&Policy> {
        self.shadow.as_ref()
    }

    /// The text of the policy that is only tried; empty where there is none.
    #[must_use]
    pub fn shadow_json(&self) -> &str {
        self.shadow.as_ref().map_or("", Policy::to_json)
    }

    /// The seeds' text; an empty object where there are none.
    #[must_use]
    pub fn seeds_json(&self) -> &str {
        &self.seeds
    }

    /// All of it as one text, which every edge reads: `{"policy": …, "shadow": …, "seeds": …}`, each a text of JSON.
    ///
    /// The members are texts and in this order, because a policy's version is the hash of its octets.
    #[must_use]
    pub fn to_config(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let (policy, shadow) = (text(self.policy_json()), text(self.shadow_json()));
        format!("{{\"policy\":{policy},\"shadow\":{shadow},\"seeds\":{}}}\n", text(self.seeds_json()))
    }
}

/// Reads and checks what an edge carries.
///
/// # Errors
/// When a file cannot be read, a policy does not hold or needs what the host lacks, the two policies do not go together,
/// or seeds are about no issuer of the policy.
pub fn embed(inputs: &Inputs, host: Host) -> Result<Embedded, EmbedError> {
    let overlay = inputs.overlay.as_deref();
    let policy = checked(&inputs.policy, overlay, host)?;
    let shadow = inputs.shadow.as_deref().map(|path| tried(path, overlay, host, &policy)).transpose()?;
    let seeds = inputs.seeds.as_deref().map_or_else(|| Ok("{}".to_owned()), |path| seeds(path, &policy))?;
    Ok(Embedded { policy, shadow, seeds })
}

/// The policy in that file, when it holds and this host can enforce it.
fn checked(policy: &Path, overlay: Option<&Path>, host: Host) -> Result<Policy, EmbedError> {
    let policy_text = read(policy)?;
    let overlay_text = overlay.map(read).transpose()?;
    let located = |errors: PolicyErrors| {
        let overlaid = overlay.zip(overlay_text.as_deref());
        EmbedError::policy(&errors, (policy, &policy_text), overlaid)
    };
    let checked = from_toml(&policy_text, overlay_text.as_deref()).map_err(&located)?;
    checked
        .check_algorithms(host.name(), host.algorithms())
        .map_err(|errors| located(errors.located_in(&policy_text)))?;
    // At CloudFront, origin access control signs, and the function's role for what it asks itself.
    if host == Host::Workers {
        checked.check_credentials().map_err(|errors| located(errors.located_in(&policy_text)))?;
    }
    Ok(checked)
}

/// Both policies share the keys of origins: with a service of its own, the one that is only tried would send assertions
/// that the other's key signs elsewhere.
fn tried(path: &Path, overlay: Option<&Path>, host: Host, decides: &Policy) -> Result<Policy, EmbedError> {
    let tried = checked(path, overlay, host)?;
    match tried.permissions() {
        Some(service) if decides.permissions() != Some(service) => {
            Err(EmbedError::OtherPermissions { path: path.to_owned(), service: service.name().to_owned() })
        }
        _ => Ok(tried),
    }
}

/// The seeds, when every one of them is about an issuer of the policy.
fn seeds(path: &Path, policy: &Policy) -> Result<String, EmbedError> {
    let seeds = KeySeeds::parse(read(path)?.as_bytes()).map_err(|(section, error)| EmbedError::Seeds {
        path: path.to_owned(),
        section,
        error: error.to_string(),
    })?;
    match seeds.stranger_to(policy) {
        Some(section) => Err(EmbedError::Stranger { path: path.to_owned(), section: section.to_owned() }),
        None => Ok(seeds.to_json().to_string()),
    }
}

fn read(path: &Path) -> Result<String, EmbedError> {
    fs::read_to_string(path).map_err(|error| EmbedError::Unreadable { path: path.to_owned(), error })
}
