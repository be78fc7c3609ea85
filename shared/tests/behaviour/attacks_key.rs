//! Attacks on which key and which algorithm a signature is checked with, and on the signature itself.

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{
    Algorithm as _, AlgorithmSignature as _,
    alg::{Hs256, Hs256Key},
};
use postern::{Reason, token::TokenError};
use serde_json::{Value, json};

use crate::support::{
    Call, Outcome, Token, World,
    keys::{PARTNERS_EC, PARTNERS_ED, PARTNERS_RSA, STRANGER_EC, STRANGER_ED, STRANGER_RSA, TestKey, USERS, jwks},
    token::{PARTNERS_URL, USERS_URL},
};

const ORDERS: &str = "/companies/1111/orders";
const MANAGERS: &str = "/companies/1111/users/user-manager/orders";

fn partner(world: &mut World, token: &str) -> Outcome {
    world.outcome(&Call::get(ORDERS).bearer(token))
}

fn user(world: &mut World, token: &str) -> Outcome {
    world.outcome(&Call::get(MANAGERS).bearer(token))
}

fn denied(reason: Reason) -> Outcome {
    Outcome::Deny(401, reason)
}

#[test]
fn every_configured_algorithm_is_checked_with_its_own_key() {
    for key in [&*PARTNERS_RSA, &*PARTNERS_EC, &*PARTNERS_ED] {
        let token = Token::partner("1111").signed_by(key).compact();
        assert_eq!(partner(&mut World::example(), &token), Outcome::Permit, "{}", key.algorithm());
    }
}

#[test]
fn a_key_that_nobody_published_signs_nothing_whatever_its_name() {
    for stranger in [&*STRANGER_EC, &*STRANGER_ED] {
        let token = Token::partner("1111").signed_by(stranger).compact();
        assert_eq!(partner(&mut World::example(), &token), denied(Reason::SignatureInvalid));
    }
    let token = Token::user("user-manager").signed_by(&STRANGER_RSA).compact();
    assert_eq!(user(&mut World::example(), &token), denied(Reason::SignatureInvalid));
}

#[test]
fn an_algorithm_that_the_issuer_is_not_configured_with_is_refused_though_it_publishes_the_key() {
    let mut world = World::example();
    world.publish(USERS_URL, &[&USERS, &PARTNERS_EC, &PARTNERS_ED]);
    for key in [&*PARTNERS_EC, &*PARTNERS_ED] {
        let token = Token::user("user-manager").signed_by(key).compact();
        assert_eq!(user(&mut world, &token), denied(Reason::AlgorithmNotAllowed), "{}", key.algorithm());
    }
    assert_eq!(world.counts.keys, 0);
}

