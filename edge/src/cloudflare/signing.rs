//! Requests to a Lambda function URL that only signed ones reach: the body's hash, the signature, and an answer that is
//! Lambda's refusal and not the function's.
//!
//! The caller's `Authorization` gives way to the signature; such an origin goes by the assertion.

use crate::header::fields;

/// Whether Lambda has refused our signature before the function was asked: the function's own 403 does not name an
/// error of AWS's. The fields are joined as [`fields`] reads them.
pub(super) fn is_refusal(status: u16, joined: &str) -> bool {
    status == 403 && fields(joined).any(|(name, _)| name == "x-amzn-errortype")
}

#[cfg(feature = "sigv4")]
mod signed {
    use std::time::Duration;

    use postern::{BodyDigest, Permit, PublicCode};

    use super::super::{body::RequestBody, isolate::Isolate, request::Incoming, runtime};
    use crate::{
        payload::{self, Payload, content_sha256},
        plan::Forward,
        sigv4::sign_for_function,
        web::BodySource as _,
    };

    /// Time for a body to arrive that is read for its hash alone: as long as one that a route has read.
    const READ_TIMEOUT: Duration = Duration::from_secs(60);

    /// The hash of the body in hex. A body that nobody has looked at and whose hash nobody says is read, as far as the
    /// policy lets bodies be read.
    pub(in super::super) async fn payload(
        isolate: &Isolate,
        incoming: &Incoming,
        permit: &Permit,
        body: &mut RequestBody,
    ) -> Result<String, PublicCode> {
        let declared = incoming.field(payload::HEADER);
        let hash = |seen: Payload<'_>| content_sha256(permit.content_sha256(), seen, declared);
        if body.is_untouched() {
            if let Some(hash) = hash(Payload::Unseen) {
                return Ok(hash);
            }
            match body.read(isolate.authorizer.policy().limits().body, READ_TIMEOUT).await {
                BodyDigest::Sha256(_) => {}
                BodyDigest::TooLarge => return Err(PublicCode::ContentTooLarge),
                _ => return Err(PublicCode::InvalidRequest),
            }
        }
        let seen = match body {
            RequestBody::None => Payload::Whole(&[]),
            RequestBody::Read(octets) => Payload::Whole(octets),
            RequestBody::Untouched(_) | RequestBody::Spent => return Err(PublicCode::InvalidRequest),
        };
        hash(seen).ok_or(PublicCode::InvalidRequest)
    }

    /// Signs the request that is planned; `false` where that cannot be.
    pub(in super::super) fn sign<'r>(
        isolate: &Isolate,
        permit: &'r Permit,
        assertion: &str,
        payload: &str,
        plan: &mut Forward<'r>,
    ) -> bool {
        let origin = permit.origin();
        let Some(credentials) = isolate.credentials_of(origin.name()) else { return false };
        let request = (permit.method(), permit.target());
        let Ok(signed) = sign_for_function(origin, credentials, request, assertion, payload, runtime::now()) else {
            return false;
        };
        plan.set.extend(signed.into_iter().map(|(name, value)| (name.into(), value)));
        true
    }
}

#[cfg(feature = "sigv4")]
pub(super) use signed::{payload, sign};
