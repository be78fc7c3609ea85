//! Sends requests exactly as they are written, each with a credential of its own.
//!
//! Not by `reqwest`, which the rest of the command uses: it parses URLs as browsers do, and `/a/%2e%2e/b` would be sent
//! as `/b`. hyper, which is inside it, sends a target as it is.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Empty};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use postern::assertion::{ASSERTION_LIFETIME, Assertion, AssertionKeys, HEADER};
use postern_probe::{Answer, Origin, Plain, Request};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::runtime::Runtime;

use super::samples::Samples;
use crate::now;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longer than the step of a clock that counts seconds.
const PAUSE: Duration = Duration::from_millis(1100);
/// Most octets of a body that are compared: more than a page of an API has.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// What a request proves itself with.
pub(super) enum Credential {
    /// An assertion, signed with these keys.
    Assertion(AssertionKeys),
    /// This token.
    Token(String),
}

/// The client.
pub(super) struct Sender {
    runtime: Runtime,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    /// Where the origin is.
    base: Uri,
    /// The path of the base, which every target follows.
    prefix: String,
    credential: Credential,
    /// What is said of the caller, by the path that is asked for.
    assertions: BTreeMap<String, Assertion>,
    /// What is said where no test says more.
    other: Assertion,
}

impl Sender {
    pub(super) fn new(
        url: &str,
        is_http: bool,
        credential: Credential,
        (edge, origin, policy): (&str, &str, &str),
    ) -> anyhow::Result<Self> {
        let base: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        let tls = ClientConfig::with_platform_verifier().context("the system's certificates cannot be read")?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = if is_http { connector.https_or_http() } else { connector.https_only() };
        let client = Client::builder(TokioExecutor::new())
            // An answer must not depend on the request before it on the same connection.
            .pool_max_idle_per_host(0)
            .build(connector.enable_http1().build());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let other = Assertion {
            issuer: edge.to_owned(),
            audience: origin.to_owned(),
            subject: None,
            subject_issuer: None,
            company: None,
            roles: Vec::new(),
            scopes: Vec::new(),
            route: None,
            policy: Some(policy.to_owned()),
            capability: None,
            handed_on: Vec::new(),
            content_sha256: None,
            method: String::new(),
            target: String::new(),
            issued_at: now(),
            expires_at: now(),
            id: [0; 16],
        };
        Ok(Self {
            runtime: runtime.context("no runtime for network requests can be started")?,
            client,
            prefix: base.path().trim_end_matches('/').to_owned(),
            base,
            credential,
            assertions: BTreeMap::new(),
            other,
        })
    }

    /// From now on requests for disguises of these paths are made by callers who may use the paths.
    pub(super) fn say(&mut self, samples: &Samples) {
        self.assertions = samples.assertions().map(|(path, said)| (path.to_owned(), said.clone())).collect();
    }

    /// The field that proves the request, as the edge would sign exactly this one.
    fn proof(&self, plain: &Plain, request: &Request) -> anyhow::Result<(HeaderName, HeaderValue)> {
        let (name, value) = match &self.credential {
            Credential::Token(token) => (header::AUTHORIZATION, format!("Bearer {token}")),
            Credential::Assertion(keys) => {
                let mut id = [0; 16];
                getrandom::fill(&mut id).context("the operating system gave no random numbers")?;
                // The caller is one who may use the path that is disguised.
                let mut assertion = self.assertions.get(&plain.path).unwrap_or(&self.other).clone();
                request.method.clone_into(&mut assertion.method);
                request.target.clone_into(&mut assertion.target);
                assertion.issued_at = now();
                assertion.expires_at = now().saturating_add(ASSERTION_LIFETIME);
                assertion.id = id;
                (HeaderName::from_static(HEADER), assertion.sign(keys))
            }
        };
        let mut value = HeaderValue::from_str(&value).context("the credential does not fit into a field")?;
        value.set_sensitive(true);
        Ok((name, value))
    }

    fn written(&self, plain: &Plain, request: &Request) -> anyhow::Result<http::Request<Empty<Bytes>>> {
        let target = format!("{}{}", self.prefix, request.target);
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(target)?);
        let mut built = http::Request::builder().method(request.method).uri(Uri::from_parts(parts)?);
        for (name, value) in &request.fields {
            built = built.header(name, value);
        }
        let (name, value) = self.proof(plain, request)?;
        Ok(built.header(name, value).body(Empty::new())?)
    }
}

impl Origin for Sender {
    type Error = anyhow::Error;

    fn ask(&mut self, plain: &Plain, request: &Request) -> anyhow::Result<Option<Answer>> {
        let written = self.written(plain, request).with_context(|| format!("`{}` cannot be sent", request.target))?;
        let client = &self.client;
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(TIMEOUT, async {
                let (head, mut body) = client.request(written).await?.into_parts();
                let mut octets = Vec::new();
                while octets.len() < MAX_BODY_BYTES {
                    // A body that breaks off is compared as far as it came.
                    let Some(Ok(frame)) = body.frame().await else { break };
                    octets.extend(frame.into_data().unwrap_or_default());
                }
                Ok((head, octets))
            })
            .await
        });
        match answer {
            Ok(Ok((head, body))) => {
                let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                let fields = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
                Ok(Some(Answer { status: head.status.as_u16(), fields: fields.collect(), body }))
            }
            Ok(Err(error)) => {
                let error: hyper_util::client::legacy::Error = error;
                if error.is_connect() {
                    return Err(anyhow!("`{}` cannot be reached: {}", self.base, causes(&error)));
                }
                Ok(None)
            }
            Err(_late) => Err(anyhow!("`{}` did not answer within {} s", self.base, TIMEOUT.as_secs())),
        }
    }

    fn pause(&mut self) {
        std::thread::sleep(PAUSE);
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use postern_probe::disguises;

    use super::*;

    #[test]
    fn every_disguise_can_be_sent_as_it_is_written() {
        let plain = Plain::echo("mark");
        for attempt in disguises().flat_map(|disguise| disguise.attempts(&plain, true)) {
            let target = &attempt.request.target;
            let parsed = PathAndQuery::try_from(target.as_str()).unwrap_or_else(|error| panic!("{target}: {error}"));
            assert_eq!(parsed.as_str(), target);
            for (name, value) in &attempt.request.fields {
                assert!(name.parse::<HeaderName>().is_ok() && value.parse::<HeaderValue>().is_ok(), "{name}: {value}");
            }
        }
    }
}
