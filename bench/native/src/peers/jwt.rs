//! `jsonwebtoken` on aws-lc, and the policy's rules in plain Rust behind it, as a service has them in its middleware.

use std::collections::HashMap;

use anyhow::Result;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::tokens::{CLIENT, ISSUER, Issuer};

#[derive(Deserialize)]
struct Claims {
    #[allow(dead_code, reason = "a service hands it on")]
    sub: String,
    client_id: String,
    token_use: String,
    scope: String,
    companies: Vec<String>,
    role: String,
}

/// The issuer's keys by `kid`, and what is asked of a token.
pub(crate) struct Service {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

impl Service {
    pub(crate) fn new(issuer: &Issuer) -> Result<Self> {
        let (n, e) = issuer.components();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        // Cognito's access tokens have no audience: the client stands in for it.
        validation.validate_aud = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        let key = DecodingKey::from_rsa_components(&n, &e)?;
        Ok(Self { keys: HashMap::from([(issuer.key_id().to_owned(), key)]), validation })
    }

    /// Whether the caller may: token, issuer, expiry, client, kind, then the rules of the one route there is.
    pub(crate) fn permits(&self, authorization: &str, target: &str) -> bool {
        self.judge(authorization, target).unwrap_or(false)
    }

    fn judge(&self, authorization: &str, target: &str) -> Option<bool> {
        let token = authorization.strip_prefix("Bearer ")?;
        let key_id = decode_header(token).ok()?.kid?;
        let claims = decode::<Claims>(token, self.keys.get(&key_id)?, &self.validation).ok()?.claims;
        let (company, scope, roles) = rules(target)?;
        Some(
            claims.client_id == CLIENT
                && claims.token_use == "access"
                && claims.scope.split(' ').any(|own| own == scope)
                && claims.companies.iter().any(|own| own == company)
                && roles.contains(&claims.role.as_str()),
        )
    }
}

/// A router in its simplest: what a GET of `target` asks.
pub(super) fn rules(target: &str) -> Option<(&str, &'static str, &'static [&'static str])> {
    let path = target.split('?').next()?;
    let mut segments = path.strip_prefix('/')?.split('/');
    match (segments.next()?, segments.next()?, segments.next()?, segments.next(), segments.next()) {
        ("companies", company, "orders", None, None) => Some((company, "orders/list.orders", &["Manager"])),
        ("companies", company, "orders", Some(_), None) => {
            Some((company, "orders/get.order", &["Manager", "Standard"]))
        }
        _ => None,
    }
}
