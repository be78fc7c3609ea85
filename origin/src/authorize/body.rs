//! The body of one request, which a decision may have to see before the service does.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use postern::{
    BodyDigest, Permit, PublicCode,
    digest::{ContentDigest, sha256},
    policy::MAX_BODY_BYTES,
};

use crate::http::body::read_within;

/// A body, read or not.
pub(super) enum Content<B> {
    Unread(B),
    Read(Bytes, ContentDigest),
    /// It could not be read, and is gone.
    Lost,
}

impl<B> Content<B>
where
    B: http_body::Body + From<Vec<u8>> + Send,
    B::Data: Send,
{
    /// Reads at most `limit` octets within `time_limit`.
    pub(super) async fn read(&mut self, limit: usize, time_limit: Duration) -> BodyDigest {
        let body = match std::mem::replace(self, Self::Lost) {
            Self::Unread(body) => body,
            Self::Read(octets, digest) => {
                *self = Self::Read(octets, digest);
                return BodyDigest::Sha256(digest);
            }
            Self::Lost => return BodyDigest::Unreadable,
        };
        match read_within(body, limit, time_limit).await {
            Ok(octets) => {
                let digest = sha256(&octets);
                *self = Self::Read(octets, digest);
                BodyDigest::Sha256(digest)
            }
            Err(problem) if problem.status() == StatusCode::PAYLOAD_TOO_LARGE => BodyDigest::TooLarge,
            Err(_) => BodyDigest::Unreadable,
        }
    }

    /// The body to serve under `permit`: where one is bound, those very octets.
    ///
    /// # Errors
    /// What to refuse the request with: the body is another than the bound one, longer than may be, or broke off.
    pub(super) async fn bound_by(mut self, permit: &Permit, time_limit: Duration) -> Result<B, PublicCode> {
        let Some(bound) = permit.content_sha256() else {
            return match self {
                Self::Unread(body) => Ok(body),
                Self::Read(octets, _) => Ok(B::from(octets.to_vec())),
                Self::Lost => Err(PublicCode::InvalidRequest),
            };
        };
        // RFC 9110 §9.3.1: a body has no meaning there, and an edge would not forward one.
        if matches!(permit.method(), "GET" | "HEAD") {
            return Ok(B::from(Vec::new()));
        }
        // No function takes more in one request, so that no edge binds more.
        match self.read(MAX_BODY_BYTES, time_limit).await {
            BodyDigest::Sha256(digest) if digest == *bound => match self {
                Self::Read(octets, _) => Ok(B::from(octets.to_vec())),
                Self::Unread(_) | Self::Lost => Err(PublicCode::InvalidRequest),
            },
            BodyDigest::TooLarge => Err(PublicCode::ContentTooLarge),
            BodyDigest::Sha256(_) | BodyDigest::Unreadable => Err(PublicCode::InvalidRequest),
        }
    }
}
