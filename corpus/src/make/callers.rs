//! Tokens of good standing, one maker for each issuer section; themes take them and spoil them.

use serde_json::json;

use super::{Pair, Token};

/// Every scope of the example.
pub const ORDERS: &str = "orders/list.orders orders/get.order orders/create.order";
/// What the corpus's API calls itself in `aud`.
pub const API: &str = "https://api.corpus.example";
const PARTNERS: &str = "https://auth.partners.ljg-sushi.example";
const USERS: &str = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example";
const POOL: &str = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Corpus";

/// A company of the example, machine to machine.
pub fn partner(company: &str) -> Token {
    let claims = json!({
        "iss": PARTNERS, "aud": "https://api.ljg-sushi.example", "sub": company, "client_id": company,
        "token_use": "access", "scope": ORDERS,
    });
    Token::new(Pair("ed"), "partners-ed", claims)
}

/// A signed-in user of the example: Cognito's access tokens have no `aud`.
pub fn user(subject: &str) -> Token {
    let claims = json!({
        "iss": USERS, "client_id": "p4iondtoa9aljeoultesa4nvc", "sub": subject, "username": subject,
        "token_use": "access", "scope": ORDERS,
    });
    Token::new(Pair("users-rsa"), "users-1", claims).without_header("typ")
}

/// `machines`: a client that is its company.
pub fn machine(company: &str) -> Token {
    let claims = json!({
        "iss": "https://machines.corpus.example", "aud": API, "sub": company, "client_id": company,
        "token_use": "access", "scope": "things/read things/write",
    });
    Token::new(Pair("ed"), "m-ed", claims)
}

/// `people`: companies are the permissions service's to tell.
pub fn person(subject: &str) -> Token {
    let claims = json!({
        "iss": "https://people.corpus.example", "aud": API, "sub": subject, "scope": "papers/read papers/write",
    });
    Token::new(Pair("ed-next"), "people-ed", claims)
}

/// `staff`: everything in claims of their own.
pub fn staff(uid: &str) -> Token {
    let claims = json!({
        "iss": "https://staff.corpus.example/tenants/one", "client_id": "staff-app", "sub": "not-this", "uid": uid,
        "permissions": ["reports/read"], "tier": "gold", "department": "kitchen",
        "access": {"roles": ["Auditor"], "tenants": ["1111", "2222"]},
    });
    Token::new(Pair("ec-next"), "staff-ec", claims)
}

/// `pool-users`.
pub fn pool_user(subject: &str) -> Token {
    let claims = json!({
        "iss": POOL, "client_id": "4users4client4of4the4pool4", "sub": subject, "username": subject,
        "token_use": "access", "scope": "openid", "cognito:groups": ["Manager"], "companies": "[\"1111\"]",
    });
    Token::new(Pair("users-rsa"), "pool-1", claims).without_header("typ")
}

/// `pool-partners`.
pub fn pool_partner(company: &str) -> Token {
    let claims = json!({
        "iss": POOL, "client_id": "7partners7client7of7pool77", "sub": company, "token_use": "access", "scope": "",
    });
    Token::new(Pair("other-rsa"), "pool-2", claims).without_header("typ")
}

/// `shared-a` or `shared-b`, by the audience.
pub fn shared(audience: impl Into<serde_json::Value>) -> Token {
    let claims = json!({"iss": "https://shared.corpus.example", "sub": "s1", "token_use": "access"});
    Token::new(Pair("ed"), "shared-ed", claims).claim("aud", audience)
}

/// Auth0's layout, with RFC 9068's profile.
pub fn auth0() -> Token {
    let claims = json!({
        "iss": "https://corpus.eu.auth0.com/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "aud": [API, "https://corpus.eu.auth0.com/userinfo"], "azp": "spa1client", "scope": "openid orders:read",
        "org_id": "1111", "https://corpus.example/roles": ["Manager"], "permissions": ["orders:read"],
    });
    Token::new(Pair("users-rsa"), "tenant-1", claims)
}

/// Okta's layout.
pub fn okta() -> Token {
    let claims = json!({
        "ver": 1, "jti": "AT.x", "iss": "https://corpus.okta.com/oauth2/default", "aud": "api://corpus",
        "cid": "0oa1client", "uid": "00u1user", "scp": ["openid", "orders.read"], "sub": "ana@corpus.example",
        "groups": ["Everyone", "Manager"], "tenant": ["1111"], "auth_time": 1_799_999_000,
    });
    Token::new(Pair("other-rsa"), "workforce-1", claims).without_header("typ")
}

/// Entra's layout, version 2.0.
pub fn entra() -> Token {
    let claims = json!({
        "aud": "aaaaaaaa-0000-4000-8000-000000000001",
        "iss": "https://login.microsoftonline.com/6d3f5a1e-0000-4000-8000-00000000c0de/v2.0",
        "azp": "bbbbbbbb-0000-4000-8000-000000000002", "azpacr": "1", "name": "Ana", "oid": "cccccccc",
        "roles": ["Manager"], "scp": "Orders.Read profile", "sub": "pairwise-subject", "tid": "6d3f5a1e",
        "ver": "2.0", "extension_companies": "1111, 2222", "nbf": 1_800_000_000,
    });
    Token::new(Pair("partners-rsa"), "directory-1", claims).header("typ", "JWT")
}

/// Keycloak's layout.
pub fn keycloak() -> Token {
    let claims = json!({
        "iss": "https://sso.corpus.example/realms/corpus", "aud": ["corpus-api", "account"], "sub": "f:1:ana", "typ": "Bearer",
        "azp": "corpus-web", "realm_access": {"roles": ["offline_access", "Manager"]},
        "resource_access": {"account": {"roles": ["view-profile"]}}, "scope": "openid orders:read",
        "organization": {"1111": {"id": "42c3e46f"}}, "email_verified": false, "preferred_username": "ana",
    });
    Token::new(Pair("users-rsa"), "realm-1", claims).header("typ", "JWT")
}
