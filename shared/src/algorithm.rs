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
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 §3.3).
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3).
    Rs512,
    /// RSASSA-PSS with SHA-256, in MGF1 too, and a salt of 32 octets (RFC 7518 §3.5).
    Ps256,
    /// RSASSA-PSS with SHA-384, in MGF1 too, and a salt of 48 octets (RFC 7518 §3.5).
    Ps384,
    /// RSASSA-PSS with SHA-512, in MGF1 too, and a salt of 64 octets (RFC 7518 §3.5).
    Ps512,
    /// ECDSA on P-256 with SHA-256; the signature is `r ‖ s`, 64 octets (RFC 7518 §3.4).
    Es256,
    /// ECDSA on P-384 with SHA-384; the signature is `r ‖ s`, 96 octets (RFC 7518 §3.4).
    Es384,
    /// ECDSA on P-521 with SHA-512; the signature is `r ‖ s`, 132 octets (RFC 7518 §3.4).
    Es512,
    /// EdDSA on Ed25519 (RFC 8037 §3.1); `Ed25519` in RFC 9864's terms.
    EdDsa,
}

/// What a host computes for an algorithm: the table's rows in the words of cryptographic libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(Hash),
    /// RSASSA-PSS (RFC 8017 §8.1) with MGF1 on the same hash and a salt of exactly the hash's length.
    RsaPss(Hash),
    /// ECDSA on the curve, with the hash (FIPS 186-5 §6); `r ‖ s`, each as long as a coordinate.
    Ecdsa(Curve, Hash),
    /// PureEdDSA on Ed25519 (RFC 8032 §5.1).
    Ed25519,
}

/// A hash function (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// An elliptic curve of ECDSA (RFC 7518 §6.2.1.1, SP 800-186 §3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

/// What a key is: the one thing about it that a header cannot choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// `kty` `RSA`, for each of the RSA algorithms unless the key's `alg` says which.
    Rsa,
    /// `kty` `EC`, `crv` `P-256`: ES256.
    P256,
    /// `kty` `EC`, `crv` `P-384`: ES384.
    P384,
    /// `kty` `EC`, `crv` `P-521`: ES512.
    P521,
    /// `kty` `OKP`, `crv` `Ed25519`: EdDSA.
    Ed25519,
}

impl Algorithm {
    /// Every algorithm, in the order in which messages list them.
    pub const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
    ];

    /// The table itself.
    const fn row(self) -> (&'static str, Scheme) {
        match self {
            Self::Rs256 => ("RS256", Scheme::RsaPkcs1(Hash::Sha256)),
            Self::Rs384 => ("RS384", Scheme::RsaPkcs1(Hash::Sha384)),
            Self::Rs512 => ("RS512", Scheme::RsaPkcs1(Hash::Sha512)),
            Self::Ps256 => ("PS256", Scheme::RsaPss(Hash::Sha256)),
            Self::Ps384 => ("PS384", Scheme::RsaPss(Hash::Sha384)),
            Self::Ps512 => ("PS512", Scheme::RsaPss(Hash::Sha512)),
            Self::Es256 => ("ES256", Scheme::Ecdsa(Curve::P256, Hash::Sha256)),
            Self::Es384 => ("ES384", Scheme::Ecdsa(Curve::P384, Hash::Sha384)),
            Self::Es512 => ("ES512", Scheme::Ecdsa(Curve::P521, Hash::Sha512)),
            Self::EdDsa => ("EdDSA", Scheme::Ed25519),
        }
    }

    /// The `alg` value, as policies and JWK members spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// What is computed.
    #[must_use]
    pub const fn scheme(self) -> Scheme {
        self.row().1
    }

    /// The kind of key that it takes.
    #[must_use]
    pub const fn key_kind(self) -> KeyKind {
        match self.scheme() {
            Scheme::RsaPkcs1(_) | Scheme::RsaPss(_) => KeyKind::Rsa,
            Scheme::Ecdsa(Curve::P256, _) => KeyKind::P256,
            Scheme::Ecdsa(Curve::P384, _) => KeyKind::P384,
            Scheme::Ecdsa(Curve::P521, _) => KeyKind::P521,
            Scheme::Ed25519 => KeyKind::Ed25519,
        }
    }

    /// Finds the algorithm of an `alg` value; names are case-sensitive (RFC 7515 §4.1.1).
    ///
    /// `Ed25519` is read as `EdDSA`: with Ed25519 the only curve here, both name one algorithm.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The exact length of a signature in octets, where the algorithm fixes one; RSA's is the modulus's.
    #[must_use]
    pub const fn signature_len(self) -> Option<usize> {
        match self.scheme() {
            Scheme::RsaPkcs1(_) | Scheme::RsaPss(_) => None,
            Scheme::Ecdsa(curve, _) => Some(curve.coordinate_len().saturating_mul(2)),
            Scheme::Ed25519 => Some(64),
        }
    }
}

impl Hash {
    /// The length of a digest in octets.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl Curve {
    /// The `crv` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The length of a coordinate in octets (RFC 7518 §6.2.1.2).
    #[must_use]
    pub const fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Finds the curve of a `crv` value.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
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
        for name in ["none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "hs256", "rs256", "ps256", ""] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_rows_are_those_of_rfc_7518() {
        let rows = Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm.scheme(), algorithm.signature_len()));
        assert_eq!(
            rows,
            [
                ("RS256", Scheme::RsaPkcs1(Hash::Sha256), None),
                ("RS384", Scheme::RsaPkcs1(Hash::Sha384), None),
                ("RS512", Scheme::RsaPkcs1(Hash::Sha512), None),
                ("PS256", Scheme::RsaPss(Hash::Sha256), None),
                ("PS384", Scheme::RsaPss(Hash::Sha384), None),
                ("PS512", Scheme::RsaPss(Hash::Sha512), None),
                ("ES256", Scheme::Ecdsa(Curve::P256, Hash::Sha256), Some(64)),
                ("ES384", Scheme::Ecdsa(Curve::P384, Hash::Sha384), Some(96)),
                ("ES512", Scheme::Ecdsa(Curve::P521, Hash::Sha512), Some(132)),
                ("EdDSA", Scheme::Ed25519, Some(64)),
            ]
        );
    }
}
