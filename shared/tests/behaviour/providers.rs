//! The presets, each with the access tokens that its provider really issues, and the ID tokens that it issues beside
//! them: signed by the same key, for the same client, and never to be taken for access tokens.
//!
//! The layouts are those of the providers' own documentation, with every claim that it lists.

use postern::{Authorizer, Permit, Reason, policy::from_toml};
use serde_json::{Value, json};

use crate::support::{
    Call, NOW, Outcome, Token, World,
    keys::{self, USERS},
};

/// One provider: its section of the policy, where its keys are, and tokens as it makes them.
struct Provider {
    url: &'static str,
    jwks_url: &'static str,
    section: &'static str,
    access: Value,
    id: Value,
    header: Value,
    /// What the access token says of its subject, client's scopes, and roles in company `acme`.
    subject: &'static str,
    scopes: &'static [&'static str],
    roles: &'static [&'static str],
}

fn cognito() -> Provider {
    let url = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example";
    Provider {
        url,
        jwks_url: "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example/.well-known/jwks.json",
        section: "preset = \"cognito\"\nclients = [\"client\"]\nclaims.companies = { claim = \"custom:companies\", form = \"json\" }",
        access: json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["Manager", "Standard"], "iss": url,
            "version": 2, "client_id": "client", "origin_jti": "o", "event_id": "e", "token_use": "access",
            "scope": "orders/list.orders openid", "auth_time": NOW, "exp": NOW + 3600, "iat": NOW, "jti": "j",
            "username": "janedoe", "custom:companies": "[\"acme\"]",
        }),
        id: json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["Manager"], "email_verified": true,
            "iss": url, "cognito:username": "janedoe", "origin_jti": "o", "aud": "client", "event_id": "e",
            "token_use": "id", "auth_time": NOW, "exp": NOW + 3600, "iat": NOW, "jti": "j", "email": "j@example.com",
            "client_id": "client", "custom:companies": "[\"acme\"]",
        }),
        header: json!({"kid": "users-1", "alg": "RS256"}),
        subject: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        scopes: &["orders/list.orders", "openid"],
        roles: &["Manager", "Standard"],
    }
}

fn auth0() -> Provider {
    let url = "https://tenant.eu.auth0.com/";
    Provider {
        url,
        jwks_url: "https://tenant.eu.auth0.com/.well-known/jwks.json",
        section: "preset = \"auth0\"\naudience = [\"https://api.example\"]\n\
                  claims.roles = \"https://acme.example/claims/roles\"",
        access: json!({
            "https://acme.example/claims/roles": ["Manager"], "iss": url, "sub": "auth0|123456",
            "aud": ["https://api.example", "https://tenant.eu.auth0.com/userinfo"], "iat": NOW, "exp": NOW + 86400,
            "scope": "openid profile orders/list.orders", "org_id": "acme", "azp": "client",
            "permissions": ["read:orders"],
        }),
        id: json!({
            "https://acme.example/claims/roles": ["Manager"], "nickname": "jane", "name": "Jane", "iss": url,
            "sub": "auth0|123456", "aud": "client", "iat": NOW, "exp": NOW + 36000, "sid": "s", "nonce": "n",
            "org_id": "acme", "scope": "orders/list.orders",
        }),
        header: json!({"alg": "RS256", "typ": "JWT", "kid": "users-1"}),
        subject: "auth0|123456",
        scopes: &["openid", "profile", "orders/list.orders"],
        roles: &["Manager"],
    }
}

fn okta() -> Provider {
    let url = "https://acme.okta.com/oauth2/default";
    Provider {
        url,
        jwks_url: "https://acme.okta.com/oauth2/default/v1/keys",
        section: "preset = \"okta\"\naudience = [\"api://default\"]\nclients = [\"client\"]",
        access: json!({
            "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "iss": url, "aud": "api://default",
            "sub": "jane@example.com", "iat": NOW, "exp": NOW + 3600, "cid": "client", "uid": "00ujmkLgagxeRrAg20g3",
            "scp": ["openid", "orders/list.orders"], "auth_time": NOW, "groups": ["Everyone", "Manager"],
            "companies": ["acme"],
        }),
        id: json!({
            "ver": 1, "sub": "00ujmkLgagxeRrAg20g3", "iss": url, "aud": "client", "iat": NOW, "exp": NOW + 3600,
            "jti": "ID.x", "amr": ["pwd"], "idp": "00oy", "nonce": "n", "auth_time": NOW, "at_hash": "h",
            "groups": ["Manager"], "companies": ["acme"], "scp": ["orders/list.orders"],
        }),
        header: json!({"kid": "users-1", "alg": "RS256"}),
        subject: "jane@example.com",
        scopes: &["openid", "orders/list.orders"],
        roles: &["Everyone", "Manager"],
    }
}

