//! The body of the request that is being decided on: streamed on as it comes, or read whole where its route binds it.

use std::time::Duration;

use postern::{BodyDigest, digest::sha256};
use web_sys::{ReadableStream, Request};

use super::runtime;
use crate::web::{
    BodySource,
    outgoing::{self, FetchError},
};

/// Time for a body that is streamed to arrive: as long as a Lambda may run.
pub(super) const UPLOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A body, as far as it was touched.
#[derive(Debug)]
pub(super) enum RequestBody {
    /// The request has none.
    None,
    /// Nobody has looked at it.
    Untouched(ReadableStream),
    /// These very octets.
    Read(Vec<u8>),
    /// It was begun and not read to its end; nothing can be forwarded.
    Spent,
}

impl RequestBody {
    pub(super) fn of(request: &Request) -> Self {
        request.body().map_or(Self::None, Self::Untouched)
    }
}

impl BodySource for RequestBody {
    /// What was digested is what is then forwarded.
    async fn read(&mut self, limit: usize, time: Duration) -> BodyDigest {
        match std::mem::replace(self, Self::Spent) {
            Self::None => {
                *self = Self::None;
                BodyDigest::Sha256(sha256(&[]))
            }
            Self::Untouched(stream) => match runtime::within(time, outgoing::read(&stream, limit)).await {
                Some(Ok(octets)) => {
                    let digest = sha256(&octets);
                    *self = Self::Read(octets);
                    BodyDigest::Sha256(digest)
                }
                Some(Err(FetchError::TooLarge)) => BodyDigest::TooLarge,
                Some(Err(_)) | None => BodyDigest::Unreadable,
            },
            // A decision asks once.
            Self::Read(_) | Self::Spent => BodyDigest::Unreadable,
        }
    }
}
