//! The secrets that edge and origin share: JWK sets of `oct` keys (RFC 7517 §5, RFC 7518 §6.4).

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::TYPE;
use crate::{header::MAX_KEY_ID_BYTES, json};

/// Least length of a secret in octets: that of the hash output (RFC 7518 §3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// The keys of one origin. The first signs; all verify, so that two are valid while one replaces the other.
#[derive(Clone)]
pub struct AssertionKeys(Vec<AssertionKey>);

#[derive(Clone)]
pub(super) struct AssertionKey {
    id: String,
    secret: Vec<u8>,
    /// Ready for a message: the key's own part of the work is done once.
    mac: Hmac<Sha256>,
    /// The header of what it signs, and the dot behind it: the same for all assertions.
    prefix: String,
    /// Ready for what follows the prefix.
    after_prefix: Hmac<Sha256>,
}

/// Why a text is no set of assertion keys. Never holds any of the text: it is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionKeyError {
    /// Not a JSON object with an array `keys`, or not the object that a verifier takes.
    Malformed,
    /// There is no key.
    Empty,
    /// A key's `kty` is not `oct`, or its `alg` not `HS256`.
    NotHmac,
    /// A key's `kid` is missing, empty or too long, or stands twice.
    KeyId,
    /// A key's `k` is missing, not base64url, or shorter than [`MIN_SECRET_BYTES`].
    Secret,
    /// A capability is neither `read` nor `write`.
    Capability,
}

impl AssertionKeys {
    /// Reads a JWK set of `oct` keys.
    ///
    /// # Errors
    /// [`AssertionKeyError`] says which rule is broken, and nothing of the keys.
    pub fn from_json(json: &str) -> Result<Self, AssertionKeyError> {
        let members = json::object(json.as_bytes()).map_err(|_| AssertionKeyError::Malformed)?;
        Self::from_entries(members.get("keys"))
    }

    pub(super) fn from_entries(entries: Option<&Value>) -> Result<Self, AssertionKeyError> {
        let entries = entries.and_then(Value::as_array).ok_or(AssertionKeyError::Malformed)?;
        let mut keys: Vec<AssertionKey> = Vec::new();
        for entry in entries {
            let key = AssertionKey::from_entry(entry)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(AssertionKeyError::KeyId);
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(AssertionKeyError::Empty) } else { Ok(Self(keys)) }
    }

    /// Whether some secret is in both sets: such keys serve two origins, and must not be used.
    #[must_use]
    pub fn shares_secret_with(&self, other: &Self) -> bool {
        self.0.iter().any(|own| other.0.iter().any(|key| key.secret == own.secret))
    }

    pub(super) fn signing_key(&self) -> Option<&AssertionKey> {
        self.0.first()
    }

    pub(super) fn find(&self, id: &str) -> Option<&AssertionKey> {
        self.0.iter().find(|key| key.id == id)
    }
}

impl AssertionKey {
    fn from_entry(entry: &Value) -> Result<Self, AssertionKeyError> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let is_hmac = text("kty") == Some("oct") && entry.get("alg").is_none_or(|alg| alg == "HS256");
        if !is_hmac {
            return Err(AssertionKeyError::NotHmac);
        }
        let id =
            text("kid").filter(|id| !id.is_empty() && id.len() <= MAX_KEY_ID_BYTES).ok_or(AssertionKeyError::KeyId)?;
        let secret = text("k")
            .and_then(|k| Base64UrlUnpadded::decode_vec(k).ok())
            .filter(|secret| secret.len() >= MIN_SECRET_BYTES);
        let secret = secret.ok_or(AssertionKeyError::Secret)?;
        let header = format!(r#"{{"alg":"HS256","typ":"{TYPE}","kid":{}}}"#, Value::from(id));
        let prefix = format!("{}.", Base64UrlUnpadded::encode_string(header.as_bytes()));
        // HMAC takes keys of any length (RFC 2104 §2).
        let mac = Hmac::<Sha256>::new_from_slice(&secret).map_err(|_| AssertionKeyError::Secret)?;
        let after_prefix = mac.clone().chain_update(&prefix);
        Ok(Self { id: id.to_owned(), secret, mac, prefix, after_prefix })
    }

    /// What every JWS begins with that this key signs.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The signature of the JWS whose payload, encoded, this is.
    pub(super) fn sign(&self, payload: &str) -> [u8; 32] {
        self.after_prefix.clone().chain_update(payload).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.mac.clone().chain_update(message).verify_slice(signature).is_ok()
    }
}

/// The secrets stay out of debug output.
impl fmt::Debug for AssertionKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl fmt::Display for AssertionKeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => {
                "the keys are not JSON of the form {\"keys\": [{\"kty\": \"oct\", \"kid\": …, \"k\": …}]}"
            }
            Self::Empty => "the set holds no key",
            Self::NotHmac => "a key's `kty` is not `oct`, or its `alg` not `HS256`",
            Self::KeyId => "a key's `kid` is missing, empty, too long or used twice",
            Self::Secret => "a key's `k` is missing, not base64url, or shorter than 32 octets",
            Self::Capability => "a capability is neither `read` nor `write`",
        })
    }
}

impl core::error::Error for AssertionKeyError {}
