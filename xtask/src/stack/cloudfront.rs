//! What the local CloudFront is told: the distribution that serves the example, the secret that the function reads, the
//! credentials of all who sign, and the overlay with which the function is packed.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use super::files::{self, Keys, LOG_KEY, LOG_SECRET};
use crate::ports::{Ports, url};

/// The secret of `postern.toml`.
const SECRET: &str = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:postern-edge-AbCdEf";
/// Where the function URLs are.
const REGION: &str = "eu-west-2";
/// CloudFront's managed cache policy without a cache.
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/// CloudFront's managed origin request policy that leaves out the viewer's `Host`.
const ALL_VIEWER_EXCEPT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:postern-edge:1";
const METHODS: [&str; 7] = ["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"];
/// Services that are reached at a function URL with `AWS_IAM`.
const SIGNED: [&str; 2] = ["internal-orders", "vouchers"];
/// The services behind CloudFront, as `local/` knows them; the permissions service is the function's own to ask.
const ORIGINS: [&str; 3] = ["external-orders", "internal-orders", "vouchers"];
/// Where each path goes, in this order: `*` crosses slashes, so a voucher called `orders` is settled by what comes first.
///
/// An order is read whole by the edge, and a viewer's event shows but 40 KB of it: the origin's shows 1 MB.
const BEHAVIOURS: [(&str, &str, &str); 5] = [
    ("/companies/*/users/*/vouchers/*", "vouchers", "viewer-request"),
    ("/companies/*/users/*/orders*", "internal-orders", "origin-request"),
    ("/companies/*/orders*", "external-orders", "viewer-request"),
    ("/health", "external-orders", "viewer-request"),
    // Routes of the tests' own, in `e2e/policies/cloudfront.toml`.
    ("/tried/large", "vouchers", "viewer-request"),
];

/// Credentials of one run.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// The function's role.
    function: Value,
    /// Origin access control.
    access_control: Value,
    /// A Worker that signs.
    pub(crate) worker: Value,
}

impl Credentials {
    /// New random ones.
    pub(crate) fn generate() -> Result<Self> {
        let mut function = credentials("ASIAFUNCTION")?;
        function["session_token"] = json!(random()?);
        Ok(Self { function, access_control: credentials("AKIACLOUDFRONT")?, worker: credentials("AKIAWORKER")? })
    }
}

fn credentials(id: &str) -> Result<Value> {
    Ok(json!({ "access_key_id": id, "secret_access_key": random()? }))
}

fn random() -> Result<String> {
    let mut octets = [0; 30];
    getrandom::fill(&mut octets).ok().context("the system has no randomness")?;
    Ok(Base64UrlUnpadded::encode_string(&octets))
}

/// The base URL of an origin as the function has it.
fn origin_port(ports: &Ports, origin: &str) -> u16 {
    if SIGNED.contains(&origin) { ports.function_url } else { ports.origins_relay }
}

/// The stack's overlay, with where the function's secrets are and the services that are reached at function URLs.
pub(crate) fn overlay(ports: &Ports) -> String {
    let overlay = files::overlay_with(ports, |origin| {
        let signed = SIGNED.contains(&origin).then(|| format!("{}/lambda-url/{origin}", url(ports.function_url)));
        signed.unwrap_or_else(|| files::origin_url(ports, origin))
    });
    format!("{overlay}\n[cloudfront]\nurl = \"{}\"\n", url(ports.secrets))
}

/// A policy whose services at function URLs take only who signs.
pub(crate) fn signed_policy(policy: &str) -> Result<String> {
    SIGNED.into_iter().try_fold(policy.to_owned(), |policy, origin| {
        let key = format!("key = \"{}\"\n", files::variable("POSTERN_KEY", origin));
        ensure!(policy.matches(&key).count() == 1, "the policy does not say the key of `{origin}` once");
        Ok(policy.replace(&key, &format!("{key}auth_type = \"AWS_IAM\"\nregion = \"{REGION}\"\n")))
    })
}

/// The distribution, as `aws cloudfront get-distribution-config` prints one.
pub(crate) fn distribution(ports: &Ports) -> Value {
    let origins: Vec<Value> = ORIGINS.into_iter().map(|name| origin(ports, name)).collect();
    let behaviours: Vec<Value> = BEHAVIOURS
        .into_iter()
        .map(|(pattern, origin, event)| {
            let mut behaviour = behaviour(origin, event);
            behaviour["PathPattern"] = json!(pattern);
            behaviour
        })
        .collect();
    json!({
        "CallerReference": "postern-local",
        "Comment": "LJG Sushi",
        "Enabled": true,
        "Aliases": { "Quantity": 0 },
        "DefaultRootObject": "",
        "Origins": { "Quantity": origins.len(), "Items": origins },
        "OriginGroups": { "Quantity": 0 },
        // What no route serves, the function denies there.
        "DefaultCacheBehavior": behaviour("external-orders", "viewer-request"),
        "CacheBehaviors": { "Quantity": behaviours.len(), "Items": behaviours },
        // Else CloudFront keeps errors for 10 s, whatever the cache policy says.
        "CustomErrorResponses": { "Quantity": UNKEPT_ERRORS.len(), "Items": UNKEPT_ERRORS.map(unkept) },
        "HttpVersion": "http2and3",
        "PriceClass": "PriceClass_100",
    })
}

