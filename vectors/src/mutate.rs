//! Valid cases, altered: seeded, so that a failure comes again.
//!
//! Most of what comes out is invalid and some is not (`n − s` for `s` in ECDSA holds): what counts is that every
//! backend says the same.

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{Algorithm, algorithm::Scheme};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use rsa::BigUint;

use crate::case::{Case, Expected};

/// Of each algorithm so many valid cases are altered.
const SEEDS: usize = 6;

/// Orders of the base points (SP 800-186 §3.2.1, RFC 8032 §5.1).
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P384_ORDER: &str =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
const P521_ORDER: &str = "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
const ED25519_ORDER: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
/// 2²⁵⁵ − 19.
const ED25519_PRIME: &str = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";

/// Alters the valid ones among `cases`.
#[must_use]
pub fn mutated(cases: &[Case]) -> Vec<Case> {
    let mut random = ChaCha8Rng::seed_from_u64(20_260_101);
    let mut out = Vec::new();
    for algorithm in Algorithm::ALL {
        let valid: Vec<&Case> =
            cases.iter().filter(|case| case.algorithm == algorithm && case.expected == Expected::Valid).collect();
        let step = (valid.len() / SEEDS).max(1);
        for case in valid.into_iter().step_by(step).take(SEEDS) {
            alter(case, &mut random, &mut out);
        }
    }
    out
}

fn alter(case: &Case, random: &mut ChaCha8Rng, out: &mut Vec<Case>) {
    let mut add = |comment: &str, change: &mut dyn FnMut(&mut Case)| {
        let mut altered = case.clone();
        altered.suite = format!("mutated {}", case.algorithm);
        altered.number = out.len().to_string();
        altered.comment = format!("{comment}, of {}", case.id());
        altered.expected = Expected::Agreement;
        change(&mut altered);
        out.push(altered);
    };
    for _ in 0..6 {
        add("a bit of the signature", &mut |case| flip(&mut case.signature, random));
        add("a bit of the message", &mut |case| flip(&mut case.message, random));
    }
    for member in ["n", "e", "x", "y"] {
        for _ in 0..2 {
            add("a bit of the key", &mut |case| {
                if let Some(mut octets) =
                    case.jwk[member].as_str().and_then(|text| Base64UrlUnpadded::decode_vec(text).ok())
                {
                    flip(&mut octets, random);
                    case.jwk[member] = Base64UrlUnpadded::encode_string(&octets).into();
                }
            });
        }
    }
    add("an octet less", &mut |case| case.signature.truncate(case.signature.len() - 1));
    add("the first octet less", &mut |case| case.signature = case.signature[1..].to_vec());
    add("half", &mut |case| case.signature.truncate(case.signature.len() / 2));
    add("nothing", &mut |case| case.signature.clear());
    add("an octet more", &mut |case| case.signature.push(0));
    add("a leading zero", &mut |case| case.signature.insert(0, 0));
    add("twice", &mut |case| case.signature.extend(case.signature.clone()));
    add("zeros", &mut |case| case.signature.fill(0));
    add("ones", &mut |case| case.signature.fill(0xFF));
    add("backwards", &mut |case| case.signature.reverse());
    for other in Algorithm::ALL.into_iter().filter(|other| *other != case.algorithm) {
        add("another algorithm", &mut |case| case.algorithm = other);
    }
    match case.algorithm.scheme() {
        Scheme::RsaPkcs1(_) | Scheme::RsaPss(_) => rsa(case, &mut add),
        Scheme::Ecdsa(..) => ecdsa(case, &mut add),
        Scheme::Ed25519 => ed25519(&mut add),
    }
}

type Add<'a> = &'a mut dyn FnMut(&str, &mut dyn FnMut(&mut Case));

fn flip(octets: &mut [u8], random: &mut ChaCha8Rng) {
    let bits = octets.len() * 8;
    if bits > 0 {
        let bit = random.next_u32() as usize % bits;
        octets[bit / 8] ^= 1 << (bit % 8);
    }
}

