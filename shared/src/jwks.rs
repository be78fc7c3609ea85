//! An issuer's JWK set (RFC 7517 §5).
//!
//! One bad key does not harm the others: it is put aside with its reason. A set that is no set at
//! all is an error, so that an HTML page or a cut-off answer never replaces good keys.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Value, json, value::RawValue};

use crate::{
    algorithm::Algorithm,
    json::{Json, Object},
    jwk::{Jwk, KeyRefusal},
};

/// Largest JWK set in octets. Entra's, the largest known, with certificate chains in it, has about 20 KiB.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;
/// Most keys in a set: reading a key costs a point decompression.
pub const MAX_KEYS: usize = 64;

/// The keys of one issuer that are fit to verify with, and those put aside.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<Arc<Jwk>>,
    refused: Vec<RefusedKey>,
}

/// A key of the set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedKey {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Its `kid`, when the key is an object and that is a string. Foreign text: escape it before showing it.
    pub key_id: Option<String>,
    /// Why it is not used.
    pub reason: KeyRefusal,
}

/// Why a body is not a JWK set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwksError {
    /// Larger than [`MAX_JWKS_BYTES`] or with more than [`MAX_KEYS`] keys.
    TooLarge,
    /// Not a JSON object with an array `keys`, or a member named twice.
    Malformed,
    /// It holds no usable key: keeping the previous set beats trusting nobody.
    NoUsableKey,
}

impl JwkSet {
    /// Reads a JWK set.
    ///
    /// # Errors
    /// [`JwksError`] when the body is no set or no key of it is usable.
    pub fn parse(body: &[u8]) -> Result<Self, JwksError> {
        let set = Self::survey(body)?;
        if set.keys.is_empty() { Err(JwksError::NoUsableKey) } else { Ok(set) }
    }

    /// Reads a JWK set for a person to look into: one without a usable key is given too, with the reason for each.
    ///
    /// # Errors
    /// [`JwksError`] when the body is no set.
    pub fn survey(body: &[u8]) -> Result<Self, JwksError> {
        if body.len() > MAX_JWKS_BYTES {
            return Err(JwksError::TooLarge);
        }
        let members: Members<'_> = serde_json::from_slice(body).map_err(|_| JwksError::Malformed)?;
        let entries = members.0.get("keys").ok_or(JwksError::Malformed)?;
        let entries: Vec<&RawValue> = serde_json::from_str(entries.get()).map_err(|_| JwksError::Malformed)?;
        if entries.len() > MAX_KEYS {
            return Err(JwksError::TooLarge);
        }
        let mut set = Self::default();
        for (index, entry) in entries.iter().enumerate() {
            // Each is read by itself, so that one that names a member twice harms no other.
            let Ok(members) = Object::parse(entry.get().as_bytes()) else {
                set.refused.push(RefusedKey { index, key_id: None, reason: KeyRefusal::Malformed });
                continue;
            };
            match Jwk::from_members(&members) {
                Ok(key) => set.keys.push(Arc::new(key)),
                Err(reason) => {
                    let key_id = members.get("kid").and_then(Json::as_str).map(ToOwned::to_owned);
                    set.refused.push(RefusedKey { index, key_id, reason });
                }
            }
        }
        Ok(set)
    }

    /// The usable keys as a JWK set, to be read again by [`JwkSet::parse`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.keys.iter().map(|key| key.to_json()).collect::<Vec<_>>() })
    }

    /// The usable keys.
    pub fn keys(&self) -> impl Iterator<Item = &Jwk> {
        self.keys.iter().map(Arc::as_ref)
    }

    /// The keys put aside, each with its reason.
    #[must_use]
    pub fn refused(&self) -> &[RefusedKey] {
        &self.refused
    }

    /// Whether some key has this `kid`.
    pub(crate) fn knows(&self, key_id: &str) -> bool {
        self.keys.iter().any(|key| key.key_id() == Some(key_id))
    }

    /// The key that a token of `algorithm` and `key_id` was signed with, if there is exactly one candidate.
    pub(crate) fn select(&self, key_id: Option<&str>, algorithm: Algorithm) -> Option<Arc<Jwk>> {
        let mut candidates =
            self.keys.iter().filter(|key| key.allows(algorithm) && (key_id.is_none() || key.key_id() == key_id));
        let key = candidates.next()?;
        // Two keys under one name: trying both would let a caller choose the work we do.
        let same = candidates.all(|other| other.thumbprint() == key.thumbprint());
        same.then(|| Arc::clone(key))
    }
}

/// The members of the set itself, each named once, their values as they were written.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JWK set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = access.next_entry::<String, &RawValue>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(Members(members))
    }
}

