//! How a subject's permissions are fetched: what to ask with, and what an answer is worth (RFC 9110 §13.1.2, §15.4.5).
//!
//! A driver makes the one GET, with the credential and to the target that the need names, within a time of its own; it
//! reads no more than [`PermissionsFetch::max_bytes`] and follows no redirect. A fetch holds on to the record that its
//! tag belongs to, so a 304 means that very record, whatever the cache has forgotten or learned meanwhile.

use alloc::{string::String, sync::Arc};
use core::{fmt, time::Duration};

use super::retry_after::retry_after;
use crate::{
    permissions::{MAX_RECORD_BYTES, PermissionsError, PermissionsRecord},
    time::UnixTime,
};

/// Longest entity tag that is kept, in octets; servers' own have under a hundred.
const MAX_TAG_BYTES: usize = 256;

/// A fetch that the cache asked for: one GET of the subject's record.
#[derive(Clone)]
pub struct PermissionsFetch {
    /// Issuer section and subject.
    pub(super) key: (String, String),
    /// Its number among all that the cache has seen arrive and leave.
    pub(super) question: u64,
    pub(super) asked_at: UnixTime,
    pub(super) tagged: Option<Tagged>,
}

/// A record and the entity tag that the service gave it.
#[derive(Clone)]
pub(super) struct Tagged {
    pub(super) tag: Arc<str>,
    pub(super) record: Arc<PermissionsRecord>,
}

/// The permissions service's HTTP answer. Field values as they came, joined by commas where a field stood twice.
#[derive(Clone, Copy)]
pub struct PermissionsAnswer<'a> {
    /// The status.
    pub status: u16,
    /// `ETag`.
    pub etag: Option<&'a str>,
    /// `Retry-After`.
    pub retry_after: Option<&'a str>,
    /// The body of a 200, decoded, whole.
    pub body: &'a [u8],
}

/// A record stays out of debug output: it ends in logs.
impl fmt::Debug for PermissionsAnswer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PermissionsAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// What the service said just now, for [`PermissionsCache::store`](super::PermissionsCache::store).
#[derive(Clone)]
pub struct FetchedPermissions {
    pub(super) key: (String, String),
    pub(super) question: u64,
    pub(super) asked_at: UnixTime,
    pub(super) record: Option<Arc<PermissionsRecord>>,
    pub(super) tag: Option<Arc<str>>,
}

/// Why a question brought nothing about the subject's permissions. Never quotes the answer.
///
/// What a driver sees of the network is its own to tell ([`Unreachable`](Self::Unreachable) to
/// [`Unsendable`](Self::Unsendable)); an answer is read by [`PermissionsFetch::answered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PermissionsFetchError {
    /// No connection, or one that broke.
    Unreachable,
    /// No answer within the time that the driver gives a question.
    TimedOut,
    /// No answer within less than that time, because the request itself had no more.
    CutShort,
    /// The driver cannot send the question: a secret is missing, say.
    Unsendable,
    /// 429, with the time for which the service asks to be left alone.
    TooManyRequests(Duration),
    /// The status is none of 200, 404, 429 and, to a fetch with a tag, 304.
    Status(u16),
    /// The body of a 200 is no record.
    Record(PermissionsError),
    /// The record is about somebody else.
    Subject,
    /// A 304 names another state than the one that was asked about.
    Tag,
}

/// What a failed question says of the service, and so what comes next: see [`PermissionsFetchError::failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionsFailure {
    /// The service is perhaps out of order. After several of these records may stand in for its answers.
    Outage,
    /// The service wants to be left alone for so long. Nothing stands in.
    Backoff(Duration),
    /// The service answers, and says nothing that helps: only an operator can do something. Nothing stands in.
    Misconfigured,
    /// It says nothing of the service.
    CutShort,
}

impl PermissionsFetch {
    /// The `If-None-Match` field to send, where there is a state to ask about.
    #[must_use]
    pub fn if_none_match(&self) -> Option<&str> {
        self.tagged.as_ref().map(|tagged| &*tagged.tag)
    }

