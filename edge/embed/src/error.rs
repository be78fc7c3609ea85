//! Why an edge cannot carry what it was given, as compilers write it, so that editors find the place.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

use postern::policy::{LineColumn, PolicyError, PolicyErrors};

/// How seeds are mended.
const SEAL: &str = "write it anew with `postern keys seal`";

/// Why an edge cannot carry what it was given. `Display` has a line for each fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum EmbedError {
    /// A file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A policy does not hold, or needs what the host lacks: `file:line:column: fault`, one a line.
    Policy(String),
    /// The policy that is only tried asks another permissions service.
    OtherPermissions {
        /// The policy that is only tried.
        path: PathBuf,
        /// What it calls the service.
        service: String,
    },
    /// The seeds cannot be read.
    Seeds {
        /// The file.
        path: PathBuf,
        /// The issuer section that is wrong; empty when it is the whole.
        section: String,
        /// Why.
        error: String,
    },
    /// A seed is about an issuer that the policy does not have.
    Stranger {
        /// The file.
        path: PathBuf,
        /// The issuer section.
        section: String,
    },
}

impl EmbedError {
    /// Faults of a policy, each with its place in the file that it is in.
    pub(crate) fn policy(errors: &PolicyErrors, policy: (&Path, &str), overlay: Option<(&Path, &str)>) -> Self {
        let line = |error: &PolicyError| {
            let (path, text) = overlay.filter(|_| error.is_in_overlay()).unwrap_or(policy);
            show(path, text, error)
        };
        Self::Policy(errors.0.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

fn show(path: &Path, text: &str, error: &PolicyError) -> String {
    match &error.span {
        Some(span) => {
            let place = LineColumn::of(text, span.start);
            format!("{}:{}:{}: {error}", path.display(), place.line, place.column)
        }
        None => format!("{}: {error}", path.display()),
    }
}

impl fmt::Display for EmbedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => write!(formatter, "cannot read `{}`: {error}", path.display()),
            Self::Policy(lines) => formatter.write_str(lines),
            Self::OtherPermissions { path, service } => write!(
                formatter,
                "{}: the permissions origin `{service}` is not that of the policy that decides: give both the same \
                 name, URL and key",
                path.display()
            ),
            Self::Seeds { path, section, error } if section.is_empty() => {
                write!(formatter, "{}: {error}: {SEAL}", path.display())
            }
            Self::Seeds { path, section, error } => {
                write!(formatter, "{}: `{section}`: {error}: {SEAL}", path.display())
            }
            Self::Stranger { path, section } => {
                write!(formatter, "{}: the policy has no issuer `{section}`: {SEAL}", path.display())
            }
        }
    }
}

impl Error for EmbedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            Self::Policy(_) | Self::OtherPermissions { .. } | Self::Seeds { .. } | Self::Stranger { .. } => None,
        }
    }
}
