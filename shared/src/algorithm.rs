//! The one table of signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864).
//!
//! HMAC algorithms and `none` have no row here, so that no issuer can be configured with them and
//! no header can ask for them: public keys must never serve as HMAC secrets.

use core::fmt;

/// A signature algorithm that an issuer may be configured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// ECDSA on P-256 with SHA-256; the signature is `r ‖ s`, 64 octets (RFC 7518 §3.4).
    Es256,
    /// EdDSA on Ed25519 (RFC 8037 §3.1); `Ed25519` in RFC 9864's terms.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The `alg` value, as policies and JWK members spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Finds the algorithm of an `alg` value; names are case-sensitive (RFC 7515 §4.1.1).
    ///
    /// `Ed25519` is read as `EdDSA`: with Ed25519 the only curve here, both name one algorithm.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }

    /// The exact length of a signature in octets, where the algorithm fixes one.
    pub(crate) const fn signature_len(self) -> Option<usize> {
        match self {
            Self::Rs256 => None,
            Self::Es256 | Self::EdDsa => Some(64),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDsa));
    }

    #[test]
    fn none_and_hmac_have_no_row_in_any_case() {
        for name in ["none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "hs256", "rs256", ""] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
