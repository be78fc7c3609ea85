//! The body that an assertion binds: read whole and compared before the service sees any of it.

use std::{future::Future, pin::Pin};

use postern::{
    assertion::ASSERTION_LIFETIME,
    digest::{ContentDigest, sha256},
    policy::MAX_BODY_BYTES,
};

use crate::http::{Problem, body::read_within};

/// The octets of a body, once they are all there and are the bound ones. A box, for the few requests that bind one.
pub(super) type BoundBody = Pin<Box<dyn Future<Output = Result<Vec<u8>, Problem>> + Send>>;

/// Reads `body`, of which `digest` must be the SHA-256.
pub(super) fn bound<B>(body: B, digest: ContentDigest) -> BoundBody
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    Box::pin(async move {
        // No function takes more in one request, so that no edge binds more. What was decided is acted upon while its
        // assertion is good or not at all, however slowly the body is fed.
        let octets = read_within(body, MAX_BODY_BYTES, ASSERTION_LIFETIME).await?;
        if sha256(&octets) == digest {
            Ok(octets.to_vec())
        } else {
            Err(Problem::bad_request("The body is not the one whose digest was declared."))
        }
    })
}