fn rsa(case: &Case, add: Add<'_>) {
    let modulus = Base64UrlUnpadded::decode_vec(case.jwk["n"].as_str().unwrap_or_default()).unwrap_or_default();
    let modulus = BigUint::from_bytes_be(&modulus);
    let one = BigUint::from_bytes_be(&[1]);
    let signature = BigUint::from_bytes_be(&case.signature);
    for (comment, number) in [
        // Where it fits, the same residue in another form.
        ("plus the modulus", &signature + &modulus),
        ("its negative", &modulus - &signature),
        ("the modulus", modulus.clone()),
        ("the modulus less one", &modulus - &one),
        ("the modulus plus one", &modulus + &one),
        ("one", one),
    ] {
        add(comment, &mut |case| case.signature = padded(&number, case.signature.len()));
    }
    for exponent in [&[1_u8][..], &[2], &[3], &[1, 0, 0], &[1, 0, 1, 0, 1], &[0, 1, 0, 1]] {
        add("another exponent", &mut |case| case.jwk["e"] = Base64UrlUnpadded::encode_string(exponent).into());
    }
    add("leading zeros of the modulus", &mut |case| {
        let mut octets = vec![0];
        octets.extend(Base64UrlUnpadded::decode_vec(case.jwk["n"].as_str().unwrap_or_default()).unwrap_or_default());
        case.jwk["n"] = Base64UrlUnpadded::encode_string(&octets).into();
    });
}

fn ecdsa(case: &Case, add: Add<'_>) {
    let order = number(match case.algorithm {
        Algorithm::Es256 => P256_ORDER,
        Algorithm::Es384 => P384_ORDER,
        _ => P521_ORDER,
    });
    let half = case.signature.len() / 2;
    let (r, s) = case.signature.split_at(half);
    let (r, s) = (BigUint::from_bytes_be(r), BigUint::from_bytes_be(s));
    let one = BigUint::from_bytes_be(&[1]);
    let zero = BigUint::default();
    for (comment, r, s) in [
        ("r zero", zero.clone(), s.clone()),
        ("s zero", r.clone(), zero.clone()),
        ("both zero", zero.clone(), zero),
        ("r the order", order.clone(), s.clone()),
        ("s the order", r.clone(), order.clone()),
        ("both the order", order.clone(), order.clone()),
        ("both one", one.clone(), one.clone()),
        ("r plus the order", &r + &order, s.clone()),
        ("s plus the order", r.clone(), &s + &order),
        ("s negated", r.clone(), &order - &s),
        ("r negated", &order - &r, s.clone()),
        ("both negated", &order - &r, &order - &s),
        ("the order less one", &order - &one, &order - &one),
        ("r and s exchanged", s.clone(), r.clone()),
    ] {
        add(comment, &mut |case| case.signature = [padded(&r, half), padded(&s, half)].concat());
    }
    add("DER", &mut |case| {
        let integer = |octets: &[u8]| [&[2, (octets.len() + 1) as u8, 0][..], octets].concat();
        let (r, s) = case.signature.split_at(half);
        let body = [integer(r), integer(s)].concat();
        case.signature = [vec![0x30, 0x81, body.len() as u8], body].concat();
    });
}

fn ed25519(add: Add<'_>) {
    let order = number(ED25519_ORDER);
    for times in 1..=8_u8 {
        add("S plus the order", &mut |case| {
            let s = BigUint::from_bytes_le(&case.signature[32..]) + &order * BigUint::from(times);
            let mut octets = s.to_bytes_le();
            octets.resize(32, 0);
            case.signature.truncate(32);
            case.signature.extend(octets);
        });
    }
    add("S negated", &mut |case| {
        let s = &order - BigUint::from_bytes_le(&case.signature[32..]);
        let mut octets = s.to_bytes_le();
        octets.resize(32, 0);
        case.signature.truncate(32);
        case.signature.extend(octets);
    });
    add("the sign of R", &mut |case| case.signature[31] ^= 0x80);
    add("the sign of the key", &mut |case| {
        let mut octets = Base64UrlUnpadded::decode_vec(case.jwk["x"].as_str().unwrap_or_default()).unwrap_or_default();
        octets[31] ^= 0x80;
        case.jwk["x"] = Base64UrlUnpadded::encode_string(&octets).into();
    });
    // y = 0, 1 … 18 and the prime added to it: the encodings that are not canonical.
    let prime = number(ED25519_PRIME);
    for y in 0..19_u8 {
        let mut octets = (&prime + BigUint::from(y)).to_bytes_le();
        octets.resize(32, 0);
        add("R not canonical", &mut |case| case.signature[..32].copy_from_slice(&octets));
        add("a key that is not canonical", &mut |case| {
            case.jwk["x"] = Base64UrlUnpadded::encode_string(&octets).into()
        });
    }
}

fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).expect("hexadecimal")
}

/// Big-endian in `len` octets, or in as many as it takes.
fn padded(number: &BigUint, len: usize) -> Vec<u8> {
    let octets = number.to_bytes_be();
    [vec![0; len.saturating_sub(octets.len())], octets].concat()
}
