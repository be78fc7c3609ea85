//! Access tokens as the example's issuers make them, and every way to get one wrong.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value, json};

use super::{
    NOW, TestKey,
    keys::{PARTNERS_ED, USERS},
};

/// A token before it is signed.
#[derive(Clone)]
pub(crate) struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    raw_header: Option<String>,
    raw_claims: Option<String>,
    key: &'static TestKey,
}

pub(crate) const PARTNERS_URL: &str = "https://auth.partners.ljg-sushi.example";
pub(crate) const USERS_URL: &str = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example";
pub(crate) const AUDIENCE: &str = "https://api.ljg-sushi.example";
pub(crate) const CLIENT: &str = "p4iondtoa9aljeoultesa4nvc";
pub(crate) const ORDER_SCOPES: &str = "orders/list.orders orders/get.order orders/create.order";

impl Token {
    /// What the partners' issuer gives the company `company`: good for an hour, with every scope of orders.
    pub(crate) fn partner(company: &str) -> Self {
        let claims = json!({
            "iss": PARTNERS_URL, "aud": AUDIENCE, "sub": company, "client_id": company,
            "token_use": "access", "scope": ORDER_SCOPES, "iat": NOW, "exp": NOW + 3600, "jti": "p",
        });
        Self::new(claims, &PARTNERS_ED)
    }

    /// What the users' issuer gives the user `subject`: no `aud`, as Cognito's access tokens have none.
    pub(crate) fn user(subject: &str) -> Self {
        let claims = json!({
            "iss": USERS_URL, "client_id": CLIENT, "sub": subject, "username": subject,
            "token_use": "access", "scope": ORDER_SCOPES, "iat": NOW, "exp": NOW + 3600, "jti": "u",
        });
        Self::new(claims, &USERS)
    }

    fn new(claims: Value, key: &'static TestKey) -> Self {
        let Value::Object(claims) = claims else { unreachable!("claims are an object") };
        let mut token = Self { header: Map::new(), claims, raw_header: None, raw_claims: None, key };
        token.header.insert("typ".into(), json!("at+jwt"));
        token.signed_by(key)
    }

    /// Signed by another key, whose algorithm and name the header then says.
    pub(crate) fn signed_by(mut self, key: &'static TestKey) -> Self {
        self.key = key;
        self.header("alg", json!(key.algorithm())).header("kid", json!(key.key_id))
    }

    pub(crate) fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.into(), value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: Value) -> Self {
        self.header.insert(name.into(), value);
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// The header's text word for word: what a JSON writer would not write.
    pub(crate) fn raw_header(mut self, text: impl Into<String>) -> Self {
        self.raw_header = Some(text.into());
        self
    }

    /// The claims' text word for word.
    pub(crate) fn raw_claims(mut self, text: impl Into<String>) -> Self {
        self.raw_claims = Some(text.into());
        self
    }

    /// The claims' text, to be altered and given back to [`Token::raw_claims`].
    pub(crate) fn claims_text(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The JWS signing input.
    pub(crate) fn message(&self) -> String {
        let text = |raw: &Option<String>, members: &Map<String, Value>| {
            raw.clone().unwrap_or_else(|| Value::Object(members.clone()).to_string())
        };
        let header = Base64UrlUnpadded::encode_string(text(&self.raw_header, &self.header).as_bytes());
        let claims = Base64UrlUnpadded::encode_string(text(&self.raw_claims, &self.claims).as_bytes());
        format!("{header}.{claims}")
    }

    /// The token with a signature that holds.
    pub(crate) fn compact(&self) -> String {
        let signature = self.key.sign(self.message().as_bytes());
        self.with_signature(&signature)
    }

    /// The token with these octets in place of its signature.
    pub(crate) fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.message(), Base64UrlUnpadded::encode_string(signature))
    }
}