/// What `postern check --cloudfront` asks for.
const UNKEPT_ERRORS: [u16; 8] = [404, 405, 414, 500, 501, 502, 503, 504];

fn unkept(code: u16) -> Value {
    json!({ "ErrorCode": code, "ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 0 })
}

fn origin(ports: &Ports, name: &str) -> Value {
    json!({
        "Id": name,
        "DomainName": "127.0.0.1",
        "OriginPath": format!("/lambda-url/{name}"),
        "CustomHeaders": { "Quantity": 0 },
        "CustomOriginConfig": {
            "HTTPPort": origin_port(ports, name),
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
            "OriginSslProtocols": { "Quantity": 1, "Items": ["TLSv1.2"] },
            "OriginReadTimeout": 30,
            "OriginKeepaliveTimeout": 5,
        },
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginShield": { "Enabled": false },
        "OriginAccessControlId": if SIGNED.contains(&name) { "E2QWRUHAPOMQZL" } else { "" },
    })
}

fn behaviour(origin: &str, event: &str) -> Value {
    let associations = json!([
        { "LambdaFunctionARN": FUNCTION, "EventType": event, "IncludeBody": true },
        { "LambdaFunctionARN": FUNCTION, "EventType": "origin-response", "IncludeBody": false },
    ]);
    json!({
        "TargetOriginId": origin,
        "TrustedSigners": { "Enabled": false, "Quantity": 0 },
        "TrustedKeyGroups": { "Enabled": false, "Quantity": 0 },
        "ViewerProtocolPolicy": "https-only",
        "AllowedMethods": {
            "Quantity": METHODS.len(),
            "Items": METHODS,
            "CachedMethods": { "Quantity": 2, "Items": ["HEAD", "GET"] },
        },
        "SmoothStreaming": false,
        "Compress": false,
        "LambdaFunctionAssociations": { "Quantity": 2, "Items": associations },
        "FunctionAssociations": { "Quantity": 0 },
        "FieldLevelEncryptionId": "",
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST,
    })
}

/// The configuration of `local/cloudfront.mjs`. It holds keys: the caller keeps the file private.
pub(crate) fn config(ports: &Ports, keys: &Keys, credentials: &Credentials, package: &Path) -> Value {
    let mut values: serde_json::Map<String, Value> =
        files::edge_secrets(keys).into_iter().map(|(name, value)| (name, json!(value))).collect();
    values.insert(LOG_KEY.to_owned(), json!(LOG_SECRET));
    json!({
        "ports": {
            "front": ports.cloudfront,
            "control": ports.cloudfront_control,
            "secrets": ports.secrets,
            "functionUrl": ports.function_url,
        },
        "package": package,
        "distribution": distribution(ports),
        "secret": { "arn": SECRET, "values": values },
        "region": REGION,
        // Through the relay, so that a test can take the place of what is behind.
        "functionUrlTarget": ports.origins_relay,
        "credentials": {
            "function": credentials.function,
            "accessControl": credentials.access_control,
            "worker": credentials.worker,
        },
        "environment": { "POSTERN_DEVELOPMENT": "true" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overlay_has_services_at_function_urls_and_the_rest_of_the_stacks() {
        let overlay: toml::Table = overlay(&Ports::block(100)).parse().expect("TOML");
        assert_eq!(overlay["cloudfront"]["url"].as_str(), Some("http://127.0.0.1:4113"));
        assert_eq!(overlay["origin"]["vouchers"]["url"].as_str(), Some("http://127.0.0.1:4114/lambda-url/vouchers"));
        assert_eq!(overlay["issuer"]["users"]["url"].as_str(), Some("http://127.0.0.1:4102"));
    }

    #[test]
    fn a_policy_is_told_who_wants_a_signature() {
        let policy = signed_policy("key = \"POSTERN_KEY_INTERNAL_ORDERS\"\nkey = \"POSTERN_KEY_VOUCHERS\"\n");
        assert_eq!(policy.expect("a policy").matches("auth_type = \"AWS_IAM\"").count(), 2);
        assert!(signed_policy("key = \"POSTERN_KEY_VOUCHERS\"\n").is_err());
    }

    #[test]
    fn every_behaviour_goes_to_an_origin_that_the_distribution_has() {
        let distribution = distribution(&Ports::block(0));
        let origins: Vec<&str> = distribution["Origins"]["Items"]
            .as_array()
            .expect("origins")
            .iter()
            .filter_map(|origin| origin["Id"].as_str())
            .collect();
        for behaviour in distribution["CacheBehaviors"]["Items"].as_array().expect("behaviours") {
            assert!(origins.contains(&behaviour["TargetOriginId"].as_str().expect("an origin")), "{behaviour}");
        }
    }
}
