//! Structured logs on standard output, one JSON object a line, as CloudWatch Logs reads them.
//!
//! Nothing of a caller's is logged: no token, no assertion, no subject, no permissions record and no
//! path, which holds the subject. Other crates are held to warnings whatever is asked for, because the
//! SDK and the Lambda runtime write whole requests at their `debug` and `trace` levels.

use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::Environment;

/// How much this crate logs: `error`, `warn`, `info` (the default) or `debug`. Lambda sets it itself
/// from the function's logging configuration.
pub const LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";

/// Begins logging for the whole process; a second call does nothing.
pub fn start(environment: &Environment) {
    let subscriber = tracing_subscriber::registry()
        .with(filter(environment))
        .with(tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false));
    // An error means that a subscriber is already there, which is then the one to keep.
    let _ = subscriber.try_init();
}

fn filter(environment: &Environment) -> Targets {
    let level = environment.optional(LOG_LEVEL).and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
    Targets::new().with_default(Level::WARN.min(level)).with_target("postern_origin", level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(level: &'static str) -> Targets {
        filter(&Environment::from_fn(move |name| (name == LOG_LEVEL).then(|| level.to_owned())))
    }

    #[test]
    fn other_crates_never_log_requests() {
        for level in ["", "TRACE", "debug", "INFO", "nonsense"] {
            let filter = at(level);
            for crate_name in ["aws_smithy_runtime::client", "lambda_runtime", "hyper_util::client"] {
                assert!(!filter.would_enable(crate_name, &Level::INFO), "{level} {crate_name}");
                assert!(filter.would_enable(crate_name, &Level::WARN), "{level} {crate_name}");
            }
        }
    }

    #[test]
    fn this_crate_logs_at_info_unless_told_otherwise() {
        assert!(at("").would_enable("postern_origin::services", &Level::INFO));
        assert!(!at("WARN").would_enable("postern_origin::services", &Level::INFO));
        assert!(at("DEBUG").would_enable("postern_origin::services", &Level::DEBUG));
        assert!(!at("ERROR").would_enable("lambda_runtime", &Level::WARN));
    }
}
