//! The JOSE header of an access token (RFC 7515 §4), read strictly before `jwt-compact` sees it.
//!
//! The header selects among what the policy allows; it never brings anything of its own. Members
//! that point at keys (`jwk`, `jku`, `x5u`, `x5c`) are never used. `crit` in any form is refused, and
//! so are `b64` (RFC 7797) and `cty`: `jwt-compact` reads over the first two and keeps the third to itself.

use alloc::{borrow::ToOwned, string::String};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::{algorithm::Algorithm, json, token::TokenError};

/// Longest `kid` that is looked up, in octets. Thumbprints have 43 and Entra's identifiers 27.
pub const MAX_KEY_ID_BYTES: usize = 256;

/// What a token's header selects.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// `alg`, one of the table.
    pub(crate) algorithm: Algorithm,
    /// `kid`, an opaque name.
    pub(crate) key_id: Option<String>,
    /// `typ`, as written.
    pub(crate) token_type: Option<String>,
}

impl Header {
    /// Reads the first part of a compact JWS.
    pub(crate) fn parse(encoded: &str) -> Result<Self, TokenError> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenError::Malformed)?;
        let members = json::object(&json).map_err(|_| TokenError::Malformed)?;
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(TokenError::Critical);
        }
        if members.contains_key("cty") {
            return Err(TokenError::ContentType);
        }
        let algorithm = string(&members, "alg")?.ok_or(TokenError::Malformed)?;
        let algorithm = Algorithm::from_name(&algorithm).ok_or(TokenError::Algorithm)?;
        let key_id = string(&members, "kid")?;
        if key_id.as_ref().is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES) {
            return Err(TokenError::KeyId);
        }
        Ok(Self { algorithm, key_id, token_type: string(&members, "typ")? })
    }
}

fn string(members: &Map<String, Value>, name: &str) -> Result<Option<String>, TokenError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.to_owned())),
        Some(_) => Err(TokenError::Malformed),
    }
}
