//! Bodies: collecting one within bounds, and writing one as JSON.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lambda_http::Body;
use postern::PublicCode;
use serde::Serialize;
use tokio::time;

use super::{Answer, Problem};

/// Longest body a service takes, in octets. Ten times the largest permissions record anyone is known to
/// keep (a few hundred companies), and far below what a function can hold.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Collects a body that may be no longer than [`MAX_BODY_BYTES`].
pub(super) async fn read<B>(body: B) -> Result<Bytes, Problem>
where
    B: http_body::Body,
{
    read_up_to(body, MAX_BODY_BYTES).await
}

/// Collects a body that may hold `cap` octets.
async fn read_up_to<B>(body: B, cap: usize) -> Result<Bytes, Problem>
where
    B: http_body::Body,
{
    let body = body.map_err(|_| Unreadable);
    match Limited::new(body, cap).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            PublicCode::ContentTooLarge.as_str(),
            format!("The body may hold {cap} octets."),
        )),
        Err(_) => Err(Problem::bad_request("The body broke off.")),
    }
}

/// The same within `limit`, after which the body counts as one that broke off.
pub(crate) async fn read_within<B>(body: B, cap: usize, limit: Duration) -> Result<Bytes, Problem>
where
    B: http_body::Body,
{
    let late = |_| Problem::bad_request("The body did not come to its end in time.");
    time::timeout(limit, read_up_to(body, cap)).await.map_err(late)?
}

/// An answer whose body is `value` as JSON.
#[must_use]
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    let Ok(body) = serde_json::to_string(value) else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "The answer could not be written.")
            .into_response();
    };
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// A body that ended before its end; the transport's own error is not for the caller.
#[derive(Debug)]
struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the body broke off")
    }
}

impl std::error::Error for Unreadable {}
