//! Tokens that are measured with: one issuer's key, made anew for each run, and access tokens in Cognito's shape.

use anyhow::{Result, anyhow};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::{JwkSet, UnixTime};
use serde_json::{Map, Value, json};

pub(crate) const ISSUER: &str = "https://issuer.bench.example";
pub(crate) const CLIENT: &str = "bench-client";
const KEY_ID: &str = "b1946ac9-2492-4d23-8b0c-6f1d3a0f5e5c";
const LIFETIME_SECONDS: u64 = 3 * 3600;

/// The time of every decision that is measured.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_secs(now_seconds())
}

fn now_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// An issuer with one RSA key of 2048 bits.
pub(crate) struct Issuer {
    pair: RsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    pub(crate) fn new() -> Result<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow!("no key could be made"))?;
        Ok(Self { pair, random: SystemRandom::new() })
    }

    /// Modulus and exponent, big-endian, as base64url.
    pub(crate) fn components(&self) -> (String, String) {
        let public = self.pair.public_key();
        let text = |octets: &[u8]| Base64UrlUnpadded::encode_string(octets);
        (
            text(public.modulus().big_endian_without_leading_zero()),
            text(public.exponent().big_endian_without_leading_zero()),
        )
    }

    pub(crate) fn key_id(&self) -> &'static str {
        KEY_ID
    }

    pub(crate) fn jwks(&self) -> Result<JwkSet> {
        let (n, e) = self.components();
        let key = json!({"kty": "RSA", "kid": KEY_ID, "alg": "RS256", "use": "sig", "n": n, "e": e});
        JwkSet::parse(json!({"keys": [key]}).to_string().as_bytes()).map_err(|error| anyhow!("{error}"))
    }

    /// The token of subject `number`.
    pub(crate) fn token(&self, number: usize) -> Result<String> {
        let input = input(&Value::Object(claims(number, &["1111", "2222", "3333"])));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &self.random, input.as_bytes(), &mut signature)
            .map_err(|_| anyhow!("a token could not be signed"))?;
        Ok(format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature)))
    }
}

/// A token whose signature is noise, of the right length: for rows in which nobody checks it.
pub(crate) fn unsigned(number: usize, companies: &[&str]) -> String {
    let mut state = number as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let noise: Vec<u8> = (0..256)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .collect();
    // As an integer less than any modulus, or the core refuses it unasked.
    let noise = [&[0], &noise[1..]].concat();
    let input = input(&Value::Object(claims(number, companies)));
    format!("{input}.{}", Base64UrlUnpadded::encode_string(&noise))
}

fn input(claims: &Value) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    format!("{}.{}", part(&json!({"kid": KEY_ID, "alg": "RS256"})), part(claims))
}

/// As Cognito has them in an access token, with companies and a role of the tenant's own.
pub(crate) fn claims(number: usize, companies: &[&str]) -> Map<String, Value> {
    let now = now_seconds();
    let subject = subject(number);
    let claims = json!({
        "sub": subject,
        "iss": ISSUER,
        "version": 2,
        "client_id": CLIENT,
        "origin_jti": format!("5f0c9a1e-0000-4000-8000-{number:012}"),
        "event_id": format!("c4d2b8f7-0000-4000-8000-{number:012}"),
        "token_use": "access",
        "scope": "orders/get.order orders/list.orders orders/create.order",
        "auth_time": now - 60,
        "exp": now + LIFETIME_SECONDS,
        "iat": now - 60,
        "jti": format!("0b7e6d5c-0000-4000-8000-{number:012}"),
        "username": subject,
        "companies": companies,
        "role": "Manager",
    });
    claims.as_object().cloned().unwrap_or_default()
}

pub(crate) fn subject(number: usize) -> String {
    format!("b0a1c2d3-0000-4000-8000-{number:012}")
}