fn entra() -> Provider {
    let url = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0";
    let (api, client) = ("00001111-aaaa-2222-bbbb-3333cccc4444", "11112222-bbbb-3333-cccc-4444dddd5555");
    Provider {
        url,
        jwks_url: "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/discovery/v2.0/keys",
        section: "preset = \"entra\"\naudience = [\"00001111-aaaa-2222-bbbb-3333cccc4444\"]\n\
                  claims.subject = \"oid\"\nclaims.companies = \"extn.company\"",
        access: json!({
            "aud": api, "iss": url, "iat": NOW, "nbf": NOW, "exp": NOW + 4000, "aio": "x", "azp": client,
            "azpacr": "0", "name": "Jane", "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "preferred_username": "jane@acme.example", "rh": "0.x", "roles": ["Manager"],
            "scp": "orders/list.orders access_as_user", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "tid": "aaaabbbb-0000-cccc-1111-dddd2222eeee", "uti": "u", "ver": "2.0", "extn.company": ["acme"],
        }),
        // An application that signs users in under the API's own registration: the same `aud`.
        id: json!({
            "aud": api, "iss": url, "iat": NOW, "nbf": NOW, "exp": NOW + 4000, "aio": "x", "name": "Jane",
            "nonce": "n", "oid": "00000000-0000-0000-66f3-3332eca7ea81", "roles": ["Manager"], "sub": "HKZp",
            "tid": "aaaabbbb-0000-cccc-1111-dddd2222eeee", "uti": "u", "ver": "2.0", "extn.company": ["acme"],
            "scp": "orders/list.orders",
        }),
        header: json!({"typ": "JWT", "alg": "RS256", "kid": "users-1", "x5t": "AAECAwQFBgcICQoLDA0ODxAREhM"}),
        subject: "00000000-0000-0000-66f3-3332eca7ea81",
        scopes: &["orders/list.orders", "access_as_user"],
        roles: &["Manager"],
    }
}

fn keycloak() -> Provider {
    let url = "https://sso.acme.example/realms/b2b";
    Provider {
        url,
        jwks_url: "https://sso.acme.example/realms/b2b/protocol/openid-connect/certs",
        section: "preset = \"keycloak\"\naudience = [\"orders-api\"]",
        access: json!({
            "exp": NOW + 300, "iat": NOW, "auth_time": NOW, "jti": "onrtac:j", "iss": url,
            "aud": ["orders-api", "account"], "sub": "5f9d6b1c-4d2e-4e33-9f0e-1b3e1f6f0a11", "typ": "Bearer",
            "azp": "web", "sid": "s", "acr": "1", "allowed-origins": ["https://app.acme.example"],
            "realm_access": {"roles": ["offline_access", "Manager"]},
            "resource_access": {"account": {"roles": ["manage-account"]}}, "scope": "openid orders/list.orders",
            "organization": {"acme": {"id": "42c3e46f-2477-44d7-a85b-d3b43f6b31fa"}}, "email_verified": false,
            "preferred_username": "jane",
        }),
        id: json!({
            "exp": NOW + 300, "iat": NOW, "auth_time": NOW, "jti": "j", "iss": url, "aud": ["orders-api", "web"],
            "sub": "5f9d6b1c-4d2e-4e33-9f0e-1b3e1f6f0a11", "typ": "ID", "azp": "web", "nonce": "n", "sid": "s",
            "at_hash": "h", "acr": "1", "realm_access": {"roles": ["Manager"]}, "scope": "orders/list.orders",
            "organization": {"acme": {}},
        }),
        header: json!({"alg": "RS256", "typ": "JWT", "kid": "users-1"}),
        subject: "5f9d6b1c-4d2e-4e33-9f0e-1b3e1f6f0a11",
        scopes: &["openid", "orders/list.orders"],
        roles: &["offline_access", "Manager"],
    }
}

