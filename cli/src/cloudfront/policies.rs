//! Cache policies and origin request policies: CloudFront's own by their ids, custom ones as they are given.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>,
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html>

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::distribution::{text_of, texts};

/// Header fields that reach the origin.
#[derive(Clone, Debug)]
pub(super) enum Fields {
    All,
    AllBut(Vec<String>),
    These(Vec<String>),
}

/// What a policy says.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Whether nothing is ever kept; an origin request policy says nothing of it.
    pub(super) is_off: bool,
    pub(super) fields: Fields,
    /// Whether the whole query reaches the origin.
    pub(super) has_query: bool,
}

/// Every policy that is known.
#[derive(Debug, Default)]
pub(super) struct Policies(BTreeMap<String, Terms>);

/// CloudFront's own cache policies, of which one alone keeps nothing.
const CACHES: [(&str, bool); 7] = [
    // CachingDisabled
    ("4135ea2d-6df8-44a3-9df3-4b5a84be39ad", true),
    // CachingOptimized
    ("658327ea-f89d-4fab-a63d-7e88639e58f6", false),
    // CachingOptimizedForUncompressedObjects
    ("b2884449-e4de-46a7-ac36-70bc7f1ddd6d", false),
    // Elemental-MediaPackage
    ("08627262-05a9-4f76-9ded-b50ca2e3a84f", false),
    // Amplify
    ("2e54312d-136d-493c-8eb9-b001f22f67d2", false),
    // UseOriginCacheControlHeaders
    ("83da9c7e-98b4-4e11-a168-04f0df8e2c65", false),
    // UseOriginCacheControlHeaders-QueryStrings
    ("4cc15a8a-d715-48a4-82b8-cc0b614638fe", false),
];

/// CloudFront's own origin request policies: all fields, all but `Host`, or too few to be of use; and the query.
const REQUESTS: [(&str, Option<&[&str]>, bool); 8] = [
    // AllViewer
    ("216adef6-5c7f-47e4-b989-5492eafa07d3", Some(&[]), true),
    // AllViewerAndCloudFrontHeaders-2022-06
    ("33f36d7e-f396-46d9-90e0-52428a34d9dc", Some(&[]), true),
    // AllViewerExceptHostHeader
    ("b689b0a8-53d0-40ab-baf2-68738e2966ac", Some(&["host"]), true),
    // CORS-CustomOrigin
    ("59781a5b-3903-41f3-afcb-af62929ccde1", None, false),
    // CORS-S3Origin
    ("88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", None, false),
    // Elemental-MediaTailor-PersonalizedManifests
    ("775133bc-15f2-49f9-abea-afb2e0bf67d2", None, true),
    // HostHeaderOnly
    ("bf0718e1-ba1e-49d1-88b1-f726733018ba", None, false),
    // UserAgentRefererHeaders
    ("acba4595-bd28-49b8-b9fe-13317c0390fa", None, false),
];

impl Policies {
    /// CloudFront's own.
    pub(super) fn managed() -> Self {
        let none = || Fields::These(Vec::new());
        let caches = CACHES.map(|(id, is_off)| (id.to_owned(), Terms { is_off, fields: none(), has_query: false }));
        let requests = REQUESTS.map(|(id, all_but, has_query)| {
            let fields = match all_but {
                None => none(),
                Some([]) => Fields::All,
                Some(names) => Fields::AllBut(names.iter().map(|name| (*name).to_owned()).collect()),
            };
            (id.to_owned(), Terms { is_off: false, fields, has_query })
        });
        Self(caches.into_iter().chain(requests).collect())
    }

    /// Adds one as `aws cloudfront get-cache-policy` or `get-origin-request-policy` prints it.
    pub(super) fn add(&mut self, text: &str) -> Result<()> {
        let document: Value = serde_json::from_str(text).context("it is no JSON")?;
        let (policy, config, forwarded) = if let Some(policy) = document.get("CachePolicy") {
            let config = policy.get("CachePolicyConfig").context("it has no `CachePolicyConfig`")?;
            let forwarded = config.get("ParametersInCacheKeyAndForwardedToOrigin");
            (policy, config, forwarded.unwrap_or(&Value::Null))
        } else if let Some(policy) = document.get("OriginRequestPolicy") {
            let config = policy.get("OriginRequestPolicyConfig").context("it has no `OriginRequestPolicyConfig`")?;
            (policy, config, config)
        } else {
            bail!(
                "it is neither a cache policy nor an origin request policy, as `aws cloudfront get-…-policy` prints them"
            );
        };
        let id = text_of(policy, "Id");
        anyhow::ensure!(!id.is_empty(), "it has no `Id`");
        let headers = forwarded.get("HeadersConfig").unwrap_or(&Value::Null);
        let listed = || texts(headers, "Headers");
        let fields = match text_of(headers, "HeaderBehavior").as_str() {
            "allViewer" | "allViewerAndWhitelistCloudFront" => Fields::All,
            "allExcept" => Fields::AllBut(listed()),
            "whitelist" => Fields::These(listed()),
            _ => Fields::These(Vec::new()),
        };
        let query = forwarded.get("QueryStringsConfig").unwrap_or(&Value::Null);
        let terms = Terms {
            is_off: config.get("MaxTTL").and_then(Value::as_f64) == Some(0.0),
            fields,
            has_query: text_of(query, "QueryStringBehavior") == "all",
        };
        self.0.insert(id, terms);
        Ok(())
    }

    pub(super) fn of(&self, id: &str) -> Option<&Terms> {
        self.0.get(id)
    }
}

impl Fields {
    /// Whether a field of this name, in lower case, reaches the origin.
    pub(super) fn have(&self, name: &str) -> bool {
        let is_listed = |list: &[String]| list.iter().any(|own| own.eq_ignore_ascii_case(name));
        match self {
            Self::All => true,
            Self::AllBut(list) => !is_listed(list),
            Self::These(list) => is_listed(list) || list.iter().any(|own| own == "*"),
        }
    }
}
