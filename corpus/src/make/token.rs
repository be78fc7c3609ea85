//! Access tokens as issuers make them, and every way to get one wrong.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value, json};

use super::keys::Pair;
use crate::{
    case::{Facts, Key, Signature},
    write::in_order,
};

/// The moment of every decision, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

/// A token before it is signed.
#[derive(Clone, Debug)]
pub struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    raw_header: Option<String>,
    raw_claims: Option<String>,
    pair: Pair,
    /// What it is signed with, whatever the header says.
    algorithm: String,
    signature: Option<Vec<u8>>,
    facts: Facts,
}

impl Token {
    /// A token of these claims, with `iat` now and `exp` in an hour, signed by `pair` under the name `kid`.
    pub fn new(pair: Pair, kid: &str, mut claims: Value) -> Self {
        let header = Map::from_iter([
            ("alg".to_owned(), json!(pair.algorithm())),
            ("kid".to_owned(), json!(kid)),
            ("typ".to_owned(), json!("at+jwt")),
        ]);
        let dates = claims.as_object_mut().expect("claims are an object");
        dates.entry("iat").or_insert(json!(NOW));
        dates.entry("exp").or_insert(json!(NOW + 3600));
        let claims = dates.clone();
        let algorithm = pair.algorithm().to_owned();
        Self {
            header,
            claims,
            raw_header: None,
            raw_claims: None,
            pair,
            algorithm,
            signature: None,
            facts: Facts::default(),
        }
    }

    /// With another claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Without a claim.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// With another member in the header.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Without a member of the header.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// The header's text, word for word.
    pub fn raw_header(mut self, text: &str) -> Self {
        self.raw_header = Some(text.to_owned());
        self
    }

    /// The claims' text with something put in after its first brace.
    pub fn with_raw_claims(mut self, text: &str) -> Self {
        let whole = in_order(&Value::Object(self.claims.clone()));
        self.raw_claims = Some(format!("{{{text}{}", &whole[1..]));
        self
    }

    /// The claims' text, word for word.
    pub fn raw_claims(mut self, text: &str) -> Self {
        self.raw_claims = Some(text.to_owned());
        self
    }

    /// Signed by this algorithm, which the header says.
    pub fn algorithm(mut self, name: &str) -> Self {
        name.clone_into(&mut self.algorithm);
        self.header("alg", name)
    }

    /// Signed by another pair and under another name.
    pub fn signed_by(mut self, pair: Pair, kid: &str) -> Self {
        self.pair = pair;
        self.algorithm(pair.algorithm()).header("kid", kid)
    }

    /// Signed by somebody who is not the issuer, and said to be the issuer's.
    pub fn forged_by(mut self, stranger: Pair) -> Self {
        self.pair = stranger;
        self.facts.signature = Signature::Broken;
        self
    }

    /// With these octets for a signature.
    pub fn with_signature(mut self, octets: &[u8]) -> Self {
        self.signature = Some(octets.to_vec());
        self.facts.signature = Signature::Broken;
        self
    }

    /// Said, by its author, to be under a key that the issuer does not publish or that is not fit.
    pub fn of_unknown_key(mut self) -> Self {
        self.facts.key = Key::Unknown;
        self
    }

    /// What the model must be told.
    pub fn facts(&self) -> Facts {
        self.facts
    }

    /// Header and payload, with the dot between.
    pub fn message(&self) -> String {
        let text = |raw: &Option<String>, members: &Map<String, Value>| {
            raw.clone().unwrap_or_else(|| in_order(&Value::Object(members.clone())))
        };
        let encode = |text: String| Base64UrlUnpadded::encode_string(text.as_bytes());
        format!("{}.{}", encode(text(&self.raw_header, &self.header)), encode(text(&self.raw_claims, &self.claims)))
    }

    /// The signature's octets.
    pub fn signature(&self) -> Vec<u8> {
        self.signature.clone().unwrap_or_else(|| self.pair.sign(&self.algorithm, self.message().as_bytes()))
    }

    /// The compact form.
    pub fn compact(&self) -> String {
        format!("{}.{}", self.message(), Base64UrlUnpadded::encode_string(&self.signature()))
    }
}