fn providers() -> [Provider; 5] {
    [cognito(), auth0(), okta(), entra(), keycloak()]
}

impl Provider {
    fn policy(&self) -> String {
        format!(
            "roles = [\"Manager\"]\n[issuer.p]\nurl = \"{}\"\n{}\npermissions = \"claims\"\n\
             [origin.o]\nurl = \"https://o.example\"\nkey = \"KEY\"\n\
             [[route]]\nname = \"orders\"\nmethods = [\"GET\"]\npath = \"/companies/{{company}}/orders\"\norigin = \"o\"\n\
             issuer = \"p\"\ncompany = \"{{company}}\"\nroles = [\"Manager\"]\nscopes = [\"orders/list.orders\"]\n",
            self.url, self.section
        )
    }

    fn world(&self) -> World {
        let mut world = World::new(from_toml(&self.policy(), None).unwrap_or_else(|errors| panic!("{errors}")));
        world.published.insert(self.jwks_url.into(), keys::jwks(&[&USERS]));
        world
    }

    fn token(&self, claims: &Value) -> String {
        Token::user("x").raw_header(self.header.to_string()).raw_claims(claims.to_string()).compact()
    }

    fn outcome(&self, claims: &Value) -> Outcome {
        self.world().outcome(&Call::get("/companies/acme/orders").bearer(self.token(claims)))
    }

    /// The access token with one claim replaced, or removed.
    fn access_with(&self, name: &str, value: Option<Value>) -> Value {
        let mut claims = self.access.clone();
        let members = claims.as_object_mut().unwrap();
        assert!(members.remove(name).is_some(), "{} has no `{name}`", self.url);
        if let Some(value) = value {
            members.insert(name.into(), value);
        }
        claims
    }
}

#[test]
fn the_access_tokens_of_each_provider_are_read_where_it_puts_things() {
    for provider in providers() {
        let call = Call::get("/companies/acme/orders").bearer(provider.token(&provider.access));
        let permit: Permit = provider.world().permit(&call);
        assert_eq!(permit.subject(), Some(provider.subject), "{}", provider.url);
        assert_eq!(permit.scopes(), provider.scopes, "{}", provider.url);
        assert_eq!(permit.roles(), provider.roles, "{}", provider.url);
        assert_eq!(permit.company(), Some("acme"), "{}", provider.url);
        let other = Call::get("/companies/other/orders").bearer(provider.token(&provider.access));
        assert_eq!(provider.world().outcome(&other), Outcome::Deny(403, Reason::CompanyMismatch), "{}", provider.url);
    }
}

#[test]
fn the_id_tokens_of_each_provider_are_refused() {
    let reasons = [
        Reason::AudienceMismatch,
        Reason::AudienceMismatch,
        Reason::AudienceMismatch,
        Reason::ClaimMismatch,
        Reason::ClaimMismatch,
    ];
    for (provider, reason) in providers().into_iter().zip(reasons) {
        assert_eq!(provider.outcome(&provider.id), Outcome::Deny(401, reason), "{}", provider.url);
    }
}

#[test]
fn a_token_for_another_api_is_refused_where_the_section_names_no_audience() {
    let provider = cognito();
    for aud in [json!("https://other.example"), json!(["https://other.example"]), json!([]), json!("")] {
        let mut claims = provider.access.clone();
        claims["aud"] = aud.clone();
        assert_eq!(provider.outcome(&claims), Outcome::Deny(401, Reason::AudienceMismatch), "{aud}");
        let policy = provider.policy().replace("clients =", "audience = \"any\"\nclients =");
        let mut world = provider.world();
        world.authorizer = Authorizer::new(from_toml(&policy, None).unwrap());
        let call = Call::get("/companies/acme/orders").bearer(provider.token(&claims));
        assert_eq!(world.outcome(&call), Outcome::Permit, "{aud}");
    }
}

