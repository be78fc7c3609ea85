//! The folder of published tokens and key sets: Wycheproof's JWS and JWK, RFC 7515 to 7519 and 8037, the JOSE cookbook.
//!
//! They lie outside the repository, where `POSTERN_VECTORS` points or in `../shared/vectors` beside it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::Algorithm;
use serde_json::{Value, json};

use crate::case::{Case, Expected};

/// What there is, for when it is not there.
pub const SUITES: [&str; 5] = [
    "wycheproof json_web_signature",
    "wycheproof json_web_key",
    "rfc-appendices tokens",
    "rfc-appendices keys",
    "jose-cookbook",
];

/// One token, the keys to check it with, and what its source says of it.
#[derive(Clone, Debug)]
pub struct Token {
    suite: &'static str,
    number: String,
    comment: String,
    /// The compact JWS, or what stands in its place.
    pub token: String,
    /// A JWK set.
    pub keys: String,
    is_valid: bool,
}

/// Everything that was read.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Tokens with their keys.
    pub tokens: Vec<Token>,
    /// Keys by the name that their file gives them.
    pub key_sets: Value,
}

/// The folder, if there is one; a variable that points nowhere is a mistake and no reason to ignore anything.
///
/// # Panics
/// When `POSTERN_VECTORS` names no folder.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    if let Some(named) = env::var_os("POSTERN_VECTORS") {
        // Cargo runs tests in the package's folder; people write paths from the workspace's.
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = workspace.join(named);
        assert!(folder.is_dir(), "POSTERN_VECTORS names `{}`, which is no folder", folder.display());
        return Some(folder);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    beside.is_dir().then_some(beside)
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Tokens {
    /// Reads the folder.
    ///
    /// # Panics
    /// When a file is not there or not what it should be.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let mut tokens = Vec::new();
        wycheproof("jws", &read(&folder.join("wycheproof/json_web_signature_test.json")), &mut tokens);
        wycheproof("jwk", &read(&folder.join("wycheproof/json_web_key_test.json")), &mut tokens);
        rfcs(&read(&folder.join("rfc-appendices/rfc7515-7519-7797.json")), &mut tokens);
        cookbook(&folder.join("jose-cookbook"), &mut tokens);
        Self { tokens, key_sets: read(&folder.join("rfc-appendices/rfc7517-keys.json")) }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The public half of one key or of a set of them, as a set.
fn public(keys: &Value) -> String {
    let list = keys["keys"].as_array().cloned().unwrap_or_else(|| vec![keys.clone()]);
    let without_private = |mut key: Value| {
        // A secret stays whole: that it is refused is what such a vector tests.
        if let Some(members) = key.as_object_mut().filter(|members| members["kty"] != "oct") {
            for name in ["d", "p", "q", "dp", "dq", "qi"] {
                members.remove(name);
            }
        }
        key
    };
    json!({ "keys": list.into_iter().map(without_private).collect::<Vec<_>>() }).to_string()
}

fn wycheproof(suite: &'static str, file: &Value, vectors: &mut Vec<Token>) {
    for group in file["testGroups"].as_array().unwrap() {
        let keys = group.get("public").unwrap_or(&group["private"]);
        for test in group["tests"].as_array().unwrap() {
            vectors.push(Token {
                suite,
                number: test["tcId"].to_string(),
                comment: format!("{} {}", text(&group["comment"]), text(&test["comment"])),
                // One vector holds the JSON serialisation, which is rejected like any other text.
                token: test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned),
                keys: public(keys),
                is_valid: test["result"] == "valid",
            });
        }
    }
}

fn rfcs(file: &Value, vectors: &mut Vec<Token>) {
    for (index, case) in file["cases"].as_array().unwrap().iter().enumerate() {
        let keys = case.get("jwks").map_or_else(|| case["jwk"].clone(), |keys| json!({ "keys": keys }));
        let compact = case.get("token");
        vectors.push(Token {
            suite: "rfc",
            number: (index + 1).to_string(),
            comment: text(&case["name"]),
            token: compact.map_or_else(|| case["json_serialization"].to_string(), text),
            keys: if keys.is_null() { json!({"keys": []}).to_string() } else { public(&keys) },
            is_valid: compact.is_some() && text(&case["expected"]).starts_with("signature-valid"),
        });
    }
}

fn cookbook(folder: &Path, vectors: &mut Vec<Token>) {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.join("jws")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(folder.join("curve25519/jws.json"));
    files.sort();
    for file in files {
        let case = read(&file);
        // Files without a compact form show the JSON serialisations alone.
        if let Some(token) = case["output"]["compact"].as_str() {
            vectors.push(Token {
                suite: "cookbook",
                number: file.file_stem().unwrap().to_string_lossy().into_owned(),
                comment: text(&case["title"]),
                token: token.to_owned(),
                keys: public(&case["input"]["key"]),
                is_valid: true,
            });
        }
    }
}

impl Token {
    /// What the exceptions call it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{} {}", self.suite, self.number)
    }

    /// What the test run calls it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}::{} {}", self.suite, self.number, self.comment)
    }

    /// A member of the token's header.
    fn header(&self, name: &str) -> Option<String> {
        let json = Base64UrlUnpadded::decode_vec(self.token.split('.').next()?).ok()?;
        serde_json::from_slice::<Value>(&json).ok()?[name].as_str().map(str::to_owned)
    }

    /// Valid, and of an algorithm that issuers may be configured with: the others must all be rejected.
    #[must_use]
    pub fn is_valid_here(&self) -> bool {
        self.is_valid && self.header("alg").is_some_and(|name| Algorithm::from_name(&name).is_some())
    }

    /// The vector whose acceptance tells that this one was not rejected for nothing: the nearest there is.
    #[must_use]
    pub fn control<'a>(&self, controls: &'a [Token]) -> Option<&'a Token> {
        let same = |name: &'static str| {
            move |other: &&Token| self.header(name).is_some() && self.header(name) == other.header(name)
        };
        controls
            .iter()
            .find(|other| other.keys == self.keys)
            .or_else(|| controls.iter().find(same("kid")))
            .or_else(|| controls.iter().find(same("alg")))
            .or_else(|| controls.first())
    }

    /// Its signature by itself, when it has the form of a compact JWS of the table's algorithms and its set a key to
    /// try: the one of its `kid`, or the first.
    ///
    /// What makes such a token invalid is often the token's form, which a backend does not see: then its signature
    /// must come out alike everywhere, and the decision reject it.
    #[must_use]
    pub fn case(&self) -> Option<Case> {
        let (message, signature) = self.token.rsplit_once('.')?;
        let signature = Base64UrlUnpadded::decode_vec(signature).ok()?;
        let algorithm = Algorithm::from_name(&self.header("alg")?)?;
        let keys: Value = serde_json::from_str(&self.keys).ok()?;
        let keys = keys["keys"].as_array()?;
        let kid = self.header("kid");
        let named = keys.iter().find(|key| kid.is_some() && key["kid"].as_str() == kid.as_deref());
        Some(Case {
            suite: self.suite.to_owned(),
            number: self.number.clone(),
            comment: self.comment.clone(),
            jwk: named.or_else(|| keys.first())?.clone(),
            algorithm,
            message: message.as_bytes().to_vec(),
            signature,
            expected: if self.is_valid { Expected::Valid } else { Expected::Agreement },
        })
    }
}