#[test]
fn the_header_cannot_make_a_key_serve_another_algorithm() {
    let keys: [&'static TestKey; 3] = [&PARTNERS_RSA, &PARTNERS_EC, &PARTNERS_ED];
    for key in keys {
        for other in keys.iter().filter(|other| other.key_id != key.key_id) {
            let token = Token::partner("1111").signed_by(key).header("alg", json!(other.algorithm()));
            let outcome = partner(&mut World::example(), &token.compact());
            // A signature of the wrong length is not worth looking for a key.
            let expected = [denied(Reason::KeyUnknown), denied(Reason::Token(TokenError::Malformed))];
            assert!(expected.contains(&outcome), "{} as {}: {outcome:?}", key.algorithm(), other.algorithm());
        }
    }
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let jwk = USERS.jwk();
    let modulus = jwk["n"].as_str().unwrap();
    let secrets = [
        jwk.to_string().into_bytes(),
        jwks(&[&USERS]).into_bytes(),
        modulus.as_bytes().to_vec(),
        Base64UrlUnpadded::decode_vec(modulus).unwrap(),
        Vec::new(),
    ];
    for secret in secrets {
        for alg in ["HS256", "HS384", "HS512", "hs256", "RS256"] {
            let token = Token::user("user-manager").header("alg", json!(alg));
            let signature = Hs256.sign(&Hs256Key::new(&secret), token.message().as_bytes());
            let outcome = user(&mut World::example(), &token.with_signature(&signature.as_bytes()));
            let reason = if alg == "RS256" { Reason::SignatureInvalid } else { Reason::Token(TokenError::Algorithm) };
            assert_eq!(outcome, denied(reason), "{alg}");
        }
    }
}

#[test]
fn a_secret_in_the_key_set_is_never_used() {
    let secret = [7_u8; 32];
    let mut world = World::example();
    let oct = json!({"kty": "oct", "kid": "users-1", "alg": "HS256", "k": Base64UrlUnpadded::encode_string(&secret)});
    let set = json!({"keys": [oct, USERS.jwk()]}).to_string();
    world.published.insert(format!("{USERS_URL}/.well-known/jwks.json"), set);
    let token = Token::user("user-manager").header("alg", json!("HS256"));
    let signature = Hs256.sign(&Hs256Key::new(secret), token.message().as_bytes());
    let forged = token.with_signature(&signature.as_bytes());
    assert_eq!(user(&mut world, &forged), denied(Reason::Token(TokenError::Algorithm)));
    assert_eq!(user(&mut world, &Token::user("user-manager").compact()), Outcome::Permit);
}

#[test]
fn a_kid_is_an_opaque_name() {
    let mut world = World::example();
    for kid in [
        "../../../../dev/null",
        "/proc/self/environ",
        "' OR '1'='1",
        "users-1' UNION SELECT 'secret",
        "partners-ed\u{0}",
        "partners-ed ",
        "PARTNERS-ED",
        "*",
        "",
        "https://evil.example/jwks",
        "partners-ed\r\nx: y",
        "$(id)",
    ] {
        let token = Token::partner("1111").header("kid", json!(kid)).compact();
        assert_eq!(partner(&mut world, &token), denied(Reason::KeyUnknown), "{kid:?}");
    }
}

#[test]
fn a_kid_of_one_issuer_means_nothing_to_another() {
    let mut world = World::example();
    // Both issuers publish a key named `users-1`; the caches must not mix them.
    let mut namesake = PARTNERS_RSA.jwk();
    namesake["kid"] = json!("users-1");
    let set = json!({"keys": [namesake]}).to_string();
    world.published.insert(format!("{PARTNERS_URL}/.well-known/jwks.json"), set);
    assert_eq!(user(&mut world, &Token::user("user-manager").compact()), Outcome::Permit);
    let by_users = Token::partner("1111").signed_by(&USERS).compact();
    assert_eq!(partner(&mut world, &by_users), denied(Reason::SignatureInvalid));
    let by_partners = Token::partner("1111").signed_by(&PARTNERS_RSA).header("kid", json!("users-1")).compact();
    assert_eq!(partner(&mut world, &by_partners), Outcome::Permit);
    let crossed = Token::user("user-manager").signed_by(&PARTNERS_RSA).header("kid", json!("users-1")).compact();
    assert_eq!(user(&mut world, &crossed), denied(Reason::SignatureInvalid));
}

#[test]
fn a_token_without_a_kid_needs_a_sole_key() {
    let bare = |key: &'static TestKey| Token::partner("1111").signed_by(key).without_header("kid").compact();
    let mut world = World::example();
    assert_eq!(partner(&mut world, &bare(&PARTNERS_ED)), Outcome::Permit);
    assert_eq!(partner(&mut world, &bare(&STRANGER_ED)), denied(Reason::SignatureInvalid));
    let mut world = World::example();
    world.publish(PARTNERS_URL, &[&PARTNERS_ED, &STRANGER_ED]);
    assert_eq!(partner(&mut world, &bare(&PARTNERS_ED)), denied(Reason::KeyUnknown));
}

#[test]
fn two_keys_of_one_name_are_none() {
    let mut world = World::example();
    world.publish(PARTNERS_URL, &[&STRANGER_ED, &PARTNERS_ED]);
    let token = Token::partner("1111").compact();
    assert_eq!(partner(&mut world, &token), denied(Reason::KeyUnknown));
    // The same key twice is one key.
    let mut world = World::example();
    world.publish(PARTNERS_URL, &[&PARTNERS_ED, &PARTNERS_ED]);
    assert_eq!(partner(&mut world, &token), Outcome::Permit);
}

#[test]
fn a_bad_key_in_the_set_does_not_harm_the_good_ones() {
    let mut world = World::example();
    let mut private = PARTNERS_EC.jwk();
    private["d"] = json!("AAAA");
    let bad = [json!(7), json!({}), json!({"kty": "RSA", "n": "AQAB", "e": "AQ"}), private];
    let keys: Vec<Value> = bad.into_iter().chain([PARTNERS_ED.jwk()]).collect();
    world.published.insert(format!("{PARTNERS_URL}/.well-known/jwks.json"), json!({"keys": keys}).to_string());
    assert_eq!(partner(&mut world, &Token::partner("1111").compact()), Outcome::Permit);
    let refused = Token::partner("1111").signed_by(&PARTNERS_EC).compact();
    assert_eq!(partner(&mut world, &refused), denied(Reason::KeyUnknown));
}

#[test]
fn a_key_for_encryption_verifies_nothing() {
    for (member, value) in [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("alg", json!("RS256"))] {
        let mut world = World::example();
        let mut key = PARTNERS_ED.jwk();
        key[member] = value;
        let set = json!({"keys": [key, PARTNERS_EC.jwk()]}).to_string();
        world.published.insert(format!("{PARTNERS_URL}/.well-known/jwks.json"), set);
        let token = Token::partner("1111").compact();
        assert_eq!(partner(&mut world, &token), denied(Reason::KeyUnknown), "{member}");
    }
}

/// The order of P-256's group, and of its field.
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P256_FIELD: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn psychic_signatures_are_refused() {
    let token = Token::partner("1111").signed_by(&PARTNERS_EC);
    let (zero, mut one) = (vec![0_u8; 32], vec![0_u8; 32]);
    one[31] = 1;
    let edges = [zero, one, hex(P256_ORDER), hex(P256_FIELD), vec![0xFF; 32]];
    for r in &edges {
        for s in &edges {
            let forged = token.with_signature(&[r.as_slice(), s].concat());
            assert_eq!(partner(&mut World::example(), &forged), denied(Reason::SignatureInvalid), "{r:?} {s:?}");
        }
    }
}

#[test]
fn degenerate_signatures_of_the_other_algorithms_are_refused() {
    let mut identity = [0_u8; 64];
    identity[0] = 1;
    let eddsa = Token::partner("1111");
    for signature in [[0_u8; 64], [0xFF; 64], identity] {
        let forged = eddsa.with_signature(&signature);
        assert_eq!(partner(&mut World::example(), &forged), denied(Reason::SignatureInvalid));
    }
    let rsa = Token::user("user-manager");
    let modulus = Base64UrlUnpadded::decode_vec(USERS.jwk()["n"].as_str().unwrap()).unwrap();
    for signature in [vec![0; 256], [vec![0; 255], vec![1]].concat(), modulus, vec![0xFF; 256], vec![1], vec![0; 512]] {
        let forged = rsa.with_signature(&signature);
        assert_eq!(user(&mut World::example(), &forged), denied(Reason::SignatureInvalid), "{}", signature.len());
    }
}

#[test]
fn a_der_signature_is_no_jose_signature() {
    let token = Token::partner("1111").signed_by(&PARTNERS_EC);
    let raw = PARTNERS_EC.sign(token.message().as_bytes());
    let mut der = vec![0x30, 0x44, 0x02, 0x20];
    der.extend(&raw[..32]);
    der.extend([0x02, 0x20]);
    der.extend(&raw[32..]);
    for octets in [der, raw[..63].to_vec(), [&raw[..], &[0]].concat(), [&[0], &raw[..]].concat()] {
        let outcome = partner(&mut World::example(), &token.with_signature(&octets));
        assert_eq!(outcome, denied(Reason::Token(TokenError::Malformed)), "{}", octets.len());
    }
}

#[test]
fn another_tokens_signature_does_not_carry_over() {
    let other = Token::partner("2222").compact();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let spliced = format!("{}.{signature}", Token::partner("1111").message());
    let mut world = World::example();
    assert_eq!(partner(&mut world, &spliced), denied(Reason::SignatureInvalid));
    assert_eq!(world.outcome(&Call::get("/companies/2222/orders").bearer(other)), Outcome::Permit);
}

/// Flips each bit of a token that `key` signed; what comes of it must be refused.
fn flip_bits(key: &'static TestKey) {
    let valid = Token::partner("1111").signed_by(key).compact();
    let mut world = World::example();
    assert_eq!(partner(&mut world, &valid), Outcome::Permit);
    for place in 0..valid.len() {
        for bit in 0..8 {
            let mut octets = valid.clone().into_bytes();
            octets[place] ^= 1 << bit;
            // What is not UTF-8 cannot come as a header value; the eighth bit is tried as Latin-1 gives it.
            let altered: String = octets.into_iter().map(char::from).collect();
            let outcome = partner(&mut world, &altered);
            assert!(matches!(outcome, Outcome::Deny(400 | 401, _)), "octet {place}, bit {bit}: {outcome:?}");
        }
    }
}

#[test]
fn no_bit_of_a_valid_eddsa_token_can_be_flipped() {
    flip_bits(&PARTNERS_ED);
}

#[test]
fn no_bit_of_a_valid_rs256_token_can_be_flipped() {
    flip_bits(&PARTNERS_RSA);
}

#[test]
fn no_bit_of_a_valid_es256_token_can_be_flipped() {
    flip_bits(&PARTNERS_EC);
}
