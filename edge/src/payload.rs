//! The hash of a body for whoever signs a request to an origin with AWS Signature Version 4: `x-amz-content-sha256`.
//!
//! CloudFront's origin access control signs for a Lambda function URL, and Lambda takes no unsigned payload; CloudFront
//! does not hash bodies, so the field must be there when the request reaches it.

use std::fmt::Write as _;

use postern::digest::{ContentDigest, sha256};

/// The field.
pub const HEADER: &str = "x-amz-content-sha256";

/// What is known of the body of a request that is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// These octets, all of them; none where there is no body.
    Whole(&'a [u8]),
    /// There is a body, and not all of it was seen.
    Unseen,
}

/// The value of [`HEADER`]: the digest that was decided on, else of the body as it was seen, else what the caller says,
/// if it has the form: who signs compares it, and Lambda refuses what differs. `None` when nothing can be said.
///
/// ```
/// use postern_edge::payload::{Payload, content_sha256};
/// let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// assert_eq!(content_sha256(None, Payload::Whole(b""), None).as_deref(), Some(empty));
/// assert_eq!(content_sha256(None, Payload::Unseen, Some(empty)).as_deref(), Some(empty));
/// assert_eq!(content_sha256(None, Payload::Unseen, Some("UNSIGNED-PAYLOAD")), None);
/// ```
#[must_use]
pub fn content_sha256(bound: Option<&ContentDigest>, payload: Payload<'_>, declared: Option<&str>) -> Option<String> {
    match (bound, payload) {
        (Some(digest), _) => Some(hex(digest)),
        (None, Payload::Whole(octets)) => Some(hex(&sha256(octets))),
        (None, Payload::Unseen) => declared.filter(|value| is_hex_digest(value)).map(str::to_owned),
    }
}

/// A digest as signatures write it: in lower-case hex.
#[must_use]
pub fn hex(digest: &ContentDigest) -> String {
    digest.iter().fold(String::new(), |mut text, octet| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn is_hex_digest(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn what_was_seen_goes_before_what_the_caller_says() {
        let other = "0".repeat(64);
        assert_eq!(content_sha256(None, Payload::Whole(b"abc"), Some(&other)).as_deref(), Some(ABC));
        assert_eq!(content_sha256(Some(&sha256(b"abc")), Payload::Unseen, Some(&other)).as_deref(), Some(ABC));
    }

    #[test]
    fn what_nobody_has_seen_takes_the_callers_word_in_its_one_form() {
        assert_eq!(content_sha256(None, Payload::Unseen, Some(ABC)).as_deref(), Some(ABC));
        let (upper, short, long) = (ABC.to_uppercase(), &ABC[1..], format!("{ABC}0"));
        for value in [None, Some(""), Some(upper.as_str()), Some(short), Some(long.as_str()), Some("UNSIGNED-PAYLOAD")]
        {
            assert_eq!(content_sha256(None, Payload::Unseen, value), None, "{value:?}");
        }
    }
}
