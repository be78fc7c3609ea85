//! Where the table is and how long it may take to answer.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client, Config,
    config::{
        BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{self, rustls_provider::CryptoMode},
};

use super::subject::BareSection;
use crate::config::{ConfigError, Environment};

/// Name of the table; [`DEFAULT_TABLE`] when not set.
const TABLE: &str = "POSTERN_PERMISSIONS_TABLE";
/// The issuer section whose records have bare subjects as `id`.
const ISSUER: &str = "POSTERN_PERMISSIONS_ISSUER";
/// Another endpoint than the region's own, by the name all AWS SDKs read.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// How records are read: `consistent` (the default), so that a downgrade is seen by the next read, or `eventual`, at half
/// the price and a moment behind, but for requests that say `Cache-Control: no-cache`.
const READS: &str = "POSTERN_PERMISSIONS_READS";
const DEFAULT_TABLE: &str = "postern-permissions";

/// For one request to the service, all calls and retries together. An edge gives up soon after.
pub(super) const BUDGET: Duration = Duration::from_millis(2_000);
/// For one attempt: p99 of a consistent read is far below, and two fit in the budget; a third where one was refused at once.
const ATTEMPT: Duration = Duration::from_millis(800);
const CONNECT: Duration = Duration::from_millis(500);
const ATTEMPTS: u32 = 3;
/// The SDK would wait up to a second before the second attempt. How long each wait is, it draws.
const BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_millis(250);

/// What the store is made of.
pub(super) struct Settings {
    pub(super) client: Client,
    pub(super) table: String,
    pub(super) bare_section: BareSection,
    pub(super) reads_consistently: bool,
}

impl Settings {
    pub(super) fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let name = environment
            .required(ISSUER, "set it to the policy's issuer section whose subjects are bare `id`s, as `users`")?;
        let bare_section = BareSection::new(&name).ok_or_else(|| ConfigError::Invalid {
            variable: ISSUER.to_owned(),
            problem: "it holds a `#`".to_owned(),
            mend: "set it to the name of an issuer section",
        })?;
        let table = environment.optional(TABLE).unwrap_or_else(|| DEFAULT_TABLE.to_owned());
        let reads_consistently = match environment.optional(READS).as_deref() {
            None | Some("consistent") => true,
            Some("eventual") => false,
            Some(_) => {
                return Err(ConfigError::Invalid {
                    variable: READS.to_owned(),
                    problem: "it is neither".to_owned(),
                    mend: "set it to `consistent` or to `eventual`",
                });
            }
        };
        Ok(Self { client: client(environment)?, table, bare_section, reads_consistently })
    }
}

/// A client from the variables that Lambda sets; no profile, metadata service or single sign-on is asked.
fn client(environment: &Environment) -> Result<Client, ConfigError> {
    const ROLE: &str = "Lambda sets it from the function's role; locally any value will do";
    let region = environment.required("AWS_REGION", "Lambda sets it; locally any value will do")?;
    let credentials = Credentials::new(
        environment.required("AWS_ACCESS_KEY_ID", ROLE)?,
        environment.required("AWS_SECRET_ACCESS_KEY", ROLE)?,
        environment.optional("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(BUDGET)
        .build();
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(credentials)
        .timeout_config(timeouts)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(BACKOFF)
                .with_max_backoff(MAX_BACKOFF),
        )
        // Answers are small and bounded in time as a whole.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let http = match environment.optional(ENDPOINT) {
        Some(endpoint) => {
            let plain = is_plain(&endpoint)?;
            config = config.endpoint_url(endpoint);
            if plain { Builder::new().build_http() } else { https() }
        }
        None => https(),
    };
    Ok(Client::from_conf(config.http_client(http).build()))
}

fn https() -> aws_sdk_dynamodb::config::SharedHttpClient {
    Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc)).build_https()
}

/// Whether an endpoint is plain HTTP, which only loopback may be: permissions and signatures cross it.
fn is_plain(endpoint: &str) -> Result<bool, ConfigError> {
    let invalid = |problem: &str| ConfigError::Invalid {
        variable: ENDPOINT.to_owned(),
        problem: problem.to_owned(),
        mend: "set it to an https URL, or to an http URL on 127.0.0.1, or unset it",
    };
    let uri: http::Uri = endpoint.parse().map_err(|_| invalid("it is no URL"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => Ok(false),
        (Some("http"), Some("127.0.0.1" | "localhost" | "[::1]")) => Ok(true),
        (Some("http"), Some(_)) => Err(invalid("plain http leaves this machine")),
        _ => Err(invalid("it is neither an http nor an https URL")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: (&'static str, &'static str)) -> Result<Settings, ConfigError> {
        Settings::from_environment(&Environment::from_fn(move |name| {
            let value = match name {
                _ if name == change.0 => change.1,
                ISSUER => "users",
                "AWS_REGION" => "eu-west-2",
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "secret-value",
                _ => return None,
            };
            Some(value.to_owned())
        }))
    }

    #[test]
    fn what_lambda_sets_is_enough() {
        assert_eq!(settings(("", "")).map(|settings| settings.table).unwrap(), DEFAULT_TABLE);
        assert_eq!(settings((TABLE, "other")).map(|settings| settings.table).unwrap(), "other");
    }

    #[test]
    fn an_error_names_the_variable_and_not_its_value() {
        for (variable, value) in [
            (ISSUER, ""),
            (ISSUER, "a#secret-value"),
            ("AWS_REGION", ""),
            ("AWS_ACCESS_KEY_ID", ""),
            ("AWS_SECRET_ACCESS_KEY", ""),
            (READS, "secret-value"),
            (ENDPOINT, "secret-value"),
            (ENDPOINT, "http://secret-value.example:8000"),
            (ENDPOINT, "ftp://secret-value.example"),
        ] {
            let error = settings((variable, value)).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(&format!("`{variable}`")), "{error}");
            assert!(!error.contains("secret-value"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for endpoint in ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"] {
            assert_eq!(is_plain(endpoint), Ok(true), "{endpoint}");
        }
        assert_eq!(is_plain("https://dynamodb.eu-west-2.amazonaws.com"), Ok(false));
        for endpoint in ["http://127.0.0.1.example:8000", "http://localhost@evil.example/", "//127.0.0.1"] {
            assert!(is_plain(endpoint).is_err(), "{endpoint}");
        }
    }
}
