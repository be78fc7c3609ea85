//! HTTP answers: challenges (RFC 6750 §3), problem documents (RFC 9457), CORS fields on both.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    policy::{Cors, vary::PREFLIGHT},
    query::QueryError,
    reason::PublicCode,
    target::TargetError,
};

/// Seconds after which a caller may try again what could not be decided: longer than the key cache's
/// cooldown, so that the second try finds the cache willing.
pub const RETRY_AFTER_SECONDS: u32 = 5;

/// Fields of a denial, at most: five of its own, and CORS's.
const FIELDS: usize = 8;

/// A whole HTTP answer, for a driver to write out as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields, names in lower case, each once.
    pub headers: Vec<(&'static str, String)>,
    /// The body: a problem document, or nothing.
    pub body: String,
}

/// What an answer is shaped by, beside its code.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context<'a> {
    pub(crate) cors: Option<&'a Cors>,
    /// The request's `Origin`.
    pub(crate) origin: Option<&'a str>,
    /// The answer is to a HEAD request, and has no body.
    pub(crate) head: bool,
    /// The fields that the decision reads.
    pub(crate) vary: &'a str,
}

/// What a code's answer says beyond the code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extra<'a> {
    Nothing,
    /// What is malformed is the credential.
    Credential,
    /// The fault in the target, which its sender may know.
    Target(TargetError),
    /// The fault in the query, which its sender may know.
    Query(QueryError),
    /// Scopes that the route needs.
    Scopes(&'a [String]),
    /// Methods that the path has.
    Methods(&'a [String]),
    /// The body's hash, which only the caller can say.
    PayloadHash,
}

impl Answer {
    /// The answer for `code`, without CORS fields: for a driver that cannot even begin a decision.
    #[must_use]
    pub fn of(code: PublicCode) -> Self {
        Self::denial(code, Extra::Nothing, Context::default())
    }

    /// The phrase that goes with the status (RFC 9110 §15), for platforms that want one said.
    #[must_use]
    pub const fn reason_phrase(&self) -> &'static str {
        reason_phrase(self.status)
    }

    pub(crate) fn denial(code: PublicCode, extra: Extra<'_>, context: Context<'_>) -> Self {
        let mut headers = Vec::with_capacity(FIELDS);
        headers.push(("content-type", "application/problem+json".to_owned()));
        headers.push(("cache-control", "no-store".to_owned()));
        if let Some(challenge) = challenge(code, extra) {
            headers.push(("www-authenticate", challenge));
        }
        if let Extra::Methods(methods) = extra {
            headers.push(("allow", methods.join(", ")));
        }
        if code == PublicCode::TemporarilyUnavailable {
            headers.push(("retry-after", RETRY_AFTER_SECONDS.to_string()));
        }
        if !context.vary.is_empty() {
            headers.push(("vary", context.vary.to_owned()));
        }
        if let Some(cors) = context.cors {
            headers.extend(cors.answer_fields(context.origin));
        }
        let body = if context.head { String::new() } else { problem(code, extra) };
        Self { status: code.status(), headers, body }
    }

    pub(crate) fn preflight(cors: &Cors, origin: &str, methods: &[String]) -> Self {
        let mut headers = cors.preflight_fields(origin, methods);
        headers.push(("vary", PREFLIGHT.to_owned()));
        headers.push(("cache-control", "no-store".to_owned()));
        Self { status: 204, headers, body: String::new() }
    }
}

/// The challenge of RFC 6750 §3: bare when no credential was shown, with an `error` for a malformed credential or a bad
/// token, and with a `scope` when one lacks. A request that is malformed elsewhere needs no other credential.
fn challenge(code: PublicCode, extra: Extra<'_>) -> Option<String> {
    let error = match code {
        PublicCode::MissingToken => return Some(format!("Bearer realm=\"{REALM}\"")),
        PublicCode::InvalidToken | PublicCode::InsufficientScope => code.as_str(),
        PublicCode::InvalidRequest if matches!(extra, Extra::Credential) => code.as_str(),
        PublicCode::InvalidRequest
        | PublicCode::AccessDenied
        | PublicCode::NotFound
        | PublicCode::MethodNotAllowed
        | PublicCode::ContentTooLarge
        | PublicCode::BadGateway
        | PublicCode::TemporarilyUnavailable => return None,
    };
    let mut challenge = format!("Bearer realm=\"{REALM}\", error=\"{error}\", error_description=\"{}\"", code.detail());
    if let Extra::Scopes(scopes) = extra {
        challenge.push_str(&format!(", scope=\"{}\"", scopes.join(" ")));
    }
    Some(challenge)
}

/// The protection space (RFC 9110 §11.5): everything behind one authoriser.
const REALM: &str = "postern";

/// RFC 9110 §15, for the statuses that [`PublicCode`] has, and a preflight's.
const fn reason_phrase(status: u16) -> &'static str {
    match status {
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        502 => "Bad Gateway",
        _ => "Service Unavailable",
    }
}

/// AWS Signature Version 4 covers the body, and whoever signs has not seen all of it.
const PAYLOAD_HASH_WANTED: &str = "The body is too long to be hashed on the way: send its SHA-256, in lower-case hex, in \
                                   the header field x-amz-content-sha256.";

fn problem(code: PublicCode, extra: Extra<'_>) -> String {
    let detail = match extra {
        Extra::Target(error) => format!("The request is malformed: {error}."),
        Extra::Query(error) => format!("The request is malformed: {error}."),
        Extra::PayloadHash => PAYLOAD_HASH_WANTED.to_owned(),
        Extra::Nothing | Extra::Credential | Extra::Scopes(_) | Extra::Methods(_) => code.detail().to_owned(),
    };
    serde_json::json!({
        // `about:blank` with the status phrase as title, as RFC 9457 §4.2.1 asks.
        "type": "about:blank",
        "title": reason_phrase(code.status()),
        "status": code.status(),
        "code": code.as_str(),
        "detail": detail,
    })
    .to_string()
}