    /// Most octets of body to read; an answer with more is no answer.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        MAX_RECORD_BYTES
    }

    /// What an answer means.
    ///
    /// # Errors
    /// [`PermissionsFetchError`] when it means nothing; the fetch has then failed.
    pub fn answered(&self, answer: &PermissionsAnswer<'_>) -> Result<FetchedPermissions, PermissionsFetchError> {
        let (record, tag) = match (answer.status, &self.tagged) {
            (200, _) => {
                let record = PermissionsRecord::parse(answer.body).map_err(PermissionsFetchError::Record)?;
                if record.id() != self.key.1 {
                    return Err(PermissionsFetchError::Subject);
                }
                (Some(Arc::new(record)), answer.etag.filter(|tag| is_tag(tag)).map(Arc::from))
            }
            (304, Some(tagged)) => {
                if answer.etag.is_some_and(|tag| opaque(tag) != opaque(&tagged.tag)) {
                    return Err(PermissionsFetchError::Tag);
                }
                (Some(Arc::clone(&tagged.record)), Some(Arc::clone(&tagged.tag)))
            }
            (404, _) => (None, None),
            (429, _) => {
                let time = retry_after(answer.retry_after, self.asked_at);
                return Err(PermissionsFetchError::TooManyRequests(time));
            }
            (status, _) => return Err(PermissionsFetchError::Status(status)),
        };
        Ok(FetchedPermissions { key: self.key.clone(), question: self.question, asked_at: self.asked_at, record, tag })
    }
}

/// Whether a text is one entity tag (RFC 9110 §8.8.3), and so neither `*`, which asks about any state, nor a list.
fn is_tag(text: &str) -> bool {
    let opaque = opaque(text).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    text.len() <= MAX_TAG_BYTES
        && opaque.is_some_and(|opaque| opaque.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'))
}

/// A tag without the mark of a weak one, which proxies that compress put before it.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

impl PermissionsFailure {
    /// The event of the log line about it.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::Outage | Self::CutShort => "permissions_failed",
            Self::Backoff(_) => "permissions_backoff",
            Self::Misconfigured => "permissions_misconfigured",
        }
    }
}

impl FetchedPermissions {
    /// The record; `None` where the service has none.
    #[must_use]
    pub fn record(&self) -> Option<Arc<PermissionsRecord>> {
        self.record.clone()
    }
}

impl PermissionsFetchError {
    /// What it says of the service. Timeouts, connection errors and 5xx are failures of the service; what it refuses, or
    /// answers in a form that nobody can read, is a misconfiguration.
    #[must_use]
    pub const fn failure(self) -> PermissionsFailure {
        match self {
            Self::Unreachable | Self::TimedOut | Self::Status(500..=599) => PermissionsFailure::Outage,
            Self::TooManyRequests(time) => PermissionsFailure::Backoff(time),
            Self::CutShort => PermissionsFailure::CutShort,
            Self::Unsendable | Self::Status(_) | Self::Record(_) | Self::Subject | Self::Tag => {
                PermissionsFailure::Misconfigured
            }
        }
    }

    /// The error's stable name, for logs and tools.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::CutShort => "cut_short",
            Self::Unsendable => "unsendable",
            Self::TooManyRequests(_) => "too_many_requests",
            Self::Status(_) => "status",
            Self::Record(_) => "record",
            Self::Subject => "subject",
            Self::Tag => "tag",
        }
    }
}

impl fmt::Display for PermissionsFetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => formatter.write_str("no connection, or one that broke"),
            Self::TimedOut => formatter.write_str("no answer in time"),
            Self::CutShort => formatter.write_str("the request had too little time left to wait for an answer"),
            Self::Unsendable => formatter.write_str("the question cannot be sent"),
            Self::TooManyRequests(time) => {
                write!(formatter, "the status is 429, and nothing is asked for {} s", time.as_secs())
            }
            Self::Status(status) => write!(formatter, "the status is {status}"),
            Self::Record(error) => error.fmt(formatter),
            Self::Subject => formatter.write_str("the record is about somebody else"),
            Self::Tag => formatter.write_str("the state is said to be the one asked about and named as another"),
        }
    }
}

impl core::error::Error for PermissionsFetchError {}

/// Who it is about stays out of debug output: it ends in logs.
impl fmt::Debug for PermissionsFetch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PermissionsFetch").field("issuer", &self.key.0).finish_non_exhaustive()
    }
}

