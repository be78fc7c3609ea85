//! The JOSE header of an access token (RFC 7515 §4), read strictly.
//!
//! The header selects among what the policy allows; it never brings anything of its own. Members
//! that point at keys (`jwk`, `jku`, `x5u`, `x5c`) are never used. `crit` in any form is refused, and
//! so are `b64` (RFC 7797) and `cty`: a library that reads over them decides on other octets than were signed.

use alloc::{borrow::ToOwned, string::String};

use crate::{
    algorithm::Algorithm,
    json::{Json, Object},
    part::Part,
    token::TokenError,
};

/// Longest `kid` that is looked up, in octets. Thumbprints have 43 and Entra's identifiers 27.
pub const MAX_KEY_ID_BYTES: usize = 256;

/// What a token's header selects.
#[derive(Debug)]
pub(crate) struct Header {
    /// As it was written, in base64url: who is shown the same again need not read it.
    encoded: String,
    /// `alg`, one of the table.
    pub(crate) algorithm: Algorithm,
    /// `kid`, an opaque name.
    pub(crate) key_id: Option<String>,
    /// `typ`, as written.
    pub(crate) token_type: Option<String>,
}

impl Header {
    /// Reads the first part of a compact JWS, of which `json` is what it stands for.
    pub(crate) fn parse(part: Part<'_>, json: &[u8]) -> Result<Self, TokenError> {
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
        Ok(Self {
            encoded: part.text().to_owned(),
            algorithm,
            key_id: key_id.map(ToOwned::to_owned),
            token_type: token_type.map(ToOwned::to_owned),
        })
    }

    /// Whether this is what would be read from `part`.
    pub(crate) fn is_of(&self, part: Part<'_>) -> bool {
        self.encoded == part.text()
    }
}

fn string<'m>(members: &'m Object<'_>, name: &str) -> Result<Option<&'m str>, TokenError> {
    match members.get(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::Malformed),
    }
}
