//! The secrets that requests are vouched for with, from AWS Secrets Manager: one secret, a JSON object with a member for
//! each name that the policy says. They stand neither in the repository nor in what is packed.
//!
//! Fetched once for a container, with the function's own role, and looked at again every few minutes, so that keys are
//! rotated without a deployment: an origin trusts the new key before this secret has it, and the old one until no
//! container can have it any more. What a container has it goes on with while Secrets Manager cannot be reached: an
//! origin that has dropped a key refuses what was signed with it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use postern::{UnixTime, digest::sha256, policy::CloudFront};
use serde_json::{Value, json};

use super::{
    container::{Container, credentials},
    invocation::Invocation,
};
use crate::{
    log, payload,
    secrets::Secrets,
    sigv4::{self, Scope, Unsigned},
    web::{
        Unfit,
        outgoing::{self, Question},
        runtime,
    },
};

/// Age from which the next event has secrets asked for again, after it was answered with these.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);
/// Time for one question; with what keys and permissions may take it must fit into an event's.
const FETCH_TIMEOUT: Duration = Duration::from_millis(1500);
/// Age past which secrets are asked for before they are used, and not after: a container may have been frozen for hours,
/// and its origins have dropped the key meanwhile. `docs/cloudfront.md` tells operators to wait this long between giving an
/// edge the new key and taking the old one from its origin. Where they cannot be had, what is held is used all the same.
const MAX_UNSEEN_AGE: Duration = Duration::from_secs(10 * 60);
/// Time after a failure in which nobody asks again, in a container that has none.
const COOLDOWN: Duration = Duration::from_secs(1);
/// The same where there are some: each try may delay an answer.
const COOLDOWN_HELD: Duration = Duration::from_secs(30);
/// Most octets of an answer: a secret has 64 KiB at most ("AWS Secrets Manager quotas"), and JSON may escape each.
const MAX_ANSWER_BYTES: usize = 512 * 1024;
/// Longest name of an error that is written down.
const MAX_ERROR_NAME: usize = 64;

struct Held {
    secrets: Rc<Secrets>,
    asked_at: UnixTime,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
    static FAILED_AT: Cell<Option<UnixTime>> = const { Cell::new(None) };
}

/// What the container has, or can have in time; and whether it is old enough to be asked for again by and by.
pub(super) async fn provide(container: &'static Container, deadline: UnixTime) -> (Result<Rc<Secrets>, Unfit>, bool) {
    // Nothing is vouched for: nothing to ask for.
    if !container.policy().names_secrets() {
        let none = Secrets::read(container.policy(), |_| None).map_err(Unfit::Secrets);
        return (none.map(Rc::new), false);
    }
    let now = runtime::now();
    let held = HELD.with_borrow(|held| held.as_ref().map(|held| (Rc::clone(&held.secrets), held.asked_at)));
    let cooldown = if held.is_some() { COOLDOWN_HELD } else { COOLDOWN };
    let is_cool = FAILED_AT.get().is_none_or(|at| now.saturating_since(at) >= cooldown);
    match held {
        Some((secrets, asked_at)) => match now.saturating_since(asked_at) {
            age if age < MAX_AGE || !is_cool => (Ok(secrets), false),
            age if age < MAX_UNSEEN_AGE => (Ok(secrets), true),
            _ => (refresh(container, deadline).await.or(Ok(secrets)), false),
        },
        None if is_cool => (refresh(container, deadline).await, false),
        None => (Err(Unfit::Unreachable), false),
    }
}

/// Asks for them, and keeps them.
pub(super) async fn refresh(container: &Container, deadline: UnixTime) -> Result<Rc<Secrets>, Unfit> {
    let asked_at = runtime::now();
    let limit = deadline.saturating_since(asked_at).min(FETCH_TIMEOUT);
    let outcome = match fetch(container, limit).await {
        Ok(object) => Secrets::from_object(container.policy(), &object).map_err(Unfit::Secrets),
        Err(why) => {
            runtime::log(&log::failure("secrets_failed", "secrets-manager", &why, None));
            Err(Unfit::Unreachable)
        }
    };
    match outcome {
        Ok(secrets) => {
            let secrets = Rc::new(secrets);
            FAILED_AT.set(None);
            HELD.set(Some(Held { secrets: Rc::clone(&secrets), asked_at }));
            Ok(secrets)
        }
        Err(unfit) => {
            if let Unfit::Secrets(error) = &unfit {
                runtime::log(&log::failure(error.code(), "secrets-manager", &error.to_string(), None));
            }
            FAILED_AT.set(Some(runtime::now()));
            Err(unfit)
        }
    }
}

/// `GetSecretValue` (AWS Secrets Manager API reference), signed with the credentials that Lambda gives the process.
async fn fetch(container: &Container, limit: Duration) -> Result<String, String> {
    let policy = container.policy();
    let place: &CloudFront = policy.cloudfront().ok_or("the policy has no `[cloudfront]`")?;
    let credentials = credentials().ok_or("the process has no credentials")?;
    let url = format!("{}/", place.url());
    let body = json!({ "SecretId": place.secret() }).to_string();
    let fixed = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.GetSecretValue")];
    let unsigned = Unsigned {
        method: "POST",
        url: &url,
        fields: &fixed,
        payload: &payload::hex(&sha256(body.as_bytes())),
        sends_payload_hash: false,
    };
    let scope = Scope { region: place.region(), service: "secretsmanager" };
    let signed = sigv4::sign(&unsigned, &credentials, scope, runtime::now()).map_err(|error| error.to_string())?;
    let fields: Vec<(&str, &str)> =
        fixed.into_iter().chain(signed.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
    let question =
        Question { url: &url, fields: &fields, plain_http: policy.is_development(), limit, cap: MAX_ANSWER_BYTES };
    let fetched = outgoing::post::<Invocation>(&body, &question).await.map_err(|error| error.to_string())?;
    let answer: Option<Value> = serde_json::from_slice(&fetched.body).ok();
    let member = |name: &str| answer.as_ref()?.get(name)?.as_str();
    if fetched.status != 200 {
        return Err(format!("the status is {} {}", fetched.status, error_name(member("__type").unwrap_or_default())));
    }
    let secret = member("SecretString").ok_or("the answer holds no `SecretString`")?;
    Ok(secret.to_owned())
}

/// An error's name as far as it is one: whatever else an answer holds stays out of the log.
fn error_name(text: &str) -> &str {
    let name = text.rsplit('#').next().unwrap_or_default();
    let is_name = name.len() <= MAX_ERROR_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_name { name } else { "" }
}
