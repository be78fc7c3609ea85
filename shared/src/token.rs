//! A compact JWS on its way to being believed (RFC 7515 §7.1, RFC 8725).
//!
//! `UnverifiedToken` has passed every check that costs less than a signature: size, shape,
//! alphabet, header. Its claims have not been read, but for the one look at `iss` that choosing
//! between issuers takes. Read here and not by `jwt-compact`, which reads header and claims more than once and is not as
//! strict; its is the mathematics of signatures, where the host has none.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::{algorithm::Algorithm, bearer::MAX_TOKEN_BYTES, claims::Claims, header::Header, part::Part};

/// A well-formed token whose signature nobody has checked yet.
#[derive(Clone)]
pub(crate) struct UnverifiedToken {
    compact: String,
    /// Where its last part, the signature, begins.
    signature_at: usize,
    header: Arc<Header>,
    /// The claims' JSON, unread, and behind it the signature.
    decoded: Vec<u8>,
    payload_len: usize,
}

/// What tokens that were verified leave to the next one.
#[derive(Default)]
pub(crate) struct Legacy {
    /// The header of one: an issuer writes the same into all that it signs with one key.
    pub(crate) header: Option<Arc<Header>>,
    /// The text of one that is forgotten, for its room.
    pub(crate) room: String,
}

/// Why a credential is not a token that is worth a signature check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// Longer than [`MAX_TOKEN_BYTES`].
    TooLarge,
    /// Not three non-empty base64url parts in canonical form, or a header that is no proper JSON object.
    Malformed,
    /// The header has `crit` or `b64`.
    Critical,
    /// The header has `cty`: a nested or binary payload.
    ContentType,
    /// `alg` names no algorithm of the table (`none` and HMAC among them).
    Algorithm,
    /// `kid` is longer than [`MAX_KEY_ID_BYTES`](crate::MAX_KEY_ID_BYTES).
    KeyId,
}

/// Whether `compact` is a token worth a signature check: for tools that tell people what is wrong with one.
///
/// # Errors
/// [`TokenError`] says why not.
pub fn check_form(compact: &str) -> Result<(), TokenError> {
    UnverifiedToken::parse(compact, Legacy::default()).map(drop)
}

impl UnverifiedToken {
    pub(crate) fn parse(compact: &str, legacy: Legacy) -> Result<Self, TokenError> {
        if compact.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge);
        }
        let [header, payload, signature] = Part::three(compact).ok_or(TokenError::Malformed)?;
        let signature_at = compact.len().saturating_sub(signature.text().len());
        let mut text = legacy.room;
        text.clear();
        // Much more than it takes is not kept, or a few long tokens would leave their room to many short ones.
        if text.capacity() / 2 > compact.len() {
            text = String::new();
        }
        // Before it is read: copying goes through memory from end to end, which is quickest, and leaves it at hand.
        text.reserve_exact(compact.len());
        text.push_str(compact);
        // Four characters are three octets; the decoder asks for some more room.
        let mut decoded = Vec::with_capacity(compact.len().saturating_sub(compact.len() / 4));
        payload.decode(&mut decoded)?;
        let payload_len = decoded.len();
        signature.decode(&mut decoded)?;
        let header = match legacy.header {
            Some(known) if known.is_of(header) => known,
            _ => {
                let claims_and_signature = decoded.len();
                header.decode(&mut decoded)?;
                let read = Header::parse(header, decoded.get(claims_and_signature..).unwrap_or_default())?;
                decoded.truncate(claims_and_signature);
                Arc::new(read)
            }
        };
        let token = Self { compact: text, signature_at, header, decoded, payload_len };
        if token.algorithm().signature_len().is_some_and(|len| len != token.signature().len()) {
            return Err(TokenError::Malformed);
        }
        Ok(token)
    }

    /// The algorithm that the header selects.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    /// `kid`, an opaque name.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.header.key_id.as_deref()
    }

    /// `typ`, as written.
    pub(crate) fn token_type(&self) -> Option<&str> {
        self.header.token_type.as_deref()
    }

    /// The token as it came, and its header.
    pub(crate) fn into_parts(self) -> (String, Arc<Header>) {
        (self.compact, self.header)
    }

    /// The JWS signing input: header and payload with the dot between (RFC 7515 §5.1).
    pub(crate) fn message(&self) -> &[u8] {
        self.compact.as_bytes().get(..self.signature_at.saturating_sub(1)).unwrap_or_default()
    }

    /// The decoded signature.
    pub(crate) fn signature(&self) -> &[u8] {
        self.decoded.get(self.payload_len..).unwrap_or_default()
    }

    fn payload(&self) -> &[u8] {
        self.decoded.get(..self.payload_len).unwrap_or_default()
    }

    /// The one look at the payload before the signature is checked: which issuer claims to speak.
    pub(crate) fn peek_issuer(&self) -> Result<String, TokenError> {
        serde_json::from_slice::<IssuerOnly>(self.payload()).map(|claims| claims.0).map_err(|_| TokenError::Malformed)
    }

    /// The claims, for the caller that has just seen the signature hold.
    pub(crate) fn claims_after_signature(&self) -> Option<Claims<'_>> {
        Claims::from_json(self.payload())
    }
}

