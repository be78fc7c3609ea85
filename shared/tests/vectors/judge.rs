//! One vector, through a decision, up to the moment at which its signature is found to hold or not.

use std::sync::LazyLock;

use postern::{Authorizer, JwkSet, Keys, Policy, Progress, Request, SignatureCheck, UnixTime};

use crate::source::Vector;

/// One route for tokens of one issuer that may use every algorithm; with one URL the payload is not looked at.
static AUTHORIZER: LazyLock<Authorizer> = LazyLock::new(|| {
    let policy = r#"{
        "issuer": {"vectors": {"url": "https://vectors.example", "algorithms": [
                "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
            "audience": ["vectors"], "token_use": "access", "permissions": "subject"}},
        "origin": {"vectors": {"url": "https://vectors.example", "key": "VECTORS"}},
        "route": [{"name": "vectors", "methods": ["GET"], "path": "/", "origin": "vectors", "issuer": "vectors"}]
    }"#;
    Authorizer::new(Policy::from_json(policy).unwrap())
});

/// Whether the vector's signature holds under its key set; if not, why.
pub(crate) fn judge(vector: &Vector) -> Result<(), String> {
    let keys = JwkSet::parse(vector.keys.as_bytes()).map_err(|error| error.to_string())?;
    let credential = format!("Bearer {}", vector.token);
    let headers = [("authorization", credential.as_str())];
    let now = UnixTime::from_secs(1_800_000_000);
    let progress = AUTHORIZER.begin(&Request { method: "GET", target: "/", headers: &headers }, now);
    let progress = match progress {
        Progress::NeedsKeys(need) => need.resume(Keys::Fresh(&keys), now),
        other => other,
    };
    match progress {
        Progress::NeedsSignature(need) => match postern::signature::check(&need) {
            SignatureCheck::Valid => Ok(()),
            other => Err(format!("{other:?}")),
        },
        other => Err(format!("{other:?}")),
    }
}
