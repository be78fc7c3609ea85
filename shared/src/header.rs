//! The JOSE header of an access token (RFC 7515 §4), read strictly.
//!
//! The header selects among what the policy allows; it never brings anything of its own. Members
//! that point at keys (`jwk`, `jku`, `x5u`, `x5c`) are never used. `crit` in any form is refused, and
//! so are `b64` (RFC 7797) and `cty`: a library that reads over them decides on other octets than were signed.

use alloc::{borrow::ToOwned, string::String};

use crate::{
    algorithm::Algorithm,
    json::{Json, Object},
    token::TokenError,
};

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
    /// Reads the first part of a compact JWS, decoded.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let members = Object::parse(json).map_err(|_| TokenError::Malformed)?;
        if members.get("crit").or(members.get("b64")).is_some() {
            return Err(TokenError::Critical);
        }
        if members.get("cty").is_some() {
            return Err(TokenError::ContentType);
        }
        let algorithm = string(&members, "alg")?.ok_or(TokenError::Malformed)?;
        let algorithm = Algorithm::from_name(algorithm).ok_or(TokenError::Algorithm)?;
        let key_id = string(&members, "kid")?;
        if key_id.is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES) {
            return Err(TokenError::KeyId);
        }
        let token_type = string(&members, "typ")?;
        Ok(Self { algorithm, key_id: key_id.map(ToOwned::to_owned), token_type: token_type.map(ToOwned::to_owned) })
    }
}

fn string<'m>(members: &'m Object<'_>, name: &str) -> Result<Option<&'m str>, TokenError> {
    match members.get(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::Malformed),
    }
}
