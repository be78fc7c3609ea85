//! What a run of the stack writes before it starts: fresh keys, the development overlay, the parts' environments and
//! the description that tests read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use crate::ports::{Ports, url};

/// The services behind the edge, as the policy's origins and the functions are named.
pub(crate) const ORIGINS: [&str; 4] = ["external-orders", "internal-orders", "vouchers", "permissions"];
/// The key that may write permissions; no origin and no edge has it.
pub(crate) const ADMIN: &str = "permissions-admin";
/// What access tokens are for.
pub(crate) const RESOURCE: &str = "https://api.ljg-sushi.example";
/// The client that users sign in with.
pub(crate) const USER_CLIENT: &str = "p4iondtoa9aljeoultesa4nvc";
/// The scopes of the example.
pub(crate) const SCOPES: [&str; 3] = ["orders/list.orders", "orders/get.order", "orders/create.order"];
/// Partner clients and how many of [`SCOPES`] each may ask for.
const PARTNERS: [(&str, usize); 3] = [("1111", 3), ("2222", 3), ("3333", 1)];
/// The secret that the decision log of an edge for tests hashes subjects with.
pub(crate) const LOG_KEY: &str = "POSTERN_KEY_LOG";
/// What that secret is; `e2e/src/planted.rs` has its other end.
pub(crate) const LOG_SECRET: &str = "a secret of the tests' own, of 32 octets at least";
const TABLE: &str = "postern-permissions";
/// The Pre Token Generation trigger's function.
pub(crate) const PRE_TOKEN: &str = "pre-token-generation";
/// The user pool, whose name is the end of its issuer's URL.
const POOL: &str = "local_pool";
/// Who can sign in at the pool: name and `sub`. What each may do is for the tests to write.
const POOL_USERS: [(&str, &str); 2] = [
    ("pool-manager", "7f6f2d5e-0000-4000-8000-000000000001"),
    ("pool-unseeded", "7f6f2d5e-0000-4000-8000-000000000002"),
];
/// No secret: the pool is a stand-in on the loopback interface.
const POOL_PASSWORD: &str = "Postern-1";
/// Twice the minimum of RFC 7518 section 3.2 would add nothing; this is the hash's own length.
const KEY_BYTES: usize = 32;

