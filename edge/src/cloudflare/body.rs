//! The body of the request that is being decided on: streamed on as it comes, or read whole where its route binds it.

use std::time::Duration;

use postern::{
    BodyDigest,
    digest::{OF_NOTHING, sha256},
};
use web_sys::Request;

use super::{fetch, runtime};
use crate::web::{BodySource, outgoing::FetchError};

/// A body, as far as it was touched.
pub(super) enum RequestBody {
    /// The request has none.
    None,
    /// Nobody has looked at it, or for it: asking the runtime is not for every request.
    Untouched(Request),
    /// These very octets.
    Read(Vec<u8>),
    /// It was begun and not read to its end; nothing can be forwarded.
    Spent,
}

impl RequestBody {
    /// Whether there is one that nobody has looked at.
    #[cfg(feature = "sigv4")]
    pub(super) fn is_untouched(&mut self) -> bool {
        if matches!(self, Self::Untouched(request) if request.body().is_none()) {
            *self = Self::None;
        }
        matches!(self, Self::Untouched(_))
    }
}

impl BodySource for RequestBody {
    /// What was digested is what is then forwarded.
    async fn read(&mut self, limit: usize, time: Duration) -> BodyDigest {
        let stream = match std::mem::replace(self, Self::Spent) {
            Self::None => None,
            Self::Untouched(request) => request.body(),
            // A decision asks once.
            Self::Read(_) | Self::Spent => return BodyDigest::Unreadable,
        };
        let Some(stream) = stream else {
            *self = Self::None;
            return BodyDigest::Sha256(OF_NOTHING);
        };
        match runtime::within(time, fetch::read(&stream, limit)).await {
            Some(Ok(octets)) => {
                let digest = sha256(&octets);
                *self = Self::Read(octets);
                BodyDigest::Sha256(digest)
            }
            Some(Err(FetchError::TooLarge)) => BodyDigest::TooLarge,
            Some(Err(_)) | None => BodyDigest::Unreadable,
        }
    }
}
