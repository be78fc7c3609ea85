//! The policy document of an authorizer's result: who may invoke which methods, until when.
//!
//! Every statement that allows ends with the token: API Gateway would go on using a cached document after that. Nothing
//! allows or denies `*`.
//!
//! Source: the developer guide, "Output from an API Gateway Lambda authorizer", and IAM's user guide, "IAM JSON policy
//! elements". Not here: what is allowed.

use postern::UnixTime;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    arn::{RequestArn, is_short},
    list::{List, NEVER_CANONICAL},
};

/// The only action that a document of an authorizer has.
const ACTION: &str = "execute-api:Invoke";
/// A method that no API has, for a document that must deny something and must not deny anything.
const NOTHING: &str = "NONE/";

/// A policy document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document(Value);

/// Why there is no document: the ARN's API or stage stands for more than one, or its path has no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unnamed;

/// Why there is no document for a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoList {
    /// The ARN's API or stage stands for more than one.
    Unnamed,
    /// A resource is longer than one may be: without it, the list would not be complete.
    TooLong,
}

impl Document {
    /// Allows the one request, until the token ends.
    pub(super) fn allow(arn: &RequestArn, until: Option<UnixTime>) -> Result<Self, Unnamed> {
        let resource = arn.as_resource().ok_or(Unnamed)?;
        Ok(Self(json!({"Version": "2012-10-17", "Statement": [allow(vec![resource.to_owned()], until)]})))
    }

    /// Denies the one request; where its ARN would deny others too, nothing is allowed, which denies it as well.
    pub(super) fn deny(arn: &RequestArn) -> Result<Self, Unnamed> {
        let resource = match arn.as_resource() {
            Some(resource) => resource.to_owned(),
            None if arn.has_plain_prefix() => format!("{}{NOTHING}", arn.prefix()),
            None => return Err(Unnamed),
        };
        Ok(Self(json!({"Version": "2012-10-17", "Statement": [deny(vec![resource])]})))
    }

    /// Allows what the list allows, until the token ends; all else is denied by being left out.
    pub(super) fn list(arn: &RequestArn, list: &List, until: UnixTime) -> Result<Self, NoList> {
        if !arn.has_plain_prefix() {
            return Err(NoList::Unnamed);
        }
        let at = |resources: &[String]| -> Vec<String> {
            resources.iter().map(|rest| format!("{}{rest}", arn.prefix())).collect()
        };
        let (allowed, mut denied) = (at(&list.allow), at(&list.deny));
        if !allowed.iter().chain(&denied).all(|resource| is_short(resource)) {
            return Err(NoList::TooLong);
        }
        let mut statements = Vec::new();
        if allowed.is_empty() {
            statements.push(deny(vec![format!("{}{NOTHING}", arn.prefix())]));
        } else {
            statements.push(allow(allowed, Some(until)));
        }
        if list.has_wildcards {
            // Of whatever API: nothing there is canonical in any.
            denied.extend(NEVER_CANONICAL.iter().map(|rest| format!("{}:*:*:{rest}", arn.service())));
        }
        if !denied.is_empty() {
            statements.push(deny(denied));
        }
        Ok(Self(json!({"Version": "2012-10-17", "Statement": statements})))
    }

    pub(super) fn into_value(self) -> Value {
        self.0
    }
}

fn allow(resources: Vec<String>, until: Option<UnixTime>) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": [ACTION], "Resource": resources});
    if let (Some(until), Some(members)) = (until, statement.as_object_mut()) {
        // On or after `exp` a token is expired: the comparison is strict.
        members.insert("Condition".to_owned(), json!({"DateLessThan": {"aws:CurrentTime": written(until)}}));
    }
    statement
}

fn deny(resources: Vec<String>) -> Value {
    json!({"Effect": "Deny", "Action": [ACTION], "Resource": resources})
}

/// ISO 8601 in UTC, whole seconds, rounded down. A time past the year 9999 is written as that year's end.
fn written(time: UnixTime) -> String {
    const LAST: i64 = 253_402_300_799;
    let seconds = i64::try_from(time.as_secs()).unwrap_or(LAST).min(LAST);
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_and_rounded_down() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_381_199_999, "2026-11-22T20:59:59Z"),
            (1_709_210_096_000, "2024-02-29T12:34:56Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(written(UnixTime::from_millis(millis)), text);
        }
    }

    #[test]
    fn no_document_allows_or_denies_more_than_it_names() {
        let arn = |rest: &str| RequestArn::parse(&format!("arn:aws:execute-api:eu-west-2:1:abc/{rest}")).unwrap();
        for rest in ["prod/GET/*", "prod/GET/a?b", "prod/GET/${x}"] {
            assert_eq!(Document::allow(&arn(rest), None), Err(Unnamed), "{rest}");
            let denied = Document::deny(&arn(rest)).unwrap().into_value();
            assert_eq!(denied["Statement"][0]["Resource"][0], "arn:aws:execute-api:eu-west-2:1:abc/prod/NONE/");
        }
        assert_eq!(Document::deny(&arn("*/GET/a")), Err(Unnamed));
        assert_eq!(Document::list(&arn("*/GET/a"), &List::default(), UnixTime::from_secs(0)), Err(NoList::Unnamed));
    }
}