impl fmt::Debug for FetchedPermissions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (issuer, is_there) = (&self.key.0, self.record.is_some());
        formatter
            .debug_struct("FetchedPermissions")
            .field("issuer", issuer)
            .field("is_there", &is_there)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tagged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tagged").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned, string::ToString};

    use super::*;

    const RECORD: &[u8] = br#"{"id":"u","companies":["1111"],"role":"Manager"}"#;

    fn fetch(tag: Option<&str>) -> PermissionsFetch {
        let record = Arc::new(PermissionsRecord::parse(RECORD).unwrap().with_version(1));
        PermissionsFetch {
            key: ("users".to_owned(), "u".to_owned()),
            question: 1,
            asked_at: UnixTime::from_secs(1),
            tagged: tag.map(|tag| Tagged { tag: tag.into(), record }),
        }
    }

    fn answer<'a>(status: u16, etag: Option<&'a str>, body: &'a [u8]) -> PermissionsAnswer<'a> {
        PermissionsAnswer { status, etag, retry_after: None, body }
    }

    #[test]
    fn a_200_is_the_record_and_a_404_that_there_is_none() {
        for asked in [None, Some("\"1\"")] {
            let fetched = fetch(asked).answered(&answer(200, Some("\"2\""), RECORD)).unwrap();
            assert_eq!((fetched.record().unwrap().version(), fetched.tag.as_deref()), (None, Some("\"2\"")));
            assert_eq!(fetch(asked).answered(&answer(404, None, b"")).unwrap().record(), None);
        }
    }

    #[test]
    fn a_304_is_the_record_that_was_asked_about_and_nothing_without_one() {
        for etag in [None, Some("\"1\""), Some("W/\"1\"")] {
            let fetched = fetch(Some("\"1\"")).answered(&answer(304, etag, b"")).unwrap();
            assert_eq!((fetched.record().unwrap().version(), fetched.tag.as_deref()), (Some(1), Some("\"1\"")));
        }
        assert_eq!(
            fetch(Some("\"1\"")).answered(&answer(304, Some("\"2\""), b"")).err(),
            Some(PermissionsFetchError::Tag)
        );
        assert_eq!(
            fetch(None).answered(&answer(304, Some("\"1\""), RECORD)).err(),
            Some(PermissionsFetchError::Status(304))
        );
    }

    #[test]
    fn what_is_no_answer_says_why_and_does_not_quote() {
        for (status, body, why) in [
            (500, RECORD, PermissionsFetchError::Status(500)),
            (401, RECORD, PermissionsFetchError::Status(401)),
            (302, RECORD, PermissionsFetchError::Status(302)),
            (204, b"", PermissionsFetchError::Status(204)),
            (200, b"secret", PermissionsFetchError::Record(PermissionsError::NotAnObject)),
            (200, br#"{"id":"secret","companies":[]}"#, PermissionsFetchError::Subject),
        ] {
            let error = fetch(None).answered(&answer(status, None, body)).unwrap_err();
            assert_eq!(error, why);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn timeouts_connections_and_5xx_are_failures_and_what_the_service_refuses_is_a_misconfiguration() {
        use PermissionsFailure::{Backoff, CutShort, Misconfigured, Outage};
        use PermissionsFetchError as Error;
        for (error, failure) in [
            (Error::Unreachable, Outage),
            (Error::TimedOut, Outage),
            (Error::CutShort, CutShort),
            (Error::Unsendable, Misconfigured),
            (Error::Record(PermissionsError::TooLarge), Misconfigured),
            (Error::Subject, Misconfigured),
            (Error::Tag, Misconfigured),
        ] {
            assert_eq!(error.failure(), failure, "{error}");
        }
        for (status, failure, event) in [
            (500, Outage, "permissions_failed"),
            (502, Outage, "permissions_failed"),
            (503, Outage, "permissions_failed"),
            (599, Outage, "permissions_failed"),
            (429, Backoff(Duration::from_secs(5)), "permissions_backoff"),
            (400, Misconfigured, "permissions_misconfigured"),
            (401, Misconfigured, "permissions_misconfigured"),
            (403, Misconfigured, "permissions_misconfigured"),
            (408, Misconfigured, "permissions_misconfigured"),
            (499, Misconfigured, "permissions_misconfigured"),
            (301, Misconfigured, "permissions_misconfigured"),
            (204, Misconfigured, "permissions_misconfigured"),
            (600, Misconfigured, "permissions_misconfigured"),
        ] {
            let error = fetch(None).answered(&answer(status, None, b"")).unwrap_err();
            assert_eq!((error.failure(), error.failure().event()), (failure, event), "{status}");
        }
    }

    #[test]
    fn only_one_tag_is_a_tag() {
        let long = alloc::format!("\"{}\"", "x".repeat(MAX_TAG_BYTES));
        for (text, is) in [
            ("\"1-ab\"", true),
            ("W/\"1-ab\"", true),
            ("\"\"", true),
            ("*", false),
            ("\"1\", \"2\"", false),
            ("\"1\",\"2\"", false),
            ("1", false),
            ("\"", false),
            ("\"a b\"", false),
            ("\"a\r\nx: y\"", false),
            (&long, false),
        ] {
            let fetched = fetch(None).answered(&answer(200, Some(text), RECORD)).unwrap();
            assert_eq!(fetched.tag.is_some(), is, "{text}");
        }
    }
}