/// Assertion keys of one run: a JWK Set for each origin, and the administrator's.
#[derive(Debug)]
pub(crate) struct Keys(BTreeMap<&'static str, Value>);

impl Keys {
    /// New random keys.
    pub(crate) fn generate() -> Result<Self> {
        ORIGINS.into_iter().chain([ADMIN]).map(|name| Ok((name, key_set(name)?))).collect::<Result<_>>().map(Self)
    }

    fn of(&self, name: &str) -> Value {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// What one service trusts.
    fn trusted_by(&self, origin: &str) -> Value {
        let mut issuers = json!({ "edge": trusted(self.of(origin), &["read"]) });
        if origin == "permissions" {
            issuers["admin"] = trusted(self.of(ADMIN), &["read", "write"]);
        }
        json!({ "issuers": issuers })
    }
}

fn trusted(mut keys: Value, capabilities: &[&str]) -> Value {
    keys["capabilities"] = json!(capabilities);
    keys
}

/// Two of them, as while keys rotate: the first signs, and both are taken.
pub(crate) fn key_set(name: &str) -> Result<Value> {
    let keys = [key(name)?, key(name)?];
    Ok(json!({ "keys": keys }))
}

fn key(name: &str) -> Result<Value> {
    let (mut id, mut key) = ([0; 4], [0; KEY_BYTES]);
    getrandom::fill(&mut id).and_then(|()| getrandom::fill(&mut key)).ok().context("the system has no randomness")?;
    let id = Base64UrlUnpadded::encode_string(&id);
    Ok(json!({ "kty": "oct", "kid": format!("{name}-{id}"), "k": Base64UrlUnpadded::encode_string(&key) }))
}

/// The name of a secret or an environment variable for an origin.
pub(super) fn variable(prefix: &str, origin: &str) -> String {
    format!("{prefix}_{}", origin.replace('-', "_").to_uppercase())
}

/// The base URL that the edge forwards to, through a relay.
pub(super) fn origin_url(ports: &Ports, origin: &str) -> String {
    let relay = if origin == "permissions" { ports.permissions_relay } else { ports.origins_relay };
    format!("{}/lambda-url/{origin}", url(relay))
}

/// The overlay that makes the example's policy point at this stack.
pub(crate) fn overlay(ports: &Ports) -> String {
    overlay_with(ports, |origin| origin_url(ports, origin))
}

/// The same, for a policy that has the origins of `e2e/policies/signed.toml` too.
pub(crate) fn overlay_with_signed(ports: &Ports) -> String {
    let more =
        ["signed", "verifying"].map(|name| format!("\n[origin.{name}]\nurl = \"{}\"\n", origin_url(ports, name)));
    overlay(ports) + &more.concat()
}

/// The same, with the origins where `url_of` says.
pub(super) fn overlay_with(ports: &Ports, url_of: impl Fn(&str) -> String) -> String {
    let mut text = String::from("# Written by `cargo xtask`: points the example's policy at the local stack.\n");
    // The partners' keys are found by discovery; the users' are not where Cognito has them.
    let (partners, users) = (url(ports.partners), url(ports.users));
    text += &format!("\n[issuer.partners]\nurl = \"{partners}\"\n");
    text += &format!("\n[issuer.users]\nurl = \"{users}\"\njwks_url = \"{users}/jwks\"\n");
    for origin in ORIGINS {
        text += &format!("\n[origin.{origin}]\nurl = \"{}\"\n", url_of(origin));
    }
    text += &format!("\n[cors]\norigins = [\"{}\"]\n", url(ports.page));
    text
}

/// The example's policy with `more` routes, every decision of it written down.
pub(crate) fn tried_policy(example: &str, more: &str) -> String {
    format!("{example}\n[log]\npermits = 1.0\nsubject_key = \"{LOG_KEY}\"\n{more}")
}

/// The example's policy as it might be next: whoever lists orders has a tier.
pub(crate) fn next_policy(example: &str) -> Result<String> {
    let rule = "scopes = [\"orders/list.orders\"]\n";
    // What the policy says of itself in `[[test]]` tables is then no longer so.
    let routes = example.split("[[test]]").next().unwrap_or(example);
    ensure!(routes.contains(rule), "no route of `postern.toml` lists orders");
    Ok(routes.replace(rule, &format!("{rule}require.tier = \"gold\"\n")))
}

/// Keys of the partners' issuer for a build to begin with: one that the issuer never publishes, so that whoever is
/// served by it was served by the seed. It is RFC 8037's example (appendix A.1), with which `local/lib/mint.mjs` signs.
pub(crate) fn key_seeds(ports: &Ports) -> Result<Value> {
    let issuer = url(ports.partners);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs();
    Ok(json!({ "partners": {
        "issuer": issuer,
        "jwks_url": format!("{issuer}/jwks"),
        "fetched_at": now,
        // Past its time as soon as it is used.
        "max_age": 0,
        "jwks": { "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": "sealed",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }] },
    } }))
}

/// What an edge signs with, by the names of `postern.toml`.
pub(crate) fn edge_secrets(keys: &Keys) -> Vec<(String, String)> {
    ORIGINS.into_iter().map(|origin| (variable("POSTERN_KEY", origin), keys.of(origin).to_string())).collect()
}

/// The Worker's secrets, and leave to run though it is built with an overlay.
pub(crate) fn worker_secrets(keys: &Keys) -> Vec<(String, String)> {
    let mut secrets = edge_secrets(keys);
    secrets.push(("POSTERN_DEVELOPMENT".to_owned(), "true".to_owned()));
    secrets
}

/// An env file for wrangler. Single quotes keep the JSON as it is; it holds none itself.
pub(crate) fn env_file(variables: &[(String, String)]) -> String {
    variables.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect()
}

/// The environment of the Lambda functions, which one process runs. `policy` and `overlay` are for those that decide or
/// ask by the policy themselves.
pub(crate) fn lambda_environment(ports: &Ports, keys: &Keys, policy: &Path, overlay: &Path) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = ORIGINS
        .into_iter()
        .map(|origin| (variable("POSTERN_TRUSTED_KEYS", origin), keys.trusted_by(origin).to_string()))
        .collect();
    let plain = [
        ("POSTERN_PERMISSIONS_TABLE", TABLE),
        ("POSTERN_PERMISSIONS_ISSUER", "users"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &url(ports.dynamodb_relay)),
        ("AWS_REGION", "eu-west-2"),
        // The stand-in checks no signature; the client insists on having something to sign with.
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ];
    variables.extend(plain.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let permissions = keys.of("permissions").to_string();
    let decides = [
        ("POSTERN_POLICY", policy.display().to_string()),
        ("POSTERN_OVERLAY", overlay.display().to_string()),
        ("POSTERN_DEVELOPMENT", "true".to_owned()),
        ("POSTERN_KEY_PERMISSIONS", permissions),
    ];
    variables.extend(decides.map(|(name, value)| (name.to_owned(), value)));
    variables
}

