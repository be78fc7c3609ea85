//! The permissions service as an administrator asks it: one credential for each request, bound to it and gone after a
//! minute.

use std::{thread, time::Duration};

use anyhow::{Context as _, anyhow, bail, ensure};
use postern::{
    PermissionsRecord,
    assertion::{Assertion, AssertionKeys, Capability, HEADER},
    target::{CanonicalTarget, encode_segment},
};
use reqwest::{
    Method,
    blocking::{Client, Response},
    header,
};
use serde_json::{Value, json};

use super::{Connection, records::are_equal};
use crate::{keys, now, secret_file};

/// Largest answer that is read, in octets: a page of a hundred records of the size that the service takes.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Most tries of a request that the service cannot answer now.
const MAX_TRIES: u32 = 4;
/// Longest that the service may have a person wait between two of them.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The service.
pub(super) struct Service {
    client: Client,
    url: String,
    keys: AssertionKeys,
    name: String,
    audience: String,
    section: String,
}

/// A record as it was read.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// As the service sent it.
    pub(super) json: Value,
    pub(super) record: PermissionsRecord,
    tag: String,
}

/// What became of a write.
#[derive(Debug)]
pub(super) enum Written {
    /// The record as it is now.
    Record(Value),
    /// Somebody else has changed it since it was read; nothing was written.
    Overtaken,
    /// The service did not say at first, and then the record was as neither of us left it: whether this was written before
    /// somebody else's change cannot be told.
    Unclear,
    /// The service does not take it; why.
    Refused(String),
}

struct Answer {
    status: u16,
    tag: Option<String>,
    body: Vec<u8>,
    /// It was asked more than once: what it said it could not do, it may have done.
    is_repeated: bool,
}

/// Why a command ends without a record to show.
pub(super) struct Unwritten {
    /// Whether the record was changed; `None` where that cannot be told.
    pub(super) changed: Option<bool>,
    pub(super) why: String,
}

