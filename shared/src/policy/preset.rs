//! Providers by name: where each publishes its keys, how its access tokens are told from its ID tokens, and which
//! claims it uses for clients, scopes and roles.
//!
//! A preset only fills in what an issuer section leaves unsaid; it allows nothing by itself. Sources: the providers'
//! own documentation of their access tokens (Amazon Cognito "Understanding the access token", Auth0 "Access token
//! profiles", Okta "Access tokens scopes and claims", Microsoft identity platform "Access token claims reference",
//! Keycloak "Server Administration: protocol mappers").

use alloc::{format, string::String, vec::Vec};

use super::{RequiredClaim, TextForm};
use crate::claims::ClaimPath;

/// A provider whose habits are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Amazon Cognito user pools.
    Cognito,
    /// Auth0, with either profile of access token.
    Auth0,
    /// Okta's custom authorisation servers.
    Okta,
    /// Microsoft Entra ID, access tokens of version 2.0.
    Entra,
    /// Keycloak.
    Keycloak,
}

impl Preset {
    /// Every preset, in the order in which messages list them.
    pub const ALL: [Self; 5] = [Self::Cognito, Self::Auth0, Self::Okta, Self::Entra, Self::Keycloak];

    /// The preset's name in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cognito => "cognito",
            Self::Auth0 => "auth0",
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::Keycloak => "keycloak",
        }
    }

    /// Finds a preset by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// What the provider's `iss` looks like, when `url` does not look like it.
    pub(super) fn expected_url(self, url: &str) -> Option<&'static str> {
        let (fits, expected) = match self {
            Self::Cognito => (
                url.starts_with("https://cognito-idp.") && !url.ends_with('/'),
                "https://cognito-idp.REGION.amazonaws.com/USER_POOL_ID",
            ),
            // Custom domains are common; the closing slash is what tells, and what people leave out.
            Self::Auth0 => (url.ends_with('/'), "https://TENANT.auth0.com/ with the closing slash"),
            // The organisation's own server signs tokens for Okta's interfaces, not for anyone else's.
            Self::Okta => (url.contains("/oauth2/") && !url.ends_with('/'), "https://DOMAIN/oauth2/SERVER"),
            // `common`, `organizations` and `consumers` are never an `iss`.
            Self::Entra => {
                let tenant = url.strip_suffix("/v2.0").and_then(|url| url.rsplit('/').next()).unwrap_or_default();
                let is_id = tenant.len() == 36 && tenant.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
                (is_id, "https://login.microsoftonline.com/TENANT_ID/v2.0 with the tenant's own id")
            }
            Self::Keycloak => (url.contains("/realms/") && !url.ends_with('/'), "https://HOST/realms/REALM"),
        };
        (!fits).then_some(expected)
    }

    /// Where the keys of the issuer at `url` are published.
    pub(super) fn jwks_url(self, url: &str) -> String {
        match self {
            Self::Cognito => format!("{url}/.well-known/jwks.json"),
            Self::Auth0 => format!("{}/.well-known/jwks.json", url.trim_end_matches('/')),
            Self::Okta => format!("{url}/v1/keys"),
            Self::Entra => format!("{}/discovery/v2.0/keys", url.strip_suffix("/v2.0").unwrap_or(url)),
            Self::Keycloak => format!("{url}/protocol/openid-connect/certs"),
        }
    }

    /// `token_use`, where the provider has it.
    pub(super) const fn token_use(self) -> Option<&'static str> {
        match self {
            Self::Cognito => Some("access"),
            _ => None,
        }
    }

    /// The claim that the provider's access tokens have and its ID tokens have not.
    ///
    /// Auth0 has none that both of its profiles share: its ID tokens differ by `aud`, which is the client there.
    pub(super) fn required(self) -> Option<RequiredClaim> {
        let (name, values) = match self {
            Self::Cognito | Self::Auth0 => return None,
            Self::Okta => ("cid", Vec::new()),
            Self::Entra => ("azp", Vec::new()),
            Self::Keycloak => ("typ", Vec::from([String::from("Bearer")])),
        };
        Some(RequiredClaim { name: name.into(), values })
    }

    /// Whether only `aud` tells the provider's access tokens from its ID tokens, so that it must be named.
    pub(super) const fn is_told_by_audience(self) -> bool {
        matches!(self, Self::Auth0)
    }

    /// Whether the provider's access tokens say by `aud` for which API they are.
    pub(super) const fn sends_audience(self) -> bool {
        !matches!(self, Self::Cognito)
    }

    /// The `aud` of the provider's access tokens unless somebody has set it up otherwise, as a phrase for people.
    #[must_use]
    pub const fn default_audience(self) -> &'static str {
        match self {
            Self::Cognito => "none, unless the client asks for a resource (resource binding)",
            Self::Auth0 => "the API's identifier, and `https://TENANT.auth0.com/userinfo` next to it",
            Self::Okta => "`api://default` on the server `default`, elsewhere the audience in the server's settings",
            Self::Entra => "the application (client) ID of the API",
            Self::Keycloak => "`account`, until an audience mapper adds the API's own client ID",
        }
    }

    /// The client that a token was issued to.
    pub(super) fn client(self) -> ClaimPath {
        ClaimPath::top(match self {
            Self::Cognito => "client_id",
            Self::Okta => "cid",
            Self::Auth0 | Self::Entra | Self::Keycloak => "azp",
        })
    }

    /// The scopes granted.
    pub(super) fn scopes(self) -> ClaimPath {
        ClaimPath::top(match self {
            Self::Okta | Self::Entra => "scp",
            Self::Cognito | Self::Auth0 | Self::Keycloak => "scope",
        })
    }

    /// The caller's roles, where the provider has a place of its own for them.
    pub(super) fn roles(self) -> Option<ClaimPath> {
        match self {
            Self::Cognito => Some(ClaimPath::top("cognito:groups")),
            Self::Okta => Some(ClaimPath::top("groups")),
            Self::Entra => Some(ClaimPath::top("roles")),
            Self::Keycloak => ClaimPath::new(&["realm_access", "roles"].map(String::from)),
            // Custom claims alone, each under a name of the tenant's own.
            Self::Auth0 => None,
        }
    }

    /// The caller's companies, where the provider has organisations.
    pub(super) fn companies(self) -> Option<ClaimPath> {
        match self {
            Self::Auth0 => Some(ClaimPath::top("org_id")),
            Self::Keycloak => Some(ClaimPath::top("organization")),
            Self::Cognito | Self::Okta | Self::Entra => None,
        }
    }

    /// The form of a text in the claim with the companies, where the provider's tokens have one.
    pub(super) const fn companies_form(self) -> Option<TextForm> {
        match self {
            // The first version of its trigger can add strings only, so an array arrives as its JSON text.
            Self::Cognito => Some(TextForm::Json),
            _ => None,
        }
    }
}
