//! HTTP to the local stack: loopback, no TLS, every call bounded in time, no redirect followed.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A client whose answers of any status are answers, not errors.
#[derive(Debug)]
pub(crate) struct Client(Agent);

impl Client {
    /// A client with the usual bound on each call.
    pub(crate) fn new() -> Self {
        Self::with_timeout(TIMEOUT)
    }

    /// A client with a bound of its own on each call.
    pub(crate) fn with_timeout(timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self(config.into())
    }

    /// Sends a request and answers the status and the body.
    pub(crate) fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Result<(u16, String)> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // A GET with an empty body would be sent with a length, which some servers refuse.
        let mut response =
            if body.is_empty() { self.0.run(request.body(())?) } else { self.0.run(request.body(body.to_owned())?) }
                .with_context(|| format!("no answer from {url}"))?;
        Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
    }

    /// The status of a plain GET, if anything answers.
    pub(crate) fn status(&self, url: &str) -> Option<u16> {
        self.send("GET", url, &[], "").ok().map(|(status, _)| status)
    }

    /// Posts JSON and answers the JSON of a 200.
    pub(crate) fn post_json(&self, url: &str, body: &Value) -> Result<Value> {
        let (status, text) = self.send("POST", url, &[("content-type", "application/json")], &body.to_string())?;
        if status != 200 {
            bail!("{url} answered {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{url} did not answer JSON"))
    }
}