/// What Lambda sets for a function that is started without it, to be called by the emulator.
pub(super) fn runtime_environment(ports: &Ports, function: &str) -> [(String, String); 4] {
    [
        ("AWS_LAMBDA_RUNTIME_API", format!("{}/.rt/{function}", url(ports.lambda))),
        ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

/// The configuration of `local/issuers.mjs`.
pub(crate) fn issuers_config(ports: &Ports) -> Value {
    let partners: serde_json::Map<String, Value> = PARTNERS
        .into_iter()
        .map(|(id, scopes)| {
            (id.to_owned(), json!({ "secret": secret(id), "scopes": SCOPES.iter().take(scopes).collect::<Vec<_>>() }))
        })
        .collect();
    json!({
        "resource": RESOURCE,
        "scopes": SCOPES,
        "table": TABLE,
        "ports": ports.for_issuers(),
        "partners": partners,
        "userClient": USER_CLIENT,
        "dynamodb": ports.dynamodb,
        "relays": {
            "permissions": { "port": ports.permissions_relay, "target": ports.lambda },
            "origins": { "port": ports.origins_relay, "target": ports.lambda },
            "dynamodb": { "port": ports.dynamodb_relay, "target": ports.dynamodb },
        },
    })
}

/// The iss of the pool's tokens.
fn pool_issuer(ports: &Ports) -> String {
    format!("{}/{POOL}", url(ports.pool))
}

/// The files of cognito-local, by their paths in its folder: a pool with its trigger, the users' client, and users.
pub(crate) fn pool_files(ports: &Ports) -> [(&'static str, Value); 3] {
    let at = "2026-01-01T00:00:00.000Z";
    let credentials = json!({ "accessKeyId": "local", "secretAccessKey": "local" });
    let config = json!({
        "LambdaClient": { "credentials": credentials, "region": "local", "endpoint": url(ports.lambda) },
        "TriggerFunctions": { "PreTokenGeneration": PRE_TOKEN },
        "TokenConfig": { "IssuerDomain": url(ports.pool) },
    });
    let client = json!({
        "UserPoolId": POOL, "ClientName": "users", "ClientId": USER_CLIENT, "LastModifiedDate": at, "CreationDate": at,
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "TokenValidityUnits": { "AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days" },
        "AccessTokenValidity": 15, "IdTokenValidity": 15, "RefreshTokenValidity": 1,
    });
    let users: serde_json::Map<String, Value> = POOL_USERS
        .into_iter()
        .map(|(name, sub)| {
            let user = json!({
                "Username": name, "Password": POOL_PASSWORD, "Enabled": true, "UserStatus": "CONFIRMED",
                "Attributes": [
                    { "Name": "sub", "Value": sub },
                    { "Name": "email", "Value": format!("{name}@example.com") },
                    { "Name": "email_verified", "Value": "true" },
                ],
                "UserCreateDate": at, "UserLastModifiedDate": at, "RefreshTokens": [],
            });
            (name.to_owned(), user)
        })
        .collect();
    let options = json!({ "Id": POOL, "Name": POOL, "MfaConfiguration": "OFF", "UsernameAttributes": [] });
    [
        (".cognito/config.json", config),
        (".cognito/db/clients.json", json!({ "Clients": { (USER_CLIENT): client } })),
        (".cognito/db/local_pool.json", json!({ "Options": options, "Users": users, "Groups": {} })),
    ]
}

/// Partner clients' secrets are no secrets: the issuer is a stand-in on the loopback interface.
fn secret(client: &str) -> String {
    format!("secret-{client}")
}

/// Where programs are that tests may want.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The project's Node.
    pub(crate) node: PathBuf,
    /// Its packages.
    pub(crate) node_modules: PathBuf,
    /// A browser, where one is installed.
    pub(crate) chromium: Option<PathBuf>,
}

/// Which edges a stack has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edges {
    pub(crate) worker: bool,
    pub(crate) plain_workerd: bool,
    pub(crate) cloudfront: bool,
}

/// The description of the running stack, for tests.
pub(crate) fn description(
    profile: &str,
    ports: &Ports,
    keys: &Keys,
    programs: &Programs,
    edges: Edges,
    logs: &Path,
) -> Value {
    let (partners, users, page) = (url(ports.partners), url(ports.users), url(ports.page));
    let clients: serde_json::Map<String, Value> =
        PARTNERS.into_iter().map(|(id, _)| (id.to_owned(), json!(secret(id)))).collect();
    let origins: serde_json::Map<String, Value> =
        ORIGINS.into_iter().map(|origin| (origin.to_owned(), json!(origin_url(ports, origin)))).collect();
    json!({
        "profile": profile,
        "edge": edges.worker.then(|| url(ports.edge)),
        "plain_workerd": edges.plain_workerd.then(|| url(ports.plain_workerd)),
        "cloudfront": edges.cloudfront.then(|| json!({
            "front": url(ports.cloudfront),
            "control": url(ports.cloudfront_control),
            "function_urls": url(ports.function_url),
        })),
        "lambda": url(ports.lambda),
        "origins": origins,
        "control": url(ports.control),
        "partners": {
            "issuer": partners,
            "jwks": format!("{partners}/jwks"),
            "token_endpoint": format!("{partners}/token"),
            "clients": clients,
        },
        "users": {
            "issuer": users,
            "jwks": format!("{users}/jwks"),
            "authorization_endpoint": format!("{users}/auth"),
            "token_endpoint": format!("{users}/token"),
            "client_id": USER_CLIENT,
            "redirect_uri": format!("{page}/callback"),
        },
        "pool": {
            "url": url(ports.pool),
            "issuer": pool_issuer(ports),
            "client_id": USER_CLIENT,
            "password": POOL_PASSWORD,
            "users": POOL_USERS.into_iter().map(|(name, sub)| (name.to_owned(), json!(sub))).collect::<serde_json::Map<_, _>>(),
        },
        "resource": RESOURCE,
        "dynamodb": url(ports.dynamodb_relay),
        "table": TABLE,
        "page": page,
        "stranger_page": url(ports.stranger_page),
        "keys": keys.0,
        "node": programs.node,
        "node_modules": programs.node_modules,
        "chromium": programs.chromium,
        "logs": logs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_origin_has_a_key_of_its_own_and_only_permissions_trusts_the_administrator() {
        let keys = Keys::generate().expect("keys");
        let secrets = worker_secrets(&keys);
        let keys_of_origins = secrets.iter().filter(|(name, _)| name.starts_with("POSTERN_KEY_"));
        let distinct: std::collections::HashSet<&String> = keys_of_origins.map(|(_, value)| value).collect();
        assert_eq!(distinct.len(), ORIGINS.len());
        assert!(secrets.iter().any(|(name, _)| name == "POSTERN_KEY_EXTERNAL_ORDERS"));
        for origin in ORIGINS {
            let issuers = &keys.trusted_by(origin)["issuers"];
            assert_eq!(issuers["edge"]["keys"], keys.of(origin)["keys"]);
            assert_eq!(issuers["edge"]["capabilities"], json!(["read"]));
            assert_eq!(issuers.get("admin").is_some(), origin == "permissions", "{origin}");
        }
    }

    #[test]
    fn env_files_keep_json_whole() {
        let file = env_file(&[("A".to_owned(), r#"{"k":"x y"}"#.to_owned())]);
        assert_eq!(file, "A='{\"k\":\"x y\"}'\n");
        let keys = Keys::generate().expect("keys");
        assert!(worker_secrets(&keys).iter().all(|(_, value)| !value.contains('\'')));
    }

    #[test]
    fn the_overlay_is_toml_that_names_every_issuer_and_origin() {
        let overlay: toml::Table = overlay(&Ports::block(100)).parse().expect("TOML");
        assert_eq!(overlay["issuer"]["users"]["url"].as_str(), Some("http://127.0.0.1:4102"));
        assert_eq!(
            overlay["origin"]["permissions"]["url"].as_str(),
            Some("http://127.0.0.1:4107/lambda-url/permissions")
        );
        for origin in ORIGINS {
            assert!(overlay["origin"].get(origin).is_some(), "{origin}");
        }
    }
}