/// The first version of Cognito's trigger adds strings only.
#[test]
fn cognitos_own_companies_are_an_array_in_a_text_and_those_of_another_claim_only_where_that_is_said() {
    let provider = cognito();
    let mut claims = provider.access.clone();
    claims["companies"] = json!("[\"acme\"]");
    for (section, expected) in [
        ("", Outcome::Permit),
        ("claims.companies = { form = \"json\" }", Outcome::Permit),
        ("claims.companies = \"custom:companies\"", Outcome::Deny(403, Reason::CompaniesAmbiguous)),
        ("claims.companies = { form = \"spaces\" }", Outcome::Deny(403, Reason::CompaniesAmbiguous)),
    ] {
        let written = "claims.companies = { claim = \"custom:companies\", form = \"json\" }";
        let policy = provider.policy().replace(written, section);
        let mut world = provider.world();
        world.authorizer = Authorizer::new(from_toml(&policy, None).unwrap());
        let call = Call::get("/companies/acme/orders").bearer(provider.token(&claims));
        assert_eq!(world.outcome(&call), expected, "{section}");
    }
}

#[test]
fn what_tells_an_access_token_apart_is_asked_for_by_each_preset() {
    for (provider, name, other, reason) in [
        (cognito(), "token_use", json!("id"), Reason::NotAnAccessToken),
        (auth0(), "aud", json!("client"), Reason::AudienceMismatch),
        (okta(), "cid", json!(null), Reason::ClaimMismatch),
        (entra(), "azp", json!(null), Reason::ClaimMismatch),
        (keycloak(), "typ", json!("ID"), Reason::ClaimMismatch),
    ] {
        let removed = provider.outcome(&provider.access_with(name, None));
        let replaced = provider.outcome(&provider.access_with(name, Some(other)));
        // Okta's client is a rule of its own in this policy, and looked at first.
        let reason = if name == "cid" { Reason::AudienceMismatch } else { reason };
        assert_eq!(removed, Outcome::Deny(401, reason), "{name}");
        let wrong_type = matches!(name, "cid" | "azp");
        let expected = if wrong_type { Reason::ClaimsMalformed } else { reason };
        assert_eq!(replaced, Outcome::Deny(401, expected), "{name}");
    }
}

#[test]
fn each_presets_client_claim_is_the_one_that_counts() {
    for (provider, name) in [(cognito(), "client_id"), (okta(), "cid")] {
        let other = provider.outcome(&provider.access_with(name, Some(json!("another"))));
        assert_eq!(other, Outcome::Deny(401, Reason::AudienceMismatch), "{name}");
    }
    for (provider, client) in
        [(auth0(), "client"), (entra(), "11112222-bbbb-3333-cccc-4444dddd5555"), (keycloak(), "web")]
    {
        for (named, expected) in [(client, Outcome::Permit), ("another", Outcome::Deny(401, Reason::AudienceMismatch))]
        {
            let policy = provider.policy().replace("audience =", &format!("clients = [\"{named}\"]\naudience ="));
            let mut world = provider.world();
            world.authorizer = Authorizer::new(from_toml(&policy, None).unwrap());
            let call = Call::get("/companies/acme/orders").bearer(provider.token(&provider.access));
            assert_eq!(world.outcome(&call), expected, "{} {named}", provider.url);
        }
    }
}

#[test]
fn auth0s_other_profile_is_told_by_its_type() {
    // RFC 9068: `typ` is `at+jwt`, the client is `client_id`.
    let provider = auth0();
    let policy =
        provider.policy().replace("audience =", "token_type = \"at+jwt\"\nclaims.client = \"client_id\"\naudience =");
    let mut world = provider.world();
    world.authorizer = Authorizer::new(from_toml(&policy, None).unwrap());
    for (typ, expected) in [("at+jwt", Outcome::Permit), ("JWT", Outcome::Deny(401, Reason::NotAnAccessToken))] {
        let header = json!({"alg": "RS256", "typ": typ, "kid": "users-1"}).to_string();
        let token = Token::user("x").raw_header(header).raw_claims(provider.access.to_string()).compact();
        assert_eq!(world.outcome(&Call::get("/companies/acme/orders").bearer(token)), expected, "{typ}");
    }
}