impl fmt::Display for JwksError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the JWK set is larger than the cap",
            Self::Malformed => "the body is not a JWK set",
            Self::NoUsableKey => "the JWK set holds no usable key",
        })
    }
}

impl core::error::Error for JwksError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const P256: &str = r#""kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;
    const ED25519: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

    const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn rsa(octets: usize, first: u8, last: u8, exponent: &str) -> String {
        use base64ct::{Base64UrlUnpadded, Encoding};
        let mut modulus = alloc::vec![0xA5; octets];
        modulus[0] = first;
        modulus[octets - 1] = last;
        format!(r#""kty":"RSA","n":"{}","e":"{exponent}""#, Base64UrlUnpadded::encode_string(&modulus))
    }

    #[test]
    fn one_bad_key_does_not_harm_the_others() {
        let good = format!(r#"{{"kid":"good",{P256}}}"#);
        let not_a_point = P256.replace("4Etl6", "5Etl6");
        let cases = [
            (String::from("7"), KeyRefusal::Malformed),
            (String::from(r#"{"kid":"a"}"#), KeyRefusal::Malformed),
            (String::from("[]"), KeyRefusal::Malformed),
            (String::from(r#"{"kty":"RSA","kty":"RSA"}"#), KeyRefusal::Malformed),
            (format!(r#"{{"kid":"a","kid":"b",{P256}}}"#), KeyRefusal::Malformed),
            (format!(r#"{{"x-note":{{"a":1,"a":1}},{P256}}}"#), KeyRefusal::Malformed),
            (format!(r#"{{"x-note":1e999,{P256}}}"#), KeyRefusal::Malformed),
            (format!(r#"{{"x-note":{}{},{P256}}}"#, "[".repeat(500), "]".repeat(500)), KeyRefusal::Malformed),
            (format!(r#"{{"kid":7,{P256}}}"#), KeyRefusal::Malformed),
            (String::from(r#"{"kty":"oct","k":"AAAA"}"#), KeyRefusal::Symmetric),
            (format!(r#"{{"d":"AAAA",{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"d":"",{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"d":null,"k":0,{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"p":"AAAA",{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"q":"AAAA",{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"dp":"AAAA",{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"dq":"AAAA",{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"qi":"AAAA",{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"oth":[],{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"k":"AAAA",{P256}}}"#), KeyRefusal::Private),
            (format!(r#"{{"use":"enc",{P256}}}"#), KeyRefusal::Purpose),
            (format!(r#"{{"key_ops":["encrypt"],{P256}}}"#), KeyRefusal::Purpose),
            (format!(r#"{{"alg":"RS256",{P256}}}"#), KeyRefusal::AlgorithmMismatch),
            (format!(r#"{{"alg":"HS256",{P256}}}"#), KeyRefusal::ForeignAlgorithm),
            (P256.replace("P-256", "P-521"), KeyRefusal::Member),
            (P256.replace("P-256", "secp256k1"), KeyRefusal::UnsupportedType),
            (ED25519.replace("Ed25519", "X25519"), KeyRefusal::UnsupportedType),
            (P256.replace("4Etl6SRW", "4Etl"), KeyRefusal::Member),
            (P256.replace("4Etl6", "4Etl="), KeyRefusal::Member),
            (rsa(128, 0xC0, 1, "AQAB"), KeyRefusal::WeakRsa),
            (rsa(256, 0x7F, 1, "AQAB"), KeyRefusal::WeakRsa),
            (rsa(256, 0xC0, 2, "AQAB"), KeyRefusal::WeakRsa),
            (rsa(1025, 0xC0, 1, "AQAB"), KeyRefusal::WeakRsa),
            (rsa(256, 0xC0, 1, "AQ"), KeyRefusal::WeakRsa),
            (rsa(256, 0xC0, 1, "AA"), KeyRefusal::WeakRsa),
            (rsa(256, 0xC0, 1, "Ag"), KeyRefusal::WeakRsa),
            (rsa(256, 0xC0, 1, "AQAD"), KeyRefusal::WeakRsa),
            (rsa(256, 0xC0, 1, "AQAAAAAD"), KeyRefusal::WeakRsa),
            (ED25519.replace(ED25519_X, "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), KeyRefusal::NotOnCurve),
            (not_a_point, KeyRefusal::NotOnCurve),
        ];
        for (bad, reason) in cases {
            let bad = if bad.starts_with('"') { format!("{{{bad}}}") } else { bad };
            let set = JwkSet::parse(format!(r#"{{"keys":[{bad},{good}]}}"#).as_bytes()).unwrap();
            assert_eq!(set.refused().iter().map(|key| key.reason).collect::<Vec<_>>(), [reason], "{bad}");
            assert!(set.select(Some("good"), Algorithm::Es256).is_some());
        }
    }

    #[test]
    fn a_private_member_that_is_null_publishes_nothing() {
        let nulls = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].map(|name| format!(r#""{name}":null,"#)).concat();
        let set = JwkSet::parse(format!(r#"{{"keys":[{{"kid":"good",{nulls}{P256}}}]}}"#).as_bytes()).unwrap();
        assert!(set.refused().is_empty() && set.select(Some("good"), Algorithm::Es256).is_some());
    }

    #[test]
    fn what_is_no_set_is_an_error() {
        for (body, error) in [
            ("", JwksError::Malformed),
            ("<html></html>", JwksError::Malformed),
            ("{}", JwksError::Malformed),
            (r#"{"keys":{}}"#, JwksError::Malformed),
            (r#"{"keys":[]}"#, JwksError::NoUsableKey),
            (r#"{"keys":[],"keys":[]}"#, JwksError::Malformed),
            (r#"{"keys":[],"x":1,"x":1}"#, JwksError::Malformed),
            (r#"{"keys":[]} {}"#, JwksError::Malformed),
            (r#"{"keys":[{]}"#, JwksError::Malformed),
            (r#"[]"#, JwksError::Malformed),
            (r#"{"keys":[{"kty":"oct","k":"AA"}]}"#, JwksError::NoUsableKey),
        ] {
            assert_eq!(JwkSet::parse(body.as_bytes()).unwrap_err(), error, "{body}");
        }
        assert_eq!(JwkSet::parse(&alloc::vec![b' '; MAX_JWKS_BYTES + 1]).unwrap_err(), JwksError::TooLarge);
    }

    #[test]
    fn a_key_is_selected_by_name_and_algorithm() {
        let set =
            JwkSet::parse(format!(r#"{{"keys":[{{"kid":"a",{P256}}},{{"kid":"b",{ED25519}}}]}}"#).as_bytes()).unwrap();
        assert!(set.select(Some("a"), Algorithm::Es256).is_some());
        assert!(set.select(None, Algorithm::EdDsa).is_some());
        assert!(set.select(Some("a"), Algorithm::EdDsa).is_none());
        assert!(set.select(Some("c"), Algorithm::Es256).is_none());
        assert!(set.select(None, Algorithm::Rs256).is_none());
    }

    #[test]
    fn an_rsa_key_serves_every_rsa_algorithm_unless_it_names_one() {
        let material = rsa(256, 0xC0, 1, "AQAB");
        let set = |members: &str| JwkSet::parse(format!(r#"{{"keys":[{{{members}{material}}}]}}"#).as_bytes());
        let served = |members: &str| {
            let set = set(members).unwrap();
            Algorithm::ALL.into_iter().filter(|algorithm| set.select(None, *algorithm).is_some()).collect::<Vec<_>>()
        };
        use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        assert_eq!(served(""), [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512]);
        assert_eq!(served(r#""alg":"PS384","#), [Ps384]);
        assert_eq!(served(r#""alg":"RS256","use":"sig","#), [Rs256]);
        let refused = |members: &str| {
            let body = format!(r#"{{"keys":[{{{members}{material}}},{{{ED25519}}}]}}"#);
            JwkSet::parse(body.as_bytes()).unwrap().refused().first().map(|key| key.reason)
        };
        assert_eq!(refused(r#""alg":"RSA-OAEP","#), Some(KeyRefusal::ForeignAlgorithm));
        assert_eq!(refused(r#""alg":"RS1","#), Some(KeyRefusal::ForeignAlgorithm));
        assert_eq!(refused(r#""alg":"ES256","#), Some(KeyRefusal::AlgorithmMismatch));
        assert_eq!(refused(""), None);
    }

    #[test]
    fn one_rsa_key_named_for_two_algorithms_serves_both() {
        let material = rsa(256, 0xC0, 1, "AQAB");
        let body =
            format!(r#"{{"keys":[{{"kid":"a","alg":"RS256",{material}}},{{"kid":"a","alg":"PS256",{material}}}]}}"#);
        let set = JwkSet::parse(body.as_bytes()).unwrap();
        assert!(set.select(Some("a"), Algorithm::Rs256).is_some());
        assert!(set.select(Some("a"), Algorithm::Ps256).is_some());
        assert!(set.select(Some("a"), Algorithm::Ps512).is_none());
    }

    #[test]
    fn thumbprints_follow_rfc_7638() {
        // RFC 8037 appendix A.3.
        let set = JwkSet::parse(format!(r#"{{"keys":[{{"alg":"EdDSA","use":"sig",{ED25519}}}]}}"#).as_bytes()).unwrap();
        use base64ct::{Base64UrlUnpadded, Encoding};
        let thumbprint = Base64UrlUnpadded::encode_string(set.keys().next().unwrap().thumbprint());
        assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