impl Service {
    pub(super) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let url = connection.url.trim_end_matches('/').to_owned();
        let is_http = keys::checked_scheme(&url, connection.insecure_loopback, "the permissions service is asked")?;
        let file = connection.key_file.display();
        let text = secret_file::read(&connection.key_file)?;
        let keys = AssertionKeys::from_json(&text)
            .map_err(|error| anyhow!("`{file}`: {error}; make one with `postern assertion-key new`"))?;
        Ok(Self {
            client: keys::client(is_http)?,
            url,
            keys,
            name: connection.name.clone(),
            audience: connection.audience.clone(),
            section: connection.issuer.clone(),
        })
    }

    /// The record of `user`, if there is one.
    pub(super) fn get(&self, user: &str) -> anyhow::Result<Option<Stored>> {
        let answer = self.ask(Capability::Read, Method::GET, &target(user, "")?, None, None)?;
        match answer.status {
            200 => {
                let record =
                    PermissionsRecord::parse(&answer.body).context("the service answers with what is no record")?;
                let tag = answer.tag.context("the service answers without an `ETag`, and nothing could be written")?;
                Ok(Some(Stored { json: serde_json::from_slice(&answer.body)?, record, tag }))
            }
            404 => Ok(None),
            _ => Err(refusal(&answer)),
        }
    }

    /// The last changes, newest first; `None` where there is no record.
    pub(super) fn history(&self, user: &str) -> anyhow::Result<Option<Value>> {
        let answer = self.ask(Capability::Write, Method::GET, &target(user, "/history")?, None, None)?;
        match answer.status {
            200 => Ok(Some(serde_json::from_slice(&answer.body).context("the service answers with no history")?)),
            404 => Ok(None),
            _ => Err(refusal(&answer)),
        }
    }

    /// One page of the list.
    pub(super) fn page(&self, cursor: Option<&str>) -> anyhow::Result<Value> {
        let target = cursor.map_or_else(|| "/users".to_owned(), |cursor| format!("/users?cursor={cursor}"));
        ensure!(CanonicalTarget::parse(&target).is_ok(), "the service ends a page with what is no cursor");
        let answer = self.ask(Capability::Write, Method::GET, &target, None, None)?;
        ensure!(answer.status == 200, refusal(&answer));
        serde_json::from_slice(&answer.body).context("the service answers with no list")
    }

    /// Writes the record of `user`, if it still is as it was read; a new one, if there still is none.
    pub(super) fn put(&self, user: &str, record: &Value, read: Option<&Stored>) -> anyhow::Result<Written> {
        let answer = self.ask(Capability::Write, Method::PUT, &target(user, "")?, Some(record), Some(read))?;
        self.written(user, record, &answer)
    }

    /// Takes everything away from `user`, if the record still is as it was read.
    pub(super) fn delete(&self, user: &str, read: &Stored) -> anyhow::Result<Written> {
        let answer = self.ask(Capability::Write, Method::DELETE, &target(user, "")?, None, Some(Some(read)))?;
        self.written(user, &json!({"id": user, "companies": []}), &answer)
    }

    /// What an answer says of the write that was to make the record `wanted`.
    fn written(&self, user: &str, wanted: &Value, answer: &Answer) -> anyhow::Result<Written> {
        match answer.status {
            200 | 201 => {
                Ok(Written::Record(serde_json::from_slice(&answer.body).context("the service's answer is no record")?))
            }
            // A write that was made and answered with 503 finds its own change when it is repeated.
            409 | 412 if answer.is_repeated => Ok(match self.get(user)? {
                Some(stored) if are_equal(&stored.json, wanted) => Written::Record(stored.json),
                _ => Written::Unclear,
            }),
            409 | 412 => Ok(Written::Overtaken),
            400 | 413 => Ok(Written::Refused(refusal(answer).to_string())),
            _ => Err(refusal(answer)),
        }
    }

    /// Asks until the service answers, or has said too often that it cannot now. Writes are conditional, so one that was
    /// made and whose answer was lost is not made twice.
    fn ask(
        &self,
        capability: Capability,
        method: Method,
        target: &str,
        body: Option<&Value>,
        state: Option<Option<&Stored>>,
    ) -> anyhow::Result<Answer> {
        let mut tries = 1;
        loop {
            let response = self.send(capability, &method, target, body, state)?;
            if response.status().as_u16() != 503 || tries >= MAX_TRIES {
                let status = response.status().as_u16();
                let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
                let body = keys::body(response, MAX_ANSWER_BYTES)?;
                ensure!(body.len() <= MAX_ANSWER_BYTES, "the service's answer is larger than the cap");
                return Ok(Answer { status, tag, body, is_repeated: tries > 1 });
            }
            let wait = response.headers().get(header::RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
            thread::sleep(Duration::from_secs(wait.unwrap_or(1)).min(MAX_WAIT));
            tries += 1;
        }
    }

    fn send(
        &self,
        capability: Capability,
        method: &Method,
        target: &str,
        body: Option<&Value>,
        state: Option<Option<&Stored>>,
    ) -> anyhow::Result<Response> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).context("the operating system gave no random numbers")?;
        let (name, audience) = (&self.name, &self.audience);
        let about = (method.as_str(), target);
        let assertion = Assertion::for_permissions(name, audience, &self.section, capability, about, now(), id);
        let mut request = self.client.request(method.clone(), format!("{}{target}", self.url));
        request = request.header(HEADER, assertion.sign(&self.keys)).header(header::ACCEPT, "application/json");
        // What is about to be changed is looked at as it is now.
        request = request.header(header::CACHE_CONTROL, "no-cache");
        request = match state {
            Some(Some(read)) => request.header(header::IF_MATCH, &read.tag),
            Some(None) => request.header(header::IF_NONE_MATCH, "*"),
            None => request,
        };
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        request.send().map_err(|error| anyhow!("`{}`: {}", self.url, keys::causes(&error, "cannot be reached")))
    }
}

fn target(user: &str, rest: &str) -> anyhow::Result<String> {
    let target = format!("/users/{}{rest}", encode_segment(user));
    let is_one = CanonicalTarget::parse(&target).is_ok();
    ensure!(
        is_one && !user.is_empty(),
        "no path holds this user: a subject has none of `/ ? # %` and no control characters"
    );
    Ok(target)
}

/// What the service says against it, in its own words where it has any.
fn refusal(answer: &Answer) -> anyhow::Error {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let detail = body["detail"].as_str().map(|detail| format!(": {}", crate::output::shown(detail)));
    let mend = match answer.status {
        401 => "; does it trust this key, under the name that `--as` says, and for the audience of `--audience`?",
        403 => "; the key must be trusted with the capabilities `read` and `write`",
        _ => "",
    };
    anyhow!("the permissions service answers {}{}{mend}", answer.status, detail.unwrap_or_default())
}

impl Written {
    /// The record, or why the command ends here.
    pub(super) fn record(self, user: &str) -> anyhow::Result<Result<Value, Unwritten>> {
        let user = crate::output::shown(user);
        match self {
            Self::Record(record) => Ok(Ok(record)),
            Self::Overtaken => Ok(Err(Unwritten {
                changed: Some(false),
                why: format!(
                    "somebody else has changed the record of `{user}` since it was read, and nothing was written; look \
                     at it with `postern permissions get`, and run this again if it is still wanted"
                ),
            })),
            Self::Unclear => Ok(Err(Unwritten {
                changed: None,
                why: format!(
                    "the service did not answer at first, and then the record of `{user}` was another: whether this \
                     change was made before somebody else's cannot be told; look at it with `postern permissions get \
                     --history`, and run this again if it is still wanted"
                ),
            })),
            Self::Refused(why) => bail!(why),
        }
    }
}
