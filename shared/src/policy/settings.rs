//! `[limits]` and `[log]`: how large what callers send may be, and which decisions are written down.

use alloc::string::{String, ToString};

use super::{
    PolicyFault,
    compile::{Faults, is_secret_name},
    file::{LimitsFile, LogFile},
};
use crate::{bearer::MAX_TOKEN_BYTES, target::MAX_TARGET_BYTES};

/// Longest body that is read whole, unless the policy says otherwise.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1024 * 1024;
/// Longest that a policy may ask for: what a Lambda function takes in one request, so that no origin could take more.
pub const MAX_BODY_BYTES: usize = 6 * 1024 * 1024;

/// Default for `unidentified_denials_per_second`. Ten lines a second are enough to debug a client, and a flood of requests
/// without a token then costs each instance at most about 2 KB of log a second.
const DEFAULT_UNIDENTIFIED_DENIALS_PER_SECOND: u32 = 10;

/// How large what callers send may be, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest access token.
    pub token: usize,
    /// Longest request target.
    pub target: usize,
    /// Longest body that is read whole.
    pub body: usize,
}

/// Which decisions are written down; shares from 0 for none to 1 for all.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRule {
    /// Share of permits.
    pub permits: f64,
    /// Share of denials.
    pub denials: f64,
    /// Maximum number of logged denials of callers without a verified token, per second and instance.
    pub unidentified_denials_per_second: u32,
    /// Share of requests on which shadow rules are tried.
    pub shadow: f64,
    /// Name of the secret with which subjects are hashed; without it they are left out.
    pub subject_key: Option<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { token: MAX_TOKEN_BYTES, target: MAX_TARGET_BYTES, body: DEFAULT_MAX_BODY_BYTES }
    }
}

impl Default for LogRule {
    /// Every denial, within bounds, and no permit: what an operator looks for, at no cost to what goes well.
    fn default() -> Self {
        Self {
            permits: 0.0,
            denials: 1.0,
            unidentified_denials_per_second: DEFAULT_UNIDENTIFIED_DENIALS_PER_SECOND,
            shadow: 1.0,
            subject_key: None,
        }
    }
}

pub(super) fn limits(file: Option<&LimitsFile>, faults: &mut Faults) -> Limits {
    let default = Limits::default();
    let Some(file) = file else { return default };
    let mut limit = |member: &str, value: Option<u64>, max: usize, default: usize| {
        let Some(value) = value else { return default };
        match usize::try_from(value) {
            Ok(value) if value > 0 && value <= max => value,
            _ => {
                faults.add(alloc::format!("limits.{member}"), PolicyFault::Limit(value, max));
                default
            }
        }
    };
    Limits {
        token: limit("max_token_bytes", file.max_token_bytes, MAX_TOKEN_BYTES, default.token),
        target: limit("max_target_bytes", file.max_target_bytes, MAX_TARGET_BYTES, default.target),
        body: limit("max_body_bytes", file.max_body_bytes, MAX_BODY_BYTES, default.body),
    }
}

pub(super) fn log(file: Option<&LogFile>, faults: &mut Faults) -> LogRule {
    let default = LogRule::default();
    let Some(file) = file else { return default };
    let mut share = |member: &str, value: Option<f64>, default: f64| match value {
        None => default,
        Some(value) if (0.0..=1.0).contains(&value) => value,
        Some(value) => {
            faults.add(alloc::format!("log.{member}"), PolicyFault::Share(serde_json::Value::from(value).to_string()));
            default
        }
    };
    let (permits, denials, shadow) = (
        share("permits", file.permits, default.permits),
        share("denials", file.denials, default.denials),
        share("shadow", file.shadow, default.shadow),
    );
    if file.subject_key.as_ref().is_some_and(|name| !is_secret_name(name)) {
        faults.add("log.subject_key", PolicyFault::KeyName);
    }
    LogRule {
        permits,
        denials,
        unidentified_denials_per_second: file
            .unidentified_denials_per_second
            .unwrap_or(default.unidentified_denials_per_second),
        shadow,
        subject_key: file.subject_key.clone(),
    }
}
