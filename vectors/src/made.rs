//! Signatures made here, which no published set has: PSS with every kind of salt, RSA keys of odd sizes and exponents,
//! and Ed25519 keys and signatures with a part of small order.

use curve25519_dalek::{constants::EIGHT_TORSION, edwards::EdwardsPoint, scalar::Scalar, traits::Identity};
use postern::Algorithm;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPrivateKey, traits::PublicKeyParts};
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::case::{Case, Expected, ed25519_jwk, rsa_jwk};

const MESSAGE: &[u8] = b"eyJhbGciOiJub25lIn0.bWFkZSBoZXJl";

/// All of them; making the keys takes a few seconds.
#[must_use]
pub fn cases() -> Vec<Case> {
    [pss_salts(), odd_keys(), torsion()].concat()
}

fn case(suite: &str, number: usize, comment: String, jwk: serde_json::Value, algorithm: Algorithm) -> Case {
    Case {
        suite: suite.to_owned(),
        number: number.to_string(),
        comment,
        jwk,
        algorithm,
        message: MESSAGE.to_vec(),
        signature: Vec::new(),
        expected: Expected::Agreement,
    }
}

fn jwk_of(key: &RsaPrivateKey) -> serde_json::Value {
    rsa_jwk(&key.n().to_bytes_be(), &key.e().to_bytes_be())
}

/// The seed is one that finds its primes soon.
fn key(bits: usize, exponent: u64, seed: u64) -> RsaPrivateKey {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    RsaPrivateKey::new_with_exp(&mut random, bits, &BigUint::from(exponent)).expect("a key")
}

fn pss(key: &RsaPrivateKey, algorithm: Algorithm, salt: usize) -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(salt as u64);
    let signed = match algorithm {
        Algorithm::Ps256 => {
            key.sign_with_rng(&mut random, Pss::new_with_salt::<Sha256>(salt), &Sha256::digest(MESSAGE))
        }
        Algorithm::Ps384 => {
            key.sign_with_rng(&mut random, Pss::new_with_salt::<Sha384>(salt), &Sha384::digest(MESSAGE))
        }
        _ => key.sign_with_rng(&mut random, Pss::new_with_salt::<Sha512>(salt), &Sha512::digest(MESSAGE)),
    };
    signed.expect("a salt that fits")
}

fn pss_salts() -> Vec<Case> {
    let key = key(2048, 65_537, 16);
    let mut cases = Vec::new();
    for (algorithm, hash) in [(Algorithm::Ps256, 32), (Algorithm::Ps384, 48), (Algorithm::Ps512, 64)] {
        // The longest that 256 octets hold beside the hash and two octets of framing.
        for salt in [0, 1, 20, hash - 1, hash, hash + 1, 32, 48, 64, 256 - hash - 2] {
            let mut case =
                case("PSS salts", cases.len(), format!("{algorithm}, {salt} octets"), jwk_of(&key), algorithm);
            case.signature = pss(&key, algorithm, salt);
            case.expected = if salt == hash { Expected::Valid } else { Expected::Rejected };
            cases.push(case);
        }
    }
    cases
}

/// Sizes and exponents at the edges of what is taken, and some on which libraries are known to differ.
fn odd_keys() -> Vec<Case> {
    let mut cases = Vec::new();
    for (bits, exponent, seed) in [
        (2040, 65_537, 1),
        (2047, 65_537, 2),
        (2049, 65_537, 3),
        (2052, 65_537, 4),
        (2056, 65_537, 5),
        (2048, 3, 6),
        (2048, 17, 7),
        (2048, 4_294_967_295, 8),
        (2048, 4_294_967_297, 9),
    ] {
        let key = key(bits, exponent, seed);
        let comment = format!("{bits} bits, exponent {exponent}");
        let mut pkcs1 = case("odd RSA keys", cases.len(), comment.clone(), jwk_of(&key), Algorithm::Rs256);
        pkcs1.signature = key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(MESSAGE)).expect("a signature");
        cases.push(pkcs1);
        let mut with_salt = case("odd RSA keys", cases.len(), comment, jwk_of(&key), Algorithm::Ps256);
        with_salt.signature = pss(&key, Algorithm::Ps256, 32);
        cases.push(with_salt);
    }
    cases
}

/// Keys `A + T` and points `R + T'` for points `T` of small order: checks that multiply by the cofactor take them, those
/// that do not (as all four must) take one in eight, or as many as the order has.
fn torsion() -> Vec<Case> {
    let mut cases = Vec::new();
    let secret = Scalar::from_bytes_mod_order([7; 32]);
    let base = EdwardsPoint::mul_base(&secret);
    for (of_key, key_torsion) in EIGHT_TORSION.iter().enumerate() {
        for (of_point, point_torsion) in EIGHT_TORSION.iter().enumerate().step_by(3) {
            for try_number in 0..10_u8 {
                let key = (base + key_torsion).compress();
                // The first has no secret part in R at all: R itself is of small order.
                let nonce = Scalar::from(u64::from(try_number));
                let point = (EdwardsPoint::mul_base(&nonce) + point_torsion).compress();
                let mut case = case(
                    "Ed25519 of small order",
                    cases.len(),
                    format!("key + {of_key}/8, R + {of_point}/8, {try_number}"),
                    ed25519_jwk(key.as_bytes()),
                    Algorithm::EdDsa,
                );
                case.message.push(try_number);
                let hash = Sha512::new()
                    .chain_update(point.as_bytes())
                    .chain_update(key.as_bytes())
                    .chain_update(&case.message)
                    .finalize();
                let s = nonce + Scalar::from_bytes_mod_order_wide(&hash.into()) * secret;
                case.signature = [*point.as_bytes(), s.to_bytes()].concat();
                cases.push(case);
            }
        }
    }
    // Keys of small order themselves: under the identity, `S·B = R` holds for every message.
    for small in EIGHT_TORSION.iter().chain([&EdwardsPoint::identity()]) {
        let mut case = case(
            "Ed25519 of small order",
            cases.len(),
            "a key of small order".to_owned(),
            ed25519_jwk(small.compress().as_bytes()),
            Algorithm::EdDsa,
        );
        case.signature = [EdwardsPoint::mul_base(&secret).compress().to_bytes(), secret.to_bytes()].concat();
        case.expected = Expected::Rejected;
        cases.push(case);
    }
    cases
}