/// `iss` and nothing else; refuses a second one and a value that is no string.
struct IssuerOnly(String);

impl<'de> Deserialize<'de> for IssuerOnly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(IssuerVisitor).map(Self)
    }
}

struct IssuerVisitor;

impl<'de> Visitor<'de> for IssuerVisitor {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a claims object with one `iss`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<String, A::Error> {
        let mut issuer = None;
        while let Some(name) = access.next_key::<String>()? {
            if name != "iss" {
                access.next_value::<IgnoredAny>()?;
            } else if issuer.replace(access.next_value::<String>()?).is_some() {
                return Err(A::Error::custom("`iss` stands twice"));
            }
        }
        issuer.ok_or_else(|| A::Error::missing_field("iss"))
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the token is larger than the cap",
            Self::Malformed => "the token is not a well-formed compact JWS",
            Self::Critical => "the token's header demands extensions (`crit` or `b64`)",
            Self::ContentType => "the token's header has a `cty`",
            Self::Algorithm => "the token's `alg` names no algorithm that issuers may use",
            Self::KeyId => "the token's `kid` is longer than the cap",
        })
    }
}

impl core::error::Error for TokenError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::MAX_KEY_ID_BYTES;
    use alloc::{borrow::ToOwned, format};
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    fn refused(compact: &str) -> TokenError {
        check_form(compact).unwrap_err()
    }

    fn token(header: &str) -> String {
        format!(
            "{}.{}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(header.as_bytes()),
            BASE64_URL_SAFE_NO_PAD.encode(br#"{"iss":"https://issuer.example"}"#),
            BASE64_URL_SAFE_NO_PAD.encode([7; 64])
        )
    }

    #[test]
    fn the_header_is_checked_before_anything_costly() {
        for (header, expected) in [
            (r#"{"alg":"none"}"#, TokenError::Algorithm),
            (r#"{"alg":"NoNe"}"#, TokenError::Algorithm),
            (r#"{"alg":"HS256"}"#, TokenError::Algorithm),
            (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, TokenError::Critical),
            (r#"{"alg":"ES256","crit":[]}"#, TokenError::Critical),
            (r#"{"alg":"ES256","crit":null}"#, TokenError::Critical),
            (r#"{"alg":"ES256","b64":false}"#, TokenError::Critical),
            (r#"{"alg":"ES256","b64":true}"#, TokenError::Critical),
            (r#"{"alg":"ES256","cty":"CBOR"}"#, TokenError::ContentType),
            (r#"{"alg":"ES256","cty":"JSON"}"#, TokenError::ContentType),
            (r#"{"alg":"ES256","cty":"JWT"}"#, TokenError::ContentType),
            (r#"{"alg":"ES256","alg":"ES256"}"#, TokenError::Malformed),
            (r#"{"alg":"ES256","kid":"a","kid":"b"}"#, TokenError::Malformed),
            (r#"{"alg":"ES256","x":1,"x":1}"#, TokenError::Malformed),
            (r#"{"alg":["ES256"]}"#, TokenError::Malformed),
            (r#"{"alg":"ES256","kid":7}"#, TokenError::Malformed),
            (r#"{"kid":"a"}"#, TokenError::Malformed),
            (r#"["ES256"]"#, TokenError::Malformed),
        ] {
            assert_eq!(refused(&token(header)), expected, "{header}");
        }
        let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(MAX_KEY_ID_BYTES + 1));
        assert_eq!(refused(&token(&header)), TokenError::KeyId);
        assert_eq!(check_form(&token(r#"{"alg":"ES256"}"#)), Ok(()));
    }

    #[test]
    fn members_that_bring_keys_are_read_over() {
        let header = r#"{"alg":"ES256","kid":"k","jku":"https://evil.example/jwks","jwk":{"kty":"oct","k":"AA"},"x5u":"https://evil.example/c","x5c":["AA"]}"#;
        assert_eq!(UnverifiedToken::parse(&token(header), Legacy::default()).unwrap().key_id(), Some("k"));
    }

    #[test]
    fn only_canonical_base64url_in_three_parts_passes() {
        let good = token(r#"{"alg":"ES256"}"#);
        assert_eq!(check_form(&good), Ok(()));
        let (rest, signature) = good.rsplit_once('.').unwrap();
        for bad in [
            format!("{good}="),
            format!("{good}."),
            format!("{good}.{signature}"),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{rest}."),
            rest.to_owned(),
            format!(".{good}"),
            good.replace('.', ".."),
            String::new(),
            String::from("..."),
            ".".repeat(5000),
            format!("{rest}.{}", signature.replace('-', "+")) + "+",
            // 64 octets take 86 characters, the last of which has two unused bits: set one.
            format!("{rest}.{}", signature.strip_suffix('w').map(|s| format!("{s}x")).unwrap()),
        ] {
            assert_eq!(refused(&bad), TokenError::Malformed, "{bad}");
        }
        assert_eq!(refused(&"a".repeat(MAX_TOKEN_BYTES + 1)), TokenError::TooLarge);
    }

    #[test]
    fn a_signature_of_the_wrong_length_is_refused_before_the_key_is_asked_for() {
        let good = token(r#"{"alg":"ES256"}"#);
        let (rest, _) = good.rsplit_once('.').unwrap();
        let short = format!("{rest}.{}", BASE64_URL_SAFE_NO_PAD.encode([7; 63]));
        assert_eq!(refused(&short), TokenError::Malformed);
    }

    #[test]
    fn what_another_token_leaves_changes_nothing_of_the_next() {
        let headers =
            [r#"{"alg":"ES256","kid":"a"}"#, r#"{"alg":"ES256","kid":"b","typ":"at+jwt"}"#, r#"{"alg":"ES256"}"#];
        let tokens = headers.map(token);
        let parse = |compact: &str, legacy| UnverifiedToken::parse(compact, legacy).unwrap();
        for (before, next) in tokens.iter().flat_map(|before| tokens.iter().map(move |next| (before, next))) {
            let header = Some(parse(before, Legacy::default()).into_parts().1);
            for room in [String::new(), before.clone(), "x".repeat(MAX_TOKEN_BYTES)] {
                let alone = parse(next, Legacy::default());
                let after = parse(next, Legacy { header: header.clone(), room });
                assert_eq!((after.algorithm(), after.key_id()), (alone.algorithm(), alone.key_id()));
                assert_eq!(after.token_type(), alone.token_type());
                assert_eq!((after.message(), after.signature()), (alone.message(), alone.signature()));
                assert_eq!(after.payload(), alone.payload());
                let (text, header) = after.into_parts();
                assert_eq!(&text, next);
                assert!(text.capacity() <= 2 * next.len() + 1, "room for {} is kept", text.capacity());
                assert_eq!(header.key_id.as_deref(), alone.key_id());
            }
            // What it is compared with is all of it, not how it begins.
            let (longer, shorter) = (format!("AA{next}"), &next[4..]);
            let legacy = || Legacy { header: header.clone(), room: String::new() };
            assert!(UnverifiedToken::parse(&longer, legacy()).is_err());
            assert!(UnverifiedToken::parse(shorter, legacy()).is_err());
        }
    }
}
