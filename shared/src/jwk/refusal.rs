//! Why a published key is not used.

use core::fmt;

/// Why a member of a JWK set's `keys` is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRefusal {
    /// Not an object, a member named twice at any depth, or of the wrong JSON type.
    Malformed,
    /// `kty` or `crv` that no algorithm here uses.
    UnsupportedType,
    /// `oct`: a secret has no place in a published set.
    Symmetric,
    /// A private member (`d`, `p`, `q`, `dp`, `dq`, `qi`, `oth` or `k`) is published with it.
    Private,
    /// `use` is not `sig`, or `key_ops` lacks `verify`.
    Purpose,
    /// `alg` names no signature algorithm of the table: one for encryption, say, or HMAC.
    ForeignAlgorithm,
    /// `alg` does not go with the key's type.
    AlgorithmMismatch,
    /// A required member is missing, no base64url, or of the wrong length.
    Member,
    /// RSA modulus under [`MIN_RSA_BITS`](super::MIN_RSA_BITS) or over [`MAX_RSA_BITS`](super::MAX_RSA_BITS), even, or
    /// an exponent that is even, below 3 or over [`MAX_RSA_EXPONENT`](super::MAX_RSA_EXPONENT).
    WeakRsa,
    /// The RSA modulus has the fingerprint of CVE-2017-15361 (ROCA): it can be factored.
    Roca,
    /// The coordinates are no point of the curve, or for Ed25519 one of small order or not in its one form.
    NotOnCurve,
}

impl fmt::Display for KeyRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the key is not a well-formed JWK",
            Self::UnsupportedType => "`kty` or `crv` is none that an algorithm here uses",
            Self::Symmetric => "`kty` is `oct`: a secret has no place in a published set",
            Self::Private => "a private member, such as `d` or `p`, is published with the key",
            Self::Purpose => "`use` is not `sig`, or `key_ops` lacks `verify`",
            Self::ForeignAlgorithm => "`alg` names no signature algorithm that is used here",
            Self::AlgorithmMismatch => "`alg` does not go with the key's type",
            Self::Member => "a required member is missing, not base64url, or of the wrong length",
            Self::WeakRsa => "the RSA modulus or exponent is outside what is safe",
            Self::Roca => "the RSA modulus has the fingerprint of weak keys (CVE-2017-15361)",
            Self::NotOnCurve => "the key is no point of its curve that is fit to verify with",
        })
    }
}

impl core::error::Error for KeyRefusal {}
